"""Keys that are held, repeated or tapped."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from maskwright_gui.canvas.view import CanvasView

QUICKEST_REPEAT_MS = 150
"""No desktop starts to repeat a key sooner."""
PAIR_MS = 50
"""Time within which the second half of a repeat arrives."""


class HeldKey(QObject):
    """Tells true presses and releases from repeats, given the events that Qt reports.

    X11 repeats a held key as a release and a press at the same time. Qt marks such a pair only if it has read both by
    then, so under load every sixth looked like a tap (Qt 6.9 and 6.10 on Xvfb, `isAutoRepeat` false, equal time
    stamps).
    """

    let_go = Signal(int)
    """The key was released, after so many milliseconds."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.key: int | None = None
        self._since_ms = self._up_ms = 0
        self._pair_timer = QTimer(self, singleShot=True, interval=PAIR_MS)
        self._pair_timer.timeout.connect(self._end)

    def press(self, event: QKeyEvent) -> bool:
        """Whether a finger pressed the key."""
        if event.isAutoRepeat():
            return False
        if self._pair_timer.isActive():
            if event.key() == self.key and event.timestamp() == self._up_ms:
                self._pair_timer.stop()
                return False
            self._end()
        self.key, self._since_ms = event.key(), event.timestamp()
        return True

    def release(self, event: QKeyEvent) -> None:
        """`let_go` follows, unless it was half of a repeat."""
        if event.isAutoRepeat() or event.key() != self.key:
            return
        self._up_ms = event.timestamp()
        if self._up_ms - self._since_ms < QUICKEST_REPEAT_MS:
            self._end()
        else:
            self._pair_timer.start()

    def forget(self) -> None:
        """Forget the key: its release went to another window."""
        self._pair_timer.stop()
        self.key = None

    def _end(self) -> None:
        self.forget()
        self.let_go.emit(self._up_ms - self._since_ms)


class UnmarkedRepetition(QObject):
    """Watches the native window, which gets keys before shortcuts and widgets do, and filters unmarked repeats."""

    def __init__(self, window: QWidget, happens_once: Callable[[QKeySequence], bool]) -> None:
        super().__init__(window)
        self._window, self._happens_once = window, happens_once
        self._released: tuple[int, int] | None = None
        """(key, moment)"""
        window.installEventFilter(self)

    def _is_repetition(self, event: QKeyEvent) -> bool:
        is_pair = bool(event.timestamp()) and (event.key(), event.timestamp()) == self._released
        return is_pair and self._happens_once(QKeySequence(event.keyCombination()))

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window:
            if event.type() == QEvent.Type.Show:
                self._window.windowHandle().installEventFilter(self)
        elif isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyRelease:
                self._released = (event.key(), event.timestamp())
            elif self._is_repetition(event):
                event.accept()  # of a ShortcutOverride: no shortcut, and the press that follows ends here as well
                return True
        return False


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
