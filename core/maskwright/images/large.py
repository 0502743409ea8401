"""Images of tens of megapixels: the same pixels as everywhere, with no second copy of them at any moment.

Pillow keeps four bytes per pixel of its own beside the array that is made of them, `cv2.imdecode` copies its result,
and both want the whole file in memory; `cv2.imread` decodes from the disk into an array that is given to it. But it
returns half a picture for a file that is cut off, so that only files that end as they should come here.
"""

import io
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.images.exif import upright
from maskwright.images.header import ImageHeader, open_plugin

_TAIL_BYTES = 1024
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_GREY_16 = "I;16"


def read_large(file: IO[bytes], source: Path, header: ImageHeader) -> NDArray[Any] | None:
    """(H, W, 3) uint8 BGR or (H, W) uint16, upright; None for what has to go the usual way, errors included.

    `file` is `source`, open.
    """
    mode = _plain_mode(file, header)
    if mode is None:
        return None
    if header.format == "TIFF" and mode != _GREY_16:
        from maskwright.images.tiff_bands import read_bands

        if (bands := read_bands(file, header.page)) is not None:
            return bands
    width, height = header.size_wh if header.orientation < 5 else header.size_wh[::-1]
    if mode == _GREY_16:
        samples, flags = np.empty((height, width), np.uint16), cv2.IMREAD_UNCHANGED
    else:
        samples, flags = np.empty((height, width, 3), np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return upright(samples, header.orientation) if _read_into(samples, source, flags) else None


def _read_into(samples: NDArray[Any], source: Path, flags: int) -> bool:
    """Whether OpenCV could read the file into the array: not every version can, nor every path on every system."""
    try:
        filled = cv2.imread(str(source), samples, flags)
    except (cv2.error, TypeError):
        return False
    return filled is samples


def _plain_mode(file: IO[bytes], header: ImageHeader) -> str | None:
    """ "L", "RGB" or 16-bit grey, without transparency, whole: what both decoders read alike; None for all others."""
    if header.page != 1 or header.format not in ("JPEG", "PNG", "TIFF"):
        return None
    image = open_plugin(file, header.format)
    mode = _GREY_16 if image.mode.startswith(_GREY_16) else image.mode
    if mode not in ("L", "RGB", _GREY_16) or image.has_transparency_data or (mode == _GREY_16) != (header.depth == 16):
        return None
    if header.format != "TIFF":
        return mode if _ends_whole(file, header) else None  # Pillow knows how to say what is missing
    from maskwright.images.tiff import require_whole

    require_whole(file, header.page)
    return mode if header.orientation == 1 else None  # OpenCV turns TIFFs by itself, whatever it is told


def _ends_whole(file: IO[bytes], header: ImageHeader) -> bool:
    """Whether a JPEG or PNG ends with its end mark; padding is passed over."""
    file.seek(-min(_TAIL_BYTES, file.seek(0, io.SEEK_END)), io.SEEK_END)
    return file.read().rstrip(b"\0").endswith(_ENDS[header.format])
