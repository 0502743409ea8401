"""What a project says about an image, with the edits on top that are not written yet."""

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from maskwright.document.document import Document
from maskwright.document.values import ImageRecord
from maskwright_gui.history import History, Step, rebased
from maskwright_gui.workers.read_ahead import ReadAhead
from maskwright_gui.workers.storing import state_after
from maskwright_gui.workers.writer import EditWriter

if TYPE_CHECKING:
    from maskwright.project.store import Project


MOST_LEFT = 64


class LeftImages:
    """Images that were on screen, as they were when they were left: to come back to while a project does not answer."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[ImageRecord, Document]] = OrderedDict()

    def remember(self, image: ImageRecord, document: Document) -> None:
        self._known.pop(image.id, None)
        self._known[image.id] = (image, document)
        while len(self._known) > MOST_LEFT:
            self._known.popitem(last=False)

    def get(self, image_id: int) -> tuple[ImageRecord, Document] | None:
        return self._known.get(image_id)

    def clear(self) -> None:
        self._known.clear()


class ImageReader:
    """Reads for the GUI thread: one image at a time, a millisecond each. Raises ProjectError as the project does.

    What is not written yet is asked for first: the writer may store it while the image is being read. An edit that is
    then in both is no harm, since its outcome is put where it is already; one that is in neither would be out of sight.
    """

    def __init__(self, project: "Project", writer: EditWriter, ahead: ReadAhead) -> None:
        self._project, self._writer, self._ahead = project, writer, ahead

    def image(self, image_id: int) -> ImageRecord:
        pending = self._writer.pending_of(image_id)
        known = self._ahead.get(image_id)
        record = known.record if known is not None else self._project.image(image_id)
        return replace(record, state=state_after(record.state, pending))

    def document(self, image_id: int) -> Document:
        changes = self._writer.pending_changes(image_id)
        known = self._ahead.get(image_id)
        document = known.document if known is not None else self._project.document(image_id)
        for change in changes:
            document = document.apply(rebased(change, document))
        return document

    def history(self, image_id: int) -> History:
        """The steps of earlier sessions, so that undo survives a restart; only before the first edit of this one."""
        steps = self._project.undo_steps(image_id)
        done, undone = ([Step(entry.label, entry.change) for entry in side] for side in (steps.undo, steps.redo))
        return History(done, undone)
