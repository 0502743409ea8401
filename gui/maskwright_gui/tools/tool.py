"""The interface between the canvas and its tools: input as plain values, one protocol, no Qt types."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import NOTHING, Overlay


class Button(Enum):
    """A mouse button."""

    NONE = "none"
    LEFT = "left"
    RIGHT = "right"


class Cursor(Enum):
    """The pointer's shape, by meaning."""

    ARROW = "arrow"
    CROSS = "cross"
    MOVE = "move"
    GRAB = "grab"
    HIDDEN = "hidden"
    """The overlay paints the pointer itself (brush)."""


@dataclass(frozen=True, slots=True)
class Modifiers:
    """The modifier keys held."""

    shift: bool = False
    ctrl: bool = False
    alt: bool = False

    @property
    def is_alt(self) -> bool:
        """Alt, or Ctrl and Shift together: many desktops use Alt and the mouse to move windows."""
        return self.alt or (self.ctrl and self.shift)


NO_MODIFIERS = Modifiers()


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, image pixels, and what is held."""

    x: float
    y: float
    modifiers: Modifiers = NO_MODIFIERS
    button: Button = Button.LEFT
    """The button pressed or released; on a move, the one held."""
    scale: float = 1.0
    """Screen pixels per image pixel."""
    is_double: bool = False
    """Whether it is the second press of a double click."""

    @property
    def point(self) -> tuple[float, float]:
        """The point, rounded to a thousandth of a pixel: precise enough for any hand, and robust for geometry."""
        return round(self.x, 3), round(self.y, 3)

    def reach(self, screen_px: float) -> float:
        """A distance on screen in image pixels."""
        return screen_px / self.scale


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key by name.

    "Enter", "Escape", "Backspace", "Delete", "Tab", "Left", "Right", "Up", "Down", "Space", "Insert", "Home", or the
    character in upper case.
    """

    name: str
    modifiers: Modifiers = NO_MODIFIERS


class Tool(Protocol):
    """One way of working on the canvas: a small state machine with a private draft.

    A tool changes nothing except through its context's `commit` and `select`, and `cancel` leaves nothing behind.
    """

    name: str

    @property
    def hint(self) -> str:
        """What the keys do right now, for the hint line; see `keymap.with_keys` for keys in braces."""

    @property
    def cursor(self) -> Cursor:
        """The pointer's shape over the canvas."""

    @property
    def is_busy(self) -> bool:
        """Whether a gesture is running that `cancel` would discard."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is running, or Enter would accept the draft as it is."""

    def takes_right_button(self, pointer: Pointer) -> bool:
        """Whether the right button is for the tool; otherwise it opens the menu."""

    def on_press(self, pointer: Pointer) -> None:
        """A mouse button was pressed."""

    def on_move(self, pointer: Pointer) -> None:
        """The pointer has moved, with a button held or not."""

    def on_release(self, pointer: Pointer) -> None:
        """The button was released."""

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        """Whether the tool used the wheel; otherwise the canvas zooms."""

    def on_key(self, key: KeyPress) -> bool:
        """Whether the tool used the key."""

    def wants_key(self, key: KeyPress) -> bool:
        """Whether the tool wants the key right now, before any shortcut of the window."""

    def on_document(self) -> None:
        """The document or the selection in the context has changed (edit, undo, next image)."""

    def step_back(self) -> bool:
        """Undo the latest input of the running gesture; False if there is none and undo applies to the document."""

    def step_forward(self) -> bool:
        """Redo what `step_back` undid last; False if there is nothing."""

    def cancel(self) -> None:
        """Discard the draft."""

    def overlay(self) -> Overlay:
        """What to paint over the image."""


class BaseTool:
    """Ignores all input; tools override what they need."""

    name = "none"
    _keys_while_busy: ClassVar[frozenset[str]] = frozenset({"Escape"})

    def __init__(self, context: ToolContext) -> None:
        self._context = context

    @property
    def hint(self) -> str:
        """Empty."""
        return ""

    @property
    def cursor(self) -> Cursor:
        """A cross, as for all drawing."""
        return Cursor.CROSS

    @property
    def is_busy(self) -> bool:
        """Always False: there are no gestures."""
        return False

    @property
    def is_whole(self) -> bool:
        """Whether no gesture is running."""
        return not self.is_busy

    def takes_right_button(self, pointer: Pointer) -> bool:
        """During a gesture."""
        return self.is_busy

    def on_press(self, pointer: Pointer) -> None:
        """Do nothing."""

    def on_move(self, pointer: Pointer) -> None:
        """Do nothing."""

    def on_release(self, pointer: Pointer) -> None:
        """Do nothing."""

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        """Leave the wheel to the canvas, which zooms."""
        return False

    def on_key(self, key: KeyPress) -> bool:
        """Escape cancels a gesture."""
        if key.name == "Escape" and self.is_busy:
            self.cancel()
            return True
        return False

    def wants_key(self, key: KeyPress) -> bool:
        """During a gesture, the keys that end it."""
        return self.is_busy and key.name in self._keys_while_busy

    def on_document(self) -> None:
        """Cancel: the draft was made for another document."""
        self.cancel()

    def step_back(self) -> bool:
        """Cancel the whole gesture, which has no steps."""
        return self.is_busy and self.on_key(KeyPress("Escape"))

    def step_forward(self) -> bool:
        """Always False: the gesture has no steps."""
        return False

    def cancel(self) -> None:
        """Do nothing."""

    def overlay(self) -> Overlay:
        """Nothing is drawn."""
        return NOTHING

    def _on_image(self, pointer: Pointer) -> tuple[float, float]:
        width, height = self._context.document.size_wh
        x, y = pointer.point
        return min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))
