"""Ends threads without waiting for ever: one that hangs in a call to a network share is left behind."""

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import QThread

log = logging.getLogger(__name__)

END_S = 5.0
"""How long a thread may take to end: longer than an inference, shorter than a person's patience."""
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
    leave_behind(thread)
    return False


def leave_behind(thread: QThread) -> None:
    """Of a thread that was told to end: it is silenced and kept until it does, and nobody waits for it."""
    log.warning("%s is left behind", type(thread).__name__)
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
