"""Finding the like in the window; what is found is foretold."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from pytestqt.qtbot import QtBot

from maskwright.assist.like import Gallery
from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, Instance, InstanceState, Provenance
from maskwright.errors import ModelError
from maskwright.operations.alike import Examples, Found
from maskwright_gui.app import Workbench
from maskwright_gui.features.alike.searching import Searcher
from maskwright_gui.menu_letters import bare
from maskwright_gui.messages import Message
from project_builders import square

ORIGIN = Provenance("assist net, like 1 object", "h", 0.0, 1.0, "2026-01-01T00:00:00Z")


class Finding:
    """Stands for the assistant: four squares on every image, less and less alike."""

    def __init__(self) -> None:
        self.looked: list[int] = []
        self.failure: str | None = None

    def begin(self, _searcher: Searcher, _image_id: int, examples: Any, _monitor: Any) -> Examples:
        if self.failure is not None:
            raise ModelError(self.failure)
        gallery = Gallery(np.zeros((1, 4), np.float32), np.ones(1), np.ones(1))
        return Examples(gallery, examples[0].category_id, len(examples), ORIGIN)

    def look(self, _searcher: Searcher, image_id: int, *_: Any) -> list[Found]:
        self.looked.append(image_id)
        return [Found((square(12 * k, 30, 8),), None, 0.9 - 0.2 * k) for k in range(4)]


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch) -> Iterator[Finding]:
    found = Finding()
    monkeypatch.setattr(Searcher, "begin", lambda *arguments: found.begin(*arguments))
    monkeypatch.setattr(Searcher, "look", lambda *arguments: found.look(*arguments))
    return found


@pytest.fixture
def searched(qtbot: QtBot, finding: Finding, opened: Workbench) -> Workbench:
    """With one object outlined, of which the like were looked for."""
    opened.classes.add("bolt")
    drawn = Instance(opened.session.new_instance_id(), opened.session.classes.listed[0].id, (square(2, 2, 8),))
    opened.session.edit(Change.create([drawn]), "Draw")
    opened.session.select(frozenset({drawn.id}))
    opened.alike.find()
    finish(qtbot, opened)
    return opened


def finish(qtbot: QtBot, bench: Workbench) -> None:
    qtbot.waitUntil(lambda: not bench.alike.is_working, timeout=20_000)


def proposed(bench: Workbench, image_id: int | None = None) -> list[float | None]:
    document = bench.session.document if image_id is None else bench.session.document_of(image_id)
    return [one.score for one in document or () if one.state is InstanceState.PROPOSED]


def move(bench: Workbench, threshold: float) -> None:
    bench.alike.bar.slider.setValue(round(100 * threshold))


def test_the_like_are_proposed_in_one_step(searched: Workbench) -> None:
    assert proposed(searched) == [0.9, 0.7, 0.5]
    assert searched.alike.bar.text == "3 of 4"
    assert searched.session.history.undo() == "Find similar objects"
    assert proposed(searched) == []


def test_the_slider_proposes_more_or_fewer_and_remains_one_step(searched: Workbench) -> None:
    move(searched, 0.2)
    assert (proposed(searched), searched.alike.bar.text) == ([0.9, 0.7, 0.5, 0.3], "4 of 4")
    move(searched, 0.8)
    assert proposed(searched) == [0.9]
    searched.session.history.undo()
    assert searched.session.history.undo_label == "Draw"


def test_what_would_come_and_go_is_shown_while_the_slider_is_held(searched: Workbench) -> None:
    searched.alike.bar.slider.setSliderDown(True)
    move(searched, 0.6)
    assert searched.alike.bar.text == "2 of 4"
    assert proposed(searched) == [0.9, 0.7, 0.5]
    searched.alike.bar.slider.setSliderDown(False)
    assert proposed(searched) == [0.9, 0.7]


def test_what_was_rejected_stays_rejected(searched: Workbench) -> None:
    document = searched.session.document
    assert document is not None
    first = next(one.id for one in document if one.state is InstanceState.PROPOSED)
    searched.session.select(frozenset({first}))
    searched.proposals.reject()
    move(searched, 0.2)
    assert proposed(searched) == [0.7, 0.5, 0.3]


def test_the_images_that_are_gone_to_are_looked_through_if_that_is_wanted(
    qtbot: QtBot, searched: Workbench, finding: Finding
) -> None:
    searched.images.next_image()
    assert searched.alike.bar.text == "not searched"
    searched.alike.bar.follows_toggled.emit(True)
    searched.images.next_image()
    qtbot.waitUntil(lambda: proposed(searched) == [0.9, 0.7, 0.5])
    assert finding.looked == [1, 3]
    searched.images.previous_image()
    searched.images.previous_image()
    assert searched.alike.bar.text == "3 of 4"


def test_the_next_images_are_looked_through_at_once(qtbot: QtBot, searched: Workbench, finding: Finding) -> None:
    searched.alike.find_on_next(2)
    finish(qtbot, searched)
    assert finding.looked == [1, 2, 3]
    assert proposed(searched, 2) == [0.9, 0.7, 0.5]
    move(searched, 0.6)
    searched.images.next_image()
    assert proposed(searched) == [0.9, 0.7]
    assert searched.session.history.undo() == "Find similar objects"


def test_closing_the_bar_leaves_what_was_proposed(searched: Workbench) -> None:
    searched.alike.bar.closed.emit()
    assert not searched.alike.bar.isVisible()
    assert proposed(searched) == [0.9, 0.7, 0.5]


def test_without_an_example_it_says_what_it_needs(opened: Workbench) -> None:
    opened.alike.find()
    assert opened.window.toasts.messages[-1].text == "Outline or select an object first"


def test_an_assistant_that_cannot_is_told_and_nothing_stays_open(
    qtbot: QtBot, searched: Workbench, finding: Finding
) -> None:
    finding.failure = "this assistant cannot compare objects"
    searched.alike.find()
    finish(qtbot, searched)
    assert finding.failure in searched.window.toasts.messages[-1].detail
    assert not searched.alike.bar.isVisible()


def test_another_project_ends_the_search(searched: Workbench) -> None:
    searched.session.close_project()
    assert not searched.alike.bar.isVisible()


@pytest.mark.parametrize("road", ["merge", "delete"])
def test_nothing_more_is_proposed_of_a_class_that_is_gone(qtbot: QtBot, searched: Workbench, road: str) -> None:
    bolt, nut = searched.session.classes.listed[0], searched.classes.add("nut")
    assert nut is not None
    box = searched.classes.merge(bolt.id, nut.id) if road == "merge" else searched.classes.delete(bolt.id)
    assert box is not None
    (button,) = (each for each in box.buttons() if bare(each.text()).startswith(("Merge", "Delete with")))
    with qtbot.waitSignal(searched.classes.merged):
        button.click()
    for threshold in (0.8, 0.2):
        move(searched, threshold)
    assert not searched.alike.bar.isVisible()
    assert [each.name for each in searched.session.classes.listed] == ["nut"]
    assert {one.category_id for one in searched.session.document or ()} == ({nut.id} if road == "merge" else set())


def test_images_out_of_the_set_are_passed_over(qtbot: QtBot, searched: Workbench, finding: Finding) -> None:
    searched.image_standing.ask_for([2], ImageStanding.EXCLUDED)
    searched.alike.find_on_next(2)
    finish(qtbot, searched)
    assert finding.looked == [1, 3, 4]


@pytest.mark.parametrize("width", [1440, 1100], ids=["wide", "narrow"])
def test_no_message_covers_the_bar(qtbot: QtBot, searched: Workbench, width: int) -> None:
    window, bar = searched.window, searched.alike.bar
    window.resize(width, 700)
    for number in range(3):
        window.toasts.show_message(Message(f"Something to know, {number}", "With a detail."))
    bar.show_counts(1000, 10_000)
    qtbot.waitUntil(bar.isVisible)
    on_bar, on_messages = (QRect(each.mapToGlobal(QPoint(0, 0)), each.size()) for each in (bar, window.toasts))
    assert not on_messages.intersects(on_bar)
    searched.alike.close()
    assert window.toasts.geometry().bottom() > window.canvas.height() - 20
