"""Groups of images that show the same picture; thumbnails are made only for the visible rows."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.values import ImageRecord
from maskwright.words import shown
from maskwright_gui.panels.state_marks import record_text
from maskwright_gui.panels.widgets import Inviting, muted_label, named

PICTURE = QSize(96, 72)
MOST_IN_GROUP = 50
"""Rows shown of one group: of a picture that occurs a thousand times, only the number is shown."""
_INVITATION = (
    "Finds copies of the same picture by how they look, also at other sizes and compressions.\n"
    "Copies in both training and validation make a model seem better than it is."
)
_RECORD_ROLE = Qt.ItemDataRole.UserRole
ThumbnailSource = Callable[[ImageRecord], QImage | None]
"""The thumbnail of an image, or None until it is made."""


class DuplicatesPage(QWidget):
    """Lists groups of images that show the same picture."""

    look_requested = Signal()
    stop_requested = Signal()
    image_chosen = Signal(object)

    def __init__(self, picture: ThumbnailSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = named(QTreeWidget(self), "Pictures that occur more than once")
        self.tree.setHeaderHidden(True)
        self.tree.setItemDelegate(_PictureDelegate(picture, self.tree))
        self.tree.itemActivated.connect(self._on_activated)
        self._look = QPushButton("Find duplicates", self)
        self._look.clicked.connect(self._on_look)
        self._stop = QPushButton("Stop", self)
        self._stop.clicked.connect(self.stop_requested)
        self._progress = named(QProgressBar(self), "Images compared")
        self._found = muted_label("", self, wraps=False)
        self._stack = Inviting(self.tree, _INVITATION, self)
        row = QHBoxLayout()
        row.addWidget(self._look)
        row.addWidget(self._progress, 1)
        row.addWidget(self._stop)
        row.addWidget(self._found, 1)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self._stack, 1)
        self.show_stopped()

    def show_progress(self, done: int, total: int | None, _text: str = "") -> None:
        """Show the progress of the search."""
        self._progress.setRange(0, total or 0)
        self._progress.setValue(done)

    def show_stopped(self) -> None:
        """Show that the search was stopped."""
        self._look.setEnabled(True)
        for widget in (self._progress, self._stop):
            widget.hide()

    def show_groups(self, groups: Sequence[Sequence[ImageRecord]]) -> None:
        """Show the groups found."""
        self.tree.clear()
        self.tree.addTopLevelItems([_group_item(number, group) for number, group in enumerate(groups, start=1)])
        self.tree.expandAll()
        self._look.setText("Search again")
        self._found.setText(_told(groups))
        self._stack.set_text("No duplicates found.")
        self._stack.show_content(bool(groups))

    def refresh(self) -> None:
        """Paint the visible rows again: a thumbnail has arrived."""
        self.tree.viewport().update()

    def _on_look(self) -> None:
        self._look.setEnabled(False)
        self._found.clear()
        self.show_progress(0, None)
        for widget in (self._progress, self._stop):
            widget.show()
        self.look_requested.emit()

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        if (record := item.data(0, _RECORD_ROLE)) is not None:
            self.image_chosen.emit(record.id)


def _told(groups: Sequence[Sequence[ImageRecord]]) -> str:
    if not groups:
        return ""
    spare = sum(len(group) - 1 for group in groups)
    groups_text = "1 group" if len(groups) == 1 else f"{len(groups):,} groups"
    return f"{groups_text}, {spare:,} spare image{'' if spare == 1 else 's'}"


def _group_item(number: int, group: Sequence[ImageRecord]) -> QTreeWidgetItem:
    top = QTreeWidgetItem([f"Group {number}: {len(group):,} images"])
    for record in group[:MOST_IN_GROUP]:
        objects = f"{record.instance_count:,} object" + ("" if record.instance_count == 1 else "s")
        size = f"{record.width} × {record.height}"
        item = QTreeWidgetItem([f"{shown(record.file_name)}\n{size} · {objects} · {record_text(record)}"])
        item.setData(0, _RECORD_ROLE, record)
        top.addChild(item)
    if len(group) > MOST_IN_GROUP:
        top.addChild(QTreeWidgetItem([f"and {len(group) - MOST_IN_GROUP:,} more"]))
    return top


class _PictureDelegate(QStyledItemDelegate):
    """Paints the thumbnail left of the text, in rows that stand for an image."""

    def __init__(self, picture: ThumbnailSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = picture

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        record = index.data(_RECORD_ROLE)
        if record is None:
            return
        rect: QRect = option.rect
        frame = QRect(rect.topLeft(), PICTURE).translated(4, (rect.height() - PICTURE.height()) // 2)
        painter.fillRect(frame, QColor(option.palette.color(QPalette.ColorRole.AlternateBase)))
        picture = self._picture(record)
        if picture is not None and not picture.isNull():
            target = QRect(frame.topLeft(), picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio))
            target.moveCenter(frame.center())
            painter.drawImage(target, picture)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        if index.data(_RECORD_ROLE) is not None:
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
            option.decorationSize = PICTURE

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        return hint.expandedTo(QSize(0, PICTURE.height() + 8)) if index.data(_RECORD_ROLE) is not None else hint
