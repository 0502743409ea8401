"""Numbers that follow the mouse: painted in place.

A QLabel or a button that is given another text asks for a new layout, and the whole status bar and the main window
behind it are laid out and painted again: 1.5 ms of every mouse move.
"""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStyleOptionToolButton, QToolButton, QWidget

_PAD_PX = 8


class Readout(QWidget):
    """One line of text in a place of fixed width."""

    def __init__(self, longest: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._longest, self._text = longest, ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    @property
    def text(self) -> str:
        return self._text

    def show_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.update()

    # Qt

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._longest) + _PAD_PX, metrics.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.end()


class ReadoutButton(QToolButton):
    """A button whose text changes without a new layout."""

    def __init__(self, longest: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setText(longest)
        self.setMinimumWidth(self.sizeHint().width())

    @property
    def shown_text(self) -> str:
        return self._shown

    def show_text(self, text: str) -> None:
        if text != self._shown:
            self._shown = text
            self.update()

    # Qt

    def initStyleOption(self, option: QStyleOptionToolButton) -> None:
        super().initStyleOption(option)
        option.text = self._shown
