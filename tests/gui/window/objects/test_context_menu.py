"""The right mouse button on the canvas."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QMenu, QTreeWidget
from pytestqt.qtbot import QtBot

from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def proposed(qtbot: QtBot, opened: Workbench) -> Workbench:
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        opened.model.run_on_image()
    return opened


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def test_menu_on_an_object_selects_it(proposed: Workbench) -> None:
    (first, _) = proposed.session.document
    menu = proposed.menu.make([first.id])
    assert proposed.session.selection == {first.id}
    assert "Delete" in texts(menu)


def test_menu_beside_objects_offers_the_image(proposed: Workbench) -> None:
    menu = proposed.menu.make([])
    assert "Run model on this image" in texts(menu)
    assert "Delete" not in texts(menu)


def test_all_of_a_class_are_accepted_at_once(proposed: Workbench) -> None:
    first, second = proposed.session.document
    proposed.session.select(frozenset({second.id}))
    proposed.editing.set_category(first.category_id)
    proposed.editing.undo()
    proposed.proposals.accept_category(first.category_id)
    assert [i.state for i in proposed.session.document] == [InstanceState.ACCEPTED, InstanceState.PROPOSED]


@pytest.mark.parametrize(
    ("key", "modifiers", "states"),
    [
        (Qt.Key.Key_Return, CTRL | SHIFT, [InstanceState.PROPOSED, InstanceState.ACCEPTED]),
        (Qt.Key.Key_Backspace, CTRL | SHIFT, [InstanceState.PROPOSED, InstanceState.REJECTED]),
        (Qt.Key.Key_Return, CTRL, [InstanceState.ACCEPTED] * 2),
        (Qt.Key.Key_Backspace, CTRL, [InstanceState.REJECTED] * 2),
    ],
    ids=["accept the class", "reject the class", "accept in view", "reject in view"],
)
def test_proposals_are_answered_together_by_key(
    qtbot: QtBot,
    proposed: Workbench,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier,
    states: list[InstanceState],
) -> None:
    _, second = proposed.session.document
    proposed.session.select(frozenset({second.id}))
    qtbot.keyClick(proposed.window.canvas, key, modifiers)
    assert [instance.state for instance in proposed.session.document] == states


def test_menu_on_several_selected_objects_offers_to_put_them_together(proposed: Workbench) -> None:
    first, second = proposed.session.document
    proposed.session.select(frozenset({first.id, second.id}))
    assert {"Merge", "Group as parts of one object"} <= set(texts(proposed.menu.make([second.id])))
    proposed.session.select(frozenset({first.id}))
    assert "Merge" not in texts(proposed.menu.make([first.id]))


def choose(menu: QMenu, start: str) -> None:
    next(action for action in menu.actions() if action.text().startswith(start)).trigger()


def test_menu_of_an_object_renames_its_class_and_copies_its_name(qtbot: QtBot, classed: Workbench) -> None:
    choose(classed.menu.make([2]), "Copy the class name")
    assert QGuiApplication.clipboard().text() == "cat"

    choose(classed.menu.make([2]), "Rename the class “cat”")
    (editor,) = classed.classes.panel.findChildren(QTreeWidget)[0].viewport().findChildren(QLineEdit)
    qtbot.keyClicks(editor, "tom")
    qtbot.keyClick(editor, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: [each.name for each in classed.session.classes.listed] == ["cell", "tom"])


def test_menu_of_objects_of_two_classes_renames_neither(classed: Workbench) -> None:
    classed.session.select(frozenset({1, 2}))
    assert not any(text.startswith("Rename") for text in texts(classed.menu.make([1, 2])))


def test_menu_of_a_class_copies_its_name(classed: Workbench) -> None:
    tree = classed.classes.panel.findChildren(QTreeWidget)[0]
    choose(classed.classes.panel.make_menu(tree.topLevelItem(1)), "Copy name")
    assert QGuiApplication.clipboard().text() == "cat"
