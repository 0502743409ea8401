"""The list of classes: in the user's order, without what is hidden, and, where it is long, without what is not used."""

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright_gui.app import Workbench
from maskwright_gui.panels.class_tree import CLASS_ID, ClassTree
from project_builders import drawn

CAR, DOG, CAT = "car", "dog", "cat"


def tree_of(bench: Workbench) -> ClassTree:
    return bench.classes.panel._tree


def listed(bench: Workbench) -> list[str]:
    return [item.text(1) for item in tree_of(bench).items if not item.isHidden()]


def id_of(bench: Workbench, name: str) -> int:
    return next(each.id for each in bench.session.classes.listed if each.name == name)


@pytest.fixture
def classed(opened: Workbench) -> Workbench:
    for name in (CAR, DOG, CAT):
        opened.classes.add(name)
    return opened


def drop(tree: ClassTree, row: int, onto: int, *, below: bool) -> None:
    tree.setCurrentItem(tree.items[row])
    box = tree.visualItemRect(tree.items[onto])
    at = QPoint(box.center().x(), box.bottom() - 1 if below else box.top() + 1)
    event = QDropEvent(
        at, Qt.DropAction.MoveAction, QMimeData(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.source = lambda: tree  # type: ignore[method-assign]  # only a drag of the desktop has one
    tree.dropEvent(event)


def test_a_class_is_dragged_to_another_place_and_keeps_its_digit(classed: Workbench) -> None:
    drop(tree_of(classed), 2, 0, below=False)
    assert listed(classed) == [CAT, CAR, DOG]
    assert [item.text(0) for item in tree_of(classed).items] == ["3", "1", "2"]


def test_a_class_is_moved_by_keys(classed: Workbench) -> None:
    tree = tree_of(classed)
    tree.setCurrentItem(tree.items[0])
    QTest.keyClick(tree, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert listed(classed) == [DOG, CAR, CAT]
    QTest.keyClick(tree, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert listed(classed) == [DOG, CAT, CAR]


def test_order_and_hiding_stay_with_the_project(classed: Workbench, qtbot: QtBot) -> None:
    classed.class_list.reorder((id_of(classed, CAT), id_of(classed, CAR), id_of(classed, DOG)))
    classed.class_list.hide(id_of(classed, DOG), True)
    folder = classed.session.project.image_root
    classed.projects.close_project()
    with qtbot.waitSignal(classed.projects.opened):
        classed.projects.open_path(folder)
    assert listed(classed) == [CAT, CAR]


def test_hiding_a_class_leaves_its_objects_and_can_be_taken_back(classed: Workbench) -> None:
    dog = id_of(classed, DOG)
    id_ = classed.session.new_instance_id()
    classed.session.edit(Change.create([drawn(id_, category_id=dog)]), "Draw")
    classed.class_list.hide(dog, True)
    assert listed(classed) == [CAR, CAT]
    assert id_ in classed.session.document
    classed.window.toasts.messages[-1].action()
    assert listed(classed) == [CAR, DOG, CAT]


def test_a_class_that_occurs_later_takes_no_digit_from_another(classed: Workbench) -> None:
    classed.session.project.stored.categories.add("aeroplane", id=90)
    before = classed.session.classes.keys
    classed.session.project.stored.categories.offer([(4, "motorcycle")])
    id_ = classed.session.new_instance_id()
    new = next(each.id for each in classed.session.project.stored.categories.offered())
    classed.session.edit(Change.create([drawn(id_, category_id=new)]), "Draw")
    assert {digit: classed.session.classes.keys[digit] for digit in before} == before


def test_the_right_button_chooses_no_class(classed: Workbench) -> None:
    tree = tree_of(classed)
    before = classed.session.classes.current_id
    other = next(item for item in tree.items if item.data(0, CLASS_ID) != before)
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.RightButton, pos=tree.visualItemRect(other).center())
    assert classed.session.classes.current_id == before


def test_of_many_classes_those_that_occur_are_listed(opened: Workbench, qtbot: QtBot) -> None:
    session = opened.session
    session.project.stored.ensure_categories([(each.id, each.name) for each in COCO_CATEGORIES])
    session.classes.reload()
    person, zebra = session.classes.listed[0], session.classes.listed[22]
    session.edit(Change.create([drawn(session.new_instance_id(), category_id=zebra.id)]), "Draw")
    session.save()
    opened.class_list.count_used()
    qtbot.waitUntil(lambda: not opened.class_list.is_working)
    assert listed(opened) == [person.name, zebra.name]  # the first is the one that comes next
    opened.classes.add("my own")
    qtbot.waitUntil(lambda: not opened.class_list.is_working)
    assert listed(opened)[-1] == "my own"
    opened.classes.panel._whole.click()
    assert len(listed(opened)) == 81


def test_what_is_typed_finds_classes_that_do_not_occur(opened: Workbench, qtbot: QtBot) -> None:
    opened.session.project.stored.ensure_categories([(each.id, each.name) for each in COCO_CATEGORIES])
    opened.session.classes.reload()
    qtbot.waitUntil(lambda: not opened.class_list.is_working)
    assert len(listed(opened)) == 1
    opened.classes.panel._search.setText("giraf")
    assert listed(opened) == ["giraffe"]
