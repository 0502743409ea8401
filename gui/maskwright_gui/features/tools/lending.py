"""The ways back to the tool before: let go of a tool's key that was held for a stroke, or press Escape.

A tap on the key changes the tool for good. Held while the mouse works, it lends the tool: most corrections need one
stroke of the brush or one line across, and then the select tool again.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.held_key import HeldKey
from maskwright_gui.main_window import MainWindow

HELD_MS = 250
"""Whoever types fast has begun the drag before the finger leaves the key."""
HOME = "select"
_MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta})


class LentTool(QObject):
    """Listens to keys of the window and to the mouse on the canvas; `use_tool` makes a tool the active one by id."""

    def __init__(self, window: MainWindow, canvas: CanvasView, use_tool: Callable[[str], None]) -> None:
        super().__init__(window)
        self._canvas, self._use_tool = canvas, use_tool
        self._held = HeldKey(self)
        self._held.let_go.connect(self._on_let_go)
        self._tool_before = canvas.tool.name
        """When the key was pressed."""
        self._was_used = False
        """Whether the mouse was pressed on the canvas since."""
        self._after_stroke: str | None = None
        """The tool to go back to when the button, which is still down, is let go."""
        canvas.tool_shown.connect(self._on_tool_shown)
        canvas.installEventFilter(self)
        window.installEventFilter(self)

    @property
    def _lends(self) -> bool:
        """Whether the key that is down has brought the tool."""
        return self._held.key is not None and self._tool_before != self._canvas.tool.name

    def _on_key_press(self, event: QKeyEvent) -> None:
        is_other = event.key() in _MODIFIERS or (self._lends and event.key() != self._held.key)
        if not is_other and self._held.press(event):
            self._tool_before, self._was_used, self._after_stroke = self._canvas.tool.name, False, None

    def _on_let_go(self, held_ms: int) -> None:
        back = self._tool_before
        if held_ms < HELD_MS or not self._was_used or back == self._canvas.tool.name:
            return
        if not self._canvas.tool.is_busy:
            self._use_tool(back)
        elif QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            self._after_stroke = back
        # else a line of many clicks, which is not to be lost

    def _on_tool_shown(self) -> None:
        back = self._after_stroke
        if back is not None and not self._canvas.tool.is_busy:
            self._after_stroke = None  # showing the other tool comes by here, too
            self._use_tool(back)

    def _is_way_home(self, event: QKeyEvent) -> bool:
        """An Escape on the canvas that its tool had no use for."""
        return event.key() == Qt.Key.Key_Escape and self._canvas.hasFocus() and self._canvas.tool.name != HOME

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas:
            self._was_used |= isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress
        elif isinstance(event, QKeyEvent):
            match event.type():
                case QEvent.Type.ShortcutOverride:
                    self._on_key_press(event)
                case QEvent.Type.KeyRelease:
                    self._held.release(event)
                case QEvent.Type.KeyPress if self._is_way_home(event):
                    self._use_tool(HOME)
                    return True
        elif event.type() == QEvent.Type.WindowDeactivate:
            self._held.forget()
        return False
