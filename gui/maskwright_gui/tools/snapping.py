"""Where a dragged or new point wants to go: a neighbour's vertex, its edge, or the image border."""

from maskwright.document.places import VertexRef
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.tool import Pointer

_VERTEX_SCREEN_PX = 8.0
_EDGE_SCREEN_PX = 5.0
_BORDER_SCREEN_PX = 6.0

Point = tuple[float, float]


def snapped(
    context: ToolContext, point: Point, pointer: Pointer, *, without: frozenset[int] = frozenset()
) -> tuple[Point, bool]:
    """The point to use and whether it caught something.

    Ctrl holds snapping off for the moment. Instances in `without` (the ones being dragged) are not caught.
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
    """Where a vertex is, in image coordinates."""
    ring = context.document[ref.instance_id].polygons[ref.part].rings[ref.ring]
    return float(ring[ref.vertex, 0]), float(ring[ref.vertex, 1])


def _on_border(context: ToolContext, point: Point, reach: float) -> Point:
    width, height = context.document.size_wh
    return _caught(point[0], width, reach), _caught(point[1], height, reach)


def _caught(value: float, end: int, reach: float) -> float:
    if abs(value) <= reach:
        return 0.0
    return float(end) if abs(value - end) <= reach else value
