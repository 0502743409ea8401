"""When a finger leaves a key: repetition is no release, whether Qt has recognised it or not."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from pytestqt.qtbot import QtBot

from maskwright_gui.held_key import QUICKEST_REPEAT_MS, HeldKey

PRESS, RELEASE = QEvent.Type.KeyPress, QEvent.Type.KeyRelease


def key_event(kind: QEvent.Type, at_ms: int, *, key: Qt.Key = Qt.Key.Key_W, is_repeat: bool = False) -> QKeyEvent:
    event = QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, "", is_repeat)
    event.setTimestamp(at_ms)
    return event


@pytest.fixture
def held(qtbot: QtBot) -> Iterator[HeldKey]:
    owner = QObject()
    yield HeldKey(owner)
    owner.deleteLater()


def test_a_tap_is_told_at_once(held: HeldKey) -> None:
    told: list[int] = []
    held.let_go.connect(told.append)
    assert held.press(key_event(PRESS, 1000))
    held.release(key_event(RELEASE, 1000 + QUICKEST_REPEAT_MS - 1))
    assert told == [QUICKEST_REPEAT_MS - 1]


def test_a_pair_of_the_same_moment_is_repetition(qtbot: QtBot, held: HeldKey) -> None:
    told: list[int] = []
    held.let_go.connect(told.append)
    held.press(key_event(PRESS, 1000))
    for at_ms in (1660, 1700, 1740):
        held.release(key_event(RELEASE, at_ms))
        assert not held.press(key_event(PRESS, at_ms))
    with qtbot.waitSignal(held.let_go):
        held.release(key_event(RELEASE, 1900))
    assert told == [900]


def test_marked_repetition_is_passed_over(held: HeldKey) -> None:
    held.press(key_event(PRESS, 1000))
    held.release(key_event(RELEASE, 1660, is_repeat=True))
    assert not held.press(key_event(PRESS, 1660, is_repeat=True))
    assert held.key == Qt.Key.Key_W


def test_the_next_press_is_told_after_the_release_before_it(held: HeldKey) -> None:
    told: list[int] = []
    held.let_go.connect(told.append)
    held.press(key_event(PRESS, 1000))
    held.release(key_event(RELEASE, 1400))
    assert held.press(key_event(PRESS, 1410))
    assert told == [400]


def test_other_keys_do_not_end_it(held: HeldKey) -> None:
    held.press(key_event(PRESS, 1000))
    held.release(key_event(RELEASE, 1010, key=Qt.Key.Key_Shift))
    assert held.key == Qt.Key.Key_W
