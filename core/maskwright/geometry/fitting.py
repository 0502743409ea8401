"""A polygon fitted to the outline that some of its corners stand for.

Each edge moves until it cuts off as much of the mask as it adds, and the vertices follow to where neighbouring edges
meet. That halves the error at the same number of vertices. Points are complex numbers here: the product conj(a) b has
the cross product of a and b as its imaginary part.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.trace import LatticeRing

GRID = 4
"""Fitted vertices lie on quarters of a pixel: exact in binary, two decimals in a file."""

_SMALLEST_TURN = 0.15
"""Sine of the angle below which two edges count as parallel and their vertex moves straight out."""


class PreparedRing:
    """What every choice of corners needs of a ring."""

    __slots__ = ("_keys", "_order", "perimeter", "points", "ring", "swept")

    def __init__(self, ring: LatticeRing) -> None:
        self.ring = ring
        self.points = ring[:, 0] + 1j * ring[:, 1]
        following = np.concatenate((self.points[1:], self.points[:1]))
        step = following - self.points
        self.perimeter = float(np.abs(step.real).sum() + np.abs(step.imag).sum())
        self.swept = np.zeros(len(ring) + 1)
        """Doubled area swept from the origin up to each corner; the last value is that of the whole ring."""
        (self.points.conj() * following).imag.cumsum(out=self.swept[1:])
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


def fit(
    chosen: Sequence[tuple[PreparedRing, NDArray[np.intp]]], farthest: float, size_wh: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """(N, 2) float64 polygon of each ring's chosen corners, moved by `farthest` pixels at most, inside the frame.

    All rings at once: most of the cost is that of calling NumPy.
    """
    rounds = _Rounds([len(at) for _, at in chosen])
    vertices = _joined([ring.points[at] for ring, at in chosen])
    swept = _joined([ring.swept[at] for ring, at in chosen])
    following, swept_following = rounds.one_earlier(vertices), rounds.one_earlier(swept)
    swept_following[rounds.lasts] += [ring.swept[-1] for ring, _ in chosen]
    edge = following - vertices
    # Signed area between the outline and its edge; divided by the edge's length: how far the edge has to move out.
    missed = (swept_following - swept - (vertices.conj() * following).imag) / 2
    length2 = edge.real**2 + edge.imag**2
    edge_before, missed_before, length2_before = map(rounds.one_later, (edge, missed, length2))
    turn = (edge_before.conj() * edge).imag
    is_corner = turn * turn > _SMALLEST_TURN**2 * length2 * length2_before
    meet = (missed * edge_before - missed_before * edge) / np.where(is_corner, turn, 1)
    out = -0.5j * (missed_before / length2_before * edge_before + missed / length2 * edge)
    move = np.where(is_corner, meet, out)
    move *= np.minimum(1, farthest / np.maximum(np.abs(move), 1e-9))
    inside = np.minimum(np.maximum((vertices + move).view(np.float64).reshape(-1, 2), 0), size_wh)
    return rounds.cut(np.rint(inside * GRID) / GRID)


class _Rounds:
    """Several closed rings in one array."""

    def __init__(self, lengths: list[int]) -> None:
        ends = list(accumulate(lengths))
        self._slices = list(pairwise([0, *ends]))
        self.lasts = [end - 1 for end in ends]
        self._firsts = [start for start, _ in self._slices]

    def one_earlier(self, values: NDArray[Any]) -> NDArray[Any]:
        """Each place has the value after it."""
        if len(self.lasts) == 1:  # the usual case, and the cheaper way
            return np.concatenate((values[1:], values[:1]))
        moved = np.empty_like(values)
        moved[:-1] = values[1:]
        moved[self.lasts] = values[self._firsts]
        return moved

    def one_later(self, values: NDArray[Any]) -> NDArray[Any]:
        """Each place has the value before it."""
        if len(self.lasts) == 1:
            return np.concatenate((values[-1:], values[:-1]))
        moved = np.empty_like(values)
        moved[1:] = values[:-1]
        moved[self._firsts] = values[self.lasts]
        return moved

    def cut(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        return [values[start:end] for start, end in self._slices]


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
