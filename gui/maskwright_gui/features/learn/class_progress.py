"""How many objects each class has, and how many more make it reliable: a name, a bar and a number per class."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from maskwright.learning.plan import GOOD_OBJECTS
from maskwright_gui.features.learn import words

_ROW_PX = 24
_NAME_PX = 180
_BAR_PX = 160
_BAR_HEIGHT_PX = 8
_GAP_PX = 12


class ClassProgress(QWidget):
    """Classes with most objects first; a full bar means enough objects."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, int]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_objects(self, objects: Mapping[str, int]) -> None:
        """objects: number of objects by class name."""
        self._rows = words.class_rows(objects)
        self.setAccessibleName(self.text())
        self.setToolTip(f"About {GOOD_OBJECTS} objects make a class reliable" if self._rows else "")
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """One line per class, for screen readers."""
        return "\n".join(f"{name}: {words.class_count(count)}" for name, count in self._rows)

    def sizeHint(self) -> QSize:
        return QSize(_NAME_PX + _BAR_PX + 240, _ROW_PX * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return QSize(_NAME_PX + _BAR_PX, _ROW_PX * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = event.rect()
        for place in range(max(area.top() // _ROW_PX, 0), min(area.bottom() // _ROW_PX + 1, len(self._rows))):
            self._paint_row(painter, place * _ROW_PX, *self._rows[place])

    def _paint_row(self, painter: QPainter, top: int, name: str, count: int) -> None:
        palette, middle = self.palette(), Qt.AlignmentFlag.AlignVCenter
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, _NAME_PX - _GAP_PX)
        painter.drawText(QRectF(0, top, _NAME_PX, _ROW_PX), middle, shown)
        bar = QRectF(_NAME_PX, top + (_ROW_PX - _BAR_HEIGHT_PX) / 2, _BAR_PX, _BAR_HEIGHT_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(bar, _BAR_HEIGHT_PX / 2, _BAR_HEIGHT_PX / 2)
        bar.setWidth(max(_BAR_PX * min(count / GOOD_OBJECTS, 1.0), _BAR_HEIGHT_PX))
        painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
        painter.drawRoundedRect(bar, _BAR_HEIGHT_PX / 2, _BAR_HEIGHT_PX / 2)
        role = QPalette.ColorRole.WindowText if count >= GOOD_OBJECTS else QPalette.ColorRole.PlaceholderText
        painter.setPen(palette.color(role))
        left = _NAME_PX + _BAR_PX + _GAP_PX
        painter.drawText(QRectF(left, top, self.width() - left, _ROW_PX), middle, words.class_count(count))
