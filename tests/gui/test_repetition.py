"""A held key of X11, as Qt passes it on: releases and presses of the same moment, not marked."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from maskwright_gui.held_key import UnmarkedRepetition

PRESS, RELEASE = QEvent.Type.KeyPress, QEvent.Type.KeyRelease


class Listener(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.presses: list[int] = []

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == PRESS:
            self.presses.append(event.timestamp())
        return super().event(event)


@pytest.fixture
def listener(qtbot: QtBot) -> Listener:
    """Return happens once, all other keys repeat."""
    listener = Listener()
    qtbot.addWidget(listener)
    UnmarkedRepetition(listener, lambda keys: keys == QKeySequence("Return"))
    listener.show()
    qtbot.waitExposed(listener)
    return listener


def send(listener: Listener, kind: QEvent.Type, at_ms: int, *, key: Qt.Key = Qt.Key.Key_Return) -> None:
    event = QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier)
    event.setTimestamp(at_ms)
    QApplication.sendEvent(listener.windowHandle(), event)


def test_a_pair_of_the_same_moment_is_passed_over(listener: Listener) -> None:
    send(listener, PRESS, 1000)
    for at_ms in (1660, 1700):
        send(listener, RELEASE, at_ms)
        send(listener, PRESS, at_ms)
    assert listener.presses == [1000]


def test_fast_taps_all_count(listener: Listener) -> None:
    for at_ms in (1000, 1010, 1020):
        send(listener, PRESS, at_ms)
        send(listener, RELEASE, at_ms + 5)
    assert listener.presses == [1000, 1010, 1020]


def test_keys_that_repeat_go_on(listener: Listener) -> None:
    send(listener, PRESS, 1000, key=Qt.Key.Key_D)
    send(listener, RELEASE, 1660, key=Qt.Key.Key_D)
    send(listener, PRESS, 1660, key=Qt.Key.Key_D)
    assert listener.presses == [1000, 1660]


def test_another_key_of_the_same_moment_counts(listener: Listener) -> None:
    send(listener, RELEASE, 1000, key=Qt.Key.Key_X)
    send(listener, PRESS, 1000)
    assert listener.presses == [1000]
