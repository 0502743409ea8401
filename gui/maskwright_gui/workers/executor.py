"""Lets the GUI thread use a project without ever blocking on it.

A call to a file on a network share that hangs cannot be interrupted. So another thread makes the call, and the GUI
thread gives up after a moment.
"""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

from maskwright.errors import ProjectError

T = TypeVar("T")

PATIENCE_S = 0.4
"""Limit for a call while the folder does not answer either; a busy local disk may take that long."""
LOOK_S = 0.1
"""Delay until the folder is probed, and the interval between probes."""
LONGEST_S = 3.0
"""Limit for any call: a slow query or a long write of another thread, on a folder that answers."""


class NoAnswerError(ProjectError):
    """The project's disk or network share hangs."""

    def __init__(self, path: Path) -> None:
        super().__init__("the folder does not answer", path=path, hint="the program keeps trying")


class _Call(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.ended = threading.Event()
        self.is_given_up = False
        self._value: T | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        if self.is_given_up:
            return
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001  (raised again where the answer is taken)
            self._error = error
        self.ended.set()

    def answer(self) -> T:
        if self._error is not None:
            raise self._error
        return cast(T, self._value)  # cast: set by `run`, None may be what T is


class Executor:
    """A thread that makes calls which may hang, one after the other; it does not delay the end of the program."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self._since: float | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def busy_s(self) -> float:
        """How long the running call has taken; 0 if there is none."""
        since = self._since
        return time.monotonic() - since if since is not None else 0.0

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this executor."""
        return threading.current_thread() is self._thread

    def post(self, work: Callable[[], T]) -> _Call[T]:
        """Do `work` after what was posted before it."""
        call = _Call(work)
        self._calls.put(call)
        return call

    def close(self) -> None:
        """End the thread after what has been posted."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            self._since = time.monotonic()
            call.run()
            self._since = None


def answer_soon(work: Callable[[], T], otherwise: T) -> T:
    """What `work` returns, or `otherwise` if the disk does not answer in time."""
    executor = Executor()
    call = executor.post(work)
    executor.close()
    return call.answer() if call.ended.wait(PATIENCE_S) else otherwise


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


class FolderProbe:
    """Asks a folder now and then whether it answers, from a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._executor = Executor()
        self._names = count()

    def ask(self) -> None:
        """Ask the folder, unless an earlier question is open."""
        if not self._executor.busy_s:
            # a new name each time is in no cache, so the server has to be asked
            self._executor.post(partial(_is_there, self.folder / f".answers-{os.getpid()}-{next(self._names)}"))

    def close(self) -> None:
        """Stop asking."""
        self._executor.close()

    @property
    def waits_s(self) -> float:
        """How long the current question has not been answered; 0 if there is none."""
        return self._executor.busy_s


class Waiting:
    """Waits on the GUI thread for what an executor does, but not for long."""

    def __init__(self, probe: FolderProbe) -> None:
        self._probe = probe
        self.patience_s, self.longest_s = PATIENCE_S, LONGEST_S
        self.executor = Executor()

    def close(self) -> None:
        """End the threads; what was posted is done first."""
        self.executor.close()
        self._probe.close()

    def ask(self) -> None:
        """Ask whether the folder answers; `is_unresponsive` is up to date soon after."""
        self._probe.ask()

    @property
    def is_unresponsive(self) -> bool:
        """Whether another call would only wait, too."""
        return self._probe.waits_s > self.patience_s or self.executor.busy_s > self.longest_s

    @property
    def is_answered(self) -> bool:
        """Whether nothing is being waited for."""
        return not self._probe.waits_s and not self.executor.busy_s

    def call(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises; NoAnswerError if that takes too long."""
        if self.executor.is_current:  # it would wait for itself
            return work()
        call = self.executor.post(work)
        until = time.monotonic() + self.longest_s
        while not call.ended.wait(LOOK_S if not self.is_unresponsive else 0.0):
            if self.is_unresponsive or time.monotonic() > until:
                call.is_given_up = True
                raise NoAnswerError(self._probe.folder)
            self._probe.ask()
        return call.answer()
