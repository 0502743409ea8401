"""Paints one cell of the data set's grid: the picture with its objects, name and state."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from maskwright.document.values import ImageRecord
from maskwright_gui.panels.image_model import RECORD_ROLE, THUMBNAIL_ROLE
from maskwright_gui.panels.state_marks import paint_state_mark
from maskwright_gui.theme import LIGHT, Theme

PICTURE_PX = 176
CELL = QSize(PICTURE_PX + 12, PICTURE_PX * 3 // 4 + 34)


class GridDelegate(QStyledItemDelegate):
    theme: Theme = LIGHT

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        record = index.data(RECORD_ROLE)
        rect: QRect = option.rect
        if not isinstance(record, ImageRecord):
            return
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect.adjusted(1, 1, -1, -1), QColor(self.theme.selection))
        frame = QRect(rect.left() + 6, rect.top() + 6, PICTURE_PX, PICTURE_PX * 3 // 4)
        painter.fillRect(frame, QColor(self.theme.canvas))
        picture = index.data(THUMBNAIL_ROLE)
        if isinstance(picture, QImage) and not picture.isNull():
            target = QRect(frame.topLeft(), picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio))
            target.moveCenter(frame.center())
            painter.drawImage(target, picture)
        below = QRect(frame.left() + 16, frame.bottom() + 2, frame.width() - 16, 22)
        paint_state_mark(painter, QPointF(frame.left() + 6, below.center().y() + 1), record.state)
        painter.setPen(QColor(self.theme.text))
        text = f"{record.file_name.rpartition('/')[2]} · {record.instance_count}"
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CELL
