"""Single vertices left out of outlines where that changes the area least, many outlines at a time."""

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.checking import Outline
from maskwright.geometry.fitting import one_earlier
from maskwright.geometry.trace import one_later

_FEW = 4
"""Vertices that are left to a ring."""


def pruned(outlines: Sequence[Outline], slacks: Sequence[float]) -> list[Outline]:
    """Each outline without the vertices whose triangles are no larger than its slack, together, in square pixels.

    The slack holds for each ring by itself: what one gains another may lose, and the caller looks at the pixels anyway.
    """
    rings = [ring for outline in outlines for part in outline for ring in part]
    if not rings:
        return []
    lengths = np.array([len(ring) for ring in rings])
    lasts = lengths.cumsum() - 1
    firsts = lasts - lengths + 1
    vertices = np.concatenate(rings)
    triangles = _triangles(vertices, firsts, lasts)
    order = np.lexsort((triangles, np.repeat(np.arange(len(rings)), lengths))).tolist()
    areas = triangles.tolist()
    is_kept = np.ones(len(vertices), np.bool_)
    spans = zip(firsts.tolist(), lasts.tolist(), strict=True)
    for outline, slack in zip(outlines, slacks, strict=True):
        for first, last in islice(spans, sum(map(len, outline))):
            is_kept[_dispensable(order[first : last + 1], areas, first, last, slack)] = False
    bounds = np.concatenate(([0], is_kept.cumsum()[lasts])).tolist()
    left = vertices[is_kept]
    thinned = (left[start:end] for start, end in pairwise(bounds))
    return [[list(islice(thinned, len(part))) for part in outline] for outline in outlines]


def _triangles(vertices: NDArray[np.float64], firsts: NDArray[np.intp], lasts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Area of the triangle of each vertex with its neighbours."""
    points = vertices[:, 0] + 1j * vertices[:, 1]
    step = one_earlier(points, firsts, lasts) - points
    return np.asarray(np.abs((one_later(step, firsts, lasts).conj() * step).imag) / 2)


def _dispensable(order: Iterable[int], areas: list[float], first: int, last: int, slack: float) -> list[int]:
    """Of a ring's vertices first..last, smallest triangles first."""
    gone: set[int] = set()
    most = last - first + 1 - _FEW
    for i in order:
        if areas[i] > slack or len(gone) >= most:
            break
        before, after = i - 1 if i > first else last, i + 1 if i < last else first
        if before not in gone and after not in gone:  # its triangle is still the one measured
            gone.add(i)
            slack -= areas[i]
    return list(gone)
