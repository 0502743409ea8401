"""What a stranger does at the same time: classes, history, imports, batches, the tour and themes in combination."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, InstanceState
from maskwright.samples.project import open_sample_project
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.export import ExportDialog
from maskwright_gui.dialogs.import_preview import ImportPreviewDialog
from maskwright_gui.menu_letters import bare
from maskwright_gui.workers.requests import BatchState
from project_builders import drawn, square
from window_support import GatedModel, coco_with_a_dog

WAIT_MS = 20_000


@pytest.fixture
def classed(opened: Workbench) -> Workbench:
    """Two classes and an object of each on the first image."""
    for place, name in enumerate(("cell", "cat")):
        category = opened.classes.add(name)
        assert category is not None
        made = drawn(opened.session.new_instance_id(), square(5 + 20 * place, 5, 10), category_id=category.id)
        opened.session.edit(Change.create([made]), "Draw")
    return opened


def draw_triangle(bench: Workbench) -> None:
    canvas = bench.window.canvas
    for x, y in ((40, 30), (60, 30), (50, 45)):
        place = QPoint(*map(round, canvas.navigator.viewport.to_screen(x, y)))
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    QTest.keyClick(canvas, Qt.Key.Key_Return)


def test_a_class_that_is_hidden_while_it_is_drawn_in_keeps_its_object(classed: Workbench) -> None:
    session = classed.session
    current = session.classes.current_id
    classed.tools.use("polygon")
    canvas = classed.window.canvas
    place = QPoint(*map(round, canvas.navigator.viewport.to_screen(40, 30)))
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    classed.classes.panel.hide_requested.emit(current, True)
    assert canvas.is_busy
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    draw_triangle(classed)
    assert len(session.document) == 3
    assert max(session.document, key=lambda one: one.id).category_id == current


def test_a_deleted_class_comes_back_with_a_jump_of_the_history(qtbot: QtBot, classed: Workbench) -> None:
    session = classed.session
    cell = next(each for each in session.classes.listed if each.name == "cell")
    box = classed.classes.delete(cell.id)
    assert box is not None
    with qtbot.waitSignal(classed.classes.merged, timeout=WAIT_MS):
        next(button for button in box.buttons() if bare(button.text()).startswith("Delete with")).click()
    assert len(session.document) == 1
    classed.window.actions_table["history"].trigger()
    while session.history.latest_step is not None and len(session.document) != 2:
        session.history.undo()
    session.save()
    assert {each.name for each in session.classes.listed} == {"cell", "cat"}
    assert {one.category_id for one in session.document} == {each.id for each in session.classes.listed}


def test_an_import_that_is_looked_at_during_a_batch_is_taken_in_after_it_was_agreed_to(
    qtbot: QtBot, opened: Workbench, model: GatedModel, tmp_path: Path
) -> None:
    model.gate.clear()
    opened.batch.run()
    qtbot.waitUntil(lambda: opened.batch.state is BatchState.RUNNING, timeout=WAIT_MS)
    opened.exchange.look_into(coco_with_a_dog(tmp_path / "in.json", "003.png"))
    qtbot.waitUntil(lambda: bool(opened.window.findChildren(ImportPreviewDialog)), timeout=WAIT_MS)
    (dialog,) = opened.window.findChildren(ImportPreviewDialog)
    with qtbot.waitSignal(opened.exchange.imported, timeout=WAIT_MS):
        dialog._import.click()
    model.gate.set()
    qtbot.waitUntil(lambda: opened.batch.state is BatchState.IDLE, timeout=WAIT_MS)
    stored = opened.session.project.stored
    (imported,) = [one for one in stored.instances.of(4) if one.state.is_exported]
    assert next(each.name for each in stored.categories.listed() if each.id == imported.category_id) == "dog"


def test_enter_in_a_list_closes_the_outline_that_is_drawn_and_answers_no_proposal(
    qtbot: QtBot, labelled: Workbench
) -> None:
    session, canvas = labelled.session, labelled.window.canvas
    before = session.document
    labelled.tools.use("polygon")
    for point in ((30, 25), (45, 25), (45, 40)):
        place = QPoint(*map(round, canvas.navigator.viewport.to_screen(*point)))
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    table = labelled.objects.panel.table
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert not canvas.is_busy
    drawn = [each for each in session.document if each.state is InstanceState.DRAWN]
    assert len(drawn) == 1
    assert [each for each in session.document if each.id != drawn[0].id] == list(before)


def test_an_image_that_is_excluded_while_it_is_drawn_on_keeps_its_objects_and_undo(classed: Workbench) -> None:
    session = classed.session
    classed.tools.use("polygon")
    draw_triangle(classed)
    classed.window.actions_table["exclude_image"].trigger()
    assert session.image.standing is ImageStanding.EXCLUDED
    classed.window.actions_table["undo"].trigger()
    assert len(session.document) == 2
    classed.window.toasts.messages[-1].action()
    assert session.image.standing is ImageStanding.LISTED
    classed.window.actions_table["redo"].trigger()
    assert len(session.document) == 3


def test_the_tour_goes_on_over_dialogs_and_themes(qtbot: QtBot, bench: Workbench, tmp_path: Path) -> None:
    with open_sample_project(tmp_path / "samples") as project:
        path = project.path
    with qtbot.waitSignal(bench.projects.opened, timeout=WAIT_MS):
        bench.projects.open_path(path)
    qtbot.waitUntil(lambda: bench.tour.card is not None, timeout=WAIT_MS)
    bench.exchange.open_export()
    (dialog,) = bench.window.findChildren(ExportDialog)
    for _ in range(2):
        bench.window.actions_table["toggle_theme"].trigger()
    bench.window.resize(800, 500)
    assert bench.tour.card is not None
    assert bench.tour.card.isVisible()
    dialog.close()
    bench.window.actions_table["toggle_chrome"].trigger()
    bench.window.actions_table["toggle_chrome"].trigger()
    assert bench.tour.card is not None
    assert not bench.thresholds.strip.isVisible()
