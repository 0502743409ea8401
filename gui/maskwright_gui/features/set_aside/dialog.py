"""Edits that the project could not store, with the reasons: try again, save them to a file, or discard them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.plain_text import shown, shown_lines
from maskwright_gui.panels.widgets import muted_label, named

if TYPE_CHECKING:
    from maskwright.project.set_aside import EditSetAside

_EXPLANATION = (
    "These edits could not be saved to the project and would have blocked all later ones. They are kept here; all "
    "other edits are saved. Save them to a COCO file to import their objects again."
)
_NONE = "No edits are set aside: all are saved in the project."
_PLACE = Qt.ItemDataRole.UserRole


class SetAsideDialog(QDialog):
    """Stays open during work; its buttons apply to the selected edits."""

    image_chosen = Signal(object)
    retry_requested = Signal(object)
    """Sequence of EditSetAside; the same for the next two."""
    save_requested = Signal(object)
    discard_requested = Signal(object)

    def __init__(self, edits: "Sequence[EditSetAside]", parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Edits set aside")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 380)
        self._edits: tuple[EditSetAside, ...] = ()
        self._note = muted_label("", self)
        self._note.setWordWrap(True)
        self._table = self._make_table()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self._buttons = [
            self._button(buttons, "Try again", self.retry_requested),
            self._button(buttons, "Save to a file…", self.save_requested),
            self._button(buttons, "Discard", self.discard_requested),
        ]
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        for widget, stretch in ((self._note, 0), (self._table, 1), (buttons, 0)):
            column.addWidget(widget, stretch)
        self.show_edits(edits)

    def show_edits(self, edits: "Sequence[EditSetAside]") -> None:
        """List the edits, oldest first; all of them are selected."""
        self._edits = tuple(edits)
        self._note.setText(_EXPLANATION if edits else _NONE)
        self._table.clear()
        for place, edit in enumerate(self._edits):
            at = datetime.fromisoformat(edit.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            item = QTreeWidgetItem(
                [
                    shown(text)
                    for text in (at, edit.file_name or f"image {edit.image_id}", edit.label or "Done", edit.reason)
                ]
            )
            item.setData(0, _PLACE, place)
            item.setToolTip(3, shown_lines(edit.reason))
            self._table.addTopLevelItem(item)
        self._table.selectAll()
        for button in self._buttons:
            button.setEnabled(bool(edits))

    @property
    def selected(self) -> "tuple[EditSetAside, ...]":
        """The edits of the selected rows."""
        return tuple(self._edits[place] for place in sorted(i.data(0, _PLACE) for i in self._table.selectedItems()))

    def _make_table(self) -> QTreeWidget:
        table = named(QTreeWidget(self), "Edits set aside")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(["When", "Image", "What", "Why"])
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        for column, width in enumerate((150, 150, 140)):
            table.header().resizeSection(column, width)
        table.itemActivated.connect(lambda item: self.image_chosen.emit(self._edits[item.data(0, _PLACE)].image_id))
        return table

    def _button(self, buttons: QDialogButtonBox, text: str, wanted: object) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(lambda: wanted.emit(self.selected))  # type: ignore[attr-defined]  # a Signal of this
        buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        return button
