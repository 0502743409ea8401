"""Which instance, vertex or edge is under a point: the hit tests of the canvas.

Bounds are compared in one numpy pass (20,000 instances: some 60 us); only the few that remain are tested exactly."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.packed import PackedOutlines
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.algebra import is_inside_of_rings
from maskwright.geometry.polygon import Ring


@dataclass(frozen=True, slots=True, order=True)
class VertexRef:
    """One vertex. `ring` 0 is the part's outer ring, 1 and up are its holes."""

    instance_id: int
    part: int
    ring: int
    vertex: int


@dataclass(frozen=True, slots=True)
class EdgePoint:
    """A point on the edge that runs from `start` to the next vertex of the same ring."""

    start: VertexRef
    x: float
    y: float
    fraction: float
    """Fraction along the edge: 0 at `start`, 1 at the next vertex."""
    distance: float
    """From the queried point, in image pixels."""


Box = tuple[float, float, float, float]


def is_shown(instance: Instance) -> bool:
    """Whether an instance is drawn on the canvas: hidden and rejected ones are not."""
    return instance.is_visible and instance.state is not InstanceState.REJECTED and bool(instance.polygons)


class SpatialIndex:
    """Hit tests on one document. Immutable: a changed document gets a new index from `after`."""

    def __init__(self, document: Document) -> None:
        packed = PackedOutlines.of(instance for instance in document if is_shown(instance))
        self._take(document, packed.bounds_xyxy, np.diff(packed.point_starts))

    def after(self, change: Change, document: Document) -> "SpatialIndex":
        """The index of `document`, which is this index's document after `change`; known bounds are reused."""
        known = {instance.id: row for row, instance in enumerate(self._shown)}
        shown = [instance for instance in document if is_shown(instance)]
        rows = np.array([known.get(instance.id, -1) for instance in shown], np.int64)
        empty = not len(self._bounds)
        bounds = np.empty((len(shown), 4)) if empty else self._bounds[rows]
        counts = np.empty(len(shown), np.int64) if empty else self._counts[rows]
        for row, instance in enumerate(shown):
            if rows[row] < 0 or instance.id in change.entries:
                bounds[row], counts[row] = instance.bounds_xyxy, instance.vertex_count
        index = SpatialIndex.__new__(SpatialIndex)
        index._take(document, bounds, counts)
        return index

    def at(self, x: float, y: float, *, tolerance: float = 0.0) -> list[int]:
        """Ids of the instances that contain the point or whose outline is within `tolerance`, topmost first."""
        return [
            instance.id
            for instance in reversed(self._touching((x - tolerance, y - tolerance, x + tolerance, y + tolerance)))
            if contains(instance, x, y) or (tolerance > 0 and _outline_within(instance, x, y, tolerance))
        ]

    def ids_touching(self, box: Box, *, at_least: float = 0.0, most: int | None = None) -> list[int]:
        """Ids of the shown instances whose bounds touch the box, lowest first.

        Those smaller than `at_least` image pixels on both sides are left out; of more than `most`, the largest are
        returned.
        """
        rows = self._rows_touching(box, at_least=at_least)
        if most is not None and len(rows) > most:
            sides = self._bounds[rows, 2:] - self._bounds[rows, :2]
            rows = np.sort(rows[np.argpartition(-sides.max(axis=1), most)[:most]])
        return [self._shown[row].id for row in rows]

    def vertices_touching(self, box: Box) -> int:
        """Number of vertices of the instances whose bounds touch the box."""
        return int(self._counts[self._rows_touching(box)].sum())

    def inside(self, box: Box) -> list[int]:
        """Ids of the instances that lie entirely in the box, lowest first."""
        x1, y1, x2, y2 = box
        bounds = self._bounds
        hit = (bounds[:, 0] >= x1) & (bounds[:, 1] >= y1) & (bounds[:, 2] <= x2) & (bounds[:, 3] <= y2)
        return [self._shown[row].id for row in np.flatnonzero(hit)]

    def touched(self, box: Box) -> list[int]:
        """Ids of the instances whose area the box touches, lowest first."""
        area = shapely.box(*box)
        return [instance.id for instance in self._touching(box) if _touches(instance, area)]

    def near(self, x: float, y: float, tolerance: float, *, without: frozenset[int] = frozenset()) -> list[int]:
        """Ids of the instances whose bounds are within `tolerance` of the point."""
        found = self._touching((x - tolerance, y - tolerance, x + tolerance, y + tolerance))
        return [instance.id for instance in found if instance.id not in without]

    def nearest_vertex(
        self, x: float, y: float, *, tolerance: float, among: Iterable[int] | None = None
    ) -> VertexRef | None:
        """The closest vertex within `tolerance`, of the instances in `among` (default: all that are shown)."""
        best: VertexRef | None = None
        best_square = tolerance * tolerance
        for instance in self._candidates(x, y, tolerance, among):
            for part, ring_number, ring in rings_of(instance):
                squares = ((ring - (x, y)) ** 2).sum(axis=1)
                vertex = int(squares.argmin())
                if squares[vertex] <= best_square:
                    best_square = float(squares[vertex])
                    best = VertexRef(instance.id, part, ring_number, vertex)
        return best

    def nearest_edge(
        self, x: float, y: float, *, tolerance: float, among: Iterable[int] | None = None
    ) -> EdgePoint | None:
        """The closest point on an outline within `tolerance`."""
        best: EdgePoint | None = None
        for instance in self._candidates(x, y, tolerance, among):
            for part, ring_number, ring in rings_of(instance):
                found = _nearest_on_ring(ring, x, y)
                if found[0] <= (best.distance if best else tolerance):
                    distance, vertex, fraction, (px, py) = found
                    best = EdgePoint(VertexRef(instance.id, part, ring_number, vertex), px, py, fraction, distance)
        return best

    def vertices_at(self, x: float, y: float, *, tolerance: float) -> list[VertexRef]:
        """All vertices within `tolerance` of the point, of all shown instances."""
        return [
            VertexRef(instance.id, part, ring_number, vertex)
            for instance in self._candidates(x, y, tolerance, None)
            for part, ring_number, ring in rings_of(instance)
            for vertex in _vertices_within(ring, x, y, tolerance)
        ]

    def _take(self, document: Document, bounds: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
        self.document = document
        self._shown = [instance for instance in document if is_shown(instance)]
        self._bounds, self._counts = bounds, counts

    def _touching(self, box: Box, *, at_least: float = 0.0) -> list[Instance]:
        return [self._shown[row] for row in self._rows_touching(box, at_least=at_least)]

    def _rows_touching(self, box: Box, *, at_least: float = 0.0) -> NDArray[np.int64]:
        x1, y1, x2, y2 = box
        bounds = self._bounds
        hit = (bounds[:, 0] <= x2) & (bounds[:, 2] >= x1) & (bounds[:, 1] <= y2) & (bounds[:, 3] >= y1)
        if at_least > 0:
            hit &= np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) >= at_least
        return np.flatnonzero(hit)

    def _candidates(self, x: float, y: float, tolerance: float, among: Iterable[int] | None) -> list[Instance]:
        if among is None:
            return self._touching((x - tolerance, y - tolerance, x + tolerance, y + tolerance))
        known = (self.document.instances.get(instance_id) for instance_id in among)
        return [instance for instance in known if instance is not None and is_shown(instance)]


def rings_of(instance: Instance) -> Iterable[tuple[int, int, Ring]]:
    """(part, ring number, ring) of each ring; ring number 0 is the part's outer one."""
    for part, polygon in enumerate(instance.polygons):
        for ring_number, ring in enumerate(polygon.rings):
            yield part, ring_number, ring


def contains(instance: Instance, x: float, y: float) -> bool:
    """Whether the point is inside a part and in none of its holes."""
    return any(
        _ring_contains(polygon.exterior, x, y) and not any(_ring_contains(hole, x, y) for hole in polygon.holes)
        for polygon in instance.polygons
    )


def _ring_contains(ring: Ring, x: float, y: float) -> bool:
    """Even-odd rule: the number of edges that a ray to the right crosses."""
    here_y, next_y = ring[:, 1], np.roll(ring[:, 1], -1)
    rows = np.flatnonzero((here_y > y) != (next_y > y))
    if not len(rows):
        return False
    ends = (rows + 1) % len(ring)
    x1, y1, x2, y2 = ring[rows, 0], ring[rows, 1], ring[ends, 0], ring[ends, 1]
    crossing_x = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return bool(np.count_nonzero(crossing_x > x) % 2)


def _nearest_on_ring(ring: Ring, x: float, y: float) -> tuple[float, int, float, tuple[float, float]]:
    """(distance, edge number, fraction along it, point) of the closest point on the outline."""
    along = np.roll(ring, -1, axis=0) - ring
    lengths = (along**2).sum(axis=1)
    towards = np.array((x, y)) - ring
    fractions = np.clip((towards * along).sum(axis=1) / np.where(lengths == 0, 1.0, lengths), 0.0, 1.0)
    closest = ring + fractions[:, None] * along
    squares = ((closest - (x, y)) ** 2).sum(axis=1)
    edge = int(squares.argmin())
    return (
        float(np.sqrt(squares[edge])),
        edge,
        float(fractions[edge]),
        (float(closest[edge, 0]), float(closest[edge, 1])),
    )


def _vertices_within(ring: Ring, x: float, y: float, tolerance: float) -> list[int]:
    squares = ((ring - (x, y)) ** 2).sum(axis=1)
    return [int(vertex) for vertex in np.flatnonzero(squares <= tolerance * tolerance)]


def _outline_within(instance: Instance, x: float, y: float, tolerance: float) -> bool:
    return any(_nearest_on_ring(ring, x, y)[0] <= tolerance for _, _, ring in rings_of(instance))


def _touches(instance: Instance, area: shapely.Geometry) -> bool:
    parts = [shapely.Polygon(polygon.exterior, polygon.holes) for polygon in instance.polygons]
    if all(part.is_valid for part in parts):
        return bool(shapely.intersects(shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0], area))
    # A self-intersecting outline is tested as drawn, in time that does not grow with the crossings.
    return any(bool(shapely.intersects(part.boundary, area)) or _covers(part, area) for part in parts)


def _covers(part: shapely.Polygon, area: shapely.Geometry) -> bool:
    """Whether an area that touches no edge of a polygon lies inside it, by the even-odd rule."""
    point = area.point_on_surface()
    starts = [shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)]
    return is_inside_of_rings((point.x, point.y), starts)
