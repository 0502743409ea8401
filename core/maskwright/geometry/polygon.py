"""The polygon value: an outer ring and its holes, on pixel edges.

Convention, used everywhere (model output, canvas, import, export): x runs right, y runs down, and the pixel in
row i and column j covers [j, j+1] x [i, i+1]. A mask of one pixel at (0, 0) is the ring (0,0) (1,0) (1,1) (0,1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ring: TypeAlias = NDArray[np.float64]
"""(N, 2) float64 read-only, image pixels on pixel edges; open: the first vertex is not repeated at the end."""


def as_ring(points: ArrayLike) -> Ring:
    """A read-only (N, 2) float64 copy of `points`, N >= 3, finite; a repeated closing vertex is dropped.

    Raises ValueError for another shape, fewer than three vertices, NaN or infinity.
    """
    ring = np.array(points, dtype=np.float64)
    if ring.ndim != 2 or ring.shape[1] != 2:
        raise ValueError(f"expected an (N, 2) ring, got {ring.shape}")
    if len(ring) > 3 and np.array_equal(ring[0], ring[-1]):
        ring = ring[:-1].copy()
    if len(ring) < 3:
        raise ValueError(f"expected a ring of at least 3 vertices, got {len(ring)}")
    if not np.isfinite(ring).all():
        raise ValueError("expected finite coordinates, got NaN or infinity")
    ring.flags.writeable = False
    return ring


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """One part of an instance: an outer ring with zero or more hole rings (orientation does not matter)."""

    exterior: Ring
    holes: tuple[Ring, ...] = ()
    _bounds_xyxy: tuple[float, float, float, float] | None = field(default=None, init=False, repr=False)
    """Cached: the canvas asks for every outline's bounds on every edit."""

    @classmethod
    def of(cls, exterior: ArrayLike, holes: Iterable[ArrayLike] = ()) -> "Polygon":
        """Build from anything array-like; raises ValueError as `as_ring` does."""
        return cls(as_ring(exterior), tuple(as_ring(hole) for hole in holes))

    @classmethod
    def known(
        cls, exterior: Ring, holes: tuple[Ring, ...], bounds_xyxy: tuple[float, float, float, float]
    ) -> "Polygon":
        """From rings whose bounds are known."""
        polygon = cls(exterior, holes)
        object.__setattr__(polygon, "_bounds_xyxy", bounds_xyxy)
        return polygon

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The outer ring, then the holes."""
        return (self.exterior, *self.holes)

    @property
    def vertex_count(self) -> int:
        """Number of vertices of all rings."""
        return sum(len(ring) for ring in self.rings)

    @property
    def bounds_xyxy(self) -> tuple[float, float, float, float]:
        """Bounds of the outer ring's vertices, image pixels."""
        if self._bounds_xyxy is None:
            (left, top), (right, bottom) = self.exterior.min(axis=0).tolist(), self.exterior.max(axis=0).tolist()
            object.__setattr__(self, "_bounds_xyxy", (left, top, right, bottom))
        assert self._bounds_xyxy is not None
        return self._bounds_xyxy

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Polygon):
            return NotImplemented
        if len(self.exterior) != len(other.exterior) or len(self.holes) != len(other.holes):
            return False
        return all(a is b or _are_same(a, b) for a, b in zip(self.rings, other.rings, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(ring.tobytes() for ring in self.rings))


def _are_same(a: Ring, b: Ring) -> bool:
    return a.shape == b.shape and bool((a == b).all())


def polygons_bounds_xyxy(polygons: Sequence[Polygon]) -> tuple[float, float, float, float]:
    """Bounds of all parts' vertices, image pixels. Raises ValueError if there are no parts."""
    if not polygons:
        raise ValueError("expected at least one polygon")
    if len(polygons) == 1:
        return polygons[0].bounds_xyxy
    lefts, tops, rights, bottoms = zip(*(polygon.bounds_xyxy for polygon in polygons), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def box_areas(boxes_xyxy: ArrayLike) -> NDArray[np.float64]:
    """(N,) areas in square pixels of (N, 4) boxes; zero for boxes without width or height."""
    boxes = np.asarray(boxes_xyxy, dtype=np.float64)
    return np.asarray(np.prod((boxes[..., 2:] - boxes[..., :2]).clip(0), axis=-1))


def box_ious(a_xyxy: ArrayLike, b_xyxy: ArrayLike) -> NDArray[np.float64]:
    """(N, M) IoU of (N, 4) with (M, 4) boxes; 0 if both are empty."""
    a = np.asarray(a_xyxy, dtype=np.float64).reshape(-1, 1, 4)
    b = np.asarray(b_xyxy, dtype=np.float64).reshape(1, -1, 4)
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod((high - low).clip(0), axis=-1)
    union = box_areas(a) + box_areas(b) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(union), where=union > 0))
