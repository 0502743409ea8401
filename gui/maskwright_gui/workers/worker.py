"""What every thread of the window has: one condition between it and the GUI thread, and an end that is waited for."""

from collections.abc import Callable
from threading import Condition

from PySide6.QtCore import QObject, QThread

from maskwright_gui.workers.ending import end


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
