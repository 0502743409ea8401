"""What all threads of the window share: a condition, and an end that is waited for.

Not forever: a thread that hangs in a call to a network share is left behind.
"""

import logging
import time
from collections.abc import Callable
from threading import Condition

from PySide6.QtCore import QObject, QThread

log = logging.getLogger(__name__)

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


class Worker(QThread):
    """A thread that waits for requests. State shared with it is accessed within `_condition`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._condition = Condition()
        self._is_stopping = False

    def stop(self) -> bool:
        """End after the running work; returns whether it has ended, rather than being left behind."""
        with self._condition:
            self._is_stopping = True
            self._break_off()
            self._condition.notify_all()
        return end(self)

    def _break_off(self) -> None:
        """Called within the condition: end the running work early, if possible."""

    def _wait_for(self, has_work: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Called within the condition: wait for something to do; False if the thread is to end."""
        self._condition.wait_for(lambda: self._is_stopping or has_work(), timeout_s)
        return not self._is_stopping
