"""Writes edits to the project beside the GUI thread, in the order they were made, and keeps what could not be written.

A durable commit waits for the disk, 1 to 30 ms, or seconds on a network share that stalls: not in the GUI thread.
"""

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QThread, Signal

from maskwright.document.change import Change
from maskwright.document.gesture import Gesture
from maskwright.document.values import ImageState, Provenance
from maskwright.errors import MaskwrightError, ProjectError
from maskwright_gui.history import rebased

if TYPE_CHECKING:
    from maskwright.project.proposals import Proposal
    from maskwright.project.store import Project

RETRY_S = 5.0
Kind = Literal["edit", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class PendingEdit:
    """Something done on screen that may not be in the database yet: a change, a state, other proposals, a look."""

    image_id: int
    change: Change | None = None
    label: str = ""
    kind: Kind = "edit"
    state: ImageState | None = None
    proposals: "tuple[Proposal, ...] | None" = None
    provenance: Provenance | None = None
    """Of the proposals."""
    gesture: Gesture | None = None
    """What it took of the person; by itself: a look."""

    @property
    def is_look(self) -> bool:
        """Whether nothing of the person's work is in it."""
        return self.change is None and self.state is None and self.proposals is None


class EditWriter(QThread):
    """One project's edits, first in first out. What fails stays, is reported once and tried again every few seconds."""

    failed = Signal(object)
    """The MaskwrightError of the first failure; again only after a recovery."""
    recovered = Signal()
    written = Signal(int)
    """Image id of an edit that is now in the database."""
    rebased = Signal(int)
    """Image id of an edit that was written on top of other changes, or in the class that its own was merged into: the
    document on screen is to be read again."""

    def __init__(self, project: "Project", parent: QObject | None = None, *, retry_s: float = RETRY_S) -> None:
        super().__init__(parent)
        self._project = project
        self._retry_s = retry_s
        self._condition = Condition()
        self._pending: deque[PendingEdit] = deque()
        self._has_failed = False
        self._is_hurried = False
        self._is_stopping = False
        self._attempts = 0

    @property
    def pending_count(self) -> int:
        """Edits that are not written yet."""
        with self._condition:
            return sum(not edit.is_look for edit in self._pending)

    def pending_changes(self, image_id: int) -> list[Change]:
        """Edits of the image that the database may not hold yet, in order."""
        with self._condition:
            return [e.change for e in self._pending if e.image_id == image_id and e.change is not None]

    def pending_state(self, image_id: int) -> ImageState | None:
        """The latest state given to the image that the database may not hold yet."""
        with self._condition:
            states = [edit.state for edit in self._pending if edit.image_id == image_id and edit.state is not None]
        return states[-1] if states else None

    def write(self, edit: PendingEdit) -> None:
        with self._condition:
            self._pending.append(edit)
            self._condition.notify_all()

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Wait until everything is written; False when an attempt failed or the time is over."""
        with self._condition:
            seen = self._attempts
            self._is_hurried = True
            self._condition.notify_all()
            self._condition.wait_for(
                lambda: not self._pending or (self._has_failed and self._attempts > seen), timeout_s
            )
            return not self._pending

    def stop(self) -> None:
        """Write what can be written at once, then end."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        self.wait()

    def _next(self) -> PendingEdit | None:
        """The oldest edit, when it is time to try it; None to end."""
        with self._condition:
            if self._has_failed:
                self._condition.wait_for(lambda: self._is_stopping or self._is_hurried, self._retry_s)
                if self._is_stopping:
                    return None
            self._condition.wait_for(lambda: self._is_stopping or bool(self._pending))
            self._is_hurried = False
            return self._pending[0] if self._pending else None

    def _write_one(self, edit: PendingEdit) -> None:
        if edit.state is not None:
            self._project.set_image_state(edit.image_id, edit.state)
        if edit.proposals is not None:
            self._project.put_proposals(edit.image_id, edit.proposals, provenance=edit.provenance)
            self.rebased.emit(edit.image_id)
        if edit.is_look and edit.gesture is not None:
            self._project.add_look(edit.image_id, edit.gesture)
        if edit.change is None:
            return
        try:
            stored = self._project.apply(
                edit.image_id, edit.change, label=edit.label, kind=edit.kind, gesture=edit.gesture
            )
            if stored is not edit.change:
                self.rebased.emit(edit.image_id)
        except ProjectError:
            change = rebased(edit.change, self._project.document(edit.image_id))
            if change.entries == edit.change.entries:
                raise  # not because of another state underneath
            self._project.apply(edit.image_id, change, label=edit.label, kind=edit.kind, gesture=edit.gesture)
            self.rebased.emit(edit.image_id)

    def run(self) -> None:
        while (edit := self._next()) is not None:
            try:
                self._write_one(edit)
            except MaskwrightError as error:
                self._end_attempt(error)
            else:
                self._end_attempt(None)
                self.written.emit(edit.image_id)

    def _end_attempt(self, error: MaskwrightError | None) -> None:
        with self._condition:
            self._attempts += 1
            if error is None:
                self._pending.popleft()
            was_reported, self._has_failed = self._has_failed, error is not None
            self._condition.notify_all()
        if error is not None and not was_reported:
            self.failed.emit(error)
        elif error is None and was_reported:
            self.recovered.emit()
