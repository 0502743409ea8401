"""What tools with a disc around the pointer have in common: wheel and brackets size it, Esc begins a new object."""

from maskwright_gui.tools.base import BaseTool
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.tool import KeyPress, Pointer

_SIZE_STEP = 1.15


class DiscTool(BaseTool):
    """A tool whose disc is drawn where the pointer was last."""

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._pointer: Pointer | None = None

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        """With Ctrl or Shift the canvas zooms or pans."""
        if pointer.modifiers.ctrl or pointer.modifiers.shift:
            return False
        self._pointer = pointer
        self._resize(_SIZE_STEP**steps)
        return True

    def on_key(self, key: KeyPress) -> bool:
        """Escape deselects where no gesture is to be given up, so that the next one begins a new object."""
        if key.name in ("[", "]"):
            self._resize(_SIZE_STEP if key.name == "]" else 1 / _SIZE_STEP)
            return True
        if key.name == "Escape" and not self.is_busy and self._context.selection:
            self._context.select(frozenset())
            return True
        return super().on_key(key)

    def wants_key(self, key: KeyPress) -> bool:
        """The brackets at any time."""
        return key.name in ("[", "]") or super().wants_key(key)

    def _resize(self, factor: float) -> None:
        raise NotImplementedError
