"""Which drag begins at what the pointer was pressed on."""

from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.gestures import (
    ERASE_SCREEN_PX,
    DragVertices,
    EraseVertices,
    Gesture,
    InsertVertex,
    MoveInstances,
)
from maskwright_gui.tools.selecting import Lasso, RubberBand
from maskwright_gui.tools.targets import BodyTarget, EdgeTarget, Target, VertexTarget, owner_of
from maskwright_gui.tools.tool import Pointer
from maskwright_gui.tools.welding import following


def begin_drag(context: ToolContext, target: Target | None, pressed: Pointer) -> Gesture:
    """The gesture of the select tool; what it is about to change gets selected."""
    if pressed.modifiers.is_alt and (ids := _whose_vertices(context, target, pressed)):
        _take_up(context, ids)
        return EraseVertices(context, pressed)
    if isinstance(target, VertexTarget | EdgeTarget) and (owner := owner_of(target)) not in context.selection:
        _take_up(context, frozenset({owner}))
    match target:
        case VertexTarget(ref):
            return DragVertices(context, pressed, (ref,))
        case EdgeTarget(edge, True):
            return InsertVertex(context, edge)
        case EdgeTarget(edge, False):
            return DragVertices(context, pressed, (edge.start, following(context, edge.start)))
        case BodyTarget(stack) if not (pressed.modifiers.shift or pressed.modifiers.ctrl):
            if not context.selection.intersection(stack):
                _take_up(context, frozenset(stack[:1]))
            return MoveInstances(context, pressed)
        case _ if pressed.modifiers.ctrl:
            return Lasso(context, pressed)
        case _:
            return RubberBand(context, pressed)


def _whose_vertices(context: ToolContext, target: Target | None, pressed: Pointer) -> frozenset[int]:
    """The objects that an eraser of vertices is for: the selected ones, or another one that it is set down on.

    Far from the selection that is whatever lies under the point.
    """
    chosen = context.selected_editable
    if target is None or (owner := owner_of(target)) in chosen or context.document[owner].is_locked:
        return chosen
    near = context.index.near(*pressed.point, pressed.reach(ERASE_SCREEN_PX))
    is_for_selection = isinstance(target, BodyTarget) and not chosen.isdisjoint(near)
    return chosen if is_for_selection else frozenset({owner})


def _take_up(context: ToolContext, ids: frozenset[int]) -> None:
    if ids != context.selection:
        context.select(ids)
