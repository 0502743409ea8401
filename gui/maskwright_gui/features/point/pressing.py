"""Tells what the mouse does with its button down: a click, a box being dragged, or a stroke."""

import math
from dataclasses import dataclass
from enum import Enum, auto

from maskwright_gui.features.point.draft import Box, Point
from maskwright_gui.tools.tool import Button, Pointer

_DRAG_SCREEN_PX = 5.0
_STROKE_STEP_SCREEN_PX = 18.0
_MOST_STROKE_POINTS = 24


class PressState(Enum):
    """The phase of a press."""

    IDLE = auto()
    """Button up."""
    PRESSED = auto()
    BOX = auto()
    STROKE = auto()


@dataclass(frozen=True, slots=True)
class Pressed:
    """A finished press. at: where it began. kind: PRESSED for a click."""

    kind: PressState
    at: Pointer
    box: Box
    """The box from start to end, xyxy."""
    trail: tuple[Point, ...]
    """Points of a stroke, evenly spaced, in image coordinates."""


class Pressing:
    """One press at a time, from button down to button up."""

    def __init__(self) -> None:
        self.state = PressState.IDLE
        self._start: Pointer | None = None
        self.trail: list[Point] = []
        """Points in image coordinates, from where the button went down."""

    def begin(self, pointer: Pointer, at: Point) -> None:
        """Button down; `at` is the place on the image."""
        self._start, self.state, self.trail = pointer, PressState.PRESSED, [at]

    def move(self, pointer: Pointer, at: Point) -> None:
        """A click becomes a drag once the pointer has moved far enough."""
        if self._start is None:
            return
        is_far = math.dist(pointer.point, self._start.point) > pointer.reach(_DRAG_SCREEN_PX)
        if self.state is PressState.PRESSED and is_far:
            self.state = PressState.STROKE if self._start.modifiers.shift else PressState.BOX
        if self.state is PressState.STROKE and math.dist(at, self.trail[-1]) > pointer.reach(_STROKE_STEP_SCREEN_PX):
            self.trail.append(at)

    def end(self, at: Point) -> Pressed | None:
        """Button up; None if the button was not down."""
        start, kind = self._start, self.state
        self.cancel()
        if start is None:
            return None
        step = math.ceil(len(self.trail) / _MOST_STROKE_POINTS)
        return Pressed(kind, start, box_between(self.trail[0], at), tuple(self.trail[::step]))

    def cancel(self) -> None:
        """Forget the press."""
        self._start, self.state = None, PressState.IDLE


def box_between(a: Point, b: Point) -> Box:
    """The box of two corners, xyxy."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def has_area(box: Box) -> bool:
    """Whether a dragged box is at least a pixel wide and high."""
    return box[2] - box[0] >= 1 and box[3] - box[1] >= 1


def label_of(pointer: Pointer) -> int:
    """0 for a point that is not on the object: the right button, or Alt."""
    return 0 if pointer.button is Button.RIGHT or pointer.modifiers.is_alt else 1
