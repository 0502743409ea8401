"""Exact outlines of a mask on the pixel-edge lattice: what the rings enclose is the mask, pixel for pixel.

Pixels that touch only at a corner belong to different parts, so every ring is simple: it never meets itself, and other
rings only at single lattice points. That is what shapely calls valid."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LatticeRing = NDArray[np.int32]
"""(N, 2) int32 x, y of the corners only, N >= 4; every edge is parallel to an axis. The foreground lies on the left."""


@dataclass(frozen=True, slots=True)
class LatticePart:
    """One 4-connected component of a mask: its outline and the outlines of its holes."""

    exterior: LatticeRing
    holes: tuple[LatticeRing, ...] = ()

    @property
    def rings(self) -> tuple[LatticeRing, ...]:
        """The outline, then the holes."""
        return (self.exterior, *self.holes)

    @property
    def area(self) -> int:
        """Number of pixels."""
        return sum(-_doubled_area(ring) for ring in self.rings) // 2


# Border following (Suzuki and Abe 1985, the algorithm behind cv2.findContours) leaves each border pixel in direction
# `left` after entering it in direction `entered`; in between it has examined, counter-clockwise from where it came,
# neighbours that are all background. The pixel's sides towards those neighbours are the pieces of its pixel-edge
# outline, in order. Directions count counter-clockwise on the screen: 0 east, 1 north-east, 2 north, ... 7 south-east.
# A step (dx, dy) between contour pixels is coded as 3 dy + dx + 4; the last two steps and the next one decide which
# corners of the pixel are corners of the outline.
_STEP_OF_DIRECTION = (5, 2, 1, 0, 3, 6, 7, 8)
_START_OF_SIDE = {4: (0, 0), 6: (0, 1), 0: (1, 1), 2: (1, 0)}
_LONE_PIXEL = 4 * 81 + 4 * 9 + 4


def _turned_corners(before: int, entered: int, left: int) -> list[tuple[int, int]]:
    looked = [(entered + 5 + i) % 8 for i in range((left - entered - 5) % 8)]
    sides = [direction for direction in looked if direction % 2 == 0]
    # The first side continues straight from the previous pixel if that one was left along this very side.
    goes_straight_on = entered % 2 == 0 and (entered - before - 5) % 8 >= 2
    return [_START_OF_SIDE[side] for side in sides[1 if goes_straight_on else 0 :]]


_HAS_CORNERS = np.zeros(729, bool)
_IS_CORNER = np.zeros((729, 4), bool)
_CORNER_XY = np.zeros((729 * 4, 2), np.int32)
for _before, _entered, _left in product(range(8), repeat=3):
    _steps = [_STEP_OF_DIRECTION[_direction] for _direction in (_before, _entered, _left)]
    _code = _steps[0] * 81 + _steps[1] * 9 + _steps[2]
    for _i, _corner in enumerate(_turned_corners(_before, _entered, _left)):
        _HAS_CORNERS[_code] = _IS_CORNER[_code, _i] = True
        _CORNER_XY[_code * 4 + _i] = _corner
_HAS_CORNERS[_LONE_PIXEL] = True
_IS_CORNER[_LONE_PIXEL] = True
_CORNER_XY[_LONE_PIXEL * 4 : _LONE_PIXEL * 4 + 4] = [_START_OF_SIDE[side] for side in (4, 6, 0, 2)]


def trace_mask(mask: NDArray[np.bool_ | np.uint8], *, tops: Sequence[int] = (0,)) -> tuple[LatticePart, ...]:
    """The parts of an (H, W) mask (nonzero is foreground), exact, in scan order of their contours.

    tops: first rows of bands of the mask that do not touch each other, ascending from 0; knowing them saves time.
    Raises ValueError for an array that is not two-dimensional.
    """
    if mask.ndim != 2:
        raise ValueError(f"expected an (H, W) mask, got {mask.shape}")
    if mask.size == 0:
        return ()
    pixels = mask.view(np.uint8) if mask.dtype == np.bool_ else (mask != 0).view(np.uint8)
    contours, hierarchy = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return ()
    corners, starts = _lattice_corners(contours)
    first, second = _touching_corners(corners, mask.shape)
    if len(first):
        return _parts_of_untangled(_untangle(corners, starts, first, second), pixels, tops)
    rings = [corners[start:end] for start, end in pairwise(starts)]
    return _parts_by_parent(rings, hierarchy[0, :, 3])


def _lattice_corners(contours: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int32], list[int]]:
    """(N, 2) corners of all rings one after another, and where each ring starts (with N at the end)."""
    pixels = np.concatenate(contours)[:, 0] if len(contours) > 1 else contours[0][:, 0]
    lasts = np.cumsum([len(contour) for contour in contours]) - 1
    firsts = np.concatenate(([0], lasts[:-1] + 1))
    steps = np.empty_like(pixels)
    np.subtract(pixels[1:], pixels[:-1], out=steps[:-1])
    steps[lasts] = pixels[firsts] - pixels[lasts]
    left = steps[:, 1] * 3 + steps[:, 0] + 4
    entered = one_later(left, firsts, lasts)
    code = (one_later(entered, firsts, lasts) * 9 + entered) * 9 + left

    turning = _HAS_CORNERS.take(code).nonzero()[0]
    code = code.take(turning)
    slots = _IS_CORNER.take(code, axis=0).ravel().nonzero()[0]
    visits = slots >> 2
    at = turning.take(visits)
    corners = pixels.take(at, axis=0) + _CORNER_XY.take(code.take(visits) * 4 + (slots & 3), axis=0)
    return corners, [*np.searchsorted(at, firsts).tolist(), len(corners)]


def one_later(values: NDArray[Any], firsts: NDArray[np.intp], lasts: NDArray[np.intp]) -> NDArray[Any]:
    """Each ring's values rotated by one place, the last to the front; firsts, lasts: (R,) of the rings in `values`."""
    if len(lasts) == 1:
        return np.concatenate((values[-1:], values[:-1]))
    moved = np.empty_like(values)
    moved[1:] = values[:-1]
    moved[firsts] = values[lasts]
    return moved


def _touching_corners(corners: NDArray[np.int32], shape: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index pairs of corners at the same lattice point, where two pixels touch diagonally."""
    stride = shape[1] + 1
    key = corners[:, 1] * np.intp(stride) + corners[:, 0]
    order = np.arange(len(key))
    last_at = np.empty((shape[0] + 1) * stride, np.intp)  # only memory pages with corners are ever touched
    last_at[key] = order
    last = last_at.take(key)
    first = (last != order).nonzero()[0]
    return first, last.take(first)


def _untangle(
    corners: NDArray[np.int32], starts: list[int], first: NDArray[np.intp], second: NDArray[np.intp]
) -> list[LatticeRing]:
    """Simple rings from rings that meet at the lattice points `first` = `second`.

    findContours joins pixels across a corner; swapping the outgoing edges of a corner visited twice separates them. A
    ring that still meets itself then encloses background through that corner, and is cut there into an outline and a
    hole.
    """
    other = dict(zip(first.tolist(), second.tolist(), strict=True))
    other |= {j: i for i, j in other.items()}
    rings: list[LatticeRing] = []
    way_out: dict[int, tuple[LatticeRing, int]] = {}
    meetings = sorted(other)
    for start, end in pairwise(starts):
        stops = meetings[bisect_left(meetings, start) : bisect_left(meetings, end)]
        if not stops:
            rings.append(corners[start:end])
            continue
        for stop, following in pairwise(stops):
            way_out[stop] = (corners[stop:following], following)
        way_out[stops[-1]] = (np.concatenate((corners[stops[-1] : end], corners[start : stops[0]])), stops[0])
    is_done: set[int] = set()
    for meeting in meetings:
        walk: list[tuple[int, LatticeRing]] = []
        i = meeting
        while i not in is_done:
            is_done.add(i)
            way, following = way_out[other[i]]
            walk.append((min(i, other[i]), way))
            i = following
        rings += _simple_loops(walk)
    return rings


def _simple_loops(walk: list[tuple[int, LatticeRing]]) -> list[LatticeRing]:
    """The loops of a closed walk of (meeting, path to the next one), cut wherever it returns to a meeting."""
    loops: list[LatticeRing] = []
    path: list[tuple[int, LatticeRing]] = []
    position: dict[int, int] = {}
    for meeting, way in walk:
        cut = position.get(meeting)
        if cut is not None:
            loops.append(np.concatenate([passed for _, passed in path[cut:]]))
            for passed_meeting, _ in path[cut:]:
                del position[passed_meeting]
            del path[cut:]
        position[meeting] = len(path)
        path.append((meeting, way))
    return [*loops, np.concatenate([passed for _, passed in path])] if path else loops


def _parts_by_parent(rings: list[LatticeRing], parents: NDArray[Any]) -> tuple[LatticePart, ...]:
    if len(rings) == 1:
        return (LatticePart(rings[0]),)
    holes: dict[int, list[LatticeRing]] = {}
    for ring, parent in zip(rings, parents.tolist(), strict=True):
        if parent >= 0:
            holes.setdefault(parent, []).append(ring)
    return tuple(
        LatticePart(ring, tuple(holes.get(i, ())))
        for i, (ring, parent) in enumerate(zip(rings, parents.tolist(), strict=True))
        if parent < 0
    )


def _parts_of_untangled(
    rings: list[LatticeRing], pixels: NDArray[np.uint8], tops: Sequence[int]
) -> tuple[LatticePart, ...]:
    """Rings that share a 4-connected component form one part; its only counter-clockwise ring is the outline."""
    areas = _doubled_areas(rings)
    bands: dict[int, tuple[list[LatticeRing], list[LatticeRing]]] = {}
    for ring, area in zip(rings, areas, strict=True):
        exteriors, holes = bands.setdefault(bisect_right(tops, int(ring[0, 1])) - 1, ([], []))
        (exteriors if area < 0 else holes).append(ring)  # negative because y runs down
    parts: list[LatticePart] = []
    for band, (exteriors, holes) in bands.items():
        if len(exteriors) == 1 or not holes:
            parts += [LatticePart(ring, tuple(holes)) for ring in exteriors]
            continue
        first, last = (*tops, len(pixels))[band : band + 2]
        owners = _owners(exteriors, holes, pixels[first:last], first)
        parts += [
            LatticePart(ring, tuple(hole for hole, owner in zip(holes, owners, strict=True) if owner == number))
            for number, ring in enumerate(exteriors)
        ]
    return tuple(parts)


def _owners(
    exteriors: list[LatticeRing], holes: list[LatticeRing], pixels: NDArray[np.uint8], first_row: int
) -> list[int]:
    """For each hole the number of its exterior; `pixels` are those of the band that starts at `first_row`."""
    boxes, inner = _extents(exteriors), _extents(holes)
    contains = (boxes[:, :2] <= inner[:, None, :2]).all(axis=2) & (boxes[:, 2:] >= inner[:, None, 2:]).all(axis=2)
    if (contains.sum(axis=1) == 1).all():  # an outline's bounds contain those of its holes
        owners: list[int] = contains.argmax(axis=1).tolist()
        return owners
    _, labels = cv2.connectedComponents(pixels, connectivity=4)
    number_of = {_label(labels, ring, first_row): number for number, ring in enumerate(exteriors)}
    return [number_of[_label(labels, hole, first_row)] for hole in holes]


def _extents(rings: Sequence[LatticeRing]) -> NDArray[np.int32]:
    """(N, 4) x1, y1, x2, y2."""
    points, starts = _joined(rings)
    return np.hstack([extreme.reduceat(points, starts) for extreme in (np.minimum, np.maximum)])


def _joined(rings: Sequence[LatticeRing]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """All points, and where each ring starts."""
    return np.concatenate(rings), np.cumsum([0, *map(len, rings[:-1])])


def _label(labels: NDArray[Any], ring: LatticeRing, first_row: int) -> int:
    row, column = _pixel_on_the_left(ring)
    return int(labels[row - first_row, column])


def _pixel_on_the_left(ring: LatticeRing) -> tuple[int, int]:
    """Row and column of the foreground pixel beside the start of the ring's first edge."""
    (x, y), (x_next, y_next) = ring[0].tolist(), ring[1].tolist()
    if y_next > y:
        return y, x
    if x_next > x:
        return y - 1, x
    if y_next < y:
        return y - 1, x - 1
    return y, x - 1


def _doubled_areas(rings: Sequence[LatticeRing]) -> list[int]:
    """`_doubled_area` of many rings."""
    points, starts = _joined(rings)
    x, y = points[:, 0].astype(np.int64), points[:, 1].astype(np.int64)
    following = np.arange(1, len(points) + 1)
    following[starts[1:] - 1], following[-1] = starts[:-1], starts[-1]
    areas: list[int] = np.add.reduceat(x * y[following] - y * x[following], starts).tolist()
    return areas


def _doubled_area(ring: LatticeRing) -> int:
    """Negative for an outline, which runs counter-clockwise on the screen."""
    x, y = ring[:, 0].astype(np.int64), ring[:, 1].astype(np.int64)
    return int(np.dot(x[:-1], y[1:]) - np.dot(y[:-1], x[1:]) + x[-1] * y[0] - y[-1] * x[0])
