"""Snapping and joining: where a new or dragged point snaps to, and which vertices of neighbours move with it."""

from collections.abc import Iterable

from maskwright.document.spatial import VertexRef
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.tool import Pointer

_VERTEX_SCREEN_PX = 8.0
_EDGE_SCREEN_PX = 5.0
_BORDER_SCREEN_PX = 6.0

Point = tuple[float, float]


def snapped(
    context: ToolContext, point: Point, pointer: Pointer, *, without: frozenset[int] = frozenset()
) -> tuple[Point, bool]:
    """The point to use and whether it was snapped.

    Ctrl suspends snapping. Instances in `without` (those being dragged) are ignored.
    """
    if not context.options.snaps or pointer.modifiers.ctrl:
        return point, False
    x, y = point
    among = context.index.near(x, y, pointer.reach(_VERTEX_SCREEN_PX), without=without)
    vertex = context.index.nearest_vertex(x, y, tolerance=pointer.reach(_VERTEX_SCREEN_PX), among=among)
    if vertex is not None:
        return vertex_point(context, vertex), True
    edge = context.index.nearest_edge(x, y, tolerance=pointer.reach(_EDGE_SCREEN_PX), among=among)
    if edge is not None:
        return (edge.x, edge.y), True
    on_border = _on_border(context, point, pointer.reach(_BORDER_SCREEN_PX))
    return on_border, on_border != point


def vertex_point(context: ToolContext, ref: VertexRef) -> Point:
    """The position of a vertex, in image coordinates."""
    ring = context.document[ref.instance_id].polygons[ref.part].rings[ref.ring]
    return float(ring[ref.vertex, 0]), float(ring[ref.vertex, 1])


def _on_border(context: ToolContext, point: Point, reach: float) -> Point:
    width, height = context.document.size_wh
    return _caught(point[0], width, reach), _caught(point[1], height, reach)


def _caught(value: float, end: int, reach: float) -> float:
    if abs(value) <= reach:
        return 0.0
    return float(end) if abs(value - end) <= reach else value


_LEAST_VERTICES = 3


def joined(context: ToolContext, ref: VertexRef) -> set[VertexRef]:
    """The vertex and those of unlocked neighbours at its position; only itself if joining is off."""
    if not context.options.joins:
        return {ref}
    x, y = vertex_point(context, ref)
    found = context.index.vertices_at(x, y, tolerance=context.options.join_tolerance)
    neighbours = {other for other in found if other.instance_id != ref.instance_id}
    return {ref} | {other for other in neighbours if not context.document[other.instance_id].is_locked}


def joined_edges(context: ToolContext, start: VertexRef) -> set[VertexRef]:
    """The start of the edge from `start`, and of neighbours' edges between the same two positions."""
    ends = joined(context, following(context, start))
    return {start} | {edge for other in joined(context, start) for edge in _edges_between(context, other, ends)}


def deletable(context: ToolContext, ref: VertexRef) -> set[VertexRef]:
    """The vertex with its joined ones; a neighbour with only three vertices keeps them."""
    others = (other for other in joined(context, ref) if _ring_length(context, other) > _LEAST_VERTICES)
    return {ref, *others}


def following(context: ToolContext, ref: VertexRef) -> VertexRef:
    """The next vertex of the same ring."""
    return VertexRef(ref.instance_id, ref.part, ref.ring, (ref.vertex + 1) % _ring_length(context, ref))


def _edges_between(context: ToolContext, first: VertexRef, ends: set[VertexRef]) -> Iterable[VertexRef]:
    """Starts of the edges that connect `first` with one of the ends, in either direction."""
    if following(context, first) in ends:
        yield first
    for end in ends:
        if following(context, end) == first:
            yield end


def _ring_length(context: ToolContext, ref: VertexRef) -> int:
    return len(context.document[ref.instance_id].polygons[ref.part].rings[ref.ring])
