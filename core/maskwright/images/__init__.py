"""Reading image files safely, upright, as BGR uint8."""

from maskwright.images.decode import DecodedImage, read_image, read_preview, read_samples, read_thumbnail
from maskwright.images.header import IMAGE_SUFFIXES, MAX_PIXELS, ImageHeader, probe_image, probe_pages
from maskwright.images.pages import page_source

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "DecodedImage",
    "ImageHeader",
    "page_source",
    "probe_image",
    "probe_pages",
    "read_image",
    "read_preview",
    "read_samples",
    "read_thumbnail",
]
