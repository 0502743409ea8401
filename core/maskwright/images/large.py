"""Images of tens of megapixels: the same pixels as Pillow gives, in a third of its memory.

Pillow keeps four bytes per pixel of its own beside the array that is made of them; OpenCV decodes into the array.
But it returns half a picture for a file that is cut off, so that only files that end as they should come here.
"""

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.images.exif import upright
from maskwright.images.header import ImageHeader, open_plugin

_TAIL_BYTES = 1024
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_MODES = {"JPEG": ("L", "RGB"), "PNG": ("L", "RGB"), "TIFF": ("L", "RGB")}


def read_large(stream: io.BytesIO, header: ImageHeader) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8 BGR, upright; None for what has to go the usual way, errors included."""
    if header.page != 1 or not _is_plain(stream, header):
        return None
    if header.format in _ENDS and not ends_whole(stream, header):
        return None  # Pillow knows how to say what is missing
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(stream.getbuffer(), np.uint8), flags)
    return upright(np.asarray(pixels, dtype=np.uint8), header.orientation) if pixels is not None else None


def _is_plain(stream: io.BytesIO, header: ImageHeader) -> bool:
    """Grey or colour without transparency: what both decoders read alike."""
    if header.format not in _MODES:
        return False
    image = open_plugin(stream, header.format)
    if image.mode not in _MODES[header.format] or image.has_transparency_data:
        return False
    if header.format != "TIFF":
        return True
    from maskwright.images.tiff import require_whole

    require_whole(stream, header.page)
    return header.orientation == 1  # OpenCV turns TIFFs by itself, whatever it is told


def ends_whole(stream: io.BytesIO, header: ImageHeader) -> bool:
    """Whether a JPEG or PNG ends with its end mark; padding is passed over."""
    stream.seek(-min(_TAIL_BYTES, stream.seek(0, io.SEEK_END)), io.SEEK_END)
    return stream.read().rstrip(b"\0").endswith(_ENDS[header.format])
