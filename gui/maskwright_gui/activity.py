"""Counts what the user does with mouse and keys: clicks, key presses, active seconds; never which keys."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWindow

from maskwright.document.change import IDLE_S, UserEffort

_CLICKS = frozenset({QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin})  # a double click comes as a press, too
_KEYS = frozenset({QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress})
_MOVES = frozenset({QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease, QEvent.Type.Wheel, QEvent.Type.TouchUpdate})


class Activity(QObject):
    """Watches the focused window and counts each click and key press once, before any widget handles it."""

    def __init__(self, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._clicks = self._keys = 0
        self._announced_key: int | None = None
        self._active_s = 0.0
        self._last: float | None = None
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._on_focus_window_changed)

    def take(self) -> UserEffort:
        """The counts since the last call."""
        if self._last is not None:
            self._note_time()
        taken = UserEffort(self._clicks, self._keys, self._active_s)
        self._clicks = self._keys = 0
        self._active_s = 0.0
        return taken

    def _note_time(self) -> None:
        now = self._clock()
        if self._last is not None:
            self._active_s += min(now - self._last, IDLE_S)
        self._last = now

    def _on_focus_window_changed(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)  # once more moves it, so that there is one

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _MOVES:
            self._note_time()
        elif kind in _CLICKS:
            self._clicks += 1
            self._note_time()
        elif kind in _KEYS and isinstance(event, QKeyEvent):
            self._note_key(event)
        return False

    def _note_key(self, event: QKeyEvent) -> None:
        """Qt sends a ShortcutOverride first, and a KeyPress only if no shortcut takes the key."""
        is_announced = event.type() == QEvent.Type.ShortcutOverride
        if is_announced or event.key() != self._announced_key:
            self._keys += not event.isAutoRepeat()
            self._note_time()
        self._announced_key = event.key() if is_announced else None
