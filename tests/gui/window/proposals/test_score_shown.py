"""The score that the slider shows is the one that the proposals on screen were chosen with."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QCheckBox, QToolButton
from pytestqt.qtbot import QtBot

from maskwright.document.values import ImageState, InstanceState
from maskwright_gui.app import Workbench

MoveTo = Callable[[float], None]


@pytest.fixture
def move_to(qtbot: QtBot, labelled: Workbench) -> MoveTo:
    """Moves the score and waits until the image on screen follows."""

    def move(score: float) -> None:
        labelled.thresholds.strip.set_score(score)
        qtbot.waitUntil(lambda: not labelled.thresholds._is_keeping)
        labelled.session.save()
        expected = sum(one > score for one in (0.9, 0.8))
        qtbot.waitUntil(lambda: len(labelled.session.document) == expected)

    return move


def shown(bench: Workbench) -> float:
    return bench.thresholds.strip.score


def only_this_image(bench: Workbench) -> None:
    (switch,) = (box for box in bench.thresholds.strip.findChildren(QCheckBox) if box.text() == "All images")
    switch.setChecked(False)


def reopen(qtbot: QtBot, bench: Workbench) -> None:
    path = bench.session.project.path
    bench.projects.close_project()
    with qtbot.waitSignals([bench.projects.opened, bench.projects.images_added], timeout=20_000):
        bench.projects.open_path(path)


def test_what_undo_brings_back_has_its_own_score(qtbot: QtBot, labelled: Workbench, move_to: MoveTo) -> None:
    labelled.proposals.accept_above(0.0)
    labelled.session.show_image(2)
    move_to(0.1)
    reopen(qtbot, labelled)
    labelled.session.show_image(1)
    assert shown(labelled) == 0.1

    labelled.editing.undo()

    assert shown(labelled) == 0.5
    labelled.session.show_image(2)
    assert shown(labelled) == 0.1
    labelled.session.show_image(1)
    assert shown(labelled) == 0.5


def test_an_image_that_was_worked_on_keeps_its_proposals_and_their_score(labelled: Workbench, move_to: MoveTo) -> None:
    labelled.session.set_image_state(ImageState.IN_PROGRESS)
    labelled.session.show_image(2)
    move_to(0.85)

    labelled.session.show_image(1)

    assert (shown(labelled), len(labelled.session.document)) == (0.5, 2)


def test_a_score_for_one_image_goes_back_for_the_next(labelled: Workbench, move_to: MoveTo) -> None:
    only_this_image(labelled)
    move_to(0.85)

    labelled.session.show_image(2)

    assert (shown(labelled), len(labelled.session.document)) == (0.5, 2)
    labelled.session.show_image(1)
    assert (shown(labelled), len(labelled.session.document)) == (0.85, 1)


@pytest.mark.parametrize("score", [0.85, 0.95], ids=["some left", "none left"])
def test_a_score_for_one_image_is_known_after_reopening(
    qtbot: QtBot, labelled: Workbench, move_to: MoveTo, score: float
) -> None:
    only_this_image(labelled)
    move_to(score)

    reopen(qtbot, labelled)

    labelled.session.show_image(1)
    assert shown(labelled) == score
    labelled.session.show_image(3)
    assert shown(labelled) == 0.5


def test_a_score_for_all_images_replaces_that_of_one(qtbot: QtBot, labelled: Workbench, move_to: MoveTo) -> None:
    only_this_image(labelled)
    move_to(0.95)
    labelled.session.show_image(2)
    labelled.thresholds.strip.scope_switch.setChecked(True)
    with qtbot.waitSignal(labelled.thresholds.applied_everywhere, timeout=20_000):
        move_to(0.85)

    labelled.session.show_image(1)

    qtbot.waitUntil(lambda: len(labelled.session.document) == 1)
    assert shown(labelled) == 0.85


def test_the_batch_runs_with_the_score_of_all_images(qtbot: QtBot, labelled: Workbench, move_to: MoveTo) -> None:
    only_this_image(labelled)
    move_to(0.85)
    assert labelled.model.wanted_thresholds().score == 0.5
    assert labelled.model.wanted_thresholds(1).score == 0.85
    assert labelled.model.wanted_thresholds(2).score == 0.5


def test_a_press_goes_back_to_the_models_score(qtbot: QtBot, labelled: Workbench, move_to: MoveTo) -> None:
    strip = labelled.thresholds.strip
    (button,) = (one for one in strip.findChildren(QToolButton) if one.accessibleName() == "Back to the model's score")
    assert not button.isEnabled()
    move_to(0.85)

    button.click()

    qtbot.waitUntil(lambda: len(labelled.session.document) == 2)
    assert shown(labelled) == 0.5
    assert not button.isEnabled()


def test_classes_that_are_proposed_are_those_of_all_images(labelled: Workbench) -> None:
    only_this_image(labelled)
    strip = labelled.thresholds.strip
    strip.set_thresholds(replace(strip.thresholds, left_out=(2,)))

    strip.released.emit(strip.thresholds)

    assert labelled.thresholds.of_project.left_out == (2,)


def test_which_images_a_score_is_for_is_remembered(qtbot: QtBot, bench: Workbench) -> None:
    only_this_image(bench)
    again = Workbench(bench.settings)
    qtbot.addWidget(again.window)
    assert not again.thresholds.strip.reaches_all
    again.stop()


def test_answers_leave_the_slider_alone(labelled: Workbench, move_to: MoveTo) -> None:
    move_to(0.4)
    labelled.editing.select_all()
    labelled.proposals.accept()
    assert {one.state for one in labelled.session.document} == {InstanceState.ACCEPTED}
    assert shown(labelled) == 0.4
