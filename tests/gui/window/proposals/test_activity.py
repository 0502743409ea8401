"""Clicks, keys and active seconds: counted wherever they land, kept with the step they led to."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from maskwright.document.change import IDLE_S, Change, UserEffort
from maskwright_gui.activity import Activity
from maskwright_gui.app import Workbench
from project_builders import drawn


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def activity(clock: Clock) -> Activity:
    return Activity(clock=clock)


@pytest.fixture
def field(qtbot: QtBot, activity: Activity) -> Iterator[QLineEdit]:
    """In a window that has the focus."""
    field = QLineEdit()
    with qtbot.waitActive(field):
        field.show()
        field.activateWindow()
    activity.take()
    yield field
    field.close()


def test_clicks_and_keys_are_counted_until_they_are_taken(activity: Activity, field: QLineEdit) -> None:
    window = field.windowHandle()
    QTest.mouseClick(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(3, 3))
    QTest.keyClick(window, Qt.Key.Key_A)
    QTest.keyClick(window, Qt.Key.Key_B)

    taken = activity.take()

    assert (taken.clicks, taken.keys) == (1, 2)
    assert (activity.take().clicks, activity.take().keys) == (0, 0)


def test_a_key_that_a_shortcut_takes_counts_once(activity: Activity, field: QLineEdit) -> None:
    taken: list[str] = []
    QShortcut(QKeySequence("F7"), field, lambda: taken.append("F7"))

    for key in (Qt.Key.Key_F7, Qt.Key.Key_F7, Qt.Key.Key_A, Qt.Key.Key_A):
        QTest.keyClick(field.windowHandle(), key)

    assert (taken, activity.take().keys) == (["F7", "F7"], 4)


def test_idle_time_is_cut(activity: Activity, field: QLineEdit, clock: Clock) -> None:
    QTest.keyClick(field.windowHandle(), Qt.Key.Key_A)
    activity.take()
    clock.now += 4.0
    QTest.keyClick(field.windowHandle(), Qt.Key.Key_B)
    clock.now += 3600.0
    QTest.keyClick(field.windowHandle(), Qt.Key.Key_C)
    clock.now += 1.0

    assert activity.take().active_s == pytest.approx(4.0 + IDLE_S + 1.0)


def test_a_step_is_stored_with_what_it_took(opened: Workbench) -> None:
    session = opened.session
    session.take_gesture = lambda: UserEffort(2, 1, 3.5)
    session.project.stored.ensure_categories([(1, "cell")])

    session.edit(Change.create([drawn(session.new_instance_id())]), "Draw")
    session.history.undo()
    session.save()

    assert [entry.gesture for entry in session.project.stored.history.of(1)] == [UserEffort(2, 1, 3.5)] * 2


def test_looking_at_an_image_is_counted_when_it_is_left(opened: Workbench) -> None:
    opened.session.take_gesture = lambda: UserEffort(0, 1, 3.5)

    opened.session.show_image(2)
    opened.session.save()

    assert opened.session.project.stored.effort.looks() == {1: UserEffort(0, 1, 3.5)}


def test_leafing_through_images_is_not_looking(opened: Workbench) -> None:
    opened.session.take_gesture = lambda: UserEffort(0, 1, 0.1)

    opened.session.show_image(2)
    opened.session.save()

    assert opened.session.project.stored.effort.looks() == {}
