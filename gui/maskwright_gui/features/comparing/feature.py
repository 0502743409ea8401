"""A second model's opinion: it proposes nothing, it shows where the two differ."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from maskwright.errors import MaskwrightError
from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import Message
from maskwright_gui.workers.comparing import compare
from maskwright_gui.workers.tasks import Task


class ComparingFeature(Feature):
    compared = Signal()
    """The images have a disagreement with another model now."""

    def __init__(self, context: Context, images: ImagesFeature) -> None:
        super().__init__(context)
        self._task: Task | None = None
        self._declare(
            Action("compare", "Compare with another model…", Menu.MODEL, 2, self.choose),
        )
        self._session.project_changed.connect(lambda _project: self.stop())
        self.compared.connect(partial(images.panel.set_order, "disagreement"))

    def choose(self) -> None:
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

    def _on_compared(self, count: int) -> None:
        self.told.emit(Message(f"Compared on {count} images", "Those where the models disagree come first now."))
        self.compared.emit()

    def _on_failed(self, error: MaskwrightError) -> None:
        self.told.emit(Message.of_error("The comparison stopped", error))
