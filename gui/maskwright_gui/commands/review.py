"""A second model's opinion, the effort so far, and the way back to an earlier state of an image."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from maskwright.errors import MaskwrightError, ProjectError
from maskwright_gui.messages import Message
from maskwright_gui.session import Session
from maskwright_gui.workers.comparing import compare
from maskwright_gui.workers.tasks import Task, TaskProgress

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright.review.report import EffortReport


class ReviewCommands(QObject):
    told = Signal(object)
    """Message."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None); an empty text when nothing runs."""
    compared = Signal()
    """The images have a disagreement with another model now."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._task: Task | None = None
        self._report: Task | None = None

    def compare_with_model(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Compare with another model", "", "Models (*.xml *.onnx *.pb);;All files (*)"
        )
        if name:
            self.compare(Path(name))

    def compare(self, model: Path) -> None:
        """Run `model` over all images in the background; it proposes nothing, it shows where the two differ."""
        project = self._session.project
        if project is None:
            return
        self.stop()
        self._task = Task(partial(compare, project, model), self)
        self._task.progressed.connect(lambda done, total, text: self.work_changed.emit(text, done, total))
        self._task.finished.connect(lambda: self.work_changed.emit("", 0, None))
        self._task.done.connect(self._on_compared)
        self._task.failed.connect(self._on_failed)
        self._task.start()

    def stop(self) -> None:
        self._stop_report()
        if self._task is not None:
            task, self._task = self._task, None
            task.stop()

    def open_effort(self) -> None:
        """Sum up the effort log in the background, then show it."""
        project = self._session.project
        if project is None:
            return
        self._session.save()
        self._stop_report()
        self._report = Task(partial(_summed_up, project), self)
        self._report.progressed.connect(lambda done, total, text: self.work_changed.emit(text, done, total))
        self._report.finished.connect(lambda: self.work_changed.emit("", 0, None))
        self._report.done.connect(self._on_summed_up)
        self._report.failed.connect(lambda error: self.told.emit(Message.of_error("There is no report", error)))
        self._report.start()

    def record_effort(self, is_on: bool) -> None:
        """Whether clicks, keys and times of this project's steps are kept from now on."""
        project = self._session.project
        if project is None:
            return
        try:
            project.set_records_effort(is_on)
        except ProjectError as error:
            self.told.emit(Message.of_error("The switch was not stored", error))

    def forget_effort(self) -> None:
        project = self._session.project
        if project is None:
            return
        try:
            project.forget_effort()
        except ProjectError as error:
            self.told.emit(Message.of_error("Nothing was erased", error))
        else:
            self.told.emit(Message("Clicks, key presses and times are erased", "The annotations are as they were."))

    def open_history(self) -> None:
        """The steps on the image on screen, any of which can be gone back to."""
        from maskwright_gui.dialogs.history import HistoryDialog

        project, image = self._session.project, self._session.image
        if project is None or image is None:
            return
        self._session.save()
        dialog = HistoryDialog(project.history(image.id), self._window)
        dialog.return_requested.connect(partial(self.go_back, image.id))
        dialog.show()

    def go_back(self, image_id: int, when: str) -> None:
        """Make the image what it was at `when` (ISO 8601, UTC), as one step."""
        if self._session.project is not None:
            change = self._session.project.change_back_to(image_id, when)
            self._session.edit_image(image_id, change, "Go back")

    def _stop_report(self) -> None:
        if self._report is not None:
            task, self._report = self._report, None
            task.stop()

    def _on_summed_up(self, report: "EffortReport") -> None:
        from maskwright_gui.dialogs.effort import EffortDialog

        project = self._session.project
        if project is None:
            return
        dialog = EffortDialog(
            report,
            self._session.categories,
            is_recording=project.records_effort,
            may_change=not project.is_read_only,
            parent=self._window,
        )
        dialog.recording_switched.connect(self.record_effort)
        dialog.forget_requested.connect(self.forget_effort)
        dialog.show()

    def _on_compared(self, count: int) -> None:
        self.told.emit(Message(f"Compared on {count} images", "Those where the models disagree come first now."))
        self.compared.emit()

    def _on_failed(self, error: MaskwrightError) -> None:
        self.told.emit(Message.of_error("The comparison stopped", error))


def _summed_up(project: "Project", progress: TaskProgress) -> "EffortReport":
    from maskwright.review.report import effort_report

    progress.report(0, None, "Summing up the correction effort")
    return effort_report(project)
