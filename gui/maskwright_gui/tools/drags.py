"""Which drag starts for what the pointer was pressed on."""

import math

import numpy as np
import shapely

from maskwright.document.change import Change
from maskwright.geometry.algebra import to_shapely
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.gestures import (
    ERASE_SCREEN_PX,
    DragVertices,
    EraseVertices,
    Gesture,
    InsertVertex,
    MoveInstances,
)
from maskwright_gui.tools.joining import following
from maskwright_gui.tools.overlay import Overlay, OverlayLine, Stroke, as_points
from maskwright_gui.tools.targets import BodyTarget, EdgeTarget, Target, VertexTarget, owner_of
from maskwright_gui.tools.tool import Pointer

_NOTHING = Change.of([])
_STEP_SCREEN_PX = 3.0
_LEAST_SHARE = 0.5


class RubberBand:
    """A rubber band: dragged to the right it selects what lies inside, to the left all that it touches."""

    hint = "To the right: selects what is inside · to the left: also what it touches · Esc cancels"
    draft = _NOTHING

    def __init__(self, context: ToolContext, start: Pointer) -> None:
        self._start = self._end = start
        self._kept = context.selection if start.modifiers.shift or start.modifiers.ctrl else frozenset()

    def move(self, pointer: Pointer) -> None:
        """Move the corner opposite the start."""
        self._end = pointer

    def finish(self, context: ToolContext) -> None:
        """Select what lies in the band; drawn from right to left, what it touches."""
        (x1, x2), (y1, y2) = sorted((self._start.x, self._end.x)), sorted((self._start.y, self._end.y))
        find = context.index.touched if self._end.x < self._start.x else context.index.inside
        context.select(self._kept.union(find((x1, y1, x2, y2))))

    def overlay(self) -> Overlay:
        """The band, as a dashed rectangle."""
        a, b = self._start, self._end
        corners = as_points((a.x, a.y), (b.x, a.y), (b.x, b.y), (a.x, b.y))
        return Overlay(lines=(OverlayLine(corners, Stroke.RUBBER, is_closed=True),))


class Lasso:
    """A freehand loop that adds what lies at least half inside to the selection."""

    hint = "Release to select what is at least half inside the loop · Esc cancels"
    draft = _NOTHING

    def __init__(self, context: ToolContext, start: Pointer) -> None:
        self._points = [start.point]
        self._kept = context.selection

    def move(self, pointer: Pointer) -> None:
        """Extend the line to the pointer."""
        if math.dist(pointer.point, self._points[-1]) > pointer.reach(_STEP_SCREEN_PX):
            self._points.append(pointer.point)

    def finish(self, context: ToolContext) -> None:
        """Select what lies in the loop."""
        if len(self._points) < 3:
            return
        loop = to_shapely([Polygon.of(self._points)])
        x1, y1, x2, y2 = loop.bounds
        near = context.index.ids_touching((x1, y1, x2, y2))
        context.select(self._kept.union(id_ for id_ in near if self._holds(loop, context, id_)))

    def overlay(self) -> Overlay:
        """The line so far, closed."""
        return Overlay(lines=(OverlayLine(np.array(self._points), Stroke.RUBBER, is_closed=True),))

    def _holds(self, loop: shapely.Geometry, context: ToolContext, instance_id: int) -> bool:
        area = to_shapely(context.document[instance_id].polygons)
        return bool(shapely.intersection(area, loop).area >= _LEAST_SHARE * area.area)


def begin_drag(context: ToolContext, target: Target | None, pressed: Pointer) -> Gesture:
    """The gesture of the select tool; selects what it is about to change."""
    if context.is_read_only:
        return Lasso(context, pressed) if pressed.modifiers.ctrl else RubberBand(context, pressed)
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
    """The objects that the vertex eraser applies to: the selected ones, or another one that it starts on.

    Far from the selection it is whatever lies under the point.
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
