"""Few vertices for a traced mask, with a promise: pycocotools' raster of the result has at least the asked IoU.

Douglas and Peucker (cv2.approxPolyDP) choose which corners of the outline stay, `fitting` moves them to where they do
most good, and what is left of the allowed error pays for leaving out single vertices.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.geometry.fitting import PreparedRing, fit
from maskwright.geometry.raster import Rle, one_walk, walks_to_rle
from maskwright.geometry.trace import LatticePart

Outline = list[NDArray[np.float64]]
"""The exterior of one part, then its holes."""

# Measured on outlines of photographs and micrographs: the tolerance that uses up the allowed error is 8 to 30 times
# the error's share of the outline (median 14 for an IoU of 0.98), and the error grows about in proportion to it.
_FIRST_GUESS = 11.0
_SMALLEST_PX = 0.7
_AIM = 0.9
_ENOUGH = 0.6
"""A result that uses this much of the allowed error is not improved further."""
_MAX_STEPS = 8
_GOOD_STEPS = 3
_FARTHEST_MOVE = 1.5
"""In tolerances: how far fitting may move a vertex."""
_FINER = (0.6, 0.35, 0.2)
_WORTH_PRUNING = 0.08
_FEW = 4
"""Vertices that pruning leaves to a ring."""


def simplify_parts(parts: Sequence[LatticePart], size_wh: tuple[int, int], min_iou: float) -> list[Outline]:
    """The parts with few vertices and IoU >= min_iou with the original in a frame of this size.

    Every outline is valid (simple rings, holes inside) and lies in the frame. Parts and holes that do not matter for
    the IoU may go. Where nothing simpler keeps the promise the parts come back as they are.
    """
    exact = [[ring.astype(np.float64) for ring in part.rings] for part in parts]
    search = _Search(parts, exact, size_wh, min_iou)
    found = [*search.coarser_and_coarser(), (0.0, exact)]
    error, fewest = min(found, key=lambda each: _count(each[1]))
    candidates = [search.pruned(fewest, error), *sorted((outlines for _, outlines in found), key=_count)]
    for outlines in candidates:
        if outlines is not exact and _are_valid(outlines):
            return outlines
    return next(filter(_are_valid, search.finer()), exact)


class _Search:
    """Tolerances tried on one mask. Errors are (1 - IoU) times the area of the mask: the wrong pixels, about."""

    def __init__(
        self, parts: Sequence[LatticePart], exact: list[Outline], size_wh: tuple[int, int], min_iou: float
    ) -> None:
        self._parts = [[PreparedRing(ring) for ring in part.rings] for part in parts]
        self._size_wh = size_wh
        self._frame_wh = np.array(size_wh, np.float64)
        self._reference = _to_rle(exact, size_wh)
        self._area = int(coco_mask.area(self._reference))
        self._allowed = (1 - min_iou) * self._area
        perimeter = sum(ring.perimeter for rings in self._parts for ring in rings)
        self._epsilon = max(_FIRST_GUESS * self._allowed / perimeter, _SMALLEST_PX)

    def coarser_and_coarser(self) -> list[tuple[float, list[Outline]]]:
        """(error, outlines) of all tries that keep the promise."""
        good: list[tuple[float, list[Outline]]] = []
        low, high = 0.0, float("inf")
        for step in range(_MAX_STEPS):
            outlines = self._fitted(self._epsilon)
            error = self._error(outlines)
            if error <= self._allowed:
                low = self._epsilon
                good.append((error, outlines))
            else:
                high = self._epsilon
            is_close = _ENOUGH * self._allowed < error <= self._allowed
            if is_close or (low and step + 1 >= _GOOD_STEPS) or self._epsilon < _SMALLEST_PX / 2:
                break
            used = error / self._allowed if self._allowed else float("inf")
            self._epsilon = _next_epsilon(self._epsilon, used, low, high)
        return good

    def pruned(self, outlines: list[Outline], error: float) -> list[Outline]:
        """`outlines` without single vertices that the rest of the allowed error pays for; as they are for no rest."""
        slack = self._allowed - error
        if slack <= _WORTH_PRUNING * self._allowed:
            return outlines
        pruned = [[ring if len(ring) <= _FEW else _pruned_ring(ring, slack) for ring in each] for each in outlines]
        is_good = _count(pruned) < _count(outlines) and self._error(pruned) <= self._allowed
        return pruned if is_good else outlines

    def finer(self) -> Iterator[list[Outline]]:
        """Where rings that lie close together ran into one another: tolerances at which they may keep apart."""
        for share in _FINER:
            outlines = self._fitted(max(self._epsilon, _SMALLEST_PX) * share)
            if self._error(outlines) <= self._allowed:
                yield outlines

    def _fitted(self, epsilon: float) -> list[Outline]:
        chosen: list[tuple[PreparedRing, NDArray[np.intp]]] = []
        counts: list[int] = []
        for rings in self._parts:
            kept = [(ring, cv2.approxPolyDP(ring.ring, epsilon, True)) for ring in rings]
            if len(kept[0][1]) >= 3:  # without its outline a part has no holes either
                left = [(ring, ring.indices(corners)) for ring, corners in kept if len(corners) >= 3]
                chosen += left
                counts.append(len(left))
        if not chosen:
            return []
        fitted = iter(fit(chosen, _FARTHEST_MOVE * epsilon, self._frame_wh))
        return [list(islice(fitted, count)) for count in counts]

    def _error(self, outlines: list[Outline]) -> float:
        if not outlines:
            return float("inf")
        rle = _to_rle(outlines, self._size_wh)
        shared = int(coco_mask.area(coco_mask.merge([rle, self._reference], intersect=True)))
        return (1 - shared / (self._area + int(coco_mask.area(rle)) - shared)) * self._area


def _next_epsilon(epsilon: float, used: float, low: float, high: float) -> float:
    """In proportion to the share of the allowed error that was used, between what was found good and too coarse."""
    guess = epsilon * min(max(_AIM / max(used, 1e-6), 0.3), 2.5)
    if guess >= high:
        return (low + high) / 2
    return guess if guess > low else (low + min(high, 2 * low)) / 2


def _pruned_ring(ring: NDArray[np.float64], slack: float) -> NDArray[np.float64]:
    """Without the vertices whose triangles, together no larger than `slack` square pixels, change the area least."""
    points = ring[:, 0] + 1j * ring[:, 1]
    step = points - np.concatenate((points[-1:], points[:-1]))
    areas = np.abs((step.conj() * np.concatenate((step[1:], step[:1]))).imag) / 2
    is_kept = [True] * len(ring)
    left = len(ring)
    for i in areas.argsort().tolist():
        if areas[i] > slack or left <= _FEW:
            break
        if is_kept[i - 1] and is_kept[(i + 1) % len(ring)]:  # its triangle is still the one measured
            is_kept[i] = False
            left -= 1
            slack -= float(areas[i])
    return ring[is_kept] if left < len(ring) else ring


def _count(outlines: list[Outline]) -> int:
    return sum(len(ring) for outline in outlines for ring in outline)


def _to_rle(outlines: list[Outline], size_wh: tuple[int, int]) -> Rle:
    return walks_to_rle([one_walk(outline).ravel() for outline in outlines], size_wh)


def _are_valid(outlines: list[Outline]) -> bool:
    shapes = [shapely.polygons(outline[0], _holes_of(outline)) for outline in outlines]
    return bool(shapely.is_valid(shapes[0] if len(shapes) == 1 else shapely.multipolygons(shapes)))


def _holes_of(outline: Outline) -> list[Any] | None:
    return [shapely.linearrings(hole) for hole in outline[1:]] or None
