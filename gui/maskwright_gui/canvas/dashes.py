"""Outlines cut into dashes, for thousands of rings at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DASH_PX = 5.0
_GAP_PX = 3.0
_MAX_DASHES = 20_000
"""Above this the dashes are too small to be seen as such and cost more than all else."""


@dataclass(frozen=True, slots=True, eq=False)
class Dashes:
    segments: NDArray[np.int32]
    """(D, 3, 2) start, middle and end of each dash, in the unit of the points."""
    ring: NDArray[np.int64]
    """(D,) the ring that each dash belongs to."""


def dash_segments(
    points: NDArray[np.int32], ring_starts: NDArray[np.int64], is_dashed: NDArray[np.bool_], unit: float
) -> Dashes | None:
    """Dashes along the rings where `is_dashed`; `unit` is the length of one pixel in `points`.

    None when there is nothing to dash or far too much of it.
    """
    rings = np.flatnonzero(is_dashed)
    if not len(rings):
        return None
    closed, starts = _closed_rings(points, ring_starts, rings)
    steps = np.zeros(len(closed))
    steps[1:] = np.hypot(*np.diff(closed, axis=0).T) / unit
    steps[starts[:-1]] = 1.0  # a jump between rings, so that a place along all of them names one ring
    along = np.cumsum(steps)
    begins, lengths = along[starts[:-1]], along[starts[1:] - 1] - along[starts[:-1]]
    counts = np.maximum((lengths / (_DASH_PX + _GAP_PX)).astype(np.int64), 2)
    if counts.sum() > _MAX_DASHES:
        return None
    ring = np.repeat(np.arange(len(rings)), counts)
    number = np.arange(len(ring)) - np.repeat(np.cumsum(counts) - counts, counts)
    period = (lengths / counts)[ring]
    within = number[:, None] + np.array([0.0, 0.5, 1.0]) * (_DASH_PX / (_DASH_PX + _GAP_PX))
    places = begins[ring, None] + within * period[:, None]
    segments = np.stack([np.interp(places, along, closed[:, axis]) for axis in (0, 1)], axis=-1)
    return Dashes(np.rint(segments).astype(np.int32), rings[ring])


def _closed_rings(
    points: NDArray[np.int32], ring_starts: NDArray[np.int64], rings: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The chosen rings end to end, each with its first point repeated at its end, and where each starts."""
    sizes = np.diff(ring_starts)[rings] + 1
    starts = np.concatenate(([0], np.cumsum(sizes)))
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    open_sizes = np.repeat(sizes - 1, sizes)
    source = np.repeat(ring_starts[rings], sizes) + place % np.maximum(open_sizes, 1)
    return points[source], starts
