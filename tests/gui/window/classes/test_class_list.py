"""Classes in the window: deleted with their objects or without, listed once they occur, found by name."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QTreeWidget
from pytestqt.qtbot import QtBot

from maskwright.inference.labels import COCO_CATEGORIES
from maskwright.prelabel import project_categories
from maskwright.project import ModelProposal
from maskwright_gui.app import Workbench
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.categories import MOST_WITHOUT_SEARCH
from project_builders import square
from window_support import GatedModel, image_folder

CELL, CAT = 1, 2


def names(bench: Workbench) -> list[str]:
    return [category.name for category in bench.session.classes.listed]


def press(box: QMessageBox, text: str) -> None:
    next(button for button in box.buttons() if bare(button.text()).startswith(text)).click()


def test_a_class_is_deleted_with_its_objects_once_that_is_confirmed(qtbot: QtBot, classed: Workbench) -> None:
    box = classed.classes.delete(CELL)
    assert box is not None and "1 object on 1 image" in box.informativeText()
    assert names(classed) == ["cell", "cat"]

    with qtbot.waitSignal(classed.classes.merged):
        press(box, "Delete with 1 object")

    assert (names(classed), [each.id for each in classed.session.document]) == (["cat"], [2])


def test_enter_deletes_no_objects(classed: Workbench) -> None:
    box = classed.classes.delete(CELL)
    assert box is not None
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)


def test_undo_brings_the_objects_and_their_class_back(qtbot: QtBot, classed: Workbench) -> None:
    box = classed.classes.delete(CELL)
    assert box is not None
    with qtbot.waitSignal(classed.classes.merged):
        press(box, "Delete with")

    classed.session.history.undo()
    classed.session.save()

    assert (names(classed), len(classed.session.document)) == (["cell", "cat"], 2)


def test_a_class_without_objects_is_deleted_at_once(qtbot: QtBot, classed: Workbench) -> None:
    dog = classed.classes.add("dog")
    assert dog is not None

    with qtbot.waitSignal(classed.classes.merged):
        assert classed.classes.delete(dog.id) is None

    assert names(classed) == ["cell", "cat"]


def test_classes_that_a_model_only_knows_are_not_listed_until_one_occurs(opened: Workbench) -> None:
    session = opened.session
    mapping = project_categories(session.project.stored, COCO_CATEGORIES, "coco")
    session.classes.reload()
    assert names(opened) == []

    change = session.project.stored.put_proposals(
        session.image.id, [ModelProposal(mapping[18], 0.9, (square(),))], provenance=None
    )
    session.take_stored(session.image.id, change)

    assert names(opened) == ["dog"]


def test_many_classes_are_found_by_name(opened: Workbench, folder: Path) -> None:
    opened.window.show()
    search = next(
        each for each in opened.classes.panel.findChildren(QLineEdit) if each.accessibleName() == "Find a class"
    )
    assert not search.isVisible()
    for index in range(MOST_WITHOUT_SEARCH + 1):
        opened.classes.add(f"kind {index}")

    assert search.isVisible()
    search.setText("KIND 12")

    tree = opened.classes.panel.findChild(QTreeWidget)
    shown = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    assert [item.text(1) for item in shown if not item.isHidden()] == ["kind 12"]


def test_a_class_that_is_deleted_while_a_batch_proposes_it_leaves_no_object_without_a_class(
    qtbot: QtBot, opened: Workbench, model: GatedModel
) -> None:
    project = opened.session.project
    opened.model.choose("tiny.xml")
    opened.model.run_on_image()
    qtbot.waitUntil(lambda: len(opened.session.document) == 2, timeout=20_000)
    gone = opened.session.classes.listed[0]
    model.gate.clear()
    opened.batch.run()
    qtbot.waitUntil(lambda: opened.inference.batch.is_running, timeout=20_000)

    with qtbot.waitSignal(opened.classes.merged, timeout=20_000):
        box = opened.classes.delete(gone.id)
        assert box is not None
        press(box, "Delete with")
    model.gate.set()
    qtbot.waitUntil(lambda: not opened.inference.batch.is_running, timeout=20_000)
    opened.session.save()

    listed = {category.id for category in project.stored.categories.listed()}
    assert {each.category_id for id_ in range(1, 7) for each in project.stored.instances.of(id_)} <= listed
    assert project.stored.set_aside.all() == []
    assert {each.category_id for each in opened.session.document} <= {each.id for each in opened.session.classes.listed}


def begin_renaming(qtbot: QtBot, bench: Workbench, name: str) -> QLineEdit:
    """The field that a double click on a class opens."""
    tree = bench.classes.panel.findChild(QTreeWidget)
    item = next(item for item in tree.items if item.text(1) == name)
    at = tree.visualItemRect(item).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
    return tree.viewport().findChild(QLineEdit)


def test_a_double_click_renames_and_the_keys_stay_in_the_list(qtbot: QtBot, classed: Workbench) -> None:
    before = classed.session.document
    classed.session.select(frozenset({2}))
    editor = begin_renaming(qtbot, classed, "cell")
    qtbot.keyClicks(editor, "blood 2")
    qtbot.keyClick(editor, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: names(classed) == ["blood 2", "cat"])
    assert [each.category_id for each in classed.session.document] == [each.category_id for each in before]
    assert classed.window.focusWidget() is classed.classes.panel.findChild(QTreeWidget)


def test_a_class_that_comes_while_another_is_renamed_does_not_disturb_the_typing(
    qtbot: QtBot, classed: Workbench
) -> None:
    editor = begin_renaming(qtbot, classed, "cell")
    qtbot.keyClicks(editor, "blo")
    classed.session.project.stored.categories.add("dog")
    classed.session.classes.reload()
    qtbot.keyClicks(classed.window.focusWidget(), "od")
    qtbot.keyClick(classed.window.focusWidget(), Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: names(classed) == ["blood", "cat", "dog"])
    tree = classed.classes.panel.findChild(QTreeWidget)
    assert [item.text(1) for item in tree.items] == ["blood", "cat", "dog"]


def test_a_name_that_is_being_typed_is_not_taken_for_a_class_of_the_next_project(
    qtbot: QtBot, classed: Workbench, tmp_path: Path
) -> None:
    editor = begin_renaming(qtbot, classed, "cell")
    qtbot.keyClicks(editor, "blood")
    with qtbot.waitSignals([classed.projects.opened, classed.projects.images_added], timeout=20_000):
        classed.projects.open_path(image_folder(tmp_path / "other", 2))
    classed.classes.add("nucleus")
    qtbot.keyClick(classed.window.focusWidget(), Qt.Key.Key_Return)
    QApplication.processEvents()

    assert names(classed) == ["nucleus"]
    tree = classed.classes.panel.findChild(QTreeWidget)
    assert [item.text(1) for item in tree.items] == ["nucleus"]
