"""How many objects of each class a data set has, most frequent first."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

ROW_PX = 24
NAME_PX = 160


@dataclass(frozen=True, slots=True)
class ClassBar:
    name: str
    colour: tuple[int, int, int]
    """Red, green, blue."""
    instance_count: int
    image_count: int


class ClassBars(QWidget):
    """One bar per class; put it into a scroll area. A click on one is told."""

    chosen = Signal(str)
    """Name of the class."""

    def __init__(self, bars: Sequence[ClassBar], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars = sorted(bars, key=lambda bar: -bar.instance_count)
        told = ", ".join(f"{bar.name} {bar.instance_count}" for bar in self._bars)
        self.setAccessibleName(f"Objects of each class: {told or 'none'}")
        self.setToolTip("Click a class to list its images")
        self.setMinimumHeight(len(self._bars) * ROW_PX + 8)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y() - 4) // ROW_PX
        if 0 <= row < len(self._bars):
            self.chosen.emit(self._bars[row].name)

    def sizeHint(self) -> QSize:
        return QSize(480, len(self._bars) * ROW_PX + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self.palette()
        peak = max((bar.instance_count for bar in self._bars), default=0) or 1
        room = max(self.width() - NAME_PX - 220, 40)
        for row, bar in enumerate(self._bars):
            top = row * ROW_PX + 4
            painter.setPen(palette.color(QPalette.ColorRole.WindowText))
            name = painter.fontMetrics().elidedText(bar.name, Qt.TextElideMode.ElideRight, NAME_PX - 20)
            painter.drawText(QRectF(8, top, NAME_PX - 12, ROW_PX), Qt.AlignmentFlag.AlignVCenter, name)
            long = room * bar.instance_count / peak
            painter.fillRect(QRectF(NAME_PX, top + 5, max(long, 1), ROW_PX - 10), QColor(*bar.colour))
            text = f"{bar.instance_count} on {bar.image_count} image" + ("" if bar.image_count == 1 else "s")
            painter.drawText(QRectF(NAME_PX + long + 8, top, 210, ROW_PX), Qt.AlignmentFlag.AlignVCenter, text)
