"""Keeps the repetition of a held key from what is to happen once, where Qt does not recognise it.

X11 repeats a key as a release and a press of the same moment; see `held_key`. Qt leaves marked repetition from actions
that do not repeat by itself.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget


class UnmarkedRepetition(QObject):
    """Listens to the native window, which gets the keys before shortcuts and widgets do."""

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
