"""What all threads of the window share: a loop over their tasks, and an end that is waited for.

Not forever: a thread that hangs in a call to a network share is left behind.
"""

import logging
import time
from collections.abc import Callable
from threading import Condition
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QThread

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError

log = logging.getLogger(__name__)

Task = TypeVar("Task")

END_S = 5.0
"""How long a thread may take to end: longer than an inference, shorter than a user's patience."""
LOOK_S = 0.1
"""How often folders that it may be waiting for are checked meanwhile."""

_left: list[QThread] = []
_hangs: list[Callable[[], bool]] = [lambda: False]


def expect_unresponsive(hangs: Callable[[], bool]) -> None:
    """Register a check whether a folder hangs, which keeps threads from ending soon."""
    _hangs[0] = hangs


def end(thread: QThread) -> bool:
    """Wait for a thread that was told to end; if it does not, leave it behind."""
    _left[:] = [known for known in _left if not known.isFinished()]
    if thread in _left:
        return False
    if wait_for(lambda look_s: thread.wait(int(1000 * look_s))):
        return True
    log.warning("%s hangs and is left behind", type(thread).__name__)
    leave_behind(thread)
    return False


def leave_behind(thread: QThread) -> None:
    """Stop waiting for a thread that was told to end: silence it, and keep it until it ends."""
    thread.blockSignals(True)
    thread.setParent(None)
    _left.append(thread)


def end_and_delete(thread: QThread) -> None:
    """Like `end`, and delete the thread once it has ended."""
    if end(thread):
        thread.deleteLater()


def wait_for(wait: Callable[[float], bool]) -> bool:
    """Whether `wait`, called with seconds to wait, was true before further waiting became pointless."""
    until = time.monotonic() + END_S
    while not wait(LOOK_S):
        if _hangs[0]() or time.monotonic() > until:
            return False
    return True


def left_behind() -> list[QThread]:
    """Threads that have not ended yet: until they do, the program cannot exit normally."""
    return [thread for thread in _left if not thread.isFinished()]


class Worker(QThread, Generic[Task]):
    """A thread that does one task after the other. State shared with it is accessed within `_condition`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._condition = Condition()
        self._is_stopping = False

    def stop(self) -> bool:
        """End after the running task; returns whether it has ended, rather than being left behind."""
        with self._condition:
            self._is_stopping = True
            self._break_off()
            self._condition.notify_all()
        return end(self)

    def _break_off(self) -> None:
        """Called within the condition: end the running task early, if possible."""

    def _take(self) -> Task | None:
        """Called within the condition, in the thread: remove and return the next task; None if there is none."""
        raise NotImplementedError

    def _take_last(self) -> Task | None:
        """Like `_take`, once the thread is to end."""
        return None

    def _do(self, task: Task) -> None:
        """Do the task, in the thread."""
        raise NotImplementedError

    def _fail(self, task: Task, error: MaskwrightError) -> None:
        """Report that `_do` raised; an unexpected error is in the log already."""

    def _idle_after_s(self) -> float | None:
        """Called within the condition: how long to wait for a task before `_use_the_time`; None: forever."""
        return None

    def _use_the_time(self) -> None:
        """Do something useful, in the thread, while there is no task."""

    def _next(self) -> Task | None:
        """Wait for a task; None to end."""
        while True:
            with self._condition:
                found = self._condition.wait_for(self._found, self._idle_after_s())
            if found is not None:
                return found[0]
            self._use_the_time()

    def _found(self) -> tuple[Task | None] | None:
        """None to go on waiting."""
        if self._is_stopping:
            return (self._take_last(),)
        task = self._take()
        return (task,) if task is not None else None

    def run(self) -> None:
        """Runs in the thread: its loop."""
        while (task := self._next()) is not None:
            try:
                self._do(task)
            except MaskwrightError as error:
                self._fail(task, error)
            except Exception:  # the border of a thread: the next task must be done
                log.exception("a task of %s failed", type(self).__name__)
                self._fail(task, MaskwrightError(UNEXPECTED, hint=IN_THE_LOG))
