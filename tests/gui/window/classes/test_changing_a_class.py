"""Another class for an object takes two presses where it is a likely one, and three where it is any other."""

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.class_picker import ClassPicker
from project_builders import drawn, square


@pytest.fixture
def eighty(opened: Workbench) -> Workbench:
    """80 classes, and an object of the first of them."""
    session = opened.session
    session.project.stored.categories.ensure([(each.id, each.name) for each in COCO_CATEGORIES])
    session.classes.reload()
    session.edit(Change.create([drawn(session.new_instance_id(), square(5, 5, 20))]), "Draw")
    return opened


def point_at_object(bench: Workbench, qtbot: QtBot) -> None:
    canvas = bench.window.canvas
    qtbot.mouseMove(canvas, QPoint(1, 1))  # the pointer of the test before may rest where this one goes
    qtbot.mouseMove(canvas, QPoint(*map(round, canvas.navigator.viewport.to_screen(15, 15))))
    qtbot.waitUntil(lambda: canvas.id_under_pointer is not None)


def class_of_object(bench: Workbench) -> str:
    (instance,) = bench.session.document
    return next(each.name for each in bench.session.classes.listed if each.id == instance.category_id)


def test_the_object_pointed_at_gets_any_class_by_three_keys(eighty: Workbench, qtbot: QtBot) -> None:
    point_at_object(eighty, qtbot)
    qtbot.keyClick(eighty.window.canvas, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    picker = eighty.window.findChildren(ClassPicker)[-1]
    qtbot.waitUntil(picker.isActiveWindow)
    qtbot.keyClick(picker.focusWidget(), Qt.Key.Key_Z)
    qtbot.keyClick(picker.focusWidget(), Qt.Key.Key_Return)
    assert class_of_object(eighty) == "zebra"


def test_a_letter_finds_the_class_used_last_before_others(eighty: Workbench, qtbot: QtBot) -> None:
    truck = next(each.id for each in eighty.session.classes.listed if each.name == "truck")
    eighty.session.classes.set_current(truck)
    point_at_object(eighty, qtbot)
    eighty.classes.pick_for_selection()
    picker = eighty.window.findChildren(ClassPicker)[-1]
    picker._field.setText("t")
    assert picker._list.item(0).text().startswith("truck")


def test_the_menu_of_an_object_gives_it_a_likely_class(eighty: Workbench) -> None:
    dog = next(each.id for each in eighty.session.classes.listed if each.name == "dog")
    eighty.session.classes.set_current(dog)
    menu = eighty.menu.make([instance.id for instance in eighty.session.document])
    menu.actions()[0].trigger()
    assert class_of_object(eighty) == "dog"


def test_while_drawing_what_is_pointed_at_keeps_its_class(eighty: Workbench, qtbot: QtBot) -> None:
    eighty.tools.use("polygon")
    point_at_object(eighty, qtbot)
    eighty.classes.pick_for_selection()
    assert not eighty.session.selection


def test_what_a_model_knows_is_found_by_a_few_letters(opened: Workbench, qtbot: QtBot) -> None:
    opened.session.project.stored.categories.offer([(67, "dining table")])
    opened.session.classes.reload()
    opened.classes.pick_for_selection()
    picker = opened.window.findChildren(ClassPicker)[-1]
    qtbot.waitUntil(picker.isActiveWindow)
    qtbot.keyClicks(picker._field, "di")
    qtbot.keyClick(picker._field, Qt.Key.Key_Return)
    assert [(each.id, each.name) for each in opened.session.classes.listed] == [(67, "dining table")]
