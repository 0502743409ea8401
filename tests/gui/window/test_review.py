"""What to look at next, and why: order, doubtful places, search, effort."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.document.values import InstanceState
from maskwright.review.report import effort_report
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.effort import ScoreBars, class_row, summary_text
from maskwright_gui.dialogs.history import HistoryDialog

Key = Qt.Key


@pytest.fixture
def labelled(qtbot: QtBot, opened: Workbench) -> Workbench:
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()
    qtbot.waitUntil(lambda: len(opened.session.document) == 2)
    return opened


def test_most_doubtful_image_comes_first_with_its_reason(labelled: Workbench) -> None:
    project = labelled.session.project
    project.set_signals("uncertainty", {5: (9.0, {"reason": "many doubts", "boxes_xyxy": []})})
    labelled.window.images.set_order("uncertainty")
    assert labelled.rows.ids[0] == 5
    labelled.session.show_image(5)
    assert labelled.rows.reason(5) == "many doubts"


def test_batch_notes_doubts_by_itself(labelled: Workbench) -> None:
    assert labelled.session.project.signal("uncertainty", 1) is not None


def test_next_doubt_selects_the_object_it_is_about(qtbot: QtBot, labelled: Workbench) -> None:
    second = list(labelled.session.document)[1]
    box = list(second.bounds_xyxy)
    labelled.session.project.set_signals("uncertainty", {1: (1.0, {"reason": "", "boxes_xyxy": [box]})})
    qtbot.keyClick(labelled.window.canvas, Key.Key_Q)
    assert labelled.session.selection == {second.id}


def test_search_finds_images_by_what_is_on_them(labelled: Workbench) -> None:
    labelled.session.show_image(3)
    labelled.edits.accept_above(0.0)
    labelled.session.save()
    labelled.window.images.search("is:accepted")
    assert labelled.rows.ids.tolist() == [3]


def test_second_model_brings_the_images_where_they_disagree(qtbot: QtBot, labelled: Workbench, tmp_path: Path) -> None:
    other = tiny_models.yolact(tmp_path / "other.xml", boxes=[[[0.0, 0.0, 0.2, 0.2], [0.8, 0.8, 1.0, 1.0]]])
    before = [labelled.session.project.instances(id_) for id_ in range(1, 7)]
    with qtbot.waitSignal(labelled.review.compared, timeout=30_000):
        labelled.review.compare(other)
    assert "found by one model only" in labelled.rows.reason(1)
    assert [labelled.session.project.instances(id_) for id_ in range(1, 7)] == before


def test_effort_is_summed_up_by_class(labelled: Workbench) -> None:
    labelled.edits.accept_above(0.85)
    labelled.edits.reject_below(0.85)
    labelled.session.save()
    report = effort_report(labelled.session.project)
    rows = [class_row(effort, "") for effort in report.classes]
    assert [(row[1], row[2], row[4]) for row in rows] == [("1", "1 (100%)", "0"), ("1", "0 (0%)", "1")]
    assert "of active work on 1 images" in summary_text(report)
    assert "from 0.8: 1 of 2" in ScoreBars(report.answered_by_score).accessibleName()


def test_going_back_is_a_step_that_can_be_undone(labelled: Workbench) -> None:
    labelled.edits.accept_above(0.0)
    labelled.review.open_history()
    dialog = labelled.window.findChildren(HistoryDialog)[-1]
    assert dialog.row_count == 2
    dialog.mark(1)
    dialog._on_back()
    assert {i.state for i in labelled.session.document} == {InstanceState.PROPOSED}
    labelled.edits.undo()
    assert {i.state for i in labelled.session.document} == {InstanceState.ACCEPTED}
