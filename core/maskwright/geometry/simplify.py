"""Few vertices for a traced mask, with a promise: pycocotools' raster of the result has at least the asked IoU."""

from collections.abc import Sequence

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.geometry.raster import Rle, one_walk, rle_iou, walks_to_rle
from maskwright.geometry.trace import LatticePart

Outline = list[NDArray[np.float64]]
"""The exterior of one part, then its holes."""

_STEPS = 7
_WIDEST_PX = 64.0


def simplify_parts(parts: Sequence[LatticePart], size_wh: tuple[int, int], min_iou: float) -> list[Outline]:
    """The parts with fewer vertices and IoU >= min_iou with the original on an image of this size.

    Every outline is valid (simple rings, holes inside). Parts and holes too small to matter for the IoU may go.
    """
    exact = [[ring.astype(np.float64) for ring in part.rings] for part in parts]
    reference = _outlines_to_rle(exact, size_wh)
    best, low, high = exact, 0.0, _WIDEST_PX
    epsilon = 1.0
    for _ in range(_STEPS):
        outlines = _simplified(parts, epsilon)
        if outlines and rle_iou(_outlines_to_rle(outlines, size_wh), reference) >= min_iou and _are_valid(outlines):
            best, low = outlines, epsilon
            epsilon = (low + high) / 2 if high < _WIDEST_PX else epsilon * 3
        else:
            high = epsilon
            epsilon = (low + high) / 2
    return best


def _simplified(parts: Sequence[LatticePart], epsilon: float) -> list[Outline]:
    outlines: list[Outline] = []
    for part in parts:
        rings = [cv2.approxPolyDP(ring, epsilon, True)[:, 0] for ring in part.rings]
        if len(rings[0]) >= 3:
            outlines.append([ring.astype(np.float64) for ring in rings if len(ring) >= 3])
    return outlines


def _outlines_to_rle(outlines: list[Outline], size_wh: tuple[int, int]) -> Rle:
    return walks_to_rle([one_walk(outline).ravel().tolist() for outline in outlines], size_wh)


def _are_valid(outlines: list[Outline]) -> bool:
    shapes = [shapely.Polygon(outline[0], outline[1:]) for outline in outlines]
    return bool(shapely.is_valid(shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(shapes)))
