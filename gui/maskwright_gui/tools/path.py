"""A line drawn by clicks, by dragging or both: the common part of all tools that draw outlines."""

import math
from enum import Enum, auto
from typing import ClassVar

import numpy as np
import shapely

from maskwright.document import edits
from maskwright.document.combine import drawn_area
from maskwright_gui.tools.context import NO_CLASS_HINT, ToolContext, drawn_hint
from maskwright_gui.tools.joining import snapped
from maskwright_gui.tools.overlay import NOTHING, Mark, Overlay, OverlayLine, OverlayMarks, Points, Stroke, as_points
from maskwright_gui.tools.tool import BaseTool, Button, KeyPress, Pointer

CLOSE_SCREEN_PX = 9.0
_DRAG_SCREEN_PX = 4.0
_FREEHAND_STEP_SCREEN_PX = 3.0
_FREEHAND_DETAIL_SCREEN_PX = 0.7
_MANY_MARKS = 200

Point = tuple[float, float]


class PathState(Enum):
    """The phase of drawing an outline."""

    IDLE = auto()
    PLACING = auto()
    """Between clicks."""
    PRESSED = auto()
    """Button down on a new point, not yet moved."""
    FREEHAND = auto()


class PathTool(BaseTool):
    """Draws a line until a click on the first point, Enter or a double click.

    Backspace removes the last point or freehand stretch. A subclass says in `_use` what happens to the finished line.
    """

    _keys_while_busy: ClassVar[frozenset[str]] = frozenset({"Escape", "Enter", "Backspace"})
    _needs_category = False
    _is_closed = True
    """Whether the line returns to its first point."""
    _least_points = 3
    _start_hint = "Click points or drag to draw freehand"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.state = PathState.IDLE
        self._points: list[Point] = []
        self._step_sizes: list[int] = []
        """How many points each click or stretch added, so that Backspace removes one step."""
        self._taken_back: list[list[Point]] = []
        """Steps that `step_forward` can restore, the latest last; drawing again discards them."""
        self._pointer: Pointer | None = None
        self._image_id = context.document.image_id

    @property
    def hint(self) -> str:
        if self._needs_category and self._context.category_id is None:
            return "Name its class in the Classes panel, then Enter · Esc cancels" if self._points else NO_CLASS_HINT
        if not self._points:
            return self._start_hint + (drawn_hint(self._context) if self._needs_category else "")
        ends = "Enter, double-click or first point closes" if self._is_closed else "Enter or double-click finishes"
        keys = "{class_1}-{class_9} class · " if self._needs_category else ""
        return f"{ends} · {keys}Backspace last point · Ctrl no snapping · Esc cancels"

    @property
    def is_busy(self) -> bool:
        return self.state is not PathState.IDLE

    def on_press(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if pointer.button is Button.RIGHT:
            self._step_back()
            self.state = PathState.PLACING if self._points else PathState.IDLE
        is_nameless = self._needs_category and self._context.category_id is None
        if pointer.button is not Button.LEFT or (is_nameless and not self._points):
            return
        if self._closes(pointer) or (pointer.is_double and len(self._points) >= self._least_points):
            self._finish()
            return
        point, _ = self._place(pointer)
        if self._points and math.dist(point, self._points[-1]) < pointer.reach(1.0):
            return
        self._points.append(point)
        self._step_sizes.append(1)
        self._taken_back.clear()
        self.state = PathState.PRESSED

    def on_move(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if self.state is PathState.PRESSED and self._moved(pointer) > pointer.reach(_DRAG_SCREEN_PX):
            self.state = PathState.FREEHAND
            self._step_sizes.append(0)
        if self.state is PathState.FREEHAND and self._moved(pointer) > pointer.reach(_FREEHAND_STEP_SCREEN_PX):
            self._points.append(self._on_image(pointer))
            self._step_sizes[-1] += 1

    def on_release(self, pointer: Pointer) -> None:
        if pointer.button is not Button.LEFT:
            return
        was_freehand = self.state is PathState.FREEHAND
        if was_freehand:
            self._thin_last_stretch(pointer.reach(_FREEHAND_DETAIL_SCREEN_PX))
        if self.state in (PathState.PRESSED, PathState.FREEHAND):
            self.state = PathState.PLACING
        if was_freehand and (self._closes(pointer) or self._ends_with_a_stroke()):
            self._finish()

    def on_key(self, key: KeyPress) -> bool:
        if not self.is_busy:
            return False
        match key.name:
            case "Enter":
                self._finish()
            case "Backspace":
                self._step_back()
            case "Escape":
                self.cancel()
            case _:
                return False
        return True

    def on_document(self) -> None:
        """A selection or a new proposal does not disturb the line being drawn; another image does."""
        if self._context.document.image_id != self._image_id:
            self._image_id = self._context.document.image_id
            self.cancel()

    def step_back(self) -> bool:
        if self.state is not PathState.PLACING:
            return super().step_back()  # the button is still down
        self._step_back()
        return True

    def step_forward(self) -> bool:
        if not self._taken_back:
            return False
        points = self._taken_back.pop()
        self._points += points
        self._step_sizes.append(len(points))
        self.state = PathState.PLACING
        return True

    def cancel(self) -> None:
        self.state = PathState.IDLE
        self._points.clear()
        self._step_sizes.clear()
        self._taken_back.clear()

    def overlay(self) -> Overlay:
        marks = []
        place, caught = self._place(self._pointer) if self._pointer is not None else ((0.0, 0.0), False)
        if caught and self.state in (PathState.IDLE, PathState.PLACING):
            marks.append(OverlayMarks(as_points(place), Mark.SNAP))
        if not self._points:
            return Overlay(marks=tuple(marks)) if marks else NOTHING
        outline = np.array(self._points, np.float64)
        lines = [OverlayLine(outline, Stroke.DRAFT)]
        settled = outline[: len(outline) - self._running_count]
        marks.append(OverlayMarks(settled if len(settled) < _MANY_MARKS else settled[::8], Mark.VERTEX))
        if self._pointer is not None and self.state is PathState.PLACING:
            lines.append(OverlayLine(self._guide(place, self._pointer), Stroke.GUIDE))
        if self._pointer is not None and self._closes(self._pointer):
            marks.append(OverlayMarks(outline[:1], Mark.CLOSING))
        return Overlay(lines=tuple(lines), marks=tuple(marks))

    def _guide(self, place: Point, pointer: Pointer) -> Points:
        """The line that a click would add."""
        return as_points(self._points[-1], place)

    def _use(self, points: list[Point]) -> None:
        raise NotImplementedError

    def _ends_with_a_stroke(self) -> bool:
        """Whether releasing the button after a freehand stretch finishes the line."""
        return False

    def _place(self, pointer: Pointer) -> tuple[Point, bool]:
        """Where a click would put a point, and whether it snapped."""
        point, caught = snapped(self._context, pointer.point, pointer)
        width, height = self._context.document.size_wh
        return (min(max(point[0], 0.0), float(width)), min(max(point[1], 0.0), float(height))), caught

    def _closes(self, pointer: Pointer) -> bool:
        if not self._is_closed or len(self._points) < self._least_points:
            return False
        return math.dist(pointer.point, self._points[0]) <= pointer.reach(CLOSE_SCREEN_PX)

    def _moved(self, pointer: Pointer) -> float:
        return math.dist(pointer.point, self._points[-1])

    @property
    def _running_count(self) -> int:
        """Points of the stretch being drawn: most will be thinned out, so none is a vertex yet."""
        return self._step_sizes[-1] if self.state is PathState.FREEHAND else 0

    def _step_back(self) -> None:
        if not self._step_sizes:
            return
        first = len(self._points) - self._step_sizes.pop()
        self._taken_back.append(self._points[first:])
        del self._points[first:]
        if not self._points:
            self.cancel()

    def _thin_last_stretch(self, tolerance: float) -> None:
        count = self._step_sizes[-1]
        if count < 3:
            return
        stretch = np.array(self._points[-count - 1 :])
        thinned: Points = shapely.get_coordinates(shapely.simplify(shapely.LineString(stretch), tolerance))
        self._points[-count:] = [(float(x), float(y)) for x, y in thinned[1:]]
        self._step_sizes[-1] = len(thinned) - 1

    def _finish(self) -> None:
        points = list(self._points)
        if len(points) < self._least_points:
            return
        if self._needs_category and self._context.category_id is None:  # its class was deleted meanwhile
            self._context.ask_class()
            return
        self.cancel()
        self._use(points)


class PolygonTool(PathTool):
    """Draws a new object of the current class."""

    name = "polygon"
    _needs_category = True

    def _use(self, points: list[Point]) -> None:
        polygons, category_id = drawn_area(points), self._context.category_id
        if not polygons or category_id is None:
            return
        instance_id = self._context.allocate_id()
        self._context.commit(edits.create(instance_id, category_id, polygons), "Draw polygon")
        self._context.select(frozenset({instance_id}))
