"""Moves the pointer by keys, so that every tool works without a mouse: arrows move it, Insert clicks, Home holds the
button.

Modifiers held with Insert or Home count as held with the mouse; with Home, until it releases the button.
"""

from PySide6.QtCore import QPointF

from maskwright_gui.canvas.viewport import Viewport
from maskwright_gui.tools.tool import NO_MODIFIERS, Button, KeyPress, Modifiers, Pointer, Tool

STEP_SCREEN_PX = 8.0
FINE_SCREEN_PX, LARGE_SCREEN_PX = 1.0, 64.0
UP_HINT = "Arrows move the pointer · {Insert} clicks · {Home} holds the button down"
DOWN_HINT = "Button held down: arrows drag · Shift large steps · Ctrl small steps · {Home} releases · Esc cancels"
_MOVES = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
_ENDS = frozenset({"Escape", "Enter"})


class KeyPointer:
    """The position of the keyboard-driven pointer, in screen pixels, and whether its button is held."""

    def __init__(self) -> None:
        self.place: QPointF | None = None
        """None while the mouse controls the pointer."""
        self._held: Modifiers | None = None

    @property
    def is_down(self) -> bool:
        """Whether the button is held."""
        return self._held is not None

    def hint(self, of_tool: str, *, has_ring: bool) -> str:
        """The status bar's hint, with keys in braces. has_ring: the canvas was reached by keyboard."""
        if self.is_down:
            return DOWN_HINT
        return f"{of_tool} · {UP_HINT}" if of_tool and (has_ring or self.place is not None) else of_tool

    def comes_first(self, key: KeyPress) -> bool:
        """Whether the key moves the pointer even if the tool uses it: arrows while dragging, and those with Ctrl."""
        return key.name in _MOVES and (self.is_down or key.modifiers.ctrl)

    def is_move(self, key: KeyPress) -> bool:
        """Whether the key moves the pointer."""
        return key.name in _MOVES

    def is_for_pointer(self, key: KeyPress) -> bool:
        """Whether the key does anything to the pointer."""
        return key.name in _MOVES or key.name in ("Insert", "Home")

    def moved(self, key: KeyPress, start: QPointF, viewport: Viewport) -> Viewport:
        """Move the pointer by one step, from `start` if the mouse had it; at the edge of the view the image scrolls."""
        at = self.place if self.place is not None else start
        dx, dy = (part * _step(key) for part in _MOVES[key.name])
        width, height = viewport.screen_wh
        x, y = min(max(at.x() + dx, 0.0), width - 1.0), min(max(at.y() + dy, 0.0), height - 1.0)
        self.place = QPointF(x, y)
        beyond = (at.x() + dx - x, at.y() + dy - y)
        return viewport.panned(-beyond[0], -beyond[1]) if any(beyond) else viewport

    def press(self, key: KeyPress, start: QPointF, viewport: Viewport, tool: Tool) -> None:
        """Insert clicks; Home presses the button, or releases it if it is held."""
        if self.place is None:
            self.place = start
        if self.is_down:
            self.let_go(viewport, tool)
            return
        self._held = key.modifiers
        tool.on_move(self.pointer(viewport, Button.NONE))
        tool.on_press(self.pointer(viewport))
        if key.name == "Insert":
            self.let_go(viewport, tool)

    def let_go(self, viewport: Viewport, tool: Tool) -> None:
        """Release the button, as the mouse would."""
        if self.is_down:
            tool.on_release(self.pointer(viewport))
            self.forget_button()

    def forget_button(self) -> None:
        """The gesture has ended without a release."""
        self._held = None

    def after(self, key: KeyPress) -> None:
        """Forget the button if the key ended the gesture it was held for."""
        if key.name in _ENDS:
            self.forget_button()

    def pointer(self, viewport: Viewport, button: Button = Button.LEFT) -> Pointer:
        """The pointer as tools see it."""
        assert self.place is not None, "the keys have the pointer"
        x, y = viewport.to_image(self.place.x(), self.place.y())
        held = self._held if self._held is not None else NO_MODIFIERS
        return Pointer(x, y, held, button if self.is_down else Button.NONE, viewport.scale)


def _step(key: KeyPress) -> float:
    if key.modifiers.shift:
        return LARGE_SCREEN_PX
    return FINE_SCREEN_PX if key.modifiers.ctrl else STEP_SCREEN_PX
