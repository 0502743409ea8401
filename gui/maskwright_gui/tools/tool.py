"""The seam between the canvas and its tools: input as plain values, one protocol, no Qt types."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import NOTHING, Overlay


class Button(Enum):
    """Of the mouse."""

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
    """Keys held beside."""

    shift: bool = False
    ctrl: bool = False
    alt: bool = False

    @property
    def is_alt(self) -> bool:
        """Alt, or Ctrl and Shift together: many desktops keep Alt and the mouse for moving windows."""
        return self.alt or (self.ctrl and self.shift)


NO_MODIFIERS = Modifiers()


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, image pixels, and what is held."""

    x: float
    y: float
    modifiers: Modifiers = NO_MODIFIERS
    button: Button = Button.LEFT
    """The button pressed or released; on a move the one that is held."""
    scale: float = 1.0
    """Screen pixels per image pixel."""
    is_double: bool = False
    """The second press of a double click."""

    @property
    def point(self) -> tuple[float, float]:
        """To a thousandth of a pixel: finer than any hand, and safe from numbers that geometry stumbles over."""
        return round(self.x, 3), round(self.y, 3)

    def reach(self, screen_px: float) -> float:
        """A distance on screen in image pixels."""
        return screen_px / self.scale


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key by name: "Enter", "Escape", "Backspace", "Delete", "Tab", "Left", "Right", "Up", "Down", "Space", "Insert",
    "Home", or the character in upper case."""

    name: str
    modifiers: Modifiers = NO_MODIFIERS


class Tool(Protocol):
    """One way of working on the canvas: a small state machine that keeps its draft to itself.

    A tool changes nothing but through its context's `commit` and `select`, and `cancel` leaves nothing behind.
    """

    name: str

    @property
    def hint(self) -> str:
        """What the keys do right now, for the hint line; see `keymap.with_keys` for keys in braces."""

    @property
    def cursor(self) -> Cursor: ...

    @property
    def is_busy(self) -> bool:
        """Whether a gesture is under way that `cancel` would throw away."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is under way, or what Enter takes over as it stands."""

    def on_press(self, pointer: Pointer) -> None: ...

    def on_move(self, pointer: Pointer) -> None: ...

    def on_release(self, pointer: Pointer) -> None: ...

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        """Whether the tool used the wheel; without, the canvas zooms."""

    def on_key(self, key: KeyPress) -> bool:
        """Whether the tool used the key."""

    def wants_key(self, key: KeyPress) -> bool:
        """Whether the key belongs to the tool at this moment, before any shortcut of the window."""

    def on_document(self) -> None:
        """The document or the selection in the context is another one now (edit, undo, next image)."""

    def step_back(self) -> bool:
        """Take back the latest input of the running gesture; False when there is none and undo is for the document."""

    def step_forward(self) -> bool:
        """Put back what `step_back` took last; False when there is nothing."""

    def cancel(self) -> None: ...

    def overlay(self) -> Overlay: ...


class BaseTool:
    """A tool that ignores all input; real tools override what they need."""

    name = "none"
    _keys_while_busy: ClassVar[frozenset[str]] = frozenset({"Escape"})

    def __init__(self, context: ToolContext) -> None:
        self._context = context

    @property
    def hint(self) -> str:
        """Nothing to say."""
        return ""

    @property
    def cursor(self) -> Cursor:
        """A cross, for whatever is drawn."""
        return Cursor.CROSS

    @property
    def is_busy(self) -> bool:
        """Never: there are no gestures."""
        return False

    @property
    def is_whole(self) -> bool:
        return not self.is_busy

    def on_press(self, pointer: Pointer) -> None:
        """Nothing."""

    def on_move(self, pointer: Pointer) -> None:
        """Nothing."""

    def on_release(self, pointer: Pointer) -> None:
        """Nothing."""

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        """The canvas zooms."""
        return False

    def on_key(self, key: KeyPress) -> bool:
        """Escape gives up a gesture."""
        if key.name == "Escape" and self.is_busy:
            self.cancel()
            return True
        return False

    def wants_key(self, key: KeyPress) -> bool:
        """During a gesture, the keys that end it."""
        return self.is_busy and key.name in self._keys_while_busy

    def on_document(self) -> None:
        """A draft made for another document is worthless."""
        self.cancel()

    def step_back(self) -> bool:
        """A gesture without steps of its own is given up as a whole."""
        return self.is_busy and self.on_key(KeyPress("Escape"))

    def step_forward(self) -> bool:
        """Gestures have no steps of their own."""
        return False

    def cancel(self) -> None:
        """Nothing."""

    def overlay(self) -> Overlay:
        """Nothing is drawn."""
        return NOTHING

    def _on_image(self, pointer: Pointer) -> tuple[float, float]:
        width, height = self._context.document.size_wh
        x, y = pointer.point
        return min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))
