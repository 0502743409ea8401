"""The one way to run something in the background: `Operation(work).on_success(...).on_failure(...).start()`.

Features start operations by `Feature._run_beside`, which also shows the progress and stops them with the window.
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
"""The work, in its own thread: it reports progress to the monitor, and asks it whether to continue."""
ShowProgress = Callable[[str, int, object], object]
"""Takes (text, done, total or None); an empty text at the end."""


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
        """Show the progress, and the end."""
        self.progressed.connect(lambda done, total, text: show(text, done, total))
        self.finished.connect(lambda: show("", 0, None))
        return self

    def on_end(self, take: Callable[[], object]) -> Self:
        """Call `take` however it ends, unless it is stopped; before `on_success` and `on_failure`."""
        for signal in (self.done, self.failed, self.cancelled):
            signal.connect(lambda *_: take())
        return self

    def on_success(self, take: Callable[..., object]) -> Self:
        """Call `take` with what the work returned."""
        self.done.connect(take)
        return self

    def on_failure(self, take: Callable[[MaskwrightError], object]) -> Self:
        """Call `take` with the MaskwrightError."""
        self.failed.connect(take)
        return self

    def cancel(self) -> None:
        """Ask it to end, which it does at its next report."""
        self._cancel.set()

    def stop(self) -> None:
        """Cancel, wait for the end and delete. An operation that hangs is left behind and emits nothing more."""
        self.cancel()
        end_and_delete(self)

    def settle(self) -> None:
        """Wait for the thread of an operation that has reported its end, and delete it."""
        self.wait()
        self.deleteLater()

    def report(self, done: int, total: int | None, text: str = "") -> None:
        """Called by `work`; raises OperationCancelledError."""
        self.check()
        self.progressed.emit(done, total, text)

    def check(self) -> None:
        """Called by `work`; raises OperationCancelledError."""
        if self._cancel.is_set():
            raise OperationCancelledError

    def run(self) -> None:
        """Runs in the thread: does the work and reports how it ended."""
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
