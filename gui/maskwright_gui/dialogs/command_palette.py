"""Finds any action by part of its name."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from maskwright_gui.actions import Action
from maskwright_gui.dialogs.quick_dialog import QuickDialog
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.widgets import Inviting, named

WIDTH_PX = 520


class CommandPalette(QuickDialog):
    """Enter triggers the marked action; actions that are not available now are greyed."""

    def __init__(self, actions: Sequence[tuple[Action, QAction]], parent: QWidget) -> None:
        super().__init__(QSize(WIDTH_PX, 380), parent)
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
        self.move(parent.mapToGlobal(QPoint((parent.width() - WIDTH_PX) // 2, 48)))

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
        found = self._found(words, _begins) or self._found(words, _holds)
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


def _begins(haystack: str, typed: str) -> bool:
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
