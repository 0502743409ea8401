"""A model's classes become the project's: renamed, merged, left out."""

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench
from maskwright_gui.features.model.mapping import IGNORE, NEW, ClassMappingDialog
from window_support import GatedModel


@pytest.fixture
def labelled(qtbot: QtBot, opened: Workbench) -> Workbench:
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        opened.model.run_on_image()
    return opened


def open_dialog(qtbot: QtBot, bench: Workbench) -> ClassMappingDialog:
    with qtbot.waitSignal(bench.model.mapping_wanted, timeout=20_000):
        bench.model.map_classes()
    return bench.window.findChildren(ClassMappingDialog)[-1]


def test_two_classes_become_one_without_inference(qtbot: QtBot, labelled: Workbench, model: GatedModel) -> None:
    labelled.classes.add("cell")
    cell = labelled.session.classes.listed[-1]
    dialog = open_dialog(qtbot, labelled)
    for label in model.labels:
        dialog.choose(label.id, cell.id)
    dialog._on_accepted()
    qtbot.waitUntil(lambda: {i.category_id for i in labelled.session.document} == {cell.id})
    assert model.predict_count == 1


def test_typed_names_rename_and_merge(qtbot: QtBot, labelled: Workbench, model: GatedModel) -> None:
    dialog = open_dialog(qtbot, labelled)
    for label, typed in zip(model.labels, ("Vehicle", " vehicle "), strict=False):
        box = next(box for box in dialog.findChildren(QComboBox) if box.accessibleName() == f"{label.name} becomes")
        box.lineEdit().selectAll()
        qtbot.keyClicks(box.lineEdit(), typed)
    dialog._on_accepted()
    names = {category.id: category.name for category in labelled.session.classes.listed}
    qtbot.waitUntil(lambda: {names.get(i.category_id) for i in labelled.session.document} == {"Vehicle"})
    assert model.predict_count == 1


def test_ignored_class_is_left_out(qtbot: QtBot, labelled: Workbench, model: GatedModel) -> None:
    dialog = open_dialog(qtbot, labelled)
    dialog.choose(model.labels[0].id, IGNORE)
    dialog._on_accepted()
    qtbot.waitUntil(lambda: len(labelled.session.document) == 1)


def test_mapping_is_offered_again_as_it_was_chosen(qtbot: QtBot, labelled: Workbench, model: GatedModel) -> None:
    dialog = open_dialog(qtbot, labelled)
    dialog.choose(model.labels[0].id, IGNORE)
    dialog._on_accepted()
    assert open_dialog(qtbot, labelled).choice(model.labels[0].id) == IGNORE


def test_classes_of_the_same_name_are_guessed(qtbot: QtBot, opened: Workbench, model: GatedModel) -> None:
    opened.classes.add(model.labels[0].name.upper())
    dialog = open_dialog(qtbot, opened)
    assert dialog.choice(model.labels[0].id) == opened.session.classes.listed[0].id
    assert dialog.choice(model.labels[1].id) == NEW


def test_accepted_objects_keep_their_class(qtbot: QtBot, labelled: Workbench, model: GatedModel) -> None:
    labelled.proposals.accept_above(0.0)
    before = [i.category_id for i in labelled.session.document]
    dialog = open_dialog(qtbot, labelled)
    for label in model.labels:
        dialog.choose(label.id, IGNORE)
    with qtbot.waitSignal(labelled.preview.ready):
        dialog._on_accepted()
    assert [i.category_id for i in labelled.session.document] == before
    assert {i.state for i in labelled.session.document} == {InstanceState.ACCEPTED}
