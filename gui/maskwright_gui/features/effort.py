"""Correction effort: the switch that records it, and the report of what correcting has cost."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.document.values import Category
from maskwright.errors import ProjectError
from maskwright.monitor import Monitor
from maskwright.words import count_of, shown
from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.messages import Message
from maskwright_gui.panels.widgets import named
from maskwright_gui.workers.requests import duration_text

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright.review.report import ClassEffort, EffortReport


_COLUMNS = (
    "Class", "Proposed", "Untouched", "Edited", "Other class", "Rejected", "Drawn", "IoU kept", "Seconds",
    "Clicks, keys", "Better score",
)  # fmt: skip
LEAST_COLUMN_PX = 64
_NOTHING = (
    "No proposals reviewed yet. Accept, edit or reject some, and the time and clicks they took are added up here."
)


class EffortFeature(Feature):
    """What correcting has cost: recorded only if switched on, reported, erased."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._declare(
            Action("effort", "Correction effort…", Menu.IMAGE, 2, self.open, words="statistics time clicks report"),
        )
        self._session.project_changed.connect(self.stop)

    def open(self) -> None:
        """Add up the effort in the background, then show it."""
        project = self._session.project
        if project is None:
            return
        self._session.save()
        self._run_beside(partial(_summed_up, project.stored), self._on_summed_up, "The report could not be made")

    def record(self, is_on: bool) -> None:
        """Set whether clicks, keys and times of this project's steps are recorded."""
        project = self._session.project
        if project is None:
            return
        try:
            project.ask(lambda stored: stored.effort.record(is_on))
        except ProjectError as error:
            self.told.emit(Message.of_error("The setting was not saved", error))

    def forget(self) -> None:
        """Erase clicks, keys and times; the annotations stay."""
        project = self._session.project
        if project is None:
            return
        try:
            project.ask(lambda stored: stored.effort.forget())
        except ProjectError as error:
            self.told.emit(Message.of_error("Nothing was erased", error))
        else:
            self.told.emit(Message("Clicks, key presses and times erased", "The annotations have not changed."))

    def _on_summed_up(self, report: "EffortReport") -> None:
        project = self._session.project
        if project is None:
            return
        dialog = EffortDialog(
            report,
            self._session.classes.listed,
            is_recording=project.ask(lambda stored: stored.effort.is_recorded),
            may_change=not project.is_read_only,
            parent=self._window,
        )
        dialog.recording_switched.connect(self.record)
        dialog.forget_requested.connect(self.forget)
        dialog.show()


def _summed_up(project: "Project", progress: Monitor) -> "EffortReport":
    from maskwright.review.report import effort_report

    progress.report(0, None, "Adding up the correction effort")
    return effort_report(project)


class EffortDialog(QDialog):
    """The report, read from the project's own history; nothing leaves the computer."""

    recording_switched = Signal(bool)
    forget_requested = Signal()

    def __init__(
        self,
        report: "EffortReport",
        categories: Sequence[Category],
        *,
        is_recording: bool,
        may_change: bool,
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Correction effort")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(960, 680)
        self.switch = QCheckBox("Record correction effort (stays on this computer)", self)
        self.switch.setToolTip(
            "Stores clicks, key presses and active seconds of each step in this project; never which keys"
        )
        self.switch.setChecked(is_recording)
        self.switch.setEnabled(may_change)
        self.switch.toggled.connect(self.recording_switched)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addWidget(QLabel(summary_text(report), self))
        if report.classes:
            from maskwright_gui.panels.effort_plots import effort_plots

            names = {category.id: shown(category.name) for category in categories}
            column.addWidget(self._make_table(report, names), 1)
            column.addWidget(effort_plots(report, categories), 1)
        else:
            column.addStretch(1)
        column.addWidget(self.switch)
        column.addWidget(self._make_buttons(may_change=may_change))

    def _make_buttons(self, *, may_change: bool) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        forget = buttons.addButton("Erase the record…", QDialogButtonBox.ButtonRole.ResetRole)
        forget.setEnabled(may_change)
        forget.clicked.connect(self._on_forget)
        return buttons

    def _on_forget(self) -> None:
        question = "Erase all clicks, key presses and times of this project? The annotations do not change."
        erase, keep = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.Cancel
        if QMessageBox.question(self, "Erase the record", question, erase | keep, keep) == erase:
            self.forget_requested.emit()
            self.close()

    def _make_table(self, report: "EffortReport", names: Mapping[int, str]) -> QTreeWidget:
        table = named(QTreeWidget(self), "Effort by class")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(list(_COLUMNS))
        table.header().setStretchLastSection(False)
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.header().setMinimumSectionSize(LEAST_COLUMN_PX)
        for column in range(1, len(_COLUMNS)):
            table.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        for effort in report.classes:
            item = QTreeWidgetItem(class_row(effort, names.get(effort.category_id, f"class {effort.category_id}")))
            for column in range(1, len(_COLUMNS)):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.addTopLevelItem(item)
        return table


def summary_text(report: "EffortReport") -> str:
    """The report in one paragraph."""
    if not report.classes:
        return _NOTHING
    saved = duration_text(abs(report.saved_seconds))
    word = "saved" if report.saved_seconds >= 0 else "cost"
    return (
        f"{duration_text(report.seconds)} of active work on {count_of(report.images, 'image')}. "
        f"Drawing one object takes {report.draw_seconds:.1f} s{_assumed(report.is_draw_assumed)}, "
        f"rejecting one {report.refuse_seconds:.1f} s{_assumed(report.is_refuse_assumed)}.\n"
        f"The model has {word} you about {saved} compared with drawing everything by hand."
    )


def _assumed(is_assumed: bool) -> str:
    return " (assumed until you have done it)" if is_assumed else ""


def class_row(effort: "ClassEffort", name: str) -> list[str]:
    """The cells of one class."""
    rate = effort.untouched_rate
    return [
        name,
        str(effort.proposed),
        f"{effort.untouched} ({rate:.0%})" if rate is not None else str(effort.untouched),
        str(effort.edited),
        str(effort.classes_changed),
        str(effort.refused),
        str(effort.drawn),
        f"{effort.mean_iou:.2f}" if effort.mean_iou is not None else "–",
        f"{effort.median_seconds:.1f}",
        f"{effort.median_handles:.1f}",
        f"{effort.suggested_score:.2f}" if effort.suggested_score is not None else "–",
    ]
