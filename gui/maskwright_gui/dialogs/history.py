"""The steps on an image with their times, and the work done since midnight, by image."""

from collections import Counter
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

from maskwright.plain_text import shown
from maskwright.words import count_of
from maskwright_gui.panels.widgets import muted_label, named

if TYPE_CHECKING:
    from maskwright.project.history import HistoryEntry, StepCount

_EXPLANATION = "The latest step is on top. Going back is itself a step: it can be undone, and nothing is lost."
WHO = {"edit": "you", "undo": "you, undone", "redo": "you, redone", "proposals": "model"}
_AT = Qt.ItemDataRole.UserRole


class HistoryDialog(QDialog):
    """The steps on the image, latest first. The user can go back to any of them."""

    return_requested = Signal(str)
    """Time (ISO 8601, UTC) of the state to go back to."""

    def __init__(self, entries: "Sequence[HistoryEntry]", parent: QWidget | None) -> None:
        """`entries`: oldest first."""
        super().__init__(parent)
        self.setWindowTitle("History of this image")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 460)
        self._table = self._make_table(entries)
        back = QPushButton("Go back to this step", self)
        back.setEnabled(bool(entries))
        back.clicked.connect(self._on_back)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(back, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(muted_label(_EXPLANATION if entries else "No steps on this image yet.", self))
        column.addWidget(self._table, 1)
        column.addWidget(buttons)

    @property
    def row_count(self) -> int:
        """Number of steps listed."""
        return self._table.topLevelItemCount()

    def mark(self, row: int) -> None:
        """Mark a row; 0 is the latest step."""
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


_ID = Qt.ItemDataRole.UserRole
_MOST_NAMED = 5


class TodayDialog(QDialog):
    """Stays open during work; not modal."""

    image_chosen = Signal(int)

    def __init__(self, counts: "Sequence[StepCount]", parent: QWidget | None) -> None:
        """counts: those of one image are adjacent."""
        super().__init__(parent)
        self.setWindowTitle("What changed today")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 460)
        self._counts = counts
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(muted_label(self.summary, self))
        column.addWidget(self._make_tree(), 1)
        column.addWidget(buttons)

    @property
    def summary(self) -> str:
        """One sentence: how many steps, on how many images, and which kinds most often."""
        if not self._counts:
            return "Nothing has changed since midnight."
        totals: Counter[str] = Counter()
        for each in self._counts:
            totals[each.label if each.kind == "edit" else f"{each.label} ({WHO[each.kind]})"] += each.count
        images = len({each.image_id for each in self._counts})
        steps = count_of(totals.total(), "step")
        most = ", ".join(f"{shown(label)} {count:,}" for label, count in totals.most_common(_MOST_NAMED))
        return (
            f"{steps} on {count_of(images, 'image')} since midnight. {most}{'…' if len(totals) > _MOST_NAMED else ''}"
        )

    def _make_tree(self) -> QTreeWidget:
        tree = named(QTreeWidget(self), "Today's steps by image")
        tree.setHeaderLabels(["Image", "Steps", "Who", "Last"])
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            tree.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setStretchLastSection(False)
        rows: dict[int, QTreeWidgetItem] = {}
        for each in self._counts:
            if (parent := rows.get(each.image_id)) is None:
                total = sum(other.count for other in self._counts if other.image_id == each.image_id)
                last = max(other.last_at for other in self._counts if other.image_id == each.image_id)
                parent = QTreeWidgetItem([shown(each.file_name), f"{total:,}", "", _clock(last)])
                parent.setData(0, _ID, each.image_id)
                rows[each.image_id] = parent
                tree.addTopLevelItem(parent)
            child = QTreeWidgetItem([shown(each.label), f"{each.count:,}", WHO[each.kind], _clock(each.last_at)])
            child.setData(0, _ID, each.image_id)
            parent.addChild(child)
        if len(rows) == 1:
            tree.expandAll()
        tree.itemDoubleClicked.connect(lambda item: self.image_chosen.emit(item.data(0, _ID)))
        return tree


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%H:%M")
