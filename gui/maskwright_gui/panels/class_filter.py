"""Which classes the model may propose: a button that opens a list of all classes with check boxes."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.palette import category_colour
from maskwright.document.values import Category
from maskwright.words import shown
from maskwright_gui.panels.widgets import named

_ID = Qt.ItemDataRole.UserRole
_SIZE = QSize(240, 340)
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class ClassFilter(QToolButton):
    """Shows how many classes are proposed; `changed` is emitted at every tick."""

    changed = Signal(object)
    """tuple of the ids that are left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "Classes to propose", tip="Classes that the model may propose")
        self._categories: tuple[Category, ...] = ()
        self._unlisted: tuple[Category, ...] = ()
        self._left_out: frozenset[int] = frozenset()
        self.clicked.connect(self._open)
        self._refresh()

    @property
    def left_out(self) -> tuple[int, ...]:
        """Classes that are not proposed."""
        return tuple(sorted(self._left_out))

    def set_categories(self, categories: Sequence[Category], unlisted: Sequence[Category] = ()) -> None:
        """Set the classes that can be left out; unlisted: those that can only be proposed again once they are."""
        self._categories, self._unlisted = tuple(categories), tuple(unlisted)
        self._refresh()

    def set_left_out(self, category_ids: Collection[int]) -> None:
        """Set the classes left out, without emitting `changed`."""
        self._left_out = frozenset(category_ids)
        self._refresh()

    @property
    def _choices(self) -> tuple[Category, ...]:
        return (*self._categories, *(each for each in self._unlisted if each.id in self._left_out))

    def _refresh(self) -> None:
        known = {category.id for category in self._choices}
        kept = len(known - self._left_out)
        text = "All classes" if kept == len(known) else f"{kept} of {len(known)} classes"
        self.setText(f"{text} ▾")
        self.setEnabled(bool(known))

    def _open(self) -> None:
        popup = ClassFilterList(self._choices, self._left_out, self)
        popup.changed.connect(self._on_changed)
        popup.move(self.mapToGlobal(QPoint(0, -_SIZE.height() - 4)))
        popup.show()
        popup.activateWindow()

    def _on_changed(self, left_out: frozenset[int]) -> None:
        self._left_out = left_out
        self._refresh()
        self.changed.emit(self.left_out)


class ClassFilterList(QDialog):
    """The list itself; it closes when it loses the focus."""

    changed = Signal(object)
    """frozenset of the ids that are left out."""

    def __init__(self, categories: Sequence[Category], left_out: Collection[int], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("popup", True)
        self.setFixedSize(_SIZE)
        self.list = named(QListWidget(self), "Classes to propose")
        self.list.setSpacing(2)  # separate boxes, without the shared border of a list
        for category in categories:
            self.list.addItem(_item(category, is_kept=category.id not in left_out))
        self.list.setCurrentRow(0)
        self.list.itemChanged.connect(self._tell)
        row = QHBoxLayout()
        for text, state in (("All", _CHECKED), ("None", _UNCHECKED)):
            button = QPushButton(text, self)
            button.clicked.connect(lambda _checked=False, state=state: self.set_all(state))
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.list.setFocus()

    def set_all(self, state: Qt.CheckState) -> None:
        """Tick all or none, as one change."""
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(state)
        self.list.blockSignals(False)
        self._tell()

    def _tell(self) -> None:
        items = [self.list.item(row) for row in range(self.list.count())]
        self.changed.emit(frozenset(item.data(_ID) for item in items if item.checkState() is _UNCHECKED))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self.close()
        return super().event(event)


def _item(category: Category, *, is_kept: bool) -> QListWidgetItem:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(*category_colour(category)))
    item = QListWidgetItem(QIcon(pixmap), shown(category.name))
    item.setData(_ID, category.id)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(_CHECKED if is_kept else _UNCHECKED)
    return item
