"""Exact outlines of a mask on the pixel-edge lattice: what the rings enclose is the mask, pixel for pixel.

Pixels that touch only at a corner belong to different parts, so every ring is simple: it meets itself nowhere,
and other rings at single lattice points at most. That is what shapely calls valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LatticeRing = NDArray[np.int32]
"""(N, 2) int32 x, y of the corners only, N >= 4; every edge runs along one axis. Foreground lies on the left."""


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
        """Pixels."""
        return sum(-_doubled_area(ring) for ring in self.rings) // 2


# Border following (Suzuki and Abe 1985, the algorithm behind cv2.findContours) leaves each border pixel in direction
# `b` after entering it in direction `a`; in between it has looked, counter-clockwise from where it came, at neighbours
# that are all background. The sides of the pixel towards those neighbours are the pieces of its pixel-edge outline, in
# order. Directions count counter-clockwise on the screen: 0 east, 1 north-east, 2 north, ... 7 south-east.
_DIRECTION_OF_STEP = np.zeros(9, np.intp)
for _direction, (_dx, _dy) in enumerate(((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))):
    _DIRECTION_OF_STEP[(_dy + 1) * 3 + _dx + 1] = _direction

# A side starts at this corner of the pixel and runs in this direction, foreground on its left.
_SIDES = {4: ((0, 0), 6), 6: ((0, 1), 0), 0: ((1, 1), 2), 2: ((1, 0), 4)}
_WHOLE_PIXEL = [4, 6, 0, 2]


def _sides_between(entered: int, left: int) -> list[int]:
    first = entered + 5
    return [(first + i) % 8 for i in range((left - first) % 8) if (first + i) % 2 == 0]


_SIDE_USED = np.zeros((65, 4), bool)
_SIDE_CORNER = np.zeros((65, 4, 2), np.int32)
_SIDE_DIRECTION = np.zeros((65, 4), np.int8)
for _turn in range(65):
    for _i, _side in enumerate(_sides_between(*divmod(_turn, 8)) if _turn < 64 else _WHOLE_PIXEL):
        _SIDE_USED[_turn, _i] = True
        _SIDE_CORNER[_turn, _i], _SIDE_DIRECTION[_turn, _i] = _SIDES[_side]
_LONE_PIXEL = 64


def trace_mask(mask: NDArray[np.bool_ | np.uint8]) -> tuple[LatticePart, ...]:
    """The parts of a (H, W) mask (anything nonzero is foreground), exact, in scan order of their contours.

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
    if _has_touching_corners(corners, mask.shape[1] + 1, (mask.shape[0] + 1) * (mask.shape[1] + 1)):
        return _parts_of_untangled(_untangle(corners, starts), pixels)
    rings = [corners[start:end] for start, end in pairwise(starts.tolist())]
    return _parts_by_parent(rings, hierarchy[0, :, 3])


def _lattice_corners(contours: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """(N, 2) corners of all rings one after another, and where each ring starts (with N at the end)."""
    lengths = np.fromiter(map(len, contours), np.intp, len(contours))
    ends = np.cumsum(lengths)
    firsts = ends - lengths
    pixels = np.concatenate(contours)[:, 0] if len(contours) > 1 else contours[0][:, 0]
    following = np.empty_like(pixels)
    following[:-1] = pixels[1:]
    following[ends - 1] = pixels[firsts]
    step = following - pixels
    left = _DIRECTION_OF_STEP[step[:, 1] * 3 + step[:, 0] + 4]
    entered = np.empty_like(left)
    entered[1:] = left[:-1]
    entered[firsts] = left[ends - 1]
    turn = entered * 8 + left
    turn[firsts[lengths == 1]] = _LONE_PIXEL

    used = _SIDE_USED[turn]
    points = (pixels[:, None] + _SIDE_CORNER[turn])[used]
    directions = _SIDE_DIRECTION[turn][used]
    side_ends = np.cumsum(used.sum(axis=1))[ends - 1]
    side_firsts = np.concatenate(([0], side_ends[:-1]))
    before = np.empty_like(directions)
    before[1:] = directions[:-1]
    before[side_firsts] = directions[side_ends - 1]
    is_corner = directions != before
    starts = np.concatenate(([0], np.cumsum(is_corner)[side_ends - 1]))
    return points[is_corner], starts


def _has_touching_corners(corners: NDArray[np.int32], stride: int, lattice_size: int) -> bool:
    """Whether two corners are the same lattice point, as where two pixels touch diagonally."""
    key = corners[:, 1] * np.intp(stride) + corners[:, 0]
    order = np.arange(len(key), dtype=np.int32)
    last_at = np.empty(lattice_size, np.int32)  # only the pages that hold corners are ever touched
    last_at[key] = order
    return bool((last_at[key] != order).any())


def _untangle(corners: NDArray[np.int32], starts: NDArray[np.intp]) -> list[LatticeRing]:
    """Simple rings from rings that meet at lattice points.

    findContours joins pixels across a corner; swapping the ways out of a corner met twice separates them. A ring that
    still meets itself then encloses background through that corner, and is cut there into an outline and a hole.
    """
    following = list(range(1, len(corners) + 1))
    for start, end in pairwise(starts.tolist()):
        following[end - 1] = start
    points = list(map(tuple, corners.tolist()))
    first_at: dict[tuple[int, ...], int] = {}
    for i, point in enumerate(points):
        j = first_at.setdefault(point, i)
        if j != i:
            following[i], following[j] = following[j], following[i]
    rings: list[LatticeRing] = []
    is_done = [False] * len(points)
    for start in range(len(points)):
        cycle, i = [], start
        while not is_done[i]:
            is_done[i] = True
            cycle.append(points[i])
            i = following[i]
        rings += [np.array(loop, np.int32) for loop in _simple_loops(cycle)]
    return rings


def _simple_loops(cycle: list[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """The loops of a closed walk, cut wherever it comes back to a point; empty for an empty walk."""
    loops: list[list[tuple[int, ...]]] = []
    path: list[tuple[int, ...]] = []
    position: dict[tuple[int, ...], int] = {}
    for point in cycle:
        if point in position:
            cut = position[point]
            loops.append(path[cut:])
            for passed in path[cut:]:
                del position[passed]
            del path[cut:]
        position[point] = len(path)
        path.append(point)
    return [*loops, path] if path else loops


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


def _parts_of_untangled(rings: list[LatticeRing], pixels: NDArray[np.uint8]) -> tuple[LatticePart, ...]:
    """Rings that share a 4-connected component make one part; its only counter-clockwise ring is the outline."""
    _, labels = cv2.connectedComponents(pixels, connectivity=4)
    exteriors: dict[int, LatticeRing] = {}
    holes: dict[int, list[LatticeRing]] = {}
    for ring in rings:
        x, y = _pixel_on_the_left(ring)
        label = int(labels[y, x])
        if _doubled_area(ring) < 0:  # y runs down: counter-clockwise on the screen is negative
            exteriors[label] = ring
        else:
            holes.setdefault(label, []).append(ring)
    return tuple(LatticePart(ring, tuple(holes.get(label, ()))) for label, ring in exteriors.items())


def _pixel_on_the_left(ring: LatticeRing) -> tuple[int, int]:
    """The foreground pixel beside the start of the ring's first edge."""
    (x, y), (x_next, y_next) = ring[0].tolist(), ring[1].tolist()
    if y_next > y:
        return x, y
    if x_next > x:
        return x, y - 1
    if y_next < y:
        return x - 1, y - 1
    return x - 1, y


def _doubled_area(ring: LatticeRing) -> int:
    x, y = ring.astype(np.int64).T
    return int((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
