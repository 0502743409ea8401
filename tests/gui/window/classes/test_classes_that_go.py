"""A model's class goes with its last proposal, unless the user asked for it; what comes back is as it was."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from maskwright.document.palette import category_colour
from maskwright_gui.app import Workbench

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
MoveTo = Callable[[float], None]


def names(bench: Workbench) -> list[str]:
    return [category.name for category in bench.session.classes.listed]


@pytest.fixture
def move_to(qtbot: QtBot, labelled: Workbench) -> MoveTo:
    """Moves the score, which above 0.9 leaves no proposal, and waits until all images and the classes follow."""

    def move(score: float) -> None:
        expected = sum(one > score for one in (0.9, 0.8))
        with qtbot.waitSignal(labelled.thresholds.applied_everywhere, timeout=20_000):
            labelled.thresholds.strip.set_score(score)
        labelled.session.save()
        qtbot.waitUntil(lambda: len(labelled.session.document) == expected)

    return move


def test_a_class_without_proposals_goes_and_comes_back_with_the_score(
    qtbot: QtBot, labelled: Workbench, move_to: MoveTo
) -> None:
    before, keys = names(labelled), dict(labelled.session.classes.keys)
    assert before

    move_to(0.95)
    qtbot.waitUntil(lambda: names(labelled) == [])
    assert labelled.session.project.stored.categories.listed() == ()

    move_to(0.5)
    qtbot.waitUntil(lambda: names(labelled) == before)
    assert labelled.session.classes.keys == keys


def test_a_class_that_the_user_worked_on_stays_for_redo(labelled: Workbench, move_to: MoveTo) -> None:
    (kept, *_) = names(labelled)
    labelled.proposals.accept_above(0.85)
    labelled.editing.undo()
    labelled.session.save()

    move_to(0.95)

    assert names(labelled) == [kept]


def test_a_class_that_the_user_picked_stays_until_another_is_picked(
    qtbot: QtBot, labelled: Workbench, move_to: MoveTo
) -> None:
    (first, second) = labelled.session.classes.listed
    assert labelled.session.classes.current_id == first.id
    labelled.session.classes.pick(second.id)

    move_to(0.95)

    assert names(labelled) == [second.name]
    labelled.session.classes.set_current(0)
    labelled.session.classes.reload()
    assert names(labelled) == []


def test_hiding_reordering_or_a_digit_of_its_own_keeps_a_class(
    qtbot: QtBot, labelled: Workbench, move_to: MoveTo
) -> None:
    before = labelled.session.classes.current_id
    labelled.classes.set_key(before, 7)
    qtbot.waitUntil(lambda: labelled.session.project.stored.categories.listed() != ())

    move_to(0.95)

    assert labelled.session.classes.keys == {7: before}


def test_colours_stay_when_classes_are_added_or_deleted(qtbot: QtBot, opened: Workbench) -> None:
    stored = opened.session.project.stored
    stored.ensure_categories([(1, "person"), (44, "bottle"), (67, "table"), (79, "oven")])
    stored.categories.delete(1)
    opened.session.classes.reload()

    def colours() -> dict[str, tuple[int, int, int]]:
        return {each.name: category_colour(each) for each in opened.session.classes.listed}

    first = colours()
    opened.classes.add("person")  # its stable colour resembles that of the oven
    assert {name: colours()[name] for name in first} == first
    assert len(set(colours().values())) == 4
    added = colours()
    path = opened.session.project.path
    opened.projects.close_project()
    with qtbot.waitSignals([opened.projects.opened, opened.projects.images_added], timeout=20_000):
        opened.projects.open_path(path)
    assert colours() == added
    with qtbot.waitSignal(opened.classes.merged):
        opened.classes.delete(1)
    assert colours() == first


def test_a_deleted_class_comes_back_with_its_digit(qtbot: QtBot, classed: Workbench) -> None:
    classed.classes.set_key(1, 7)
    box = classed.classes.delete(1)
    assert box is not None
    with qtbot.waitSignal(classed.classes.merged):
        next(each for each in box.buttons() if each.text().replace("&", "").startswith("Delete with")).click()
    assert 7 not in classed.session.classes.keys
    assert classed.classes.add("dog") is not None

    classed.session.history.undo()

    assert classed.session.classes.keys[7] == 1


def test_deleting_the_class_of_an_outline_being_drawn_says_which_it_gets(qtbot: QtBot, opened: Workbench) -> None:
    told: list[str] = []
    opened.classes.told.connect(lambda message: told.append(message.detail))
    cat, dog = (opened.classes.add(name) for name in ("cat", "dog"))
    opened.tools.use("polygon")
    canvas = opened.window.canvas
    for x, y in ((5, 5), (20, 5), (20, 20)):
        qtbot.mouseClick(canvas, LEFT, pos=QPoint(*map(round, canvas.navigator.viewport.to_screen(x, y))))

    with qtbot.waitSignal(opened.classes.merged):
        opened.classes.delete(dog.id)

    assert canvas.is_busy
    assert "now of the class “cat”" in told[-1]
    qtbot.keyClick(canvas, Key.Key_Return)
    assert [each.category_id for each in opened.session.document] == [cat.id]


def test_merging_the_class_one_draws_with_continues_with_its_target(qtbot: QtBot, opened: Workbench) -> None:
    first, second, third = (opened.classes.add(name) for name in ("cat", "dog", "fox"))
    assert opened.session.classes.current_id == third.id
    box = opened.classes.merge(third.id, second.id)
    assert box is not None
    with qtbot.waitSignal(opened.classes.merged):
        box.accept()
    assert opened.session.classes.current_id == second.id
    assert first.id in {each.id for each in opened.session.classes.listed}


def test_hiding_the_class_one_draws_with_continues_with_one_that_is_shown(classed: Workbench) -> None:
    classed.session.classes.pick(2)

    classed.class_list.hide(2, True)

    assert classed.session.classes.current_id == 1
