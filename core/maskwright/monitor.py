"""Following long operations from outside: their progress, and cancelling or pausing them from another thread."""

import threading
from dataclasses import dataclass
from typing import Protocol


class OperationCancelledError(Exception):
    """Raised inside an operation by its monitor when the user has cancelled; not a failure."""


class Cancel(Protocol):
    """Anything with a flag, such as threading.Event."""

    def is_set(self) -> bool:
        """Whether to cancel."""


class Monitor(Protocol):
    """Receives an operation's progress and decides whether it continues."""

    def report(self, done: int, total: int | None, text: str = "") -> None:
        """`total` of None: not known yet. Raises OperationCancelledError as `check` does."""

    def check(self) -> None:
        """Raises OperationCancelledError if the operation was cancelled."""


class SilentMonitor:
    """A monitor that ignores progress and never cancels."""

    def report(self, done: int, total: int | None, text: str = "") -> None:
        pass

    def check(self) -> None:
        pass


SILENT = SilentMonitor()


@dataclass(frozen=True, slots=True)
class MonitorFlag:
    """A monitor as a `Cancel` flag, for networks."""

    monitor: Monitor

    def is_set(self) -> bool:
        """Whether the monitor has cancelled."""
        try:
            self.monitor.check()
        except OperationCancelledError:
            return True
        return False


class CancelToken:
    """Shared by a running batch and whoever may stop it. All methods are thread-safe."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._may_run = threading.Event()
        self._may_run.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return not self._may_run.is_set() and not self.is_cancelled

    def cancel(self) -> None:
        """Cancel for good; also ends a pause."""
        self._cancelled.set()
        self._may_run.set()

    def pause(self) -> None:
        """Finish what is in progress, but start nothing new."""
        self._may_run.clear()

    def resume(self) -> None:
        """End a pause."""
        self._may_run.set()

    def wait_while_paused(self, timeout_s: float | None = None) -> None:
        """Return once the batch may continue or was cancelled, or when the time is over."""
        self._may_run.wait(timeout_s)
