"""Runs one function beside the GUI thread and says how it ended: exactly one of done, failed or cancelled."""

import logging
from collections.abc import Callable
from threading import Event
from typing import Protocol

from PySide6.QtCore import QObject, QThread, Signal

from maskwright.errors import MaskwrightError
from maskwright_gui.workers.ending import end_and_delete

log = logging.getLogger(__name__)


class TaskCancelledError(Exception):
    """Raised by `TaskProgress.check` inside the function when the person cancelled."""


class TaskProgress(Protocol):
    """What the function is handed to tell how far it is."""

    def report(self, done: int, total: int | None, text: str = "") -> None:
        """`total` None: not known yet. Raises TaskCancelledError when the task was cancelled."""

    def check(self) -> None:
        """Raises TaskCancelledError when the task was cancelled."""


class Task(QThread):
    """One run of `function(progress)`; start it with `start()`."""

    progressed = Signal(int, object, str)
    """(done, total or None, text)."""
    done = Signal(object)
    failed = Signal(object)
    """MaskwrightError."""
    cancelled = Signal()

    def __init__(self, function: Callable[[TaskProgress], object], parent: QObject | None = None) -> None:
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
            raise TaskCancelledError

    def run(self) -> None:
        try:
            result = self._function(self)
        except TaskCancelledError:
            self.cancelled.emit()
        except MaskwrightError as error:
            self.failed.emit(error)
        except Exception as error:
            log.exception("background task failed")
            self.failed.emit(MaskwrightError(f"unexpected fault: {error}", hint="details are in the log"))
        else:
            self.done.emit(result)
