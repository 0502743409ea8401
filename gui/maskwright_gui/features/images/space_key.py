"""Space has two meanings on the canvas: dragging while it is held pans, tapping it marks the image as done."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.held_key import HeldKey


class SpaceTap(QObject):
    """Keeps the window's Space shortcut from firing on the press; fires it on release, unless the user panned."""

    def __init__(self, canvas: CanvasView, on_tap: Callable[[], object]) -> None:
        super().__init__(canvas)
        self._canvas, self._on_tap = canvas, on_tap
        self._is_tap = False
        self._held = HeldKey(self)
        self._held.let_go.connect(self._on_let_go)
        canvas.navigator.viewport_changed.connect(self._on_viewport_changed)
        canvas.installEventFilter(self)

    def _on_viewport_changed(self) -> None:
        self._is_tap = False

    def _on_let_go(self) -> None:
        is_tap, self._is_tap = self._is_tap, False
        if is_tap:
            self._on_tap()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            not isinstance(event, QKeyEvent)
            or event.key() != Qt.Key.Key_Space
            or event.modifiers()
            or event.isAutoRepeat()
        ):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and self._held.press(event):
            self._is_tap = self._canvas.tool.is_whole
        elif event.type() == QEvent.Type.KeyRelease:
            self._held.release(event)
        return False
