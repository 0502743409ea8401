"""Images are excluded and removed in the window, by row, by action and back."""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QMenu
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.values import ImageStanding
from maskwright_gui.app import Workbench
from maskwright_gui.menu_letters import bare
from project_builders import drawn
from window_support import GatedModel

LISTED, EXCLUDED, REMOVED = ImageStanding


def choose(bench: Workbench, image_id: int, text: str) -> None:
    """In the menu of the row."""
    menu = bench.image_menu.make(image_id)
    next(action for action in menu.actions() if action.text() == text).trigger()


def filters(bench: Workbench) -> list[str]:
    box = bench.images.panel.findChild(QComboBox)
    return [box.itemText(row) for row in range(box.count()) if not box.view().isRowHidden(row)]


def undo(bench: Workbench) -> None:
    bench.window.toasts.messages[-1].action()


@pytest.fixture
def worked_on(opened: Workbench) -> Workbench:
    """An object on the first image."""
    opened.classes.add("cell")
    opened.session.edit(Change.create([drawn(opened.session.new_instance_id())]), "Draw")
    return opened


def test_an_excluded_image_is_listed_as_such_and_not_counted(opened: Workbench) -> None:
    choose(opened, 2, "Exclude from the data set")
    assert opened.images.rows.record(1).standing is EXCLUDED
    assert "All images (6)" in filters(opened)
    assert "Excluded (1)" in filters(opened)
    assert opened.window.header._count.text() == "0 of 5 done"
    undo(opened)
    assert opened.images.rows.record(1).standing is LISTED
    assert not any(text.startswith("Excluded") for text in filters(opened))


def test_steps_lead_past_excluded_images(opened: Workbench) -> None:
    choose(opened, 2, "Exclude from the data set")
    opened.images.next_image()
    assert opened.session.image.id == 3
    opened.images.previous_image()
    assert opened.session.image.id == 1


def test_done_ends_at_the_last_image_that_is_part_of_the_set(opened: Workbench) -> None:
    for image_id in (5, 6):
        choose(opened, image_id, "Exclude from the data set")
    opened.session.show_image(4)
    opened.images.done()
    assert opened.session.image.id == 4
    assert opened.window.toasts.messages[-1].text == "End of the list"


def test_no_model_runs_on_an_excluded_image(opened: Workbench, model: GatedModel) -> None:
    opened.window.actions_table["exclude_image"].trigger()
    opened.model.run_on_image()
    assert opened.window.toasts.messages[-1].text == "This image is excluded"
    assert model.predict_count == 0


def test_a_removed_image_goes_out_of_sight_and_comes_back(opened: Workbench) -> None:
    choose(opened, 1, "Remove from the project")
    assert opened.images.rows.ids.tolist() == [2, 3, 4, 5, 6]
    assert opened.session.image.id == 2
    box = opened.images.panel.findChild(QComboBox)
    box.setCurrentIndex(box.findText("Removed (1)"))
    assert opened.images.rows.ids.tolist() == [1]
    choose(opened, 1, "Include in the data set again")
    assert "All images (6)" in filters(opened)
    assert box.currentIndex() == 0


def test_removing_an_image_with_objects_asks_and_undo_brings_them_back(worked_on: Workbench, qtbot: QtBot) -> None:
    box = worked_on.image_standing.ask_for([1], REMOVED)
    assert box is not None
    assert worked_on.images.rows.row_of(1) == 0
    next(button for button in box.buttons() if bare(button.text()) == "Remove").click()
    assert worked_on.images.rows.row_of(1) is None
    undo(worked_on)
    assert worked_on.session.image.id == 1
    assert len(worked_on.session.document) == 1


def test_the_only_image_can_be_removed(opened: Workbench) -> None:
    for image_id in (2, 3, 4, 5, 6, 1):
        choose(opened, image_id, "Remove from the project")
    assert len(opened.images.rows.ids) == 0
    undo(opened)
    assert opened.images.rows.ids.tolist() == [1]


def select_rows(bench: Workbench, first: int, last: int) -> None:
    """By a click and a click with Shift."""
    view = bench.images.panel.list_view
    for row, held in ((first, Qt.KeyboardModifier.NoModifier), (last, Qt.KeyboardModifier.ShiftModifier)):
        view.scrollTo(view.model().index(row, 0))
        place = view.visualRect(view.model().index(row, 0)).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, held, place)


def test_many_rows_are_selected_by_shift_and_excluded_at_once(opened: Workbench) -> None:
    select_rows(opened, 1, 3)
    assert opened.images.panel.selected_ids == [2, 3, 4]
    assert opened.session.image.id == 4
    opened.window.actions_table["exclude_image"].trigger()
    assert opened.window.header._count.text() == "0 of 3 done"
    assert opened.window.toasts.messages[-1].text == "3 images are excluded"
    undo(opened)
    assert opened.window.header._count.text() == "0 of 6 done"


def test_ctrl_takes_a_row_out_of_the_selection_again(opened: Workbench) -> None:
    select_rows(opened, 0, 2)
    view = opened.images.panel.list_view
    place = view.visualRect(view.model().index(1, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, place)
    assert opened.images.panel.selected_ids == [1, 3]


def test_a_step_to_another_image_ends_the_selection(opened: Workbench, qtbot: QtBot) -> None:
    select_rows(opened, 0, 2)
    opened.images.next_image()
    qtbot.waitUntil(lambda: opened.images.panel.selected_ids == [4])


def test_the_menu_on_a_selected_row_is_about_all_of_them(opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    select_rows(opened, 1, 3)
    asked: list[list[int]] = []
    monkeypatch.setattr(opened.image_menu, "make_for_several", asked.append)
    view = opened.images.panel.list_view
    view.customContextMenuRequested.emit(view.visualRect(view.model().index(2, 0)).center())
    assert asked == [[2, 3, 4]]


def test_the_menu_of_several_rows_says_how_many_each_row_of_it_is_about(opened: Workbench) -> None:
    choose(opened, 2, "Exclude from the data set")
    menu = opened.image_menu.make_for_several([1, 2, 3])
    assert isinstance(menu, QMenu)
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert [re.findall(r"\d", text) for text in texts] == [["2"], ["1"], ["2"], ["3"], []], texts


def test_removing_several_asks_where_one_has_been_worked_on(worked_on: Workbench) -> None:
    box = worked_on.image_standing.ask_for([1, 2, 3], REMOVED)
    assert box is not None
    assert "1 of them" in box.informativeText()
    next(button for button in box.buttons() if bare(button.text()) == "Remove").click()
    assert worked_on.images.rows.ids.tolist() == [4, 5, 6]
    assert worked_on.session.image.id == 4
    undo(worked_on)
    assert worked_on.images.rows.ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert worked_on.session.image.id == 1
