"""Selects objects and reshapes them: the tool that is active most of the time."""

import math
from enum import Enum, auto

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.spatial import EdgePoint
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.gestures import Gesture, begin_drag
from maskwright_gui.tools.joining import deletable, joined_edges, vertex_point
from maskwright_gui.tools.overlay import Mark, Overlay, OverlayLine, OverlayMarks, Stroke, as_points
from maskwright_gui.tools.targets import (
    BodyTarget,
    EdgeTarget,
    Target,
    VertexTarget,
    edge_ends,
    owner_of,
    target_at,
    target_hint,
)
from maskwright_gui.tools.tool import BaseTool, Button, Cursor, KeyPress, Pointer
from maskwright_gui.tools.turning import turn_selected, wants_turn
from maskwright_gui.tools.vertex_keys import LARGE_NUDGE, NUDGES, VertexKeys

_DRAG_SCREEN_PX = 3.0
_SAME_PLACE_SCREEN_PX = 4.0


class SelectState(Enum):
    """Which gesture is running."""

    IDLE = auto()
    PRESSED = auto()
    """Button down, not yet moved: a click or the start of a drag."""
    DRAGGING = auto()


class SelectTool(BaseTool):
    """Click, shift-click, rubber band, lasso; drag objects, vertices, edges; insert and delete vertices."""

    name = "select"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.state = SelectState.IDLE
        self._target: Target | None = None
        self._pressed: Pointer | None = None
        self._gesture: Gesture | None = None
        self._selected_before: frozenset[int] = frozenset()
        """When the button went down."""
        self._last_click: tuple[float, float] | None = None
        self._vertex_keys = VertexKeys(context)

    @property
    def hint(self) -> str:
        if self._vertex_keys.ref is not None:
            return "Arrows move the vertex · {,} {.} step · {Insert} inserts · Backspace deletes · Esc goes back"
        if self._gesture is not None:
            return self._gesture.hint
        return target_hint(self._target, self._context)

    @property
    def cursor(self) -> Cursor:
        match self._target:
            case VertexTarget() | EdgeTarget():
                return Cursor.CROSS
            case BodyTarget(stack=stack) if self._context.selection.intersection(stack):
                return Cursor.MOVE
            case _:
                return Cursor.ARROW

    @property
    def is_busy(self) -> bool:
        return self.state is not SelectState.IDLE

    def on_press(self, pointer: Pointer) -> None:
        if pointer.button is Button.RIGHT:
            self._take_back()
        if pointer.button is not Button.LEFT or self.state is SelectState.DRAGGING:
            return
        self._target = target_at(self._context, pointer)
        self._pressed = pointer
        self._selected_before = self._context.selection
        self._vertex_keys.ref = None
        self.state = SelectState.PRESSED

    def on_move(self, pointer: Pointer) -> None:
        if self.state is SelectState.IDLE:
            self._target = target_at(self._context, pointer)
            return
        if self.state is SelectState.PRESSED and self._has_moved(pointer, _DRAG_SCREEN_PX):
            assert self._pressed is not None, "a drag starts with a press"
            self._gesture = begin_drag(self._context, self._target, self._pressed)
            self.state = SelectState.DRAGGING
        if self._gesture is not None:
            self._gesture.move(pointer)

    def on_release(self, pointer: Pointer) -> None:
        if pointer.button is not Button.LEFT or self.state is SelectState.IDLE:
            return
        gesture, was_click = self._gesture, self.state is SelectState.PRESSED
        self._reset()
        if was_click and not (pointer.modifiers.is_alt and self._edit_at_once()):
            self._click(pointer)
        elif gesture is not None:
            gesture.finish(self._context)
        self._target = target_at(self._context, pointer)

    def on_key(self, key: KeyPress) -> bool:
        if not self.is_busy and self._vertex_keys.on_key(key):
            return True
        match key.name:
            case "Escape" if self.is_busy:
                self._take_back()
            case "Escape" if self._context.selection:
                self._context.select(frozenset())
            case _ if self.is_busy:
                return False
            case "Delete" if self._context.selection:
                self._commit(edits.delete(self._context.document, self._context.selection), "Delete object")
            case "Backspace":
                return self._delete_hovered_vertex()
            case "Left" | "Right" | "Up" | "Down" if self._context.selected_editable and not key.modifiers.alt:
                self._nudge(key)
            case _:
                return turn_selected(self._context, key)
        return True

    def wants_key(self, key: KeyPress) -> bool:
        if self.is_busy:
            return key.name == "Escape"
        if self._vertex_keys.wants(key):
            return True
        if key.name == "Backspace":
            return self._is_on_selected_vertex
        if key.name == "Delete":  # what is locked is left to the window, which says why nothing happens
            return bool(self._context.selected_editable)
        if wants_turn(self._context, key):
            return True
        nudges = key.name in NUDGES and not key.modifiers.alt  # with Alt they belong to the window
        return bool(self._context.selection) and (nudges or key.name == "Escape")

    def on_document(self) -> None:
        """A running gesture continues while the instances that it changes have not changed otherwise."""
        self._target = None
        self._vertex_keys.check()
        if self._gesture is None:
            return
        instances = self._context.document.instances
        if any(instances.get(id_) != before for id_, before, _ in self._gesture.draft):
            self.cancel()

    def cancel(self) -> None:
        self._reset()
        self._target = None

    def overlay(self) -> Overlay:
        if self._gesture is not None:
            return self._gesture.overlay()
        if (keyed := self._vertex_keys.ref) is not None:
            point = as_points(vertex_point(self._context, keyed))
            return Overlay(marks=(OverlayMarks(point, Mark.HOT),), shows_handles=True)
        return hover_overlay(self._context, self._target)

    def _take_back(self) -> None:
        """Cancel, and undo the selection made by the drag."""
        was_busy = self.is_busy
        self.cancel()
        if was_busy and self._context.selection != self._selected_before:
            self._context.select(self._selected_before)

    def _click(self, pointer: Pointer) -> None:
        stack = tuple(self._context.index.at(*pointer.point, tolerance=pointer.reach(2.0)))
        selection = self._context.selection
        again = self._last_click is not None and math.dist(self._last_click, pointer.point) <= pointer.reach(
            _SAME_PLACE_SCREEN_PX
        )
        self._last_click = pointer.point
        if pointer.modifiers.shift or pointer.modifiers.ctrl:
            if stack:
                self._context.select(selection ^ {stack[0]})
        elif isinstance(self._target, VertexTarget | EdgeTarget) and owner_of(self._target) in selection:
            return
        elif again and len(selection) == 1 and stack and next(iter(selection)) in stack:
            below = (stack.index(next(iter(selection))) + 1) % len(stack)
            self._context.select(frozenset({stack[below]}))
        elif not stack and self._target is not None:  # a handle that extends beyond its object
            self._context.select(frozenset({owner_of(self._target)}))
        else:
            self._context.select(frozenset(stack[:1]))

    def _edit_at_once(self) -> bool:
        """Alt-click deletes a vertex or inserts one on an edge. Returns whether either was there."""
        document = self._context.document
        match self._target:
            case VertexTarget(ref):
                self._commit(edits.delete_vertices(document, deletable(self._context, ref)), "Delete vertex")
            case EdgeTarget(edge, _):
                edges = joined_edges(self._context, edge.start)
                self._commit(edits.insert_vertices(document, edges, (edge.x, edge.y)), "Insert vertex")
            case _:
                return False
        return True

    def _delete_hovered_vertex(self) -> bool:
        if not isinstance(self._target, VertexTarget) or not self._is_on_selected_vertex:
            return False
        ref, self._target = self._target.ref, None
        self._commit(edits.delete_vertices(self._context.document, deletable(self._context, ref)), "Delete vertex")
        return True

    @property
    def _is_on_selected_vertex(self) -> bool:
        return isinstance(self._target, VertexTarget) and owner_of(self._target) in self._context.selection

    def _nudge(self, key: KeyPress) -> None:
        size = self._context.options.nudge_px * (LARGE_NUDGE if key.modifiers.shift else 1)
        dx, dy = NUDGES[key.name]
        context = self._context
        self._commit(edits.move(context.document, context.selected_editable, dx * size, dy * size), "Nudge object")

    def _commit(self, change: Change, label: str) -> None:
        if not change.is_empty:
            self._context.commit(change, label)

    def _has_moved(self, pointer: Pointer, screen_px: float) -> bool:
        return self._pressed is not None and math.dist(self._pressed.point, pointer.point) > pointer.reach(screen_px)

    def _reset(self) -> None:
        self.state = SelectState.IDLE
        self._gesture = None
        self._pressed = None


def hover_overlay(context: ToolContext, target: Target | None) -> Overlay:
    """The vertex or edge under the pointer, and its object unless that is selected."""
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
    """The edge itself, and where a new vertex would be."""
    first, second = edge_ends(context, edge)
    middle = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
    mark = OverlayMarks(as_points(middle), Mark.HOT if is_midpoint else Mark.MIDPOINT)
    return OverlayLine(as_points(first, second), Stroke.HOT), mark
