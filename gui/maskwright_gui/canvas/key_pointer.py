"""The pointer by keys: arrows move it, Insert clicks, so that every tool works without a mouse."""

from PySide6.QtCore import QPointF

from maskwright_gui.tools.tool import KeyPress

_STEP_SCREEN_PX = 8.0
_FINE_SCREEN_PX, _COARSE_SCREEN_PX = 1.0, 64.0
_MOVES = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}


class KeyPointer:
    """Where the keys have put the pointer, screen pixels; None while the mouse has it."""

    def __init__(self) -> None:
        self.place: QPointF | None = None

    def is_move(self, key: KeyPress) -> bool:
        return key.name in _MOVES

    def is_click(self, key: KeyPress) -> bool:
        return key.name == "Insert" and self.place is not None

    def move(self, key: KeyPress, start: QPointF, size_wh: tuple[int, int]) -> QPointF:
        """A step from where the pointer is: Shift a single pixel, Ctrl a large one."""
        at = self.place if self.place is not None else start
        step = _STEP_SCREEN_PX
        if key.modifiers.shift:
            step = _FINE_SCREEN_PX
        elif key.modifiers.ctrl:
            step = _COARSE_SCREEN_PX
        dx, dy = _MOVES[key.name]
        x = min(max(at.x() + dx * step, 0.0), size_wh[0] - 1.0)
        y = min(max(at.y() + dy * step, 0.0), size_wh[1] - 1.0)
        self.place = QPointF(x, y)
        return self.place
