"""Few vertices for a traced mask, with a promise: pycocotools' raster of the result has at least the asked IoU.

Douglas and Peucker (cv2.approxPolyDP) choose which corners of the outline stay. Their polygon is then fitted: each edge
moves until it cuts off as much of the mask as it adds, and the vertices follow to where neighbouring edges meet. That
halves the error at the same number of vertices, so that a coarser choice reaches the same IoU.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.geometry.raster import Rle, one_walk, walks_to_rle
from maskwright.geometry.trace import LatticePart, LatticeRing

Outline = list[NDArray[np.float64]]
"""The exterior of one part, then its holes."""

GRID = 4
"""Fitted vertices lie on quarters of a pixel: exact in binary, two decimals in a file."""

# Measured on outlines of photographs and micrographs: the tolerance that uses up the allowed error is 8 to 30 times
# the error's share of the outline (median 14 for an IoU of 0.98), and the error grows about in proportion to it.
_FIRST_GUESS = 11.0
_SMALLEST_PX = 0.7
_AIM = 0.9
_ENOUGH = 0.75
"""A result that uses this much of the allowed error is not improved further."""
_MAX_STEPS = 8
_GOOD_STEPS = 3
_FARTHEST_MOVE = 1.5
"""In tolerances: how far fitting may move a vertex."""
_SMALLEST_TURN = 0.15
"""Sine of the angle below which two edges count as parallel and their vertex moves straight out."""


def simplify_parts(parts: Sequence[LatticePart], size_wh: tuple[int, int], min_iou: float) -> list[Outline]:
    """The parts with few vertices and IoU >= min_iou with the original in a frame of this size.

    Every outline is valid (simple rings, holes inside) and lies in the frame. Parts and holes that do not matter for
    the IoU may go. Where nothing simpler keeps the promise the parts come back as they are.
    """
    exact = [[ring.astype(np.float64) for ring in part.rings] for part in parts]
    reference = _to_rle(exact, size_wh)
    area = int(coco_mask.area(reference))
    allowed = (1 - min_iou) * area
    prepared = [[_PreparedRing(ring) for ring in part.rings] for part in parts]
    perimeter = sum(ring.perimeter for rings in prepared for ring in rings)
    epsilon = max(_FIRST_GUESS * allowed / perimeter, _SMALLEST_PX)
    low, high = 0.0, float("inf")
    good: list[tuple[int, list[Outline]]] = [(_count(exact), exact)]
    for step in range(_MAX_STEPS):
        outlines = _fitted(prepared, epsilon, size_wh)
        error = _error(outlines, reference, area, size_wh)
        if error <= allowed:
            low = epsilon
            good.append((_count(outlines), outlines))
        else:
            high = epsilon
        is_close = _ENOUGH * allowed < error <= allowed
        if is_close or (low and step + 1 >= _GOOD_STEPS) or epsilon < _SMALLEST_PX / 2:
            break
        epsilon = _next_epsilon(epsilon, error / allowed if allowed else float("inf"), low, high)
    good.sort(key=lambda counted: counted[0])
    return next((outlines for _, outlines in good if outlines is exact or _are_valid(outlines)), exact)


def _next_epsilon(epsilon: float, used: float, low: float, high: float) -> float:
    """In proportion to the share of the allowed error that was used, between what was found good and too coarse."""
    guess = epsilon * min(max(_AIM / max(used, 1e-6), 0.3), 2.5)
    if guess >= high:
        return (low + high) / 2
    return guess if guess > low else (low + min(high, 2 * low)) / 2


class _PreparedRing:
    """What every tolerance needs of a ring. Points are complex: conj(a) b has the cross product as imaginary part."""

    __slots__ = ("_keys", "_order", "perimeter", "points", "ring", "swept")

    def __init__(self, ring: LatticeRing) -> None:
        self.ring = ring
        self.points = ring[:, 0] + 1j * ring[:, 1]
        following = np.concatenate((self.points[1:], self.points[:1]))
        step = following - self.points
        self.perimeter = float(np.abs(step.real).sum() + np.abs(step.imag).sum())
        self.swept = np.zeros(len(ring) + 1)
        """Doubled area swept from the origin up to each corner; the last value is that of the whole ring."""
        np.cumsum((self.points.conj() * following).imag, out=self.swept[1:])
        keys = _keys(ring)
        self._order = keys.argsort()
        self._keys = keys[self._order]

    def indices(self, kept: NDArray[Any]) -> NDArray[np.intp]:
        """Where the kept corners stand in the ring, ascending; every corner of a ring is there once."""
        at = self._order[self._keys.searchsorted(_keys(kept))]
        at.sort()
        return at


def _keys(ring: NDArray[Any]) -> NDArray[np.int64]:
    return np.ascontiguousarray(ring).view(np.int64).ravel()


def _fitted(parts: list[list[_PreparedRing]], epsilon: float, size_wh: tuple[int, int]) -> list[Outline]:
    outlines: list[Outline] = []
    for rings in parts:
        outline: Outline = []
        for ring in rings:
            kept = cv2.approxPolyDP(ring.ring, epsilon, True)
            if len(kept) >= 3:
                outline.append(_fit(ring, ring.indices(kept), _FARTHEST_MOVE * epsilon, size_wh))
            elif not outline:
                break
        if outline:
            outlines.append(outline)
    return outlines


def _fit(ring: _PreparedRing, at: NDArray[np.intp], farthest: float, size_wh: tuple[int, int]) -> NDArray[np.float64]:
    """The polygon of the ring's corners `at`, each edge moved to balance what it cuts off and what it adds."""
    vertices = ring.points[at]
    swept = ring.swept[at]
    following, swept_following = _one_earlier(vertices), _one_earlier(swept)
    swept_following[-1] += ring.swept[-1]
    edge = following - vertices
    # Signed area between the outline and its edge; divided by the edge's length: how far the edge has to move out.
    missed = (swept_following - swept - (vertices.conj() * following).imag) / 2
    length2 = edge.real**2 + edge.imag**2
    edge_before, missed_before, length2_before = _one_later(edge), _one_later(missed), _one_later(length2)
    turn = (edge_before.conj() * edge).imag
    is_corner = turn * turn > _SMALLEST_TURN**2 * length2 * length2_before
    meet = (missed * edge_before - missed_before * edge) / np.where(is_corner, turn, 1)
    out = -0.5j * (missed_before / length2_before * edge_before + missed / length2 * edge)
    move = np.where(is_corner, meet, out)
    move *= np.minimum(1, farthest / np.maximum(np.abs(move), 1e-9))
    fitted = (vertices + move).view(np.float64).reshape(-1, 2)
    return np.asarray(np.rint(fitted.clip(0, size_wh) * GRID) / GRID)


def _one_earlier(values: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((values[1:], values[:1]))


def _one_later(values: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((values[-1:], values[:-1]))


def _count(outlines: list[Outline]) -> int:
    return sum(len(ring) for outline in outlines for ring in outline)


def _to_rle(outlines: list[Outline], size_wh: tuple[int, int]) -> Rle:
    return walks_to_rle([one_walk(outline).ravel() for outline in outlines], size_wh)


def _error(outlines: list[Outline], reference: Rle, area: int, size_wh: tuple[int, int]) -> float:
    """(1 - IoU) times the area of the mask: the number of wrong pixels, about; infinite for no outlines."""
    if not outlines:
        return float("inf")
    rle = _to_rle(outlines, size_wh)
    shared = int(coco_mask.area(coco_mask.merge([rle, reference], intersect=True)))
    iou = shared / (area + int(coco_mask.area(rle)) - shared)
    return (1 - iou) * area


def _are_valid(outlines: list[Outline]) -> bool:
    shapes = [shapely.polygons(outline[0], _holes_of(outline)) for outline in outlines]
    return bool(shapely.is_valid(shapes[0] if len(shapes) == 1 else shapely.multipolygons(shapes)))


def _holes_of(outline: Outline) -> list[Any] | None:
    return [shapely.linearrings(hole) for hole in outline[1:]] or None
