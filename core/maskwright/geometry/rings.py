"""Questions about single rings and segments, in plain numpy."""

import numpy as np
from numpy.typing import NDArray

_Points = NDArray[np.float64]


def signed_area(ring: _Points) -> float:
    """Shoelace area in square pixels; y runs down, so clockwise on the screen is positive."""
    x, y = (ring - ring[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def segment_crosses(a: _Points, b: _Points, starts: _Points, ends: _Points) -> bool:
    """Whether the segment a-b meets any of the (N, 2) edges anywhere but at its own two ends."""

    def side(p: _Points, q: _Points, r: _Points) -> NDArray[np.float64]:
        cross = (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        return np.asarray(np.sign(cross))

    touches_end = _is_either(starts, a, b) | _is_either(ends, a, b)
    start_side, end_side = side(a, b, starts), side(a, b, ends)
    a_side, b_side = side(starts, ends, a), side(starts, ends, b)
    meets = (start_side * end_side <= 0) & (a_side * b_side <= 0) & ~touches_end
    if meets.any() and _overlaps(a, b, starts[meets], ends[meets]).any():
        return True
    vertex_on_way = (start_side == 0) & ~_is_either(starts, a, b) & _within(starts, a, b)
    return bool(vertex_on_way.any())


def _is_either(points: _Points, a: _Points, b: _Points) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or(np.all(points == a, axis=1), np.all(points == b, axis=1)))


def _within(points: _Points, a: _Points, b: _Points) -> NDArray[np.bool_]:
    return _overlaps(a, b, points, points)


def _overlaps(a: _Points, b: _Points, starts: _Points, ends: _Points) -> NDArray[np.bool_]:
    is_past_start = np.maximum(starts, ends) >= np.minimum(a, b)
    is_before_end = np.minimum(starts, ends) <= np.maximum(a, b)
    return np.asarray(np.all(is_past_start & is_before_end, axis=1))
