"""What to look at next: doubtful places on the image, a second model's opinion, the effort so far."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from maskwright.document.document import Document
from maskwright.document.values import InstanceState
from maskwright.errors import MaskwrightError
from maskwright.geometry.boxes import box_ious
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.messages import Message
from maskwright_gui.session import Session
from maskwright_gui.workers.comparing import compare
from maskwright_gui.workers.tasks import Task

if TYPE_CHECKING:
    from maskwright.review.report import EffortReport

Box = tuple[float, float, float, float]
SAME_PLACE_IOU = 0.4


class ReviewCommands(QObject):
    told = Signal(object)
    """Message."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None); an empty text when nothing runs."""
    compared = Signal()
    """The images have a disagreement with another model now."""

    def __init__(self, session: Session, canvas: CanvasView, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._canvas, self._window = session, canvas, window
        self._task: Task | None = None
        self._visited: tuple[int, int] = (0, -1)
        """(image id, place last shown)."""

    def next_doubt(self) -> None:
        """Go to the next place of the image that the model, or a second one, is not sure of."""
        project, document = self._session.project, self._session.document
        if project is None or document is None:
            return
        signals = [project.signal(name, document.image_id) for name in ("disagreement", "uncertainty")]
        places = [box for signal in signals for box in doubtful_boxes(signal)]
        if not places:
            detail = "Run the model on all images first; doubts are noted as it goes."
            self.told.emit(Message("No doubtful place is known on this image", detail))
            return
        place = (self._visited[1] + 1) % len(places) if self._visited[0] == document.image_id else 0
        self._visited = (document.image_id, place)
        self._canvas.zoom_to_box(_with_margin(places[place]))
        found = instance_at(document, places[place])
        self._session.select(frozenset() if found is None else frozenset({found}))
        if found is None:
            self.told.emit(Message("An object may have been missed here", f"Place {place + 1} of {len(places)}."))

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


def doubtful_boxes(signal: tuple[float, Any] | None) -> list[Box]:
    """The boxes in what a project keeps of an image's uncertainty or disagreement; gravest first."""
    detail = signal[1] if signal is not None else None
    if not isinstance(detail, dict):
        return []
    boxes = [*detail.get("boxes_xyxy", []), *(finding["box_xyxy"] for finding in detail.get("findings", []))]
    return [(float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2 in boxes]


def instance_at(document: Document, box: Box) -> int | None:
    """The instance whose extent is most like the box; None where none is."""
    known = [i for i in document if i.polygons and i.is_visible and i.state is not InstanceState.REJECTED]
    if not known:
        return None
    ious = box_ious([instance.bounds_xyxy for instance in known], [box])[:, 0]
    best = int(ious.argmax())
    return known[best].id if ious[best] >= SAME_PLACE_IOU else None


def _with_margin(box: Box) -> Box:
    """So much of the surroundings that a person sees what it is."""
    width, height = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    return box[0] - width, box[1] - height, box[2] + width, box[3] + height
