"""Chooses a key preset and reassigns single keys; a key already in use is reported before it is reassigned."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.canvas.events import TOOL_KEY_IDS, has_modifiers
from maskwright_gui.keymap import Keymap, Keys, claimed_by, resolved

_ID = Qt.ItemDataRole.UserRole
_ARROWS = frozenset({"Left", "Right", "Up", "Down"})


class KeysDialog(QDialog):
    """Nothing changes until `accepted_keys`: a preset's name and the user's own keys on top of it."""

    accepted_keys = Signal(str, object)
    """(preset, {action id: keys})"""

    def __init__(
        self,
        titles: Mapping[str, tuple[str, str]],
        defaults: Keymap,
        presets: Mapping[str, Keymap],
        preset: str,
        own: Keymap,
        parent: QWidget,
    ) -> None:
        """titles: {action id: (menu, text)}. presets: {name: the keys that differ from `defaults`}."""
        super().__init__(parent)
        self.setWindowTitle("Change keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 600)
        self._titles, self._defaults, self._preset_keys = titles, defaults, presets
        self._own: dict[str, Keys] = dict(own)
        self.presets = QComboBox(self)
        self.presets.addItems(list(presets))
        self.presets.setCurrentText(preset)
        self.presets.setAccessibleName("Key preset")
        self.search = QLineEdit(self, placeholderText="Find an action")
        self.search.setAccessibleName("Find an action")
        self.tree = QTreeWidget(self)
        self.tree.setHeaderLabels(["Action", "Keys"])
        self.tree.setAccessibleName("Actions and their keys")
        self.edit = _KeyField(self)
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName("New key")
        self.assign = QPushButton("Assign", self)
        self.restore = QPushButton("Restore", self)
        self.warning = QLabel(self, wordWrap=True)
        self._lay_out()
        self._connect()
        self._show_keys()

    @property
    def preset(self) -> str:
        """Name of the chosen preset."""
        return self.presets.currentText()

    @property
    def keys(self) -> dict[str, Keys]:
        """The keys that would apply."""
        return resolved(self._defaults, self._preset_keys[self.preset], self._own)

    def select(self, action_id: str) -> None:
        """Select an action's row."""
        self.tree.setCurrentItem(self._items[action_id])

    def _lay_out(self) -> None:
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(QLabel("Preset", self))
        top.addWidget(self.presets)
        top.addWidget(self.search, 1)
        for widget in (self.edit, self.assign, self.restore):
            bottom.addWidget(widget)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.tree, 1)
        layout.addLayout(bottom)
        layout.addWidget(self.warning)
        layout.addWidget(self._buttons)
        self._items: dict[str, QTreeWidgetItem] = {}
        menus: dict[str, QTreeWidgetItem] = {}
        for id_, (menu, text) in self._titles.items():
            parent = menus.setdefault(menu, QTreeWidgetItem([menu]))
            self._items[id_] = QTreeWidgetItem(parent, [text.rstrip("…")])
            self._items[id_].setData(0, _ID, id_)
        self.tree.addTopLevelItems(list(menus.values()))
        self.tree.expandAll()
        self.tree.setColumnWidth(0, 320)

    def _connect(self) -> None:
        self.presets.currentTextChanged.connect(self._show_keys)
        self.search.textChanged.connect(self._filter)
        self.edit.keySequenceChanged.connect(self._warn)
        self.tree.currentItemChanged.connect(self._warn)
        self.assign.clicked.connect(self._on_assign)
        self.restore.clicked.connect(self._on_restore)
        self._buttons.accepted.connect(self._on_accepted)
        self._buttons.rejected.connect(self.reject)

    def _current(self) -> str:
        item = self.tree.currentItem()
        return str(item.data(0, _ID) or "") if item is not None else ""

    def _new_key(self) -> str:
        return self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _show_keys(self) -> None:
        for id_, keys in self.keys.items():
            self._items[id_].setText(1, ", ".join(keys))
        self._warn()

    def _warn(self) -> None:
        id_, key = self._current(), self._new_key()
        is_possible = not (id_ in TOOL_KEY_IDS and has_modifiers(key))
        self.assign.setEnabled(bool(id_ and key) and is_possible)
        self.restore.setEnabled(id_ in self._own)
        self.warning.setText(self._advice(id_, key) if key else "")

    def _advice(self, id_: str, key: str) -> str:
        if id_ in TOOL_KEY_IDS and has_modifiers(key):
            return "Choose a key without Ctrl, Alt and Shift: with this key they mean what they mean with the mouse."
        if key in _ARROWS:
            return f"{key} moves and nudges on the canvas, so it cannot do anything else there."
        other = claimed_by(self.keys, key, but=id_)
        return f"{key} is the key of “{self._titles[other][1].rstrip('…')}”, which would lose it." if other else ""

    def _on_assign(self) -> None:
        id_, key = self._current(), self._new_key()
        other = claimed_by(self.keys, key, but=id_)
        if other is not None:
            self._own[other] = tuple(known for known in self.keys[other] if known != key)
        self._own[id_] = (key,)
        self.edit.clear()
        self._show_keys()

    def _on_restore(self) -> None:
        self._own.pop(self._current(), None)
        self._show_keys()

    def _on_accepted(self) -> None:
        self.accepted_keys.emit(self.preset, dict(self._own))
        self.accept()

    def _filter(self, text: str) -> None:
        for id_, item in self._items.items():
            item.setHidden(text.casefold() not in self._titles[id_][1].casefold())


class _KeyField(QKeySequenceEdit):
    """Takes any key except Escape, which cancels gestures on the canvas and closes the dialog here."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)
