"""Fits polygons to outlines, given the corners to keep, for many rings at once.

Each edge moves until it cuts off as much of the mask as it adds, and vertices move to where neighbouring edges meet.
That halves the error at the same number of vertices. Points are complex numbers here: the imaginary part of conj(a) b
is the cross product of a and b. Most of the cost is that of calling NumPy, so all rings are processed together."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.trace import LatticeRing, one_later

GRID = 4
"""Fitted vertices lie on quarters of a pixel: exact in binary, two decimals in a file."""

_SMALLEST_TURN = 0.15
"""Sine of the angle below which two edges count as parallel and their vertex moves straight outwards."""


class CornerChoice:
    """Corners to keep of some rings: (K,) int64 indices into the table, ring after ring, and their number per ring."""

    __slots__ = ("at", "counts", "rings")

    def __init__(self, rings: list[int], counts: list[int], at: NDArray[np.int64]) -> None:
        self.rings, self.counts, self.at = rings, counts, at


class RingTable:
    """What fitting needs for any choice of corners; the rings lie one after another in one array."""

    def __init__(self, rings: Sequence[LatticeRing]) -> None:
        self.rings = rings
        ends = np.fromiter(accumulate(map(len, rings)), np.intp, len(rings))
        starts = np.concatenate(([0], ends[:-1]))
        corners = _joined(rings)
        self._points = corners[:, 0] + 1j * corners[:, 1]
        following = one_earlier(self._points, starts, ends - 1)
        self._swept = np.zeros(len(corners) + 1)
        """Doubled area swept from the origin up to each corner, from ring to ring; whole numbers, so exact."""
        (self._points.conj() * following).imag.cumsum(out=self._swept[1:])
        self._whole = self._swept[ends] - self._swept[starts]
        step = following - self._points
        self.perimeters: list[float] = np.add.reduceat(np.abs(step.real) + np.abs(step.imag), starts).tolist()
        # A sortable integer key for each corner of each ring: y, then x, then the ring.
        self._row_stride = int(corners[:, 0].max()) + 1
        self._ring_stride = self._row_stride * (int(corners[:, 1].max()) + 1)
        keys = self._keys(corners, np.arange(len(rings)), ends - starts)
        self._order = keys.argsort()
        self._sorted_keys = keys[self._order]

    def choice(self, rings: list[int], kept: Sequence[NDArray[Any]]) -> CornerChoice:
        """The choice from (N, 1, 2) corners of each of these rings, ascending; corners are unique within a ring."""
        counts = [len(corners) for corners in kept]
        keys = self._keys(_joined(kept).reshape(-1, 2), np.array(rings), counts)
        at = self._order[self._sorted_keys.searchsorted(keys)]
        at.sort()
        return CornerChoice(rings, counts, at)

    def fitted(
        self, choice: CornerChoice, farthest: NDArray[np.float64], frame_wh: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """(N, 2) float64 per ring: the chosen corners, moved by at most `farthest` pixels and inside the frame.

        farthest: (R,), frame_wh: (R, 2) of the chosen rings.
        """
        counts = np.array(choice.counts)
        lasts = counts.cumsum() - 1
        firsts = lasts - counts + 1
        vertices, swept = self._points.take(choice.at), self._swept.take(choice.at)
        following, swept_following = one_earlier(vertices, firsts, lasts), one_earlier(swept, firsts, lasts)
        swept_following[lasts] += self._whole[choice.rings]
        edge = following - vertices
        # Signed area between outline and edge; divided by the edge's length it is how far the edge has to move out.
        missed = (swept_following - swept - (vertices.conj() * following).imag) / 2
        length2 = (edge.conj() * edge).real
        edge_before, missed_before, length2_before = (
            one_later(values, firsts, lasts) for values in (edge, missed, length2)
        )
        turn = (edge_before.conj() * edge).imag
        is_corner = turn * turn > _SMALLEST_TURN**2 * length2 * length2_before
        move = (missed * edge_before - missed_before * edge) / np.where(is_corner, turn, 1)
        if not is_corner.all():
            out = -0.5j * (missed_before / length2_before * edge_before + missed / length2 * edge)
            move = np.where(is_corner, move, out)
        if len(counts) > 1:
            farthest, frame_wh = np.repeat(farthest, counts), np.repeat(frame_wh, counts, axis=0)
        move *= np.minimum(1, farthest / np.maximum(np.abs(move), 1e-9))
        moved = (vertices + move).view(np.float64).reshape(-1, 2)
        inside = np.minimum(np.maximum(moved, 0), frame_wh)
        return self._cut(np.rint(inside * GRID) / GRID, choice)

    def _cut(self, values: NDArray[np.float64], choice: CornerChoice) -> list[NDArray[np.float64]]:
        return [values[start:end] for start, end in pairwise(accumulate(choice.counts, initial=0))]

    def _keys(self, points: NDArray[Any], rings: NDArray[Any], counts: Any) -> NDArray[np.int64]:
        keys: NDArray[np.int64] = points[:, 1] * np.int64(self._row_stride)
        keys += points[:, 0]
        if len(self.rings) > 1:
            keys += np.repeat(rings * self._ring_stride, counts)
        return keys


def one_earlier(values: NDArray[Any], firsts: NDArray[np.intp], lasts: NDArray[np.intp]) -> NDArray[Any]:
    """Each ring's values rotated by one place: each place gets the next value, the last one the first.

    firsts, lasts: (R,) positions of the rings in `values`, one after another.
    """
    if len(lasts) == 1:  # the usual case of a single mask
        return np.concatenate((values[1:], values[:1]))
    moved = np.empty_like(values)
    moved[:-1] = values[1:]
    moved[lasts] = values[firsts]
    return moved


def _joined(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
