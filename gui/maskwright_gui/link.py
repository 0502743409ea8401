"""What stands between the window and one open project: who writes, who reads, who reads ahead, who hands out ids."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cachetools import LRUCache
from PySide6.QtCore import QObject

from maskwright.document.document import Document
from maskwright.document.values import ImageRecord
from maskwright.errors import MaskwrightError
from maskwright.inference.candidate_cache import CandidateCache
from maskwright_gui.history import History, Step, rebased
from maskwright_gui.open_project import OpenProject
from maskwright_gui.workers.executor import FolderProbe, NoAnswerError, Waiting
from maskwright_gui.workers.read_ahead import ReadAhead
from maskwright_gui.workers.storing import PendingEdit, state_after
from maskwright_gui.workers.worker import end_and_delete, left_behind, wait_for
from maskwright_gui.workers.writer import EditWriter

if TYPE_CHECKING:
    from maskwright.project.store import Project


MOST_LEFT = 64


class LeftImages:
    """Images that were on screen, as they were when they were left: to come back to while a project does not answer."""

    def __init__(self) -> None:
        self._known: LRUCache[int, tuple[ImageRecord, Document]] = LRUCache(MOST_LEFT)

    def remember(self, image: ImageRecord, document: Document) -> None:
        """As the image is at this moment."""
        self._known[image.id] = (image, document)

    def get(self, image_id: int) -> tuple[ImageRecord, Document] | None:
        """None where it was not left, or too long ago."""
        return self._known.get(image_id)

    def clear(self) -> None:
        """Another project is open."""
        self._known.clear()


class ImageReader:
    """Reads for the GUI thread: one image at a time, a millisecond each. Raises ProjectError as the project does.

    What is not written yet is asked for first: the writer may store it while the image is being read. An edit that is
    then in both is no harm, since its outcome is put where it is already; one that is in neither would be out of sight.
    """

    def __init__(self, project: OpenProject, writer: EditWriter, ahead: ReadAhead) -> None:
        self._project, self._writer, self._ahead = project, writer, ahead

    def image(self, image_id: int) -> ImageRecord:
        """The record, its state as the pending edits make it."""
        pending = self._writer.pending_of(image_id)
        known = self._ahead.get(image_id)
        record = known.record if known is not None else self._project.record(image_id)
        return replace(record, state=state_after(record.state, pending))

    def document(self, image_id: int) -> Document:
        """The instances, with the pending edits on top."""
        changes = self._writer.pending_changes(image_id)
        known = self._ahead.get(image_id)
        document = (
            known.document
            if known is not None
            else self._project.ask(lambda stored: stored.instances.document(image_id))
        )
        for change in changes:
            document = document.apply(rebased(change, document))
        return document

    def history(self, image_id: int) -> History:
        """The steps of earlier sessions, so that undo survives a restart; only before the first edit of this one."""
        steps = self._project.ask(lambda stored: stored.history.undo_steps(image_id))
        done, undone = ([Step(entry.label, entry.change) for entry in side] for side in (steps.undo, steps.redo))
        return History(done, undone)


BLOCK = 256
FEW = 128
"""So many may still be drawn when the next block is asked for: minutes of work while a network share hangs."""


class IdSupply:
    """For the GUI thread; `reserve` is called on an executor."""

    def __init__(self, reserve: Callable[[int], Sequence[int]], waiting: Waiting) -> None:
        self._reserve, self._waiting = reserve, waiting
        self._ids: deque[int] = deque()
        self._is_asked = False

    def take(self) -> int:
        """Raises ProjectError when none is left and the project does not give any."""
        self.fill()
        if not self._ids:
            self._ids.extend(self._waiting.call(lambda: self._reserve(BLOCK)))
        return self._ids.popleft()

    def have(self, count: int) -> None:
        """Keep this many ready. Raises ProjectError as `take` does."""
        if count > BLOCK:
            self._ids.extend(self._waiting.call(lambda: self._reserve(count)))

    def renew(self) -> None:
        """Others were given meanwhile; the ready ones are still nobody's, but a file that came in may use them."""
        self._ids.clear()
        self.fill()

    def fill(self) -> None:
        """Ask for more where few are left; returns at once."""
        if len(self._ids) < FEW and not self._is_asked:
            self._is_asked = True
            self._waiting.executor.post(self._fetch)

    def _fetch(self) -> None:
        try:
            self._ids.extend(self._reserve(BLOCK))
        except MaskwrightError:
            return  # whoever takes one asks again, and is told
        finally:
            self._is_asked = False


SAVE_S = 5.0
"""How long the window may stand still for the last edits to be written, on a folder that answers."""


class UnsavedEdits:
    """What the user has done in the open project and is not written yet; nothing while none is open."""

    def __init__(self) -> None:
        self._writer: EditWriter | None = None

    def follow(self, writer: EditWriter | None) -> None:
        """Another project is open; None: none is."""
        self._writer = writer

    @property
    def count(self) -> int:
        """Edits that wait to be written."""
        return self._writer.pending_count if self._writer is not None else 0

    @property
    def edits(self) -> tuple[PendingEdit, ...]:
        """In the order in which they were made."""
        return self._writer.pending_edits if self._writer is not None else ()

    @property
    def waits_s(self) -> float:
        """For how long nothing has been saved although something should."""
        return self._writer.waits_s if self._writer is not None else 0.0

    @property
    def error(self) -> MaskwrightError | None:
        """Why the latest edit could not be written; None when all is well."""
        return self._writer.error if self._writer is not None else None

    def try_again(self) -> None:
        """Write what could not be written, now."""
        if self._writer is not None:
            self._writer.try_again()

    def give_up(self) -> None:
        """What is not saved is not wanted here any more."""
        if self._writer is not None:
            self._writer.give_up()


class ProjectLink:
    """Owns a project from its opening to its closing; a folder that hangs holds up neither."""

    def __init__(self, project: "Project", parent: QObject) -> None:
        self.waiting = Waiting(FolderProbe(project.path))
        self.project = OpenProject(project, self.waiting)
        self.ids = IdSupply(lambda count: project.instances.reserve_ids(count), self.waiting)
        self.cache = CandidateCache.of_project(project.path)
        """Candidates of the project's images."""
        self.writer = EditWriter(project, parent)
        self.ahead = ReadAhead(project, parent)
        self.left = LeftImages()
        self.reader = ImageReader(self.project, self.writer, self.ahead)

    def start(self) -> None:
        """Once whoever wants to hear of it is connected."""
        if not self.project.is_read_only:
            self.ids.fill()
        self.ahead.start()
        self.writer.start()

    def find(self, image_id: int) -> tuple[ImageRecord, Document]:
        """An image to show: as the project has it, or, where it does not answer, as it was when it was left."""
        try:
            return self.reader.image(image_id), self.reader.document(image_id)
        except NoAnswerError:
            if (left := self.left.get(image_id)) is None:
                raise
        record, document = left
        return replace(record, state=state_after(record.state, self.writer.pending_of(image_id))), document

    def put_in(self, edits: Iterable[PendingEdit]) -> list[PendingEdit]:
        """Write edits that were made another time; those whose image is here."""
        listed = list(edits)
        ids = sorted({edit.image_id for edit in listed})
        here = {record.id for record in self.project.ask(lambda stored: stored.images.records(ids))}
        known = [edit for edit in listed if edit.image_id in here]
        for edit in known:
            self.writer.write(edit)
        return known

    def save(self) -> bool:
        """Try again what could not be written; True when nothing waits. Returns at once where the folder hangs."""
        return self.writer.flush(SAVE_S, is_hopeless=self._hangs)

    def stop(self) -> None:
        """Write what can be written; then nothing reads or writes any more."""
        for worker in (self.writer, self.ahead):
            worker.stop()
            end_and_delete(worker)

    def close(self) -> None:
        """Give the project back when nobody uses it any more; the window waits for that only where all is well."""
        hanging = left_behind()

        def close() -> None:
            for thread in hanging:
                thread.wait()
            self.project.stored.close()

        call = self.waiting.executor.post(close)
        self.waiting.close()
        if not hanging and not self.waiting.is_unresponsive:
            wait_for(call.ended.wait)

    def _hangs(self) -> bool:
        """Whether the folder does not answer; asks it, so that this is known next time."""
        self.waiting.ask()
        return self.waiting.is_unresponsive
