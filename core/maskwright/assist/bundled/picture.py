"""Cuts a window out of the image, whatever its size and position, and resizes it to the network's square input."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.window import Window
from maskwright.inference.frame import resized

_FINE = 3
"""A large window is first reduced to at most this many times the square, because padding copies it."""


def square(image_bgr: NDArray[np.uint8], window: Window, side: int, outside: int) -> NDArray[np.uint8]:
    """(side, side, 3) uint8; what lies beyond the image is filled with the grey level `outside`."""
    size_wh = image_bgr.shape[1], image_bgr.shape[0]
    inner, cut = window.clipped(size_wh), window.cut(image_bgr)
    scale = min(1.0, _FINE * side / max(window.width, window.height))
    if scale < 1:
        cut = resized(cut, (max(1, round(inner.width * scale)), max(1, round(inner.height * scale))))
    x_scale, y_scale = cut.shape[1] / inner.width, cut.shape[0] / inner.height
    left, top = round((inner.x - window.x) * x_scale), round((inner.y - window.y) * y_scale)
    right = round(window.width * x_scale) - cut.shape[1] - left
    bottom = round(window.height * y_scale) - cut.shape[0] - top
    if left > 0 or top > 0 or right > 0 or bottom > 0:
        borders = (max(top, 0), max(bottom, 0), max(left, 0), max(right, 0))
        cut = np.asarray(cv2.copyMakeBorder(cut, *borders, cv2.BORDER_CONSTANT, value=(outside,) * 3), np.uint8)
    shrinks = cut.shape[1] > side or cut.shape[0] > side
    # INTER_AREA is bilinear along an axis that is enlarged and skips no pixel along one that is reduced.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(cut, (side, side), interpolation=method), np.uint8)
