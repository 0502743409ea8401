"""What a press at a point would grab: a vertex, an edge's midpoint, an edge, an object, or nothing."""

import math
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from maskwright.document.spatial import EdgePoint, VertexRef
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.tools.context import LOCKED_HINT, READ_ONLY_HINT, ToolContext
from maskwright_gui.tools.joining import vertex_point
from maskwright_gui.tools.tool import Pointer

_VERTEX_SCREEN_PX = 8.0
_EDGE_SCREEN_PX = 6.0
_MIDPOINT_SCREEN_PX = 7.0
_EDGE_WITH_MIDPOINT_SCREEN_PX = 30.0
_LEAST_WITH_HANDLES_SCREEN_PX = 32.0
_SMALL_OBJECT_SHARE = 0.18
"""Handles of a small object extend at most this share of its shorter side, so that its inside can still be grabbed."""
_MAX_EDITABLE = 200
"""Vertices can be grabbed only while at most this many objects are selected; more are a selection to move, not to
reshape.
"""


@dataclass(frozen=True, slots=True)
class VertexTarget:
    """A vertex of a selected instance."""

    ref: VertexRef


@dataclass(frozen=True, slots=True)
class EdgeTarget:
    """An edge of a selected instance, and the position on it."""

    edge: EdgePoint
    is_midpoint: bool


@dataclass(frozen=True, slots=True)
class BodyTarget:
    """The inside of an instance."""

    stack: tuple[int, ...]
    """All instances under the point, topmost first."""


Target = VertexTarget | EdgeTarget | BodyTarget


def target_at(context: ToolContext, pointer: Pointer) -> Target | None:
    """Handles of the selected objects come first, then whatever lies under the point.

    Vertices and midpoints of the topmost object are handles too, whatever is selected: a wrong corner can be dragged at
    once. With Shift or Ctrl a press changes the selection.
    """
    if context.selection and (handle := _handle_at(context, pointer)) is not None:
        return handle
    stack = context.index.at(*pointer.point, tolerance=pointer.reach(2.0))
    held = pointer.modifiers
    is_about_selection = bool(context.selection) and (held.shift or held.ctrl) and not held.is_alt
    if not is_about_selection and (handle := _handle_of_topmost(context, pointer, stack)) is not None:
        return handle
    return BodyTarget(tuple(stack)) if stack else None


def owner_of(target: Target) -> int:
    """The instance that the target belongs to; of several under the point the topmost."""
    match target:
        case VertexTarget(ref):
            return ref.instance_id
        case EdgeTarget(edge):
            return edge.start.instance_id
        case BodyTarget(stack):
            return stack[0]
        case _:
            assert_never(target)


def target_hint(target: Target | None, context: ToolContext) -> str:
    """What the mouse and the keys would do with the target."""
    if context.is_read_only:
        return READ_ONLY_HINT
    match target:
        case VertexTarget(ref) if ref.instance_id not in context.selection:
            return "Drag moves the vertex · Alt-click deletes it · a click selects the object"
        case VertexTarget():
            return "Drag moves the vertex · Alt-click or Backspace deletes it"
        case EdgeTarget(edge) if edge.start.instance_id not in context.selection:
            return "Drag pulls out a new vertex · Alt-click inserts one · a click selects the object"
        case EdgeTarget(is_midpoint=True):
            return "Drag pulls out a new vertex · Alt-click inserts one"
        case EdgeTarget():
            return "Drag moves the edge · Alt-click inserts a vertex"
        case _ if context.is_selection_locked:
            return LOCKED_HINT
        case _ if _has_proposal(context):
            answers = "{accept} accepts · {reject} rejects · {change_class} changes the class"
            return f"{answers} · drag moves · Alt-drag erases vertices"
        case _ if context.selection:
            return (
                "Drag moves · Alt-drag erases vertices · arrows nudge · {[} {]} turn · {,} {.} go through vertices"
                " · Esc deselects"
            )
        case BodyTarget(stack) if _is_proposal(context, stack[0]):
            return "{accept} accepts · {reject} rejects what you point at · a click selects it · Ctrl-drag a lasso"
        case BodyTarget():
            return "Click selects · drag moves · Alt-drag erases vertices · Ctrl-drag a lasso"
        case _:
            return "Click an object · drag a box around several · Ctrl-drag a lasso · Shift adds"


def _has_proposal(context: ToolContext) -> bool:
    return any(_is_proposal(context, id_) for id_ in context.selection)


def _is_proposal(context: ToolContext, instance_id: int) -> bool:
    instance = context.document.instances.get(instance_id)
    return instance is not None and instance.state is InstanceState.PROPOSED


def _handle_at(context: ToolContext, pointer: Pointer) -> Target | None:
    if len(context.selection) > _MAX_EDITABLE:
        return None
    near = context.index.near(*pointer.point, pointer.reach(_VERTEX_SCREEN_PX))
    editable = context.selected_editable.intersection(near)
    if not editable:
        return None
    share = min(_reach_share(context.document[id_], pointer) for id_ in editable)
    x, y = pointer.point
    vertex = context.index.nearest_vertex(x, y, tolerance=pointer.reach(_VERTEX_SCREEN_PX * share), among=editable)
    if vertex is not None:
        return VertexTarget(vertex)
    edge = context.index.nearest_edge(x, y, tolerance=pointer.reach(_EDGE_SCREEN_PX * share), among=editable)
    if edge is None:
        return None
    return EdgeTarget(edge, is_midpoint=_is_midpoint(context, edge, pointer))


def _handle_of_topmost(context: ToolContext, pointer: Pointer, stack: list[int]) -> Target | None:
    """A vertex or midpoint of the topmost object or, outside all objects, of the nearest one.

    Locked objects have none, and small ones only when selected: otherwise dragging a cell would grab its border.
    """
    reach, (x, y) = pointer.reach(_VERTEX_SCREEN_PX), pointer.point
    if context.is_read_only:
        return None
    near = (context.document[id_] for id_ in stack[:1] or context.index.near(x, y, reach))
    least = pointer.reach(_LEAST_WITH_HANDLES_SCREEN_PX)
    among = [one.id for one in near if not one.is_locked and _longer_side(one) >= least]
    if not among:
        return None
    vertex = context.index.nearest_vertex(x, y, tolerance=reach, among=among)
    # a small object has small handles
    if vertex is not None and math.dist(vertex_point(context, vertex), (x, y)) <= reach * _reach_share(
        context.document[vertex.instance_id], pointer
    ):
        return VertexTarget(vertex)
    edge = context.index.nearest_edge(x, y, tolerance=pointer.reach(_EDGE_SCREEN_PX), among=among)
    if edge is None or not _is_midpoint(context, edge, pointer):
        return None
    share = _reach_share(context.document[edge.start.instance_id], pointer)
    is_near = math.dist((edge.x, edge.y), (x, y)) <= pointer.reach(_EDGE_SCREEN_PX) * share
    return EdgeTarget(edge, is_midpoint=True) if is_near else None


def _longer_side(instance: Instance) -> float:
    x1, y1, x2, y2 = instance.bounds_xyxy
    return max(x2 - x1, y2 - y1)


def _reach_share(instance: Instance, pointer: Pointer) -> float:
    x1, y1, x2, y2 = instance.bounds_xyxy
    shorter_screen_px = min(x2 - x1, y2 - y1) * pointer.scale
    return min(1.0, max(0.3, shorter_screen_px * _SMALL_OBJECT_SHARE / _VERTEX_SCREEN_PX))


def edge_ends(context: ToolContext, edge: EdgePoint) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two vertices of the edge, image pixels."""
    ref = edge.start
    ring = context.document[ref.instance_id].polygons[ref.part].rings[ref.ring]
    first, second = ring[ref.vertex], ring[(ref.vertex + 1) % len(ring)]
    return (float(first[0]), float(first[1])), (float(second[0]), float(second[1]))


def _is_midpoint(context: ToolContext, edge: EdgePoint, pointer: Pointer) -> bool:
    first, second = edge_ends(context, edge)
    length = float(np.hypot(second[0] - first[0], second[1] - first[1]))
    if length < pointer.reach(_EDGE_WITH_MIDPOINT_SCREEN_PX):
        return False
    return abs(edge.fraction - 0.5) * length <= pointer.reach(_MIDPOINT_SCREEN_PX)
