"""What was done since midnight: image by image, how often what; a double click opens the image."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.plain_text import shown
from maskwright.words import count_of
from maskwright_gui.dialogs.history import WHO
from maskwright_gui.panels.widgets import muted_label, named

if TYPE_CHECKING:
    from maskwright.project.history import StepCount

_ID = Qt.ItemDataRole.UserRole
_MOST_NAMED = 5


class TodayDialog(QDialog):
    """Stays open beside the work; not modal."""

    image_chosen = Signal(int)

    def __init__(self, counts: "Sequence[StepCount]", parent: QWidget | None) -> None:
        """`counts`: those of an image beside each other."""
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
        """One sentence: how much, on how many images, and what most often."""
        if not self._counts:
            return "Nothing has been changed since midnight."
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
        tree = named(QTreeWidget(self), "Steps of today by image")
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
