"""Another class for an object takes two presses where it is a likely one, and three where it is any other."""

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.quick import ClassPicker
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


class Seen:
    """What a model has said of an image."""

    def __init__(self, image_id: int, *ids: int) -> None:
        self.image_id, self._ids = image_id, ids

    def classes_at(self, _box_xyxy: object) -> tuple[int, ...]:
        return self._ids


def rows(bench: Workbench) -> list[str]:
    picker = bench.window.findChildren(ClassPicker)[-1]
    return [picker._list.item(row).text() for row in range(picker._list.count())]


def test_what_the_model_holds_possible_there_stands_first_and_is_marked(eighty: Workbench) -> None:
    session = eighty.session
    instance = next(iter(session.document))
    others = [each for each in session.classes.listed if each.id != instance.category_id]
    eighty.classes.likely.note_seen(Seen(session.image.id, instance.category_id, others[5].id, others[2].id))
    session.select(frozenset({instance.id}))
    eighty.classes.pick_for_selection()
    picker = eighty.window.findChildren(ClassPicker)[-1]
    assert picker.marked_name == others[5].name
    assert [text.split("  ")[0] for text in rows(eighty)[:2]] == [others[5].name, others[2].name]
    picker._take(picker._list.currentItem())
    assert session.document[instance.id].category_id == others[5].id


def test_what_it_has_seen_on_another_image_says_nothing(eighty: Workbench) -> None:
    session = eighty.session
    instance = next(iter(session.document))
    other = next(each for each in session.classes.listed if each.id != instance.category_id)
    eighty.classes.likely.note_seen(Seen(session.image.id + 1, other.id))
    session.select(frozenset({instance.id}))
    eighty.classes.pick_for_selection()
    current = next(each.name for each in session.classes.listed if each.id == instance.category_id)
    assert eighty.window.findChildren(ClassPicker)[-1].marked_name == current
