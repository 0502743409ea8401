"""Writes edits to the project beside the GUI thread, in order, and keeps those that cannot be written.

A durable commit waits for the disk: 1 to 30 ms, or seconds on a network share that stalls, so it must not run on the
GUI thread. Edits that cannot be written go into a rescue copy on this computer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from maskwright.document.change import Change
from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError, ProjectError, UnfitEditError
from maskwright_gui.workers.executor import Executor
from maskwright_gui.workers.storing import EditKind, PendingEdit, store
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    from maskwright.project.store import Project

__all__ = ["EditKind", "EditWriter", "PendingEdit"]

log = logging.getLogger(__name__)

RETRY_S = 5.0
STORED_S = 0.1
"""An edit takes longer only if it waits for something else."""
LOOK_S = 0.2
"""How often callers waiting for the end check whether to go on waiting."""


class EditWriter(Worker[PendingEdit]):
    """One project's edits, first in first out.

    An edit that fails temporarily is kept, reported once and tried again every few seconds; one that can never be
    stored is set aside in the project.
    """

    failed = Signal(object)
    """The MaskwrightError of the first failure; again only after a recovery."""
    recovered = Signal()
    written = Signal(object)
    """Image id of an edit that is now in the database."""
    put_aside = Signal(object)
    """EditSetAside: an edit that can never be stored; those after it continue."""
    rebased = Signal(object)
    """Image id of an edit that was written on top of other changes, or in the class that its own was merged into: read
    the document on screen again.
    """

    def __init__(self, project: "Project", parent: QObject | None = None, *, retry_s: float = RETRY_S) -> None:
        super().__init__(parent)
        self._project = project
        self._retry_s = retry_s
        self._pending: deque[PendingEdit] = deque()
        self._since = 0.0
        """When the first waiting edit was made, or the one before it was written."""
        self._error: MaskwrightError | None = None
        self._is_hurried = False
        self._attempts = 0
        self._storing = threading.Lock()
        """Held from the attempt to store an edit until it is no longer pending."""

    @property
    def pending_count(self) -> int:
        """Number of edits not written yet."""
        with self._condition:
            return sum(not edit.is_look for edit in self._pending)

    @property
    def pending_edits(self) -> tuple[PendingEdit, ...]:
        """Edits by the user that are not written yet, in order; the first may be in progress."""
        with self._condition:
            return tuple(edit for edit in self._pending if not edit.is_look)

    @property
    def waits_s(self) -> float:
        """How long nothing has been written although an edit waits; 0 if none does."""
        with self._condition:
            return time.monotonic() - self._since if any(not edit.is_look for edit in self._pending) else 0.0

    @property
    def error(self) -> MaskwrightError | None:
        """Why the latest attempt failed; None if it did not, or is still running."""
        with self._condition:
            return self._error

    def pending_changes(self, image_id: int) -> list[Change]:
        """Changes of the image that the database may not hold yet, in order."""
        with self._condition:
            return [e.change for e in self._pending if e.image_id == image_id and e.change is not None]

    def pending_of(self, image_id: int) -> list[PendingEdit]:
        """Edits of the image that the database may not hold yet, in order."""
        with self._condition:
            return [edit for edit in self._pending if edit.image_id == image_id]

    @contextmanager
    def between_edits(self) -> Iterator[None]:
        """No edit is being stored meanwhile, except one that has waited for long, so most likely for the transaction
        of an import or merge: that one is still pending. Not for the GUI thread.
        """
        is_held = self._storing.acquire(timeout=STORED_S)
        try:
            yield
        finally:
            if is_held:
                self._storing.release()

    def write(self, edit: PendingEdit) -> None:
        """Append an edit."""
        with self._condition:
            if not self._pending:
                self._since = time.monotonic()
            self._pending.append(edit)
            self._condition.notify_all()

    def try_again(self) -> None:
        """Try again now, before the next regular attempt."""
        with self._condition:
            self._is_hurried = True
            self._condition.notify_all()

    def flush(self, timeout_s: float = 30.0, *, is_hopeless: Callable[[], bool] = lambda: False) -> bool:
        """Wait until everything is written; False if an attempt failed, time ran out or it `is_hopeless`."""
        until = time.monotonic() + timeout_s
        with self._condition:
            seen = self._attempts
            self._is_hurried = True
            self._condition.notify_all()
            while self._pending and time.monotonic() < until and not is_hopeless():
                if self._error is not None and self._attempts > seen:
                    return False
                self._condition.wait(LOOK_S)
            return not self._pending

    def give_up(self) -> None:
        """Forget what is not written; an edit in progress may still be stored."""
        with self._condition:
            self._pending.clear()

    def stop(self) -> bool:
        """Write what can be written at once, then end; if a write hangs, it is the last."""
        has_ended = super().stop()
        if not has_ended:
            self.give_up()
        return has_ended

    def _take(self) -> PendingEdit | None:
        """The oldest edit, which is waiting until it is stored; None until it is time to try it."""
        if not self._pending or (self._error is not None and not self._is_hurried):
            return None
        self._is_hurried = False
        return self._pending[0]

    def _take_last(self) -> PendingEdit | None:
        return self._pending[0] if self._pending and self._error is None else None

    def _idle_after_s(self) -> float | None:
        return self._retry_s if self._error is not None and not self._is_hurried else None

    def _use_the_time(self) -> None:
        self.try_again()

    def _do(self, edit: PendingEdit) -> None:
        with self._storing:
            news, error = self._attempt(edit)
            self._end_attempt(edit, error)
        if error is None:  # only now: listeners read the image with the pending edits on top
            news()
            self.written.emit(edit.image_id)

    def _attempt(self, edit: PendingEdit) -> tuple[Callable[[], None], MaskwrightError | None]:
        """The report once the edit is stored or set aside, and the error if it has to wait instead."""
        try:
            is_other = store(self._project, edit)
            return (partial(self.rebased.emit, edit.image_id) if is_other else _nothing), None
        except UnfitEditError as error:
            return self._set_aside(edit, error.message)
        except MaskwrightError as error:
            return _nothing, error
        except MemoryError:
            return _nothing, ProjectError("there is not enough memory at the moment", path=self._project.path)
        except Exception:
            log.exception("an edit of image %d was not written", edit.image_id)
            return self._set_aside(edit, f"{UNEXPECTED}; {IN_THE_LOG}")

    def _set_aside(self, edit: PendingEdit, reason: str) -> tuple[Callable[[], None], MaskwrightError | None]:
        """Set aside an edit that can never be stored, so that later ones continue; the project keeps it separately."""
        log.warning("an edit of image %d, %r, is set aside: %s", edit.image_id, edit.label, reason)
        if edit.change is None and edit.state is None:  # a model can propose again
            return partial(self.rebased.emit, edit.image_id), None
        try:
            kept = self._project.set_aside.add(
                edit.image_id, label=edit.label, kind=edit.kind, reason=reason, change=edit.change, state=edit.state
            )
        except MaskwrightError as error:
            return _nothing, error
        except Exception:
            log.exception("an edit of image %d could not be set aside", edit.image_id)
            return _nothing, ProjectError(UNEXPECTED, path=self._project.path, hint=IN_THE_LOG)

        def tell() -> None:
            self.put_aside.emit(kept)
            self.rebased.emit(edit.image_id)

        return tell, None

    def _end_attempt(self, edit: PendingEdit, error: MaskwrightError | None) -> None:
        with self._condition:
            self._attempts += 1
            if error is None and self._pending and self._pending[0] is edit:  # not if the user gave it up
                self._pending.popleft()
                self._since = time.monotonic()
            was_reported, self._error = self._error is not None, error
            self._condition.notify_all()
        if error is not None and not was_reported:
            self.failed.emit(error)
        elif error is None and was_reported:
            self.recovered.emit()


def _nothing() -> None:
    """Report nothing."""


KEEP_S = 5.0
"""How long a closing window waits for its rescue copy."""


class RescueKeeper:
    """One project's rescue copy: written whenever the waiting edits change, deleted when none wait."""

    def __init__(self, project: Path, mark: str) -> None:
        self._project, self._mark = project, mark
        self._executor = Executor()
        self._file: Path | None = None
        self._is_for_good = False
        self._wanted: tuple[PendingEdit, ...] = ()
        self._written: tuple[PendingEdit, ...] = ()
        self._rows: dict[int, dict[str, Any]] = {}
        """By the `id` of an edit: each is packed once."""
        self.kept = 0
        """Number of edits in the copy."""
        self.failure = ""
        """Why there is no copy; empty while there is one or none is needed."""

    def keep(self, edits: "Sequence[PendingEdit]") -> None:
        """Keep exactly these edits, from soon on; returns at once."""
        if self._is_for_good or self._executor.busy_s:
            return
        self._wanted = tuple(edits)
        if not _same(self._wanted, self._written):
            self._executor.post(self._write)

    def keep_for_good(self, edits: "Sequence[PendingEdit]") -> str:
        """Keep these edits even after the project is closed; returns why that failed, or an empty text."""
        self._is_for_good, self._wanted = True, tuple(edits)
        if not self._executor.post(self._write).ended.wait(KEEP_S):
            return "the disk with your user data does not answer"
        return self.failure

    def close(self) -> None:
        """Delete the copy, unless it was kept for good."""
        if not self._is_for_good and self._file is not None:
            self._wanted = ()
            self._executor.post(self._write).ended.wait(KEEP_S)
        self._executor.close()

    def _write(self) -> None:
        """Runs on the executor."""
        from maskwright.project.rescue import rescue_file, write_rescue

        wanted = self._wanted
        rows = {id(edit): self._rows.get(id(edit)) or _packed(edit) for edit in wanted}
        try:
            if self._file is None:
                self._file = rescue_file(self._project, self._mark)
            write_rescue(self._file, self._project, [row for row in rows.values() if row])
        except MaskwrightError as error:
            self.failure, self.kept = error.reason, 0
        else:
            self.failure, self.kept, self._written, self._rows = "", len(wanted), wanted, rows


def _same(some: "Sequence[PendingEdit]", others: "Sequence[PendingEdit]") -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def _packed(edit: "PendingEdit") -> dict[str, Any]:
    """Empty for proposals, which a model can make again."""
    from maskwright.project.rescue import RescuedEdit, edit_to_json

    if edit.change is None and edit.state is None:
        return {}
    return edit_to_json(RescuedEdit(edit.image_id, edit.label, edit.kind, edit.change, edit.state))
