"""TIFF pixels of any depth: 8 bits through Pillow, deeper samples through OpenCV, the rest through tifffile."""

import io
from pathlib import Path
from typing import IO, Any, Literal

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from maskwright.images.bgr import pillow_to_bgr
from maskwright.images.border import damage_reason, decoding, opened
from maskwright.images.exif import upright
from maskwright.images.header import MAX_PIXELS, ImageHeader, read_header
from maskwright.images.pages import page_at, page_name
from maskwright.images.parts import joined
from maskwright.images.tiff_bands import page_parts
from maskwright.images.tiff_samples import channel_samples, open_tiff_page, require_whole
from maskwright.windowing import deep_to_bgr


def read_tiff(stream: IO[bytes], header: ImageHeader) -> NDArray[np.uint8]:
    """A page of at most 8 bits per sample, upright, (H, W, 3) BGR uint8.

    Raises one of DECODER_ERRORS for damaged or truncated files and for compressions without a decoder.
    """
    require_whole(stream, header.page)
    try:
        return pillow_to_bgr(open_tiff_page(stream, header.page))  # Pillow rotates TIFFs, and only TIFFs, itself
    except (SyntaxError, EOFError):  # more channels than Pillow supports, or a page without its own directory
        return upright(deep_to_bgr(channel_samples(stream, header.page)), header.orientation)


def page_as_file(source: Path, page: int) -> bytes:
    """One page of a TIFF as a TIFF of its own: upright, in 8-bit colour or with its deeper samples.

    Raises ImageError as `read_header` does, and for pixels that cannot be decoded.
    """
    with opened(source, source) as file:
        stream = io.BytesIO(file.read())
    header = read_header(stream, source.with_name(page_name(source.name, page)), max_pixels=MAX_PIXELS)
    with decoding(source, lambda error: f"page {page}: {damage_reason('TIFF', error)}"):
        pixels = read_tiff(stream, header) if header.depth <= 8 else read_deep_tiff(stream, header)
    is_colour = pixels.ndim == 3 and pixels.shape[2] >= 3
    rgb = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]] if is_colour else pixels
    written = io.BytesIO()
    tifffile.imwrite(written, rgb, photometric="rgb" if is_colour else "minisblack", metadata=None)
    return written.getvalue()


def read_deep_tiff(stream: IO[bytes], header: ImageHeader) -> NDArray[Any]:
    """The samples of a page of more than 8 bits, upright: (H, W) or (H, W, C), C of 1, 3 (BGR) or 4 (BGRA).

    Raises as `read_tiff` does.
    """
    if (planes := _of_planes(stream, header.page)) is not None:
        return upright(planes, header.orientation)
    samples = _by_opencv(stream, header.page)
    return upright(samples if samples is not None else channel_samples(stream, header.page), header.orientation)


def _of_planes(stream: IO[bytes], number: int) -> NDArray[Any] | None:
    """Samples stored plane by plane, which OpenCV silently mixes up; None for others."""
    require_whole(stream, number)
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = page_at(file, number)
        is_planar = page.samplesperpixel > 1 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        parts = page_parts(stream, page) if is_planar and number <= len(file.pages) else None
    return joined(parts, (page.imagewidth, page.imagelength), 1, None) if parts is not None else None


def _by_opencv(stream: IO[bytes], page: int) -> NDArray[Any] | None:
    """As stored; None if OpenCV cannot decode it."""
    data = np.frombuffer(_without_orientation(stream, page), np.uint8)
    if page == 1:
        samples = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        return np.asarray(samples) if samples is not None else None
    is_read, planes = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, range=(page - 1, page))
    return np.asarray(planes[0]) if is_read and len(planes) == 1 else None


def _without_orientation(stream: IO[bytes], number: int) -> bytes | bytearray:
    """The file with the page's orientation set to 1, because OpenCV always rotates some sample types."""
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        tag = page_at(file, number).tags.get(274)
        order: Literal["little", "big"] = "little" if file.byteorder == "<" else "big"
    stream.seek(0)
    data = stream.read()
    if tag is None or tag.value == 1:
        return data
    upright_data = bytearray(data)
    upright_data[tag.valueoffset : tag.valueoffset + 2] = (1).to_bytes(2, order)
    return upright_data
