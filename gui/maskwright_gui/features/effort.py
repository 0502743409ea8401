"""Correction effort: the report, and the switch that records it."""

from functools import partial
from typing import TYPE_CHECKING

from maskwright.errors import ProjectError
from maskwright.monitor import Monitor
from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.messages import Message

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright.review.report import EffortReport


class EffortFeature(Feature):
    """What correcting has cost: recorded only if switched on, reported, erased."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._declare(
            Action("effort", "Correction effort…", Menu.IMAGE, 2, self.open, words="statistics time clicks report"),
        )
        self._session.project_changed.connect(lambda _project: self.stop())

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
        from maskwright_gui.dialogs.effort import EffortDialog

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
