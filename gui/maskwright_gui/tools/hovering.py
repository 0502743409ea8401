"""How the select tool shows what a press at the pointer would take."""

from maskwright.document.places import EdgePoint
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import Mark, Overlay, OverlayLine, OverlayMarks, Stroke, as_points
from maskwright_gui.tools.snapping import vertex_point
from maskwright_gui.tools.targets import BodyTarget, EdgeTarget, Target, VertexTarget, edge_ends


def hover_overlay(context: ToolContext, target: Target | None) -> Overlay:
    """The hot vertex or edge, with the object that it belongs to where that is not selected."""
    match target:
        case VertexTarget(ref):
            mark = OverlayMarks(as_points(vertex_point(context, ref)), Mark.HOT)
            return Overlay(marks=(mark,), hovered=_unless_selected(context, ref.instance_id), shows_handles=True)
        case EdgeTarget(edge, is_midpoint):
            line, mark = _edge_parts(context, edge, is_midpoint)
            hovered = _unless_selected(context, edge.start.instance_id)
            return Overlay(lines=(line,), marks=(mark,), hovered=hovered, shows_handles=True)
        case BodyTarget(stack):
            return Overlay(hovered=stack[0], shows_handles=True)
        case _:
            return Overlay(shows_handles=True)


def _unless_selected(context: ToolContext, instance_id: int) -> int | None:
    return None if instance_id in context.selection else instance_id


def _edge_parts(context: ToolContext, edge: EdgePoint, is_midpoint: bool) -> tuple[OverlayLine, OverlayMarks]:
    """The edge itself, and where a new vertex would come."""
    first, second = edge_ends(context, edge)
    middle = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    mark = OverlayMarks(as_points(middle), Mark.HOT if is_midpoint else Mark.MIDPOINT)
    return OverlayLine(as_points(first, second), Stroke.HOT), mark
