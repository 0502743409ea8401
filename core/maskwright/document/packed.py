"""All outlines of a document in a few large arrays, for code that has to process thousands of polygons at once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Instance


@dataclass(frozen=True, slots=True, eq=False)
class PackedOutlines:
    """Rings end to end; instances in drawing order (row 0 is lowest)."""

    instance_ids: NDArray[np.int64]
    """(N,) instance ids."""
    bounds_xyxy: NDArray[np.float64]
    """(N, 4) xyxy bounds per instance, image pixels; NaN for an instance without parts."""
    points: NDArray[np.float64]
    """(M, 2) image pixels on pixel edges."""
    ring_starts: NDArray[np.int64]
    """(R + 1,) ring r is points[ring_starts[r]:ring_starts[r + 1]]."""
    part_starts: NDArray[np.int64]
    """(P + 1,) part p is rings part_starts[p]:part_starts[p + 1], the outer ring first."""
    instance_starts: NDArray[np.int64]
    """(N + 1,) instance n is parts instance_starts[n]:instance_starts[n + 1]."""

    @classmethod
    def of(cls, instances: Iterable[Instance]) -> "PackedOutlines":
        """Pack instances, given in drawing order."""
        ids, rings, part_sizes, instance_sizes = [], [], [], []
        for instance in instances:
            ids.append(instance.id)
            instance_sizes.append(len(instance.polygons))
            for polygon in instance.polygons:
                rings.append(polygon.exterior)
                rings.extend(polygon.holes)
                part_sizes.append(1 + len(polygon.holes))
        points = np.concatenate(rings) if rings else np.empty((0, 2))
        ring_starts = _starts([len(ring) for ring in rings])
        part_starts, instance_starts = _starts(part_sizes), _starts(instance_sizes)
        first_point = ring_starts[part_starts[instance_starts]]
        return cls(
            np.array(ids, np.int64), _bounds(points, first_point), points, ring_starts, part_starts, instance_starts
        )

    def __len__(self) -> int:
        return len(self.instance_ids)

    @property
    def point_starts(self) -> NDArray[np.int64]:
        """(N + 1,) index of the first point of each instance."""
        return self.ring_starts[self.part_starts[self.instance_starts]]

    def rows_touching(self, box_xyxy: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Rows of the instances whose bounds touch the box, in drawing order."""
        x1, y1, x2, y2 = box_xyxy
        bounds = self.bounds_xyxy
        hit = (bounds[:, 0] <= x2) & (bounds[:, 2] >= x1) & (bounds[:, 1] <= y2) & (bounds[:, 3] >= y1)
        return np.flatnonzero(hit)

    def taken(self, rows: NDArray[np.int64]) -> "PackedOutlines":
        """The given rows only, in the given order."""
        parts = _ranges(self.instance_starts, rows)
        rings = _ranges(self.part_starts, parts)
        points = _ranges(self.ring_starts, rings)
        return PackedOutlines(
            self.instance_ids[rows],
            self.bounds_xyxy[rows],
            self.points[points],
            _starts(np.diff(self.ring_starts)[rings]),
            _starts(np.diff(self.part_starts)[parts]),
            _starts(np.diff(self.instance_starts)[rows]),
        )


def _starts(sizes: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def _ranges(starts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ranges starts[r]:starts[r + 1] of all rows, concatenated."""
    sizes = starts[rows + 1] - starts[rows]
    shift = np.repeat(starts[rows] - (np.cumsum(sizes) - sizes), sizes)
    places: NDArray[np.int64] = np.arange(len(shift), dtype=np.int64) + shift
    return places


def _bounds(points: NDArray[np.float64], first_point: NDArray[np.int64]) -> NDArray[np.float64]:
    bounds = np.full((len(first_point) - 1, 4), np.nan)
    filled = np.flatnonzero(np.diff(first_point) > 0)
    if len(filled):
        starts = first_point[filled]
        bounds[filled, :2] = np.minimum.reduceat(points, starts, axis=0)
        bounds[filled, 2:] = np.maximum.reduceat(points, starts, axis=0)
    return bounds
