"""What was done on the image, by time; any earlier state can be brought back."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.panels.widgets import muted_label, named

if TYPE_CHECKING:
    from maskwright.project.history import HistoryEntry

_EXPLANATION = "The latest step is on top. Going back is a step of its own: it can be undone, and nothing is forgotten."
WHO = {"edit": "you", "undo": "you, undone", "redo": "you, done again", "proposals": "model"}
_AT = Qt.ItemDataRole.UserRole


class HistoryDialog(QDialog):
    """What was done to the image, the latest first; any moment can be gone back to."""

    return_requested = Signal(str)
    """Time (ISO 8601, UTC) whose state is wanted back."""

    def __init__(self, entries: "Sequence[HistoryEntry]", parent: QWidget | None) -> None:
        """`entries`: oldest first."""
        super().__init__(parent)
        self.setWindowTitle("History of this image")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 460)
        self._table = self._make_table(entries)
        back = QPushButton("Go back to after this step", self)
        back.setEnabled(bool(entries))
        back.clicked.connect(self._on_back)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(back, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(muted_label(_EXPLANATION if entries else "Nothing has been done on this image yet.", self))
        column.addWidget(self._table, 1)
        column.addWidget(buttons)

    @property
    def row_count(self) -> int:
        """Steps that are listed."""
        return self._table.topLevelItemCount()

    def mark(self, row: int) -> None:
        """0 is the latest step."""
        if (item := self._table.topLevelItem(row)) is not None:
            self._table.setCurrentItem(item)

    def _make_table(self, entries: "Sequence[HistoryEntry]") -> QTreeWidget:
        table = named(QTreeWidget(self), "Steps on this image")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(["When", "What", "Objects", "Who"])
        table.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.header().resizeSection(0, 150)
        for entry in reversed(entries):
            at = datetime.fromisoformat(entry.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            item = QTreeWidgetItem([at, entry.label, str(len(entry.change)), WHO.get(entry.kind, entry.kind)])
            item.setData(0, _AT, entry.at)
            table.addTopLevelItem(item)
        if (first := table.topLevelItem(0)) is not None:
            table.setCurrentItem(first)
        return table

    def _on_back(self) -> None:
        if (item := self._table.currentItem()) is not None:
            self.return_requested.emit(item.data(0, _AT))
            self.close()
