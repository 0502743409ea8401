"""Converts a polygon with holes to a single ring and back: a bridge, walked both ways, joins each hole to the outline.

COCO polygons have no holes: two rings of one object are a union. Every reader fills a keyhole ring correctly. Bridges
run from vertex to vertex, so that no vertex is added and removing them restores the same rings."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.geometry.polygon import Polygon, Ring, as_ring

_Points = NDArray[np.float64]
_Point = tuple[float, ...]
_MOST_COMPARED = 1000


def cut_keyholes(polygon: Polygon) -> Ring:
    """The polygon as one closed walk: the outline in its own direction, holes in the other, bridges inside.

    Starts at the outline's first vertex. Where rings touch at a vertex, the bridge has no length.
    """
    if not polygon.holes:
        return polygon.exterior
    is_clockwise = signed_area(polygon.exterior) >= 0
    holes = [hole[::-1] if (signed_area(hole) >= 0) == is_clockwise else hole for hole in polygon.holes]
    tree = _BridgeTree([np.asarray(polygon.exterior), *holes])
    tree.grow()
    return as_ring(tree.walk())


def join_keyholes(ring: Ring) -> Polygon:
    """The polygon of a keyhole ring; a ring without bridges is returned unchanged.

    A ring whose loops are not one outline around its holes is kept as it is, so that no pixel changes.
    """
    loops = _loops(np.asarray(ring, np.float64))
    if len(loops) < 2:
        return Polygon.of(loops[0] if loops else ring)
    exterior = loops.pop(int(np.argmax([abs(signed_area(loop)) for loop in loops])))
    if not shapely.Polygon(exterior, loops).is_valid:
        return Polygon.of(ring)
    return Polygon.of(exterior, loops)


def ring_to_polygons(ring: Ring) -> tuple[Polygon, ...]:
    """The polygons of a joint walk: keyholes opened, parts that are joined by bridges separated.

    A ring whose loops overlap is kept as it is, so that no pixel changes.
    """
    loops = _loops(np.asarray(ring, np.float64))
    if len(loops) < 2:
        return (join_keyholes(ring),)
    loops.sort(key=lambda loop: abs(signed_area(loop)), reverse=True)
    shapes = [shapely.Polygon(loop) for loop in loops]
    if not all(shape.is_valid for shape in shapes):
        return (Polygon.of(ring),)
    inside = [shape.representative_point() for shape in shapes]
    around: list[list[int]] = [[] for _ in loops]
    for i, j in shapely.STRtree(shapes).query(inside, predicate="within").T.tolist():
        if j < i:  # test only against larger ones
            around[i].append(j)
    holes: dict[int, list[_Points]] = {}
    for i, outer in enumerate(around):
        if len(outer) % 2:
            holes.setdefault(max(outer), []).append(loops[i])
    parts = [Polygon.of(loops[i], holes.get(i, ())) for i, outer in enumerate(around) if len(outer) % 2 == 0]
    whole = shapely.MultiPolygon([(part.exterior, part.holes) for part in parts])
    return tuple(parts) if whole.is_valid else (Polygon.of(ring),)


def polygons_to_ring(polygons: Sequence[Polygon]) -> Ring:
    """All parts as one walk, for formats with one ring per object; bridges between parts may cross anything."""
    rings = [cut_keyholes(polygon) for polygon in polygons]
    if not rings:
        raise ValueError("expected at least one polygon")
    walk = np.asarray(rings[0])
    for ring in rings[1:]:
        at, to = _nearest_pair(walk, ring)
        there = np.roll(ring, -to, axis=0)
        walk = np.concatenate([walk[: at + 1], there, there[:1], walk[at : at + 1], walk[at + 1 :]])
    return as_ring(walk)


def _nearest_pair(a: _Points, b: _Points) -> tuple[int, int]:
    """Indices of two vertices close to each other; of large outlines only some are compared."""
    some_a, some_b = (points[:: max(1, len(points) // _MOST_COMPARED)] for points in (a, b))
    distance = ((some_a[:, None] - some_b[None, :]) ** 2).sum(axis=2)
    at, to = np.unravel_index(int(distance.argmin()), distance.shape)
    return int(at) * max(1, len(a) // _MOST_COMPARED), int(to) * max(1, len(b) // _MOST_COMPARED)


class _BridgeTree:
    """A tree of rings attached to points of other rings; ring 0 is the root."""

    def __init__(self, rings: list[_Points]) -> None:
        self._rings: list[list[_Point]] = [list(map(tuple, ring.tolist())) for ring in rings]
        self._starts = np.concatenate(rings)
        self._ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
        self._owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        self._is_hung = np.zeros(len(rings), bool)
        self._rings_at: dict[_Point, list[tuple[int, int]]] = {}
        for i, ring in enumerate(self._rings):
            for at, point in enumerate(ring):
                self._rings_at.setdefault(point, []).append((i, at))
        self._hanging: dict[_Point, list[tuple[int, int]]] = {}
        """point -> the (ring, vertex) bridged to it."""

    def grow(self) -> None:
        """Attach every ring: touching ones first, then from the left by the nearest visible vertex."""
        self._hang_touching(0)
        for ring in sorted(range(1, len(self._rings)), key=lambda i: min(self._rings[i])):
            if not self._is_hung[ring]:
                point = min(self._rings[ring])
                self._hanging.setdefault(self._nearest_in_sight(point), []).append(
                    (ring, self._rings[ring].index(point))
                )
                self._hang_touching(ring)

    def walk(self) -> _Points:
        """Through all rings, along each bridge and back; without the closing return to the first vertex."""
        walked: list[_Point] = []
        stack = [iter(self._rings[0])]  # no recursion: thousands of holes may be nested in the tree
        while stack:
            point = next(stack[-1], None)
            if point is None:
                stack.pop()
                continue
            if not walked or walked[-1] != point:
                walked.append(point)
            for ring, at in reversed(self._hanging.pop(point, ())):
                hole = self._rings[ring]
                stack.append(iter([*hole[at:], *hole[:at], hole[at], point]))
        return np.array(walked)

    def _hang_touching(self, start: int) -> None:
        """Attach the rings that share a vertex with `start`, those that share one with them, and so on."""
        self._is_hung[start] = True
        reached = [start]
        while reached:
            for point in self._rings[reached.pop()]:
                for other, at in self._rings_at[point]:
                    if not self._is_hung[other]:
                        self._is_hung[other] = True
                        self._hanging.setdefault(point, []).append((other, at))
                        reached.append(other)

    def _nearest_in_sight(self, point: _Point) -> _Point:
        origin = np.array(point)
        candidates = self._starts[self._is_hung[self._owner]]
        distance = ((candidates - origin) ** 2).sum(axis=1)
        for i in np.argsort(distance, kind="stable").tolist():
            if not segment_crosses(origin, candidates[i], self._starts, self._ends):
                return tuple(candidates[i].tolist())
        return tuple(candidates[distance.argmin()].tolist())  # the rings cross: any bridge is equally exact


def _loops(ring: _Points) -> list[_Points]:
    """The simple loops of a walk that returns to some of its points; bridges, which enclose nothing, are dropped."""
    loops: list[list[int]] = []
    path: list[int] = []
    position: dict[_Point, int] = {}
    points: list[_Point] = list(map(tuple, ring.tolist()))
    for i, point in enumerate(points):
        cut = position.get(point)
        if cut is not None:
            loops.append(path[cut:])
            for passed in path[cut:]:
                del position[points[passed]]
            del path[cut:]
        position[point] = len(path)
        path.append(i)
    return [ring[loop] for loop in (*loops, path) if len(loop) >= 3]


def signed_area(ring: _Points) -> float:
    """Shoelace area in square pixels; y runs down, so clockwise on the screen is positive."""
    x, y = (ring - ring[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def segment_crosses(a: _Points, b: _Points, starts: _Points, ends: _Points) -> bool:
    """Whether the segment a-b meets any of the (N, 2) edges other than at its own ends."""

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
