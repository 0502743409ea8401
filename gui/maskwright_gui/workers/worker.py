"""What every thread of the window has: one condition between it and the GUI thread, and an end that is waited for.

Not for ever: a thread that hangs in a call to a network share is left behind.
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
"""How often it is found out meanwhile whether the folders that it may wait for answer."""

_left: list[QThread] = []
_hangs: list[Callable[[], bool]] = [lambda: False]


def expect_unresponsive(hangs: Callable[[], bool]) -> None:
    """Whoever waits for a folder that `hangs` will not end soon."""
    _hangs[0] = hangs


def end(thread: QThread) -> bool:
    """Wait for a thread that was told to end; one that does not is silenced, kept and forgotten."""
    _left[:] = [known for known in _left if not known.isFinished()]
    if thread in _left:
        return False
    if wait_for(lambda look_s: thread.wait(int(1000 * look_s))):
        return True
    log.warning("%s hangs and is left behind", type(thread).__name__)
    leave_behind(thread)
    return False


def leave_behind(thread: QThread) -> None:
    """Of a thread that was told to end: it is silenced and kept until it does, and nobody waits for it."""
    thread.blockSignals(True)
    thread.setParent(None)
    _left.append(thread)


def end_and_delete(thread: QThread) -> None:
    """As `end`, and let go of it once it has ended."""
    if end(thread):
        thread.deleteLater()


def wait_for(wait: Callable[[float], bool]) -> bool:
    """Whether `wait`, for so many seconds each time, was true before there was no point in waiting on."""
    until = time.monotonic() + END_S
    while not wait(LOOK_S):
        if _hangs[0]() or time.monotonic() > until:
            return False
    return True


def left_behind() -> list[QThread]:
    """Threads that have not ended yet: the program cannot end in the usual way before they do."""
    return [thread for thread in _left if not thread.isFinished()]


class Worker(QThread):
    """A thread that waits for what others hand it. What both sides touch is touched within `_condition`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._condition = Condition()
        self._is_stopping = False

    def stop(self) -> bool:
        """End after what is under way; whether it has ended, or hangs and is left behind."""
        with self._condition:
            self._is_stopping = True
            self._break_off()
            self._condition.notify_all()
        return end(self)

    def _break_off(self) -> None:
        """Within the condition: have what is under way end early, where it can."""

    def _wait_for(self, has_work: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Within the condition: wait until there is something to do; False where the thread is to end instead."""
        self._condition.wait_for(lambda: self._is_stopping or has_work(), timeout_s)
        return not self._is_stopping
