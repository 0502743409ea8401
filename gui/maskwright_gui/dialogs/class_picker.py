"""Chooses a class by typing: Enter takes the marked class or creates one of that name; a digit takes its class."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from maskwright.document.class_listing import ClassKeys
from maskwright.document.palette import category_colour
from maskwright.document.values import Category
from maskwright.plain_text import shown
from maskwright_gui.dialogs.quick_dialog import QuickDialog
from maskwright_gui.panels.widgets import named
from maskwright_gui.theme import swatch

_ID, _NAME = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
WIDTH_PX, MOST_HEIGHT_PX = 260, 300
_FIELD_PX, _ROW_PX = 64, 20


class ClassPicker(QuickDialog):
    """A popup beside the pointer."""

    chosen = Signal(object)
    created = Signal(str)

    def __init__(
        self,
        categories: Sequence[Category],
        keys: ClassKeys,
        current_id: int,
        at: QPoint,
        parent: QWidget,
        *,
        prompt: str = "Class",
        likely: Sequence[int] = (),
        offered: Sequence[str] = (),
        seen: Sequence[str] = (),
    ) -> None:
        """likely: ids of classes listed first among equally good matches.

        offered: names that are not classes of the project yet, listed if they match what is typed. seen: names of
        either kind that the model considers possible for this object: they come first, and the first of them is marked.
        """
        rows = len(categories) + 2  # the typed name may be new, and some room to spare
        super().__init__(QSize(WIDTH_PX, min(_FIELD_PX + rows * _ROW_PX, MOST_HEIGHT_PX)), parent)
        self._categories, self._keys = tuple(categories), keys
        self._offered = tuple(offered)
        self._seen = {name: place for place, name in enumerate(seen)}
        self._rank = {category_id: place for place, category_id in enumerate(likely)}
        self._digits = {category_id: digit for digit, category_id in keys.items()}
        self._field = named(QLineEdit(self), "Find or name a class")
        self._field.setPlaceholderText(prompt)
        self._field.textChanged.connect(self._fill)
        self._field.installEventFilter(self)
        self._list = named(QListWidget(self), "Classes found")
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.itemClicked.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self._field)
        column.addWidget(self._list, 1)
        self._fill("")
        for row in range(self._list.count()) if not self._seen else ():
            if self._list.item(row).data(_ID) == current_id:
                self._list.setCurrentRow(row)
        self.move(at)

    @property
    def marked_name(self) -> str:
        """Name of the class that Enter takes; empty if no class has that name yet."""
        item = self._list.currentItem()
        category_id = item.data(_ID) if item is not None else None
        known = next((category.name for category in self._categories if category.id == category_id), None)
        return known or (item.data(_NAME) or "" if item is not None else "")

    def _fill(self, text: str) -> None:
        wanted = text.strip().casefold()
        self._list.clear()
        found = [each for each in self._categories if wanted in each.name.casefold()]
        offered = [name for name in self._offered if wanted in name.casefold() and (wanted or name in self._seen)]
        if wanted:
            last = len(self._rank)
            found.sort(key=lambda each: (not _begins(each.name, wanted), self._rank.get(each.id, last)))
            offered.sort(key=lambda name: not _begins(name, wanted))
        rows = [(each.name, self._row(each)) for each in found] + [(name, _offered_row(name)) for name in offered]
        last = len(self._seen)
        if self._seen:
            rows.sort(key=lambda row: (not _begins(row[0], wanted), self._seen.get(row[0], last)))
        for _, row in rows:
            self._list.addItem(row)
        if wanted and all(name.casefold() != wanted for name, _ in rows):
            self._list.addItem(QListWidgetItem(f"New class “{text.strip()}”"))
        self._list.setCurrentRow(0)

    def _row(self, category: Category) -> QListWidgetItem:
        digit = self._digits.get(category.id)
        name = shown(category.name) if digit is None else f"{shown(category.name)}  ({digit})"
        item = QListWidgetItem(swatch(category_colour(category)), name)
        item.setData(_ID, category.id)
        return item

    def _take(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        self.close()
        if (category_id := item.data(_ID)) is not None:
            self.chosen.emit(category_id)
        else:
            self.created.emit(item.data(_NAME) or self._field.text().strip())

    def _takes_digit(self, text: str) -> bool:
        """Whether a digit chose its class: only at the beginning, and if no class name contains it."""
        category_id = self._keys.get(int(text)) if text.isdecimal() and not self._field.text() else None
        if category_id is None or any(category.name.startswith(text) for category in self._categories):
            return False
        self.close()
        self.chosen.emit(category_id)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Down | Qt.Key.Key_Up:
                    step = 1 if event.key() == Qt.Key.Key_Down else -1
                    count = max(self._list.count(), 1)
                    self._list.setCurrentRow((self._list.currentRow() + step) % count)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._take(self._list.currentItem())
                    return True
                case _ if self._takes_digit(event.text()):
                    return True
        return super().eventFilter(watched, event)


def _begins(name: str, wanted: str) -> bool:
    return name.casefold().startswith(wanted)


def _offered_row(name: str) -> QListWidgetItem:
    item = QListWidgetItem(f"{shown(name)}  (from the model)")
    item.setData(_NAME, name)
    return item
