"""The loop that all threads of the window share."""

from collections import deque

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from maskwright.errors import UNEXPECTED, MaskwrightError
from maskwright_gui.workers.worker import Worker


class Doubling(Worker[int]):
    doubled = Signal(int)
    failed = Signal(int, str)
    idled = Signal()

    def __init__(self, parent: QObject | None = None, *, idle_after_s: float | None = None) -> None:
        super().__init__(parent)
        self.waiting: deque[int] = deque()
        self.idle_after_s = idle_after_s
        self.must_finish = False

    def ask(self, *numbers: int) -> None:
        with self._condition:
            self.waiting.extend(numbers)
            self._condition.notify()

    def _take(self) -> int | None:
        return self.waiting.popleft() if self.waiting else None

    def _take_last(self) -> int | None:
        return self._take() if self.must_finish else None

    def _do(self, task: int) -> None:
        if task == 13:
            raise MaskwrightError("an unlucky number")
        self.doubled.emit(2 * task if 1 / task else 0)

    def _fail(self, task: int, error: MaskwrightError) -> None:
        self.failed.emit(task, error.message)

    def _idle_after_s(self) -> float | None:
        return self.idle_after_s

    def _use_the_time(self) -> None:
        self.idle_after_s = None
        self.idled.emit()


@pytest.mark.parametrize(("task", "told"), [(13, "an unlucky number"), (0, UNEXPECTED)], ids=["expected", "our bug"])
def test_a_task_that_fails_is_reported_and_the_next_is_done(qtbot: QtBot, task: int, told: str) -> None:
    thread = Doubling()
    seen: list[tuple[object, ...]] = []
    thread.failed.connect(lambda *news: seen.append(news))
    thread.doubled.connect(lambda *news: seen.append(news))
    with qtbot.waitSignal(thread.doubled):
        thread.start()
        thread.ask(task, 4)
    assert thread.stop()
    assert seen == [(task, told), (8,)]


def test_the_time_is_used_while_nothing_is_asked_and_a_task_comes_through_after_it(qtbot: QtBot) -> None:
    thread = Doubling(idle_after_s=0.0)
    with qtbot.waitSignal(thread.idled):
        thread.start()
    with qtbot.waitSignal(thread.doubled):
        thread.ask(1)
    assert thread.stop()


@pytest.mark.parametrize("must_finish", [False, True])
def test_waiting_tasks_are_dropped_at_the_end_unless_they_must_be_done(qtbot: QtBot, must_finish: bool) -> None:
    thread = Doubling()
    thread.must_finish = must_finish
    done: list[int] = []
    thread.doubled.connect(done.append)
    thread.ask(1, 2, 3)
    with thread._condition:
        thread._is_stopping = True
    thread.start()
    assert thread.stop()
    qtbot.waitUntil(lambda: done == ([2, 4, 6] if must_finish else []))
    assert len(thread.waiting) == (0 if must_finish else 3)
