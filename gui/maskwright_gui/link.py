"""Connects the window with one open project: the writer, the reader, reading ahead, and the supply of ids."""

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
    from maskwright.project.history import UndoSteps
    from maskwright.project.store import Project


MOST_LEFT = 64


class LeftImages:
    """Images as they were when they were left, to return to while a project does not answer."""

    def __init__(self) -> None:
        self._known: LRUCache[int, tuple[ImageRecord, Document]] = LRUCache(MOST_LEFT)

    def remember(self, image: ImageRecord, document: Document) -> None:
        """Remember the image in its current state."""
        self._known[image.id] = (image, document)

    def get(self, image_id: int) -> tuple[ImageRecord, Document] | None:
        """None if it was not left, or too long ago."""
        return self._known.get(image_id)

    def clear(self) -> None:
        """Forget all: another project is open."""
        self._known.clear()


class ImageReader:
    """Reads for the GUI thread: one image at a time, a millisecond each. Raises ProjectError as the project does.

    Pending edits are read first, since the writer may store one while the image is being read. An edit found in both is
    harmless, as its outcome is applied twice; one found in neither would be lost from view.
    """

    def __init__(self, project: OpenProject, writer: EditWriter, ahead: ReadAhead) -> None:
        self._project, self._writer, self._ahead = project, writer, ahead

    def image(self, image_id: int) -> ImageRecord:
        """The record, with the state that pending edits give it."""
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
        """The steps that the project has, with the pending edits on top."""

        def read(stored: "Project") -> "tuple[UndoSteps, list[PendingEdit]]":
            with self._writer.between_edits():  # each edit is either stored or pending, never both
                return stored.history.undo_steps(image_id), self._writer.pending_of(image_id)

        steps, pending = self._project.ask(read)
        done, undone = ([Step(entry.label, entry.change) for entry in side] for side in (steps.undo, steps.redo))
        history = History(done, undone)
        for edit in pending:
            if edit.change is not None:
                history.repeat(edit.label, edit.change, edit.kind)
        return history


BLOCK = 256
FEW = 128
"""The next block is requested when this many are left: minutes of work while a network share hangs."""


class IdSupply:
    """Used on the GUI thread; `reserve` is called on an executor."""

    def __init__(self, reserve: Callable[[int], Sequence[int]], waiting: Waiting) -> None:
        self._reserve, self._waiting = reserve, waiting
        self._ids: deque[int] = deque()
        self._is_asked = False

    def take(self) -> int:
        """Raises ProjectError if none is left and the project does not supply any."""
        self.fill()
        if not self._ids:
            self._ids.extend(self._waiting.call(lambda: self._reserve(BLOCK)))
        return self._ids.popleft()

    def have(self, count: int) -> None:
        """Keep this many ready. Raises ProjectError as `take` does."""
        if count > BLOCK:
            self._ids.extend(self._waiting.call(lambda: self._reserve(count)))

    def renew(self) -> None:
        """Drop the ready ids: others were used meanwhile, and an imported file may use these."""
        self._ids.clear()
        self.fill()

    def fill(self) -> None:
        """Request more if few are left; returns at once."""
        if len(self._ids) < FEW and not self._is_asked:
            self._is_asked = True
            self._waiting.executor.post(self._fetch)

    def _fetch(self) -> None:
        try:
            self._ids.extend(self._reserve(BLOCK))
        except MaskwrightError:
            return  # the next `take` asks again, and reports it
        finally:
            self._is_asked = False


SAVE_S = 5.0
"""How long the window may wait for the last edits to be written, on a folder that answers."""


class UnsavedEdits:
    """The user's edits in the open project that are not written yet; empty while none is open."""

    def __init__(self) -> None:
        self._writer: EditWriter | None = None

    def follow(self, writer: EditWriter | None) -> None:
        """Follow the writer of another project; None: none is open."""
        self._writer = writer

    @property
    def count(self) -> int:
        """Number of edits that wait to be written."""
        return self._writer.pending_count if self._writer is not None else 0

    @property
    def edits(self) -> tuple[PendingEdit, ...]:
        """In the order in which they were made."""
        return self._writer.pending_edits if self._writer is not None else ()

    @property
    def waits_s(self) -> float:
        """How long nothing has been saved although something should be."""
        return self._writer.waits_s if self._writer is not None else 0.0

    @property
    def error(self) -> MaskwrightError | None:
        """Why the latest edit could not be written; None if all is well."""
        return self._writer.error if self._writer is not None else None

    def try_again(self) -> None:
        """Try again now to write what could not be written."""
        if self._writer is not None:
            self._writer.try_again()

    def give_up(self) -> None:
        """Discard what is not saved."""
        if self._writer is not None:
            self._writer.give_up()


class ProjectLink:
    """Owns a project from opening to closing; a folder that hangs delays neither."""

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
        """Start, once all listeners are connected."""
        if not self.project.is_read_only:
            self.ids.fill()
        self.ahead.start()
        self.writer.start()

    def find(self, image_id: int) -> tuple[ImageRecord, Document]:
        """An image to show: as the project has it or, if the project does not answer, as it was when it was left."""
        try:
            return self.reader.image(image_id), self.reader.document(image_id)
        except NoAnswerError:
            if (left := self.left.get(image_id)) is None:
                raise
        record, document = left
        return replace(record, state=state_after(record.state, self.writer.pending_of(image_id))), document

    def put_in(self, edits: Iterable[PendingEdit]) -> list[PendingEdit]:
        """Write edits rescued from another session; returns those whose image is here."""
        listed = list(edits)
        ids = sorted({edit.image_id for edit in listed})
        here = {record.id for record in self.project.ask(lambda stored: stored.images.records(ids))}
        known = [edit for edit in listed if edit.image_id in here]
        for edit in known:
            self.writer.write(edit)
        return known

    def save(self) -> bool:
        """Try again what could not be written; True if nothing waits. Returns at once if the folder hangs."""
        return self.writer.flush(SAVE_S, is_hopeless=self._hangs)

    def stop(self) -> None:
        """Write what can be written; then nothing reads or writes any more."""
        for worker in (self.writer, self.ahead):
            worker.stop()
            end_and_delete(worker)

    def close(self) -> None:
        """Close the project when nothing uses it; the window waits for that only if the folder answers."""
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
        """Whether the folder does not answer; also asks it again, so that the next call is up to date."""
        self.waiting.ask()
        return self.waiting.is_unresponsive
