"""Paints one row of the image list: thumbnail, and below it name, state, number of objects."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.words import shown
from maskwright_gui.panels.image_model import MISSING_ROLE, REASON_ROLE, RECORD_ROLE, THUMBNAIL_ROLE
from maskwright_gui.panels.state_marks import paint_missing_mark, paint_record_mark, record_text
from maskwright_gui.theme import LIGHT, Theme
from maskwright_gui.workers.thumbnails import THUMBNAIL_SIZE

PADDING = 4
_LEFT, _RIGHT = PADDING + 1, 1
"""On the left the mark of the current image's row is 3 pixels wide."""
_BESIDE_MARK = 16
_OUTSIDE_OPACITY = 0.35
"""Opacity of the thumbnail of an image out of the set."""


class ImageDelegate(QStyledItemDelegate):
    """All rows have one height, so that the view measures only one; narrow, to leave room for the canvas."""

    theme: Theme = LIGHT

    def _paint_texts(
        self, painter: QPainter, area: QRect, record: ImageRecord, reason: str, *, is_missing: bool
    ) -> None:
        """In an order of the queue, the reason replaces state and number of objects; the state mark stays."""
        metrics = QFontMetrics(painter.font())
        name = shown(record.file_name)
        painter.setPen(QColor(self.theme.text))
        elided = metrics.elidedText(name, elide_mode(name), area.width())
        painter.drawText(QPointF(area.left(), area.top() + metrics.ascent()), elided)
        painter.setPen(QColor(self.theme.muted))
        top = area.top() + _line_px(metrics)
        paint_mark(painter, QPointF(area.left() + 6, top + metrics.height() / 2), record, is_missing=is_missing)
        told = f"{record.instance_count:,} · {'missing' if is_missing else record_text(record)}"
        told = told if is_missing else reason or told
        elided = metrics.elidedText(told, Qt.TextElideMode.ElideRight, area.width() - _BESIDE_MARK)
        painter.drawText(QPointF(area.left() + _BESIDE_MARK, top + metrics.ascent()), elided)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        record = index.data(RECORD_ROLE)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if not isinstance(record, ImageRecord):
            return
        painter.save()
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        if is_selected:
            painter.fillRect(rect, QColor(self.theme.selection))
            painter.fillRect(QRect(rect.topLeft(), QSize(3, rect.height())), QColor(self.theme.accent))
        width = rect.width() - _LEFT - _RIGHT
        frame = QRect(rect.left() + _LEFT, rect.top() + PADDING, width, THUMBNAIL_SIZE.height())
        painter.setOpacity(1.0 if record.standing is ImageStanding.LISTED else _OUTSIDE_OPACITY)
        is_missing = bool(index.data(MISSING_ROLE))
        paint_picture(painter, frame, index.data(THUMBNAIL_ROLE), self.theme, is_missing=is_missing)
        painter.setOpacity(1.0)
        area = QRect(frame.left(), frame.bottom() + PADDING, width, 2 * _line_px(option.fontMetrics))
        self._paint_texts(painter, area, record, index.data(REASON_ROLE) or "", is_missing=is_missing)
        if is_selected and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(self.theme.accent), 1, Qt.PenStyle.DotLine))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        texts = 2 * _line_px(option.fontMetrics)
        return QSize(THUMBNAIL_SIZE.width(), THUMBNAIL_SIZE.height() + texts + 3 * PADDING)


def paint_picture(painter: QPainter, frame: QRect, image: QImage | None, theme: Theme, *, is_missing: bool) -> None:
    """In the middle of the frame; where there is none that can be shown, why."""
    painter.fillRect(frame, QColor(theme.canvas))
    if image is None:
        return
    if image.isNull():
        painter.setPen(QColor("#ff8a80"))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "missing" if is_missing else "unreadable")
        return
    target = QRect(frame.topLeft(), image.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio))
    target.moveCenter(frame.center())
    painter.drawImage(target, image)


def paint_mark(painter: QPainter, centre: QPointF, record: ImageRecord, *, is_missing: bool) -> None:
    """Of its state; that it is done says nothing where there is no image."""
    if is_missing:
        paint_missing_mark(painter, centre)
    else:
        paint_record_mark(painter, centre, record)


def _line_px(metrics: QFontMetrics) -> int:
    return metrics.height() + 1


def elide_mode(file_name: str) -> Qt.TextElideMode:
    """Numbered files differ at their end, so that is kept; of other names both ends are kept."""
    is_numbered = file_name.rpartition(".")[0][-1:].isdigit()
    return Qt.TextElideMode.ElideLeft if is_numbered else Qt.TextElideMode.ElideMiddle


PICTURE_PX = 176
CELL = QSize(PICTURE_PX + 12, PICTURE_PX * 3 // 4 + 34)


class GridDelegate(QStyledItemDelegate):
    """Paints a cell of the grid in the data set overview: a large thumbnail with its name."""

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
        is_missing = bool(index.data(MISSING_ROLE))
        paint_picture(painter, frame, index.data(THUMBNAIL_ROLE), self.theme, is_missing=is_missing)
        below = QRect(frame.left() + 16, frame.bottom() + 2, frame.width() - 16, 22)
        paint_mark(painter, QPointF(frame.left() + 6, below.center().y() + 1), record, is_missing=is_missing)
        painter.setPen(QColor(self.theme.text))
        text = f"{shown(record.file_name.rpartition('/')[2])} · {record.instance_count}"
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return CELL
