"""The hint line: as much of a hint as there is room for, the end of the gesture always."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

SEPARATOR = " · "
_LEFT_OUT = "…"
_INDENT_PX = 8


class HintLine(QLabel):
    """Leaves out whole parts of a hint, the whole of which is its tool tip."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("muted", True)
        self.setIndent(_INDENT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    @property
    def whole_text(self) -> str:
        return self._whole

    def show_hint(self, text: str) -> None:
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        self._fit()

    def _fit(self) -> None:
        metrics, room = self.fontMetrics(), self.width() - 2 * _INDENT_PX
        text = fitting(self._whole, lambda text: metrics.horizontalAdvance(text) <= room)
        self.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())


def fitting(hint: str, fits: Callable[[str], bool]) -> str:
    """The hint with as many of its middle parts as fit: how it begins and how it ends matters most."""
    *parts, last = hint.split(SEPARATOR)
    text = hint
    while len(parts) > 1 and not fits(text):
        parts.pop()
        text = SEPARATOR.join([*parts, _LEFT_OUT, last])
    return text
