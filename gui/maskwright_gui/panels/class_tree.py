"""The list of classes itself: rows can be dragged, or moved by keys, to another place."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

CLASS_ID = Qt.ItemDataRole.UserRole
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ClassTree(QTreeWidget):
    """Digit, name and count of each class. Only the left button chooses a class: the right one opens its menu."""

    order_requested = Signal(object)
    """Ids of all rows in the wanted order, as tuple."""
    editing_ended = Signal()
    """A name is no longer being typed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setRootIsDecorated(False)
        self.setHeaderHidden(True)
        self.setColumnCount(3)
        self.setColumnWidth(0, 24)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(1, header.ResizeMode.Stretch)
        header.setSectionResizeMode(0, header.ResizeMode.Fixed)
        header.setSectionResizeMode(2, header.ResizeMode.ResizeToContents)
        self.setIconSize(QSize(12, 12))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    @property
    def items(self) -> list[QTreeWidgetItem]:
        """The rows from top to bottom."""
        return [item for row in range(self.topLevelItemCount()) if (item := self.topLevelItem(row)) is not None]

    @property
    def is_editing(self) -> bool:
        """Whether a name is being typed."""
        return self.state() is QAbstractItemView.State.EditingState

    def stop_editing(self) -> None:
        """Drop a name that is being typed."""
        for editor in self.viewport().findChildren(QLineEdit):
            self.closeEditor(editor, QAbstractItemDelegate.EndEditHint.RevertModelCache)

    def item_of(self, category_id: int) -> QTreeWidgetItem | None:
        """The row of a class."""
        return next((item for item in self.items if item.data(0, CLASS_ID) == category_id), None)

    def move_item(self, item: QTreeWidgetItem, step: int) -> None:
        """Move a row by that many visible rows, up for a negative step, as far as possible."""
        others = [other for other in self.items if other is item or not other.isHidden()]
        at = others.index(item)
        to = min(max(at + step, 0), len(others) - 1)
        if to != at:
            self._ask_for(item, others[to], is_below=to > at)

    def _ask_for(self, item: QTreeWidgetItem, target: QTreeWidgetItem | None, *, is_below: bool) -> None:
        """Ask for `item` above or below `target`; None: at the end."""
        rows = [other for other in self.items if other is not item]
        rows.insert(rows.index(target) + is_below if target is not None else len(rows), item)
        self.order_requested.emit(tuple(row.data(0, CLASS_ID) for row in rows))

    # Qt

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        super().closeEditor(editor, hint)
        self.editing_ended.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif (item := self.currentItem()) is not None:
            self.move_item(item, step)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.RightButton:
            super().mousePressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt would move the row itself; here the list is rebuilt in its new order."""
        item, target = self.currentItem(), self.itemAt(event.position().toPoint())
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        if event.source() is not self or item is None or item is target:
            return
        place = self.visualItemRect(target).center().y() if target is not None else 0
        self._ask_for(item, target, is_below=target is not None and event.position().y() > place)
