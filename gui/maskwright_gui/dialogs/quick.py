"""Small windows for choosing by typing: a class, or any action."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.class_listing import ClassKeys
from maskwright.document.palette import category_colour
from maskwright.document.values import Category
from maskwright.words import shown
from maskwright_gui.actions import Action
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.widgets import Inviting, named
from maskwright_gui.theme import swatch

_ID, _NAME = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_PICKER_PX, _PICKER_MOST_PX = 260, 300
"""Width, and the largest height."""
_FIELD_PX, _ROW_PX = 64, 20
_PALETTE_SIZE = QSize(520, 380)


class QuickDialog(QDialog):
    """A text field over a list that is filtered while typing; Enter takes the marked row.

    It closes when it loses the focus. Not a Qt popup: while a popup is open, the main window's shortcuts still receive
    the keys typed into it.
    """

    def __init__(self, size: QSize, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("popup", True)
        self.setFixedSize(size)

    def pop_up(self) -> None:
        """Show the window and give it the keyboard focus."""
        self.show()
        self.activateWindow()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self.close()
        return super().event(event)


class ClassPicker(QuickDialog):
    """Opens beside the pointer; Enter takes the marked class or creates one of that name, a digit takes its class."""

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
        super().__init__(QSize(_PICKER_PX, min(_FIELD_PX + rows * _ROW_PX, _PICKER_MOST_PX)), parent)
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


class CommandPalette(QuickDialog):
    """Enter triggers the marked action; actions that are not available now are greyed."""

    def __init__(self, actions: Sequence[tuple[Action, QAction]], parent: QWidget) -> None:
        super().__init__(_PALETTE_SIZE, parent)
        self._actions = [(spec, action) for spec, action in actions if action.text()]
        self._field = named(QLineEdit(self), "Search actions")
        self._field.setPlaceholderText("Type what you want to do")
        self._field.textChanged.connect(self._fill)
        self._field.installEventFilter(self)
        self._list = named(QTreeWidget(self), "Actions found")
        self._list.setRootIsDecorated(False)
        self._list.setHeaderHidden(True)
        self._list.setColumnCount(2)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._list.itemClicked.connect(self._trigger)
        self._stack = Inviting(self._list, "No action matches. Try another word for it.", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self._field)
        column.addWidget(self._stack, 1)
        self._fill("")
        self.move(parent.mapToGlobal(QPoint((parent.width() - _PALETTE_SIZE.width()) // 2, 48)))

    @property
    def marked_text(self) -> str:
        """The text of the action that Enter would trigger."""
        item = self._list.currentItem()
        return item.text(0) if item is not None else ""

    @property
    def found_texts(self) -> list[str]:
        """The actions listed, best match first."""
        items = (self._list.topLevelItem(row) for row in range(self._list.topLevelItemCount()))
        return [item.text(0) for item in items if item is not None]

    def _fill(self, text: str) -> None:
        words = text.casefold().split()
        self._list.clear()
        found = self._found(words, _word_begins) or self._found(words, _holds)
        found.sort(key=lambda pair: (not pair[1].isEnabled(), _rank(pair[0], pair[1], words)))
        for spec, action in found:
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            item = QTreeWidgetItem(
                [f"{spec.menu} › {bare(action.text()).rstrip('…')}{_by_which(spec, action, words)}", keys]
            )
            item.setData(0, Qt.ItemDataRole.UserRole, action)
            item.setDisabled(not action.isEnabled())
            self._list.addTopLevelItem(item)
        self._stack.show_content(bool(found))
        self._mark(0)

    def _found(self, words: Sequence[str], has: Callable[[str, str], bool]) -> list[tuple[Action, QAction]]:
        known = ((pair, _haystack(*pair)) for pair in self._actions)
        return [pair for pair, haystack in known if all(has(haystack, word) for word in words)]

    def _mark(self, row: int) -> None:
        if (item := self._list.topLevelItem(row)) is not None:
            self._list.setCurrentItem(item)

    def _move(self, step: int) -> None:
        current, count = self._list.currentItem(), self._list.topLevelItemCount()
        if current is not None:
            self._mark((self._list.indexOfTopLevelItem(current) + step) % count)

    def _trigger(self, item: QTreeWidgetItem | None) -> None:
        action = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
        if isinstance(action, QAction) and action.isEnabled():
            self.close()
            action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Down | Qt.Key.Key_Up:
                    self._move(1 if event.key() == Qt.Key.Key_Down else -1)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._trigger(self._list.currentItem())
                    return True
        return super().eventFilter(watched, event)


def _haystack(spec: Action, action: QAction) -> str:
    return f"{spec.menu} {bare(action.text())} {spec.words}".casefold()


def _word_begins(haystack: str, typed: str) -> bool:
    """Whether a word begins with the typed text: "hole" does not match "whole"."""
    return any(word.startswith(typed) for word in haystack.split())


def _holds(haystack: str, typed: str) -> bool:
    return typed in haystack


def _rank(spec: Action, action: QAction, words: Sequence[str]) -> int:
    """Smaller sorts first: names that begin with the typed text, then names that contain it, then other names."""
    title, typed = bare(action.text()).casefold(), " ".join(words)
    if typed in title:
        return 0 if title.startswith(typed) else 1
    is_called_so = any(other.startswith(typed) for other in spec.words.split())
    return 2 if is_called_so else 3


def _by_which(spec: Action, action: QAction, words: Sequence[str]) -> str:
    """The other names that the typed text matched, in brackets."""
    title = f"{spec.menu} {bare(action.text())}".casefold()
    missing = [word for word in words if word not in title]
    names = [next((other for other in spec.words.split() if word in other), word) for word in missing]
    return f"  ({', '.join(dict.fromkeys(names))})" if names else ""
