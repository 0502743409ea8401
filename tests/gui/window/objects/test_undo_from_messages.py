"""The button of a message takes back what the message is about, and nothing else."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench
from maskwright_gui.messages import Message


@pytest.fixture
def messages(qtbot: QtBot, opened: Workbench) -> list[Message]:
    """Told after all proposals of the image on screen were accepted."""
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()
    qtbot.waitUntil(lambda: len(opened.session.document) == 2)
    messages: list[Message] = []
    for source in (opened.proposals, opened.editing):
        source.told.connect(messages.append)
    opened.proposals.accept_above(0.0)
    return messages


def states(bench: Workbench) -> set[InstanceState]:
    return {instance.state for instance in bench.session.document}


def test_it_takes_the_answer_back(opened: Workbench, messages: list[Message]) -> None:
    messages[0].action()

    assert states(opened) == {InstanceState.PROPOSED}


def test_it_leaves_later_steps_alone_and_says_so(opened: Workbench, messages: list[Message]) -> None:
    document = opened.session.document
    opened.session.edit(edits.set_locked(document, list(document.instances), True), "Lock")
    before = opened.session.document

    messages[0].action()

    assert opened.session.document is before
    assert "no longer the latest step" in messages[-1].text


def test_it_leaves_another_image_alone(opened: Workbench, messages: list[Message]) -> None:
    opened.session.show_image(2)
    opened.proposals.accept_above(0.0)

    messages[0].action()

    assert states(opened) == {InstanceState.ACCEPTED}


def test_it_goes_when_another_image_comes(opened: Workbench, messages: list[Message]) -> None:
    opened.window.toasts.show_message(Message("Something to know"))

    opened.session.show_image(2)

    assert messages[0].text not in [message.text for message in opened.window.toasts.messages]
    assert "Something to know" in [message.text for message in opened.window.toasts.messages]


def test_what_was_rejected_by_mistake_is_proposed_again(
    qtbot: QtBot, opened: Workbench, messages: list[Message]
) -> None:
    messages[0].action()
    opened.proposals.reject_below(1.0)
    assert states(opened) == {InstanceState.REJECTED}

    qtbot.keyClick(opened.window.canvas, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)

    assert states(opened) == {InstanceState.PROPOSED}


def test_twice_is_once(opened: Workbench, messages: list[Message]) -> None:
    messages[0].action()
    messages[0].action()

    assert states(opened) == {InstanceState.PROPOSED}
    assert "no longer the latest step" in messages[-1].text


def test_where_nothing_was_done_there_is_nothing_to_take_back(opened: Workbench, messages: list[Message]) -> None:
    opened.proposals.accept_above(0.0)

    assert messages[-1].action is None
