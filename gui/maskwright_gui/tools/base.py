"""What most tools have in common: nothing happens by default."""

from typing import ClassVar

from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import NOTHING, Overlay
from maskwright_gui.tools.tool import Cursor, KeyPress, Pointer


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
