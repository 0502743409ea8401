"""Two classes made one from the classes panel: asked first, done beside the window, taken back from toast or menu."""

from dataclasses import replace

from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.project.categories import CategoryUse
from maskwright_gui.app import Workbench
from maskwright_gui.features.classes.sentences import what_merges
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.image_query import ImageQuery
from project_builders import square

CELL, CAT = 1, 2


def merge(qtbot: QtBot, bench: Workbench) -> None:
    box = bench.classes.merge(CELL, CAT)
    with qtbot.waitSignal(bench.classes.merged):
        next(button for button in box.buttons() if bare(button.text()) == "Merge").click()


def shown(bench: Workbench) -> dict[int, int]:
    return {instance.id: instance.category_id for instance in bench.session.document}


def test_nothing_happens_until_it_is_confirmed(classed: Workbench) -> None:
    box = classed.classes.merge(CELL, CAT)
    assert "1 object on 1 image" in box.informativeText()

    box.button(QMessageBox.StandardButton.Cancel).click()

    assert shown(classed) == {1: CELL, 2: CAT}
    assert len(classed.session.classes.listed) == 2


def test_objects_list_and_filter_follow(qtbot: QtBot, classed: Workbench) -> None:
    merge(qtbot, classed)

    assert shown(classed) == {1: CAT, 2: CAT}
    assert [category.name for category in classed.session.classes.listed] == ["cat"]
    assert ImageQuery(text="class:cell").image_ids(classed.session.project.stored).tolist() == [1]


def test_earlier_steps_can_still_be_undone_and_the_merge_too(qtbot: QtBot, classed: Workbench) -> None:
    session = classed.session
    session.edit(edits.delete(session.document, [1]), "Delete")
    merge(qtbot, classed)

    classed.editing.undo()
    assert shown(classed) == {1: CAT, 2: CAT}

    (standing,) = session.project.stored.merges.all()
    with qtbot.waitSignal(classed.classes.merged):
        classed.classes.undo_merge(standing.id)
    assert shown(classed) == {1: CELL, 2: CAT}
    classed.editing.redo()
    assert shown(classed) == {2: CAT}


def test_a_copy_made_before_the_merge_is_pasted_in_the_class_of_today(qtbot: QtBot, classed: Workbench) -> None:
    classed.session.select(frozenset({1}))
    classed.shapes.copy()
    merge(qtbot, classed)

    classed.shapes.paste()

    qtbot.waitUntil(lambda: set(shown(classed).values()) == {CAT} and len(shown(classed)) == 3)


def test_a_gesture_begun_before_another_change_keeps_its_outcome(classed: Workbench) -> None:
    session = classed.session
    begun = session.document
    session.edit(edits.set_category(begun, [1], CAT), "Change class")
    moved = Change.of([(begun[1], replace(begun[1], polygons=(square(30),)))])

    assert session.edit(moved, "Move object")

    assert session.document[1].polygons == (square(30),)
    session.history.undo()
    assert session.document[1].category_id == CAT


def test_the_menu_of_the_classes_offers_targets_and_the_way_back(qtbot: QtBot, classed: Workbench) -> None:
    panel = classed.classes.panel
    menu = panel.make_menu(panel._tree.topLevelItem(0))
    submenu = next(action.menu() for action in menu.actions() if action.text() == "Merge into")
    assert [action.text() for action in submenu.actions()] == ["cat"]

    merge(qtbot, classed)

    assert [action.text() for action in panel.make_menu(None).actions()] == ["Undo the merge of “cell”"]


def test_the_question_states_what_is_concerned() -> None:
    text = what_merges(CategoryUse(1234, 12, 56), "cell", "cat")

    assert text.startswith("1,234 objects (12 of them rejected) on 56 images will become “cat”")
