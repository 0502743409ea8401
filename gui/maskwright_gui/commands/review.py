"""A second model's opinion, the effort so far, and the way back to an earlier state of an image."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from maskwright.errors import MaskwrightError
from maskwright_gui.messages import Message
from maskwright_gui.session import Session
from maskwright_gui.workers.comparing import compare
from maskwright_gui.workers.tasks import Task

if TYPE_CHECKING:
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
        if self._task is not None:
            task, self._task = self._task, None
            task.stop()
            task.deleteLater()

    def open_effort(self) -> None:
        from maskwright.review.report import effort_report
        from maskwright_gui.dialogs.effort import EffortDialog

        project = self._session.project
        if project is None:
            return
        self._session.save()
        report: EffortReport = effort_report(project)
        names = {category.id: category.name for category in self._session.categories}
        EffortDialog(report, names, self._window).show()

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

    def _on_compared(self, count: int) -> None:
        self.told.emit(Message(f"Compared on {count} images", "Those where the models disagree come first now."))
        self.compared.emit()

    def _on_failed(self, error: MaskwrightError) -> None:
        self.told.emit(Message.of_error("The comparison stopped", error))
