"""The history of the image: its steps with pictures, any of which can be gone back to, and what changed today."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
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

from maskwright.words import count_of, shown
from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.history import Step
from maskwright_gui.panels.steps import StepsPanel, step_picture
from maskwright_gui.panels.widgets import muted_label, named

if TYPE_CHECKING:
    from maskwright.project.history import HistoryEntry, StepCount


_EXPLANATION = "The latest step is on top. Going back is itself a step: it can be undone, and nothing is lost."
WHO = {"edit": "you", "undo": "you, undone", "redo": "you, redone", "proposals": "model"}
_AT = Qt.ItemDataRole.UserRole
_MOST_NAMED = 5


class HistoryFeature(Feature):
    """Shows the history of the image and goes back to any moment in it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.panel = StepsPanel(self._window)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        self.dock = self._window.add_dock("History", self.panel, area, size_px=240, is_shown=False)
        self._pictures: dict[int, tuple[Step, QPixmap]] = {}
        """By the id() of the step, which is kept alive with it."""
        self._declare(
            Action(
                "history",
                "History of this image",
                Menu.IMAGE,
                2,
                self.open,
                keys=("Ctrl+H",),
                words="log versions changes undo steps",
            ),
            Action("today", "What changed today…", Menu.IMAGE, 2, self.open_today, words="log work day report"),
        )
        self.panel.wanted.connect(self._session.history.go_to)
        self.panel.all_requested.connect(self.open_with_times)
        self.panel.today_requested.connect(self.open_today)
        self._session.history.changed.connect(lambda: self._window.later.put("history", self._show))
        self._canvas.renderer.image_changed.connect(
            lambda *_: self._window.later.put("history pictures", self._show_anew)
        )
        self.dock.visibilityChanged.connect(lambda is_visible: self._show() if is_visible else None)

    def open(self) -> None:
        """Show or hide the panel."""
        is_shown = self.dock.isVisible() and not self.dock.visibleRegion().isEmpty()
        if not is_shown and self.dock.isHidden():
            self._share_place()
        self.dock.setVisible(not is_shown)
        if not is_shown:
            self._session.history.read()
            self.dock.raise_()
        else:
            self._canvas.setFocus()

    def _share_place(self) -> None:
        """Share the place of the objects panel, as tabs, unless the user has put it elsewhere: three panels fill one
        side.
        """
        objects = self._window.docks["Objects"]
        is_beside = self._window.dockWidgetArea(self.dock) == self._window.dockWidgetArea(objects)
        if is_beside and not (self.dock.isFloating() or objects.isHidden() or objects.isFloating()):
            self._window.tabifyDockWidget(objects, self.dock)

    def open_with_times(self) -> None:
        """List all steps on the current image, including those of models and of earlier days."""
        project, image = self._session.project, self._session.image
        if project is None or image is None:
            return
        self._session.save()
        dialog = HistoryDialog(project.ask(lambda stored: stored.history.of(image.id)), self._window)
        dialog.return_requested.connect(partial(self.go_back, image.id))
        dialog.show()

    def open_today(self) -> None:
        """Count what was done since midnight."""
        project = self._session.project
        if project is None:
            return
        self._session.save()
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight.astimezone(UTC).isoformat(timespec="milliseconds")
        stored = project.stored
        self._run_beside(
            lambda _monitor: stored.history.counts_since(since), self._show_today, "The steps could not be counted"
        )

    def go_back(self, image_id: int, when: str) -> None:
        """Restore the image's state at `when` (ISO 8601, UTC), as one step."""
        if self._session.project is not None:
            change = self._session.project.ask(lambda stored: stored.history.change_back_to(image_id, when))
            self._session.edit_image(image_id, change, "Go back")

    def _show_today(self, counts: "Sequence[StepCount]") -> None:
        dialog = TodayDialog(counts, self._window)
        dialog.image_chosen.connect(self._session.show_image)
        dialog.show()

    def _show_anew(self) -> None:
        """The pixels have arrived or changed."""
        self._pictures.clear()
        self._show()

    def _show(self) -> None:
        if not self.dock.isVisible():
            return
        if not self._session.history.is_known:
            self._session.history.read()  # emits the signal that leads here again
            return
        done, undone = self._session.history.steps
        shown = {id(step) for step in (*done, *undone)}
        self._pictures = {key: known for key, known in self._pictures.items() if key in shown}
        self.panel.show_steps(done, undone, self._picture)

    def _picture(self, step: Step) -> QPixmap:
        """The picture of a step, made once."""
        known = self._pictures.get(id(step))
        if known is None:
            shown, ratio = self._canvas.renderer, self._canvas.devicePixelRatioF()
            known = self._pictures[id(step)] = step, step_picture(step.change, shown.pyramid, shown.style, ratio=ratio)
        return known[1]


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
