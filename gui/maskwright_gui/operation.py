"""The one way to do something in the background: `Operation(work).on_success(...).on_failure(...).start()`.

Features begin theirs by `Feature._run_beside`, which also shows the progress and stops them with the window.
"""

import logging
from collections.abc import Callable
from threading import Event
from typing import Self

from PySide6.QtCore import QObject, QThread, Signal

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError
from maskwright.monitor import Monitor, OperationCancelledError
from maskwright_gui.workers.worker import end_and_delete

log = logging.getLogger(__name__)

Work = Callable[[Monitor], object]
"""What is done, in a thread of its own: reports to the monitor how far it is, and asks it whether it is to continue."""
ShowProgress = Callable[[str, int, object], object]
"""Takes (text, done, total or None); an empty text when it is over."""


class Operation(QThread):
    """One run of `work`, which ends in exactly one of done, failed or cancelled."""

    progressed = Signal(int, object, str)
    """(done, total or None, text)."""
    done = Signal(object)
    """What `work` returned."""
    failed = Signal(object)
    """MaskwrightError."""
    cancelled = Signal()

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._cancel = Event()

    def with_progress(self, show: ShowProgress) -> Self:
        """Show how far it is, and that it is over."""
        self.progressed.connect(lambda done, total, text: show(text, done, total))
        self.finished.connect(lambda: show("", 0, None))
        return self

    def on_end(self, take: Callable[[], object]) -> Self:
        """However it ends, unless it is stopped; said before `on_success` and `on_failure`, called before them."""
        for signal in (self.done, self.failed, self.cancelled):
            signal.connect(lambda *_: take())
        return self

    def on_success(self, take: Callable[..., object]) -> Self:
        """`take` gets what the work returned."""
        self.done.connect(take)
        return self

    def on_failure(self, take: Callable[[MaskwrightError], object]) -> Self:
        """`take` gets the MaskwrightError."""
        self.failed.connect(take)
        return self

    def cancel(self) -> None:
        """Ask it to end; it does at its next report."""
        self._cancel.set()

    def stop(self) -> None:
        """Cancel, wait for the end and delete; nothing is heard any more of one that hangs."""
        self.cancel()
        end_and_delete(self)

    def settle(self) -> None:
        """Wait for the thread of an operation that has said how it ended, and delete it."""
        self.wait()
        self.deleteLater()

    def report(self, done: int, total: int | None, text: str = "") -> None:
        """For `work`; raises OperationCancelledError."""
        self.check()
        self.progressed.emit(done, total, text)

    def check(self) -> None:
        """For `work`; raises OperationCancelledError."""
        if self._cancel.is_set():
            raise OperationCancelledError

    def run(self) -> None:
        """In the thread: the work, and how it ended."""
        try:
            result = self._work(self)
        except OperationCancelledError:
            self.cancelled.emit()
        except MaskwrightError as error:
            self.failed.emit(error)
        except Exception:
            log.exception("background task failed")
            self.failed.emit(MaskwrightError(UNEXPECTED, hint=IN_THE_LOG))
        else:
            self.done.emit(result)
