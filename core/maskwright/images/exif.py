"""The one EXIF field that changes pixels: orientation.

Parsed from the bytes (Exif 2.32 section 4.5, TIFF 6.0 section 2) instead of by a library, so that damaged metadata can
neither warn nor fail an image whose pixels are fine."""

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_TAG = 0x0112
_SHORT = 3


def exif_orientation(exif: bytes) -> int:
    """Orientation 1..8 of an EXIF block (with or without its "Exif" prefix); 1 when absent or damaged."""
    tiff = exif[6:] if exif.startswith(b"Exif\0\0") else exif
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, offset + 2 + 12 * index)
            if tag == _TAG and kind == _SHORT and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return 1
    return 1


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """`pixels` (H, W) or (H, W, C) rotated as `orientation` says, contiguous; the same array for orientation 1."""
    if orientation == 1:
        return pixels
    # rotating only moves samples, so each is treated as a number of its size that cv2 supports
    known = {1: np.uint8, 2: np.uint16, 4: np.float32, 8: np.float64}[pixels.dtype.itemsize]
    turned = _turned(np.ascontiguousarray(pixels).view(known), orientation)
    return np.ascontiguousarray(turned).view(pixels.dtype)


def _turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    match orientation:
        case 2:
            turned = cv2.flip(pixels, 1)
        case 3:
            turned = cv2.rotate(pixels, cv2.ROTATE_180)
        case 4:
            turned = cv2.flip(pixels, 0)
        case 5:
            turned = cv2.transpose(pixels)
        case 6:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            turned = cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180)
        case _:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return np.asarray(turned)
