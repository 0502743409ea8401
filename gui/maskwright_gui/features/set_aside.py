"""Edits that the project could not store: their list, and what can be done with them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.errors import MaskwrightError
from maskwright.words import shown, shown_lines
from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.messages import Message
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.saving import SavingWatch
from maskwright_gui.workers.storing import PendingEdit

if TYPE_CHECKING:
    from maskwright.project.set_aside import EditSetAside

COCO_FILTER = "COCO (*.json)"
WHERE = "The edit was set aside and kept; later edits are not affected."
_EXPLANATION = (
    "These edits could not be saved to the project and would have blocked all later ones. They are kept here; all "
    "other edits are saved. Save them to a COCO file to import their objects again."
)
_NONE = "No edits are set aside: all are saved in the project."
_PLACE = Qt.ItemDataRole.UserRole


class AsideFeature(Feature):
    """Edits that could not be saved: listed, saved to a file, or discarded."""

    def __init__(self, context: Context, projects: ProjectsFeature, watch: SavingWatch) -> None:
        super().__init__(context)
        self._watch = watch
        self._dialog: SetAsideDialog | None = None
        words = "lost failed rescue conflict"
        self._declare(Action("set_aside", "Edits set aside…", Menu.FILE, 1, self.open, words=words))
        projects.opened.connect(self.tell_at_opening)
        self._session.put_aside.connect(self._on_put_aside)

    def open(self) -> "SetAsideDialog | None":
        """Open the list."""
        if self._session.project is None:
            return None
        if self._dialog is not None:
            self._dialog.close()
        dialog = SetAsideDialog(self._session.project.ask(lambda stored: stored.set_aside.all()), self._window)
        dialog.image_chosen.connect(self._session.show_image)
        dialog.retry_requested.connect(self.retry)
        dialog.save_requested.connect(self._ask_and_save)
        dialog.discard_requested.connect(self.discard)
        dialog.destroyed.connect(partial(self._on_closed, dialog))
        self._dialog = dialog
        dialog.show()
        return dialog

    def tell_at_opening(self) -> None:
        """Tell the user that edits are left from earlier sessions."""
        project = self._session.project
        count = len(project.ask(lambda stored: stored.set_aside.all())) if project is not None else 0
        if count:
            what = f"{count} edit" + (" is" if count == 1 else "s are") + " set aside"
            self.told.emit(Message(what, "They could not be saved to the project.", "warning", "Show", self.open))

    def retry(self, edits: "Sequence[EditSetAside]") -> None:
        """Try to store them again; those that fail again are set aside again."""
        pending = [PendingEdit(each.image_id, each.change, each.label, each.kind, each.state) for each in edits]
        count = self._session.put_in(pending)
        gone = {each.id for each in edits}
        if count == len(pending):
            self._watch.when_saved(partial(self._forget, gone))
            self._watch.look()
            return
        self.told.emit(Message("Some edits cannot be tried again", "Some images are not in this project.", "warning"))

    def discard(self, edits: "Sequence[EditSetAside]") -> None:
        """Discard the edits for good."""
        self._forget({each.id for each in edits})

    def save(self, edits: "Sequence[EditSetAside]", path: Path) -> None:
        """Write the edits to a file."""
        from maskwright.project.set_aside import write_set_aside

        if self._session.project is None:
            return
        try:
            count = self._session.project.ask(lambda stored: write_set_aside(stored, edits, path))
        except MaskwrightError as error:
            self._tell_error("The edits could not be saved to a file", error)
            return
        objects = f"{count} object" + ("" if count == 1 else "s")
        self.told.emit(Message(f"{objects} saved to {path.name}", "To bring them back, use Import annotations…."))

    def _ask_and_save(self, edits: "Sequence[EditSetAside]") -> None:
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the edits to a file", "set-aside.json", COCO_FILTER)
        if name and edits:
            self.save(edits, Path(name))

    def _forget(self, ids: set[int]) -> None:
        if self._session.project is None:
            return
        self._session.project.ask(lambda stored: stored.set_aside.forget(ids))
        self._session.go_on()
        self._show_anew()

    def _show_anew(self) -> None:
        if self._dialog is not None and self._session.project is not None:
            self._dialog.show_edits(self._session.project.ask(lambda stored: stored.set_aside.all()))

    def _on_put_aside(self, edit: "EditSetAside") -> None:
        image = shown(edit.file_name) or f"image {edit.image_id}"
        what = f"“{edit.label or 'Done'}” could not be saved to the project"
        self.told.emit(Message(what, f"{image}: {edit.reason}. {WHERE}", "error", "Show", self.open))
        self._show_anew()

    def _on_closed(self, dialog: "SetAsideDialog") -> None:
        if self._dialog is dialog:
            self._dialog = None


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
