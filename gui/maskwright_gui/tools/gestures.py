"""The drags of the select tool: which one starts where the pointer was pressed, and what each does."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.spatial import EdgePoint, VertexRef, rings_of
from maskwright.document.values import Instance
from maskwright.geometry.algebra import to_shapely
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.joining import following, joined, joined_edges, snapped, vertex_point
from maskwright_gui.tools.overlay import (
    Mark,
    Overlay,
    OverlayCircle,
    OverlayLine,
    OverlayMarks,
    Points,
    Stroke,
    as_points,
)
from maskwright_gui.tools.targets import BodyTarget, EdgeTarget, Target, VertexTarget, owner_of
from maskwright_gui.tools.tool import Pointer

ERASE_SCREEN_PX = 12.0
_LASSO_STEP_SCREEN_PX = 3.0
_LEAST_SHARE = 0.5
"""Of an object's area that must lie inside a lasso."""
_NOTHING = Change.of([])


class Gesture(Protocol):
    """One drag, from the moment the pointer has moved far enough to the release of the button."""

    hint: str
    """What the keys do during the drag."""
    draft: Change

    def move(self, pointer: Pointer) -> None:
        """Update the draft for this pointer position."""

    def finish(self, context: ToolContext) -> None:
        """Commit what the gesture did."""

    def overlay(self) -> Overlay:
        """What to paint during the drag."""


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


def draft_overlay(draft: Change, *marks: OverlayMarks) -> Overlay:
    """Shows the instances as the draft leaves them, in place of the document's."""
    after: list[Instance] = [instance for _, _, instance in draft if instance is not None]
    return Overlay(tuple(after), frozenset(draft.entries), marks=marks, shows_handles=True)


class EditGesture:
    """A drag that ends in one change."""

    label = "Edit"
    hint = "Release to finish · Ctrl no snapping · Esc cancels"

    def __init__(self, context: ToolContext) -> None:
        self._context = context
        self._document = context.document
        self._mark: OverlayMarks | None = None
        self.draft = _NOTHING

    def move(self, pointer: Pointer) -> None:
        """Preview the change for this pointer position."""
        raise NotImplementedError

    def finish(self, context: ToolContext) -> None:
        """Commit the change, if there is one."""
        if not self.draft.is_empty:
            context.commit(self.draft, self.label)

    def overlay(self) -> Overlay:
        """The instances as they would be."""
        return draft_overlay(self.draft, *([self._mark] if self._mark is not None else []))


class MoveInstances(EditGesture):
    """Moves the selected objects with the pointer; Shift keeps to the longer axis."""

    label = "Move object"
    hint = "Release to finish · Shift keeps one direction · Esc cancels"

    def __init__(self, context: ToolContext, start: Pointer) -> None:
        super().__init__(context)
        self._start = start
        self._ids = context.selected_editable

    def move(self, pointer: Pointer) -> None:
        """Move the selection with the pointer, within the image."""
        dx, dy = np.subtract(pointer.point, self._start.point).tolist()
        if pointer.modifiers.shift:
            dx, dy = (dx, 0.0) if abs(dx) >= abs(dy) else (0.0, dy)
        self.draft = edits.move(self._document, self._ids, dx, dy)


class DragVertices(EditGesture):
    """Drags vertices and the neighbours' vertices joined to them: one vertex, or both of an edge."""

    def __init__(self, context: ToolContext, start: Pointer, refs: tuple[VertexRef, ...]) -> None:
        super().__init__(context)
        self.label = "Move vertex" if len(refs) == 1 else "Move edge"
        self._grabbed = refs
        self._start = start
        self._origins = {ref: vertex_point(context, ref) for grabbed in refs for ref in joined(context, grabbed)}
        self._moved_ids = frozenset(ref.instance_id for ref in self._origins)

    def move(self, pointer: Pointer) -> None:
        """Move the vertices with the pointer, snapped if snapping is on."""
        dx, dy = np.subtract(pointer.point, self._start.point).tolist()
        (dx, dy), caught = self._snapped(dx, dy, pointer)
        moved = {ref: (x + dx, y + dy) for ref, (x, y) in self._origins.items()}
        self.draft = edits.move_vertices(self._document, moved)
        self._mark = OverlayMarks(np.array([moved[ref] for ref in self._grabbed]), Mark.SNAP if caught else Mark.HOT)

    def _snapped(self, dx: float, dy: float, pointer: Pointer) -> tuple[tuple[float, float], bool]:
        """The offset by which the first grabbed vertex that snaps reaches its target."""
        for ref in self._grabbed:
            x, y = self._origins[ref]
            (to_x, to_y), caught = snapped(self._context, (x + dx, y + dy), pointer, without=self._moved_ids)
            if caught:
                return (to_x - x, to_y - y), True
        return (dx, dy), False


class InsertVertex(EditGesture):
    """Pulls a new vertex out of an edge, and out of the neighbours' edges joined to it."""

    label = "Insert vertex"

    def __init__(self, context: ToolContext, edge: EdgePoint) -> None:
        super().__init__(context)
        self._edges = joined_edges(context, edge.start)
        self._without = frozenset(start.instance_id for start in self._edges)

    def move(self, pointer: Pointer) -> None:
        """Move the new vertex with the pointer."""
        width, height = self._document.size_wh
        point, caught = snapped(self._context, pointer.point, pointer, without=self._without)
        inside = (min(max(point[0], 0.0), width), min(max(point[1], 0.0), height))
        self.draft = edits.insert_vertices(self._document, self._edges, inside)
        self._mark = OverlayMarks(as_points(inside), Mark.SNAP if caught else Mark.HOT)


class EraseVertices(EditGesture):
    """Erases vertices of the selected objects under the pointer; each ring keeps three."""

    label = "Erase vertices"
    hint = "Release to remove the vertices you passed · Esc restores them"

    def __init__(self, context: ToolContext, start: Pointer) -> None:
        super().__init__(context)
        self._last = start.point
        self._radius = start.reach(ERASE_SCREEN_PX)
        self._doomed: set[VertexRef] = set()

    def move(self, pointer: Pointer) -> None:
        """Erase the vertices under the pointer."""
        self._radius = pointer.reach(ERASE_SCREEN_PX)
        for ref, points in self._rings():
            near = _within(points, self._last, pointer.point, self._radius)
            self._doomed |= {replace(ref, vertex=int(vertex)) for vertex in np.flatnonzero(near)}
        self._last = pointer.point
        self.draft = edits.delete_vertices(self._document, self._kept_closed())

    def _rings(self) -> Iterator[tuple[VertexRef, Points]]:
        for id_ in self._context.selected_editable:
            for part, number, ring in rings_of(self._document[id_]):
                yield VertexRef(id_, part, number, 0), ring

    def _kept_closed(self) -> set[VertexRef]:
        kept = set(self._doomed)
        for first, points in self._rings():
            own = sorted(ref for ref in kept if replace(ref, vertex=0) == first)
            kept.difference_update(own[max(len(points) - 3, 0) :])
        return kept

    def overlay(self) -> Overlay:
        """What is left, and the eraser's circle."""
        base = super().overlay()
        x, y = self._last
        return replace(base, circles=(OverlayCircle(x, y, self._radius, Stroke.ERASER),))


def _within(points: Points, start: tuple[float, float], end: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    """Which points lie within `radius` of the segment."""
    along = np.subtract(end, start)
    length = float(along @ along)
    towards = points - start
    fraction = np.clip(towards @ along / length, 0.0, 1.0) if length else np.zeros(len(points))
    gaps = towards - fraction[:, None] * along
    near: NDArray[np.bool_] = (gaps**2).sum(axis=1) <= radius * radius
    return near


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
        if math.dist(pointer.point, self._points[-1]) > pointer.reach(_LASSO_STEP_SCREEN_PX):
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
