"""Runs one function beside the GUI thread and says how it ended: exactly one of done, failed or cancelled."""

import logging
from collections.abc import Callable
from threading import Event

from PySide6.QtCore import QObject, QThread, Signal

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError
from maskwright.monitor import Monitor, OperationCancelledError
from maskwright_gui.workers.ending import end_and_delete

log = logging.getLogger(__name__)

TaskProgress = Monitor
TaskCancelledError = OperationCancelledError


class Task(QThread):
    """One run of `function(progress)`; start it with `start()`."""

    progressed = Signal(int, object, str)
    """(done, total or None, text)."""
    done = Signal(object)
    failed = Signal(object)
    """MaskwrightError."""
    cancelled = Signal()

    def __init__(self, function: Callable[[Monitor], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._function = function
        self._cancel = Event()

    def cancel(self) -> None:
        self._cancel.set()

    def stop(self) -> None:
        """Cancel, wait for the end and delete; nothing is heard any more of a task that hangs."""
        self.cancel()
        end_and_delete(self)

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self.check()
        self.progressed.emit(done, total, text)

    def check(self) -> None:
        if self._cancel.is_set():
            raise OperationCancelledError

    def run(self) -> None:
        try:
            result = self._function(self)
        except OperationCancelledError:
            self.cancelled.emit()
        except MaskwrightError as error:
            self.failed.emit(error)
        except Exception:
            log.exception("background task failed")
            self.failed.emit(MaskwrightError(UNEXPECTED, hint=IN_THE_LOG))
        else:
            self.done.emit(result)
