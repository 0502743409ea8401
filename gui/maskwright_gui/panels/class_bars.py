"""How many objects of each class a data set has, most frequent first."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.words import count_of
from maskwright_gui.panels.widgets import muted_label, named

ROW_PX = 24
NAME_PX = 160
_COUNT_PX = 240
_TINT_ALPHA = 50
_BAR_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class: name, colour, number of objects and images."""

    name: str
    colour: tuple[int, int, int]
    """Red, green, blue."""
    instance_count: int
    image_count: int

    @property
    def counted(self) -> str:
        """The numbers as text."""
        return f"{self.instance_count:,} on {self.image_count:,} image" + ("" if self.image_count == 1 else "s")


class ClassBars(QWidget):
    """One bar for each class with objects. A click or Enter emits the class."""

    chosen = Signal(str)
    """Name of the class."""

    def __init__(self, bars: Sequence[ClassBar], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        used = sorted((bar for bar in bars if bar.instance_count), key=lambda bar: -bar.instance_count)
        self.rows = named(QListWidget(self), "Objects of each class", tip="Click a class to list its images")
        self.rows.setFrameShape(QListWidget.Shape.NoFrame)
        self.rows.setUniformItemSizes(True)
        self.rows.setItemDelegate(_BarDelegate(max((bar.instance_count for bar in used), default=1), self.rows))
        for bar in used:
            item = QListWidgetItem(f"{bar.name}: {bar.counted}", self.rows)
            item.setData(_BAR_ROLE, bar)
        self.rows.itemClicked.connect(self._on_chosen)
        self.rows.itemActivated.connect(self._on_chosen)
        column = QVBoxLayout(self)
        column.addWidget(muted_label(summary_text(bars), self))
        column.addWidget(self.rows, 1)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(_BAR_ROLE).name)


def summary_text(bars: Sequence[ClassBar]) -> str:
    """How many objects there are, and which classes have none."""
    unused = [bar.name for bar in bars if not bar.instance_count]
    objects = sum(bar.instance_count for bar in bars)
    used = len(bars) - len(unused)
    classes = "1 class" if used == 1 else f"{used} classes"
    counted = f"{count_of(objects, 'object')} of {classes}, not counting rejected proposals."
    if not unused:
        return counted
    return f"{counted} No objects yet: {_listed(unused)}."


def _listed(names: Sequence[str], *, most: int = 6) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


class _BarDelegate(QStyledItemDelegate):
    def __init__(self, peak: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._peak = peak

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        bar: ClassBar = index.data(_BAR_ROLE)
        rect, palette, state = QRectF(option.rect), option.palette, option.state
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            tint = QColor(palette.color(QPalette.ColorRole.Highlight))
            tint.setAlpha(_TINT_ALPHA)
            painter.fillRect(rect, tint)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        name = QFontMetrics(painter.font()).elidedText(bar.name, Qt.TextElideMode.ElideMiddle, NAME_PX - 20)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect.adjusted(8, 0, 0, 0), middle, name)
        long = max(max(rect.width() - NAME_PX - _COUNT_PX, 40.0) * bar.instance_count / self._peak, 1.0)
        left = rect.left() + NAME_PX
        painter.fillRect(QRectF(left, rect.top() + 5, long, rect.height() - 10), QColor(*bar.colour))
        painter.drawText(QRectF(left + long + 8, rect.top(), _COUNT_PX - 8, rect.height()), middle, bar.counted)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(NAME_PX + _COUNT_PX, ROW_PX)
