"""Reads image files safely, upright, as BGR uint8. Decoders are imported on first use."""

from typing import TYPE_CHECKING

from maskwright.lazy import attributes_of

if TYPE_CHECKING:
    from maskwright.images.decode import DecodedImage, read_image, read_preview, read_samples, read_thumbnail
    from maskwright.images.header import IMAGE_SUFFIXES, MAX_PIXELS, ImageHeader, probe_image, probe_pages
    from maskwright.images.pages import page_source

_HOME = {
    "IMAGE_SUFFIXES": "maskwright.images.header",
    "MAX_PIXELS": "maskwright.images.header",
    "DecodedImage": "maskwright.images.decode",
    "ImageHeader": "maskwright.images.header",
    "page_source": "maskwright.images.pages",
    "probe_image": "maskwright.images.header",
    "probe_pages": "maskwright.images.header",
    "read_image": "maskwright.images.decode",
    "read_preview": "maskwright.images.decode",
    "read_samples": "maskwright.images.decode",
    "read_thumbnail": "maskwright.images.decode",
}

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

__getattr__ = attributes_of(__name__, _HOME)
