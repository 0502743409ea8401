"""Following long work from outside: how far it is, and stopping or pausing it from another thread."""

import threading
from dataclasses import dataclass
from typing import Protocol


class OperationCancelledError(Exception):
    """Raised inside an operation by the monitor of a user who does not want it any more; nothing is wrong."""


class Cancel(Protocol):
    """Anything with a flag, such as threading.Event."""

    def is_set(self) -> bool: ...


class Monitor(Protocol):
    """Whom an operation tells how far it is, and asks whether it should continue."""

    def report(self, done: int, total: int | None, text: str = "") -> None:
        """`total` None: not known yet. Raises OperationCancelledError as `check` does."""

    def check(self) -> None:
        """Raises OperationCancelledError when the operation was cancelled."""


class SilentMonitor:
    """For work that nobody follows: it tells nobody and runs to the end."""

    def report(self, done: int, total: int | None, text: str = "") -> None:
        pass

    def check(self) -> None:
        pass


SILENT = SilentMonitor()


@dataclass(frozen=True, slots=True)
class MonitorFlag:
    """A monitor for whom asks a flag, as the networks do, whether anybody still wants the answer."""

    monitor: Monitor

    def is_set(self) -> bool:
        try:
            self.monitor.check()
        except OperationCancelledError:
            return True
        return False


class CancelToken:
    """Shared by whoever runs a batch and whoever may stop it. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._may_run = threading.Event()
        self._may_run.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_paused(self) -> bool:
        return not self._may_run.is_set() and not self.is_cancelled

    def cancel(self) -> None:
        """For good; also ends a pause."""
        self._cancelled.set()
        self._may_run.set()

    def pause(self) -> None:
        """What is under way is finished, nothing new is begun."""
        self._may_run.clear()

    def resume(self) -> None:
        self._may_run.set()

    def wait_while_paused(self, timeout_s: float | None = None) -> None:
        """Return once the batch may continue or was cancelled, or when the time is over."""
        self._may_run.wait(timeout_s)
