"""Draws instances over an image, for viewing results without the window."""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon, Ring

Bgr = tuple[int, int, int]
FILL_OPACITY = 0.22
_DARK: Bgr = (24, 24, 24)
_SHIFT = 4


def draw_overlay(
    image_bgr: NDArray[np.uint8], instances: Iterable[Instance], *, colour_of: Callable[[Instance], Bgr]
) -> NDArray[np.uint8]:
    """A copy of `image_bgr` (H, W, 3) uint8 with each instance lightly filled, and outlined on a dark under-stroke."""
    picture = image_bgr.copy()
    for instance in instances:
        colour = colour_of(instance)
        for polygon in instance.polygons:
            _fill(picture, polygon, colour)
            rings = [_to_fixed_point(ring) for ring in polygon.rings]
            cv2.polylines(picture, rings, True, _DARK, 3, cv2.LINE_AA, _SHIFT)
            cv2.polylines(picture, rings, True, colour, 1, cv2.LINE_AA, _SHIFT)
    return picture


def _to_fixed_point(ring: Ring) -> NDArray[np.int32]:
    """Pixel-edge coordinates as cv2's pixel-centre coordinates (minus half a pixel) with `_SHIFT` fractional bits."""
    return np.round((ring - 0.5) * (1 << _SHIFT)).astype(np.int32)


def _fill(picture: NDArray[np.uint8], polygon: Polygon, colour: Bgr) -> None:
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = polygon.bounds_xyxy
    left, top = max(int(x1) - 1, 0), max(int(y1) - 1, 0)
    right, bottom = min(int(x2) + 2, width), min(int(y2) + 2, height)
    if left >= right or top >= bottom:
        return
    crop = picture[top:bottom, left:right]
    painted = crop.copy()
    # all rings of a polygon in one call: cv2 fills even-odd, so holes stay open
    rings = [_to_fixed_point(ring) for ring in polygon.rings]
    offset = (-left * (1 << _SHIFT), -top * (1 << _SHIFT))
    cv2.fillPoly(painted, [ring + np.array(offset, np.int32) for ring in rings], colour, cv2.LINE_8, _SHIFT)
    cv2.addWeighted(painted, FILL_OPACITY, crop, 1 - FILL_OPACITY, 0, dst=crop)
