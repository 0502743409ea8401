"""Rectangle and ellipse, drawn from corner to corner and turned while drawing."""

import math
from enum import Enum, auto

import numpy as np

from maskwright.document import edits
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.context import NO_CLASS_HINT, ToolContext, drawn_hint
from maskwright_gui.tools.joining import snapped
from maskwright_gui.tools.overlay import (
    NOTHING,
    Mark,
    Overlay,
    OverlayLine,
    OverlayMarks,
    OverlayNote,
    Points,
    Stroke,
    as_points,
)
from maskwright_gui.tools.tool import BaseTool, Button, KeyPress, Pointer
from maskwright_gui.tools.turning import STEP_DEGREES, TURNS, turn_selected, wants_turn

_DRAG_SCREEN_PX = 4.0
_MIN_SIDE = 1.0
_CHORD_ERROR_PX = 0.25
_MIN_ELLIPSE_VERTICES, _MAX_ELLIPSE_VERTICES = 12, 160

Point = tuple[float, float]
Box = tuple[float, float, float, float]


class BoxState(Enum):
    """The phase of drawing a box."""

    IDLE = auto()
    PRESSED = auto()
    """Button down on the first corner."""
    FLOATING = auto()
    """First corner clicked; the second one follows the pointer without the button."""


class BoxTool(BaseTool):
    """Drag, or click two corners; Shift makes both sides equal, the wheel turns the shape about its centre."""

    _label = ""

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.state = BoxState.IDLE
        self._first: Point = (0.0, 0.0)
        self._second: Point = (0.0, 0.0)
        self._degrees = 0.0
        """Clockwise."""
        self._hovered: tuple[Point, bool] | None = None
        self._image_id = context.document.image_id

    @property
    def hint(self) -> str:
        if self._context.category_id is None:
            return NO_CLASS_HINT
        if self.is_busy:
            turning = "wheel or {[} {]} turns it"
            return f"Second corner · {turning} · {{class_1}}-{{class_9}} class · Shift equal sides · Esc cancels"
        turning = " · {[} {]} turns the selection" if self._context.selected_editable else ""
        return f"Drag or click two corners · Shift equal sides{turning}{drawn_hint(self._context)}"

    @property
    def is_busy(self) -> bool:
        return self.state is not BoxState.IDLE

    def on_press(self, pointer: Pointer) -> None:
        if pointer.button is Button.RIGHT:
            self.cancel()
        if pointer.button is not Button.LEFT or (self._context.category_id is None and not self.is_busy):
            return
        if self.state is BoxState.FLOATING:
            self._follow(pointer)
            self._finish()
            return
        self._first = self._second = self._place(pointer)
        self.state = BoxState.PRESSED

    def on_move(self, pointer: Pointer) -> None:
        self._hovered = snapped(self._context, pointer.point, pointer)
        if self.is_busy:
            self._follow(pointer)

    def on_release(self, pointer: Pointer) -> None:
        if pointer.button is not Button.LEFT or self.state is not BoxState.PRESSED:
            return
        if math.dist(self._first, self._second) <= pointer.reach(_DRAG_SCREEN_PX):
            self.state = BoxState.FLOATING
        else:
            self._finish()

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        if not self.is_busy or pointer.modifiers.ctrl:
            return False
        self._turn(steps)
        return True

    def on_key(self, key: KeyPress) -> bool:
        if self.is_busy and key.name in TURNS:
            self._turn(TURNS[key.name])
            return True
        return (not self.is_busy and turn_selected(self._context, key)) or super().on_key(key)

    def wants_key(self, key: KeyPress) -> bool:
        turns = key.name in TURNS if self.is_busy else wants_turn(self._context, key)
        return turns or super().wants_key(key)

    def on_document(self) -> None:
        """Only another image ends the draft."""
        if self._context.document.image_id != self._image_id:
            self._image_id = self._context.document.image_id
            self.cancel()

    def cancel(self) -> None:
        self.state, self._degrees = BoxState.IDLE, 0.0

    def overlay(self) -> Overlay:
        """The outline so far, and the size in pixels."""
        if not self.is_busy:
            if self._hovered is None or not self._hovered[1]:
                return NOTHING
            return Overlay(marks=(OverlayMarks(as_points(self._hovered[0]), Mark.SNAP),))
        outline = OverlayLine(self._turned_outline(), Stroke.DRAFT, is_closed=True)
        x1, y1, x2, y2 = self._box
        turned = f" · {self._degrees:.0f}°" if self._degrees else ""
        size = OverlayNote(*self._second, f"{x2 - x1:.0f} × {y2 - y1:.0f} px{turned}")
        return Overlay(lines=(outline,), notes=(size,))

    @property
    def _box(self) -> Box:
        (x1, x2), (y1, y2) = (sorted(pair) for pair in zip(self._first, self._second, strict=True))
        return x1, y1, x2, y2

    def _outline(self, box: Box) -> Points:
        raise NotImplementedError

    def _turn(self, steps: float) -> None:
        self._degrees = (self._degrees + steps * STEP_DEGREES) % 360.0

    def _turned_outline(self) -> Points:
        points = self._outline(self._box)
        if not self._degrees:
            return points
        (x1, y1, x2, y2), angle = self._box, math.radians(self._degrees)
        centre = np.array(((x1 + x2) / 2, (y1 + y2) / 2))
        cos, sin = math.cos(angle), math.sin(angle)
        turned: Points = (points - centre) @ np.array(((cos, sin), (-sin, cos))) + centre
        return turned

    def _follow(self, pointer: Pointer) -> None:
        x, y = self._place(pointer)
        if pointer.modifiers.shift:
            dx, dy = x - self._first[0], y - self._first[1]
            side = min(abs(dx), abs(dy))
            x, y = self._first[0] + math.copysign(side, dx), self._first[1] + math.copysign(side, dy)
        self._second = (x, y)

    def _place(self, pointer: Pointer) -> Point:
        (x, y), _ = snapped(self._context, pointer.point, pointer)
        width, height = self._context.document.size_wh
        return min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))

    def _finish(self) -> None:
        box, outline, category_id = self._box, self._turned_outline(), self._context.category_id
        if category_id is None:  # its class was deleted meanwhile
            self.state = BoxState.FLOATING
            self._context.ask_class()
            return
        self.cancel()
        if min(box[2] - box[0], box[3] - box[1]) < _MIN_SIDE:
            return
        polygons = clip_to_image(
            [Polygon.of(outline)], self._context.document.size_wh
        )  # turned corners may lie outside the image
        if not polygons:
            return
        instance_id = self._context.allocate_id()
        self._context.commit(edits.create(instance_id, category_id, polygons), self._label)
        self._context.select(frozenset({instance_id}))


class RectangleTool(BoxTool):
    """Draws a rectangle from corner to corner."""

    name = "rectangle"
    _label = "Draw rectangle"

    def _outline(self, box: Box) -> Points:
        x1, y1, x2, y2 = box
        return as_points((x1, y1), (x2, y1), (x2, y2), (x1, y2))


class EllipseTool(BoxTool):
    """Draws an ellipse in a box from corner to corner."""

    name = "ellipse"
    _label = "Draw ellipse"

    def _outline(self, box: Box) -> Points:
        x1, y1, x2, y2 = box
        radius = max(x2 - x1, y2 - y1, 1.0) / 2
        # the sagitta of a chord over an angle of 2 t is r (1 - cos t)
        half_angle = math.acos(max(1.0 - _CHORD_ERROR_PX / radius, -1.0))
        count = min(max(math.ceil(math.pi / half_angle), _MIN_ELLIPSE_VERTICES), _MAX_ELLIPSE_VERTICES)
        angles = np.linspace(0.0, 2 * math.pi, count, endpoint=False)
        centre, half = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) / 2, (y2 - y1) / 2)
        points: Points = np.array(centre) + np.column_stack((np.cos(angles), np.sin(angles))) * half
        return points
