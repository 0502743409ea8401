"""What to look at next, and why: order, uncertain places, search, effort."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QTabWidget
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.document.values import InstanceState
from maskwright.project.instances import InstanceRepository
from maskwright.review.report import effort_report
from maskwright_gui.app import Workbench
from maskwright_gui.features.effort import EffortDialog, class_row, summary_text
from maskwright_gui.features.history import HistoryDialog
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.effort_plots import rate_bars, score_bars, suggestion_bars

Key = Qt.Key


def test_most_doubtful_image_comes_first_with_its_reason(labelled: Workbench) -> None:
    project = labelled.session.project
    project.stored.signals.set("uncertainty", {5: (9.0, {"reason": "many doubts", "boxes_xyxy": []})})
    labelled.images.panel.set_order("uncertainty")
    assert labelled.images.rows.ids[0] == 5
    labelled.session.show_image(5)
    assert labelled.images.rows.reason(5) == "many doubts"


def test_classes_are_counted_beside_the_window(
    qtbot: QtBot, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, threads = threading.Event(), []
    count = InstanceRepository.category_images

    def counted(project: InstanceRepository) -> object:
        threads.append(threading.current_thread())
        gate.wait(20)
        return count(project)

    monkeypatch.setattr(InstanceRepository, "category_images", counted)
    labelled.images.panel.set_order("rarity")
    labelled.images.panel.search("0")  # while it counts
    assert (labelled.images.rows.order, labelled.images.rows.rowCount()) == ("name", 6)
    gate.set()
    qtbot.waitUntil(lambda: labelled.images.rows.order == "rarity")
    assert labelled.images.rows.reason(1).endswith("6 in the project")
    assert threading.main_thread() not in threads


def test_a_search_among_rare_classes_counts_nothing_again(
    qtbot: QtBot, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.waitSignal(labelled.images.panel.order_changed):
        labelled.images.panel.set_order("rarity")
    monkeypatch.setattr(InstanceRepository, "category_images", lambda _project: pytest.fail("counted again"))
    labelled.images.panel.search("003")
    assert [labelled.images.rows.record(row).file_name for row in range(labelled.images.rows.rowCount())] == ["003.png"]


def test_project_is_closed_while_the_classes_are_counted(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.images.panel.set_order("rarity")
    labelled.session.close_project()
    assert (labelled.images.rows.is_counting, labelled.images.rows.rowCount()) == (False, 0)


def test_batch_notes_doubts_by_itself(labelled: Workbench) -> None:
    assert labelled.session.project.stored.signals.get("uncertainty", 1) is not None


def test_next_doubt_selects_the_object_it_is_about(qtbot: QtBot, labelled: Workbench) -> None:
    second = list(labelled.session.document)[1]
    box = list(second.bounds_xyxy)
    labelled.session.project.stored.signals.set("uncertainty", {1: (1.0, {"reason": "", "boxes_xyxy": [box]})})
    qtbot.keyClick(labelled.window.canvas, Key.Key_Q)
    assert labelled.session.selection == {second.id}


def test_search_finds_images_by_what_is_on_them(labelled: Workbench) -> None:
    labelled.session.show_image(3)
    labelled.proposals.accept_above(0.0)
    labelled.session.save()
    labelled.images.panel.search("is:accepted")
    assert labelled.images.rows.ids.tolist() == [3]


def test_second_model_brings_the_images_where_they_disagree(qtbot: QtBot, labelled: Workbench, tmp_path: Path) -> None:
    other = tiny_models.yolact(tmp_path / "other.xml", boxes=[[[0.0, 0.0, 0.2, 0.2], [0.8, 0.8, 1.0, 1.0]]])
    before = [labelled.session.project.stored.instances.of(id_) for id_ in range(1, 7)]
    with qtbot.waitSignal(labelled.comparing.compared, timeout=30_000):
        labelled.comparing.compare(other)
    assert "found by only one model" in labelled.images.rows.reason(1)
    assert [labelled.session.project.stored.instances.of(id_) for id_ in range(1, 7)] == before


def test_effort_is_summed_up_by_class(labelled: Workbench) -> None:
    labelled.proposals.accept_above(0.85)
    labelled.proposals.reject_below(0.85)
    labelled.session.save()
    report = effort_report(labelled.session.project.stored)
    rows = [class_row(effort, "") for effort in report.classes]
    assert [(row[1], row[2], row[5]) for row in rows] == [("1", "1 (100%)", "0"), ("1", "0 (0%)", "1")]
    assert "of active work on 1 image." in summary_text(report)
    assert score_bars(report).texts == ["from 0.8: 1 of 2"]
    names = {category.id: category for category in labelled.session.classes.listed}
    assert rate_bars(report.classes, names).notes == ["1 of 1", "0 of 1"]
    assert suggestion_bars(report.classes, names).heights == []


def test_effort_report_shows_plots_and_the_switch(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.proposals.accept_above(0.0)
    dialog = open_effort(qtbot, labelled)
    titles = [bare(dialog.findChild(QTabWidget).tabText(tab)) for tab in range(4)]
    assert titles == [
        "Accepted unchanged, by class",
        "Accepted unchanged, by score",
        "Seconds per object",
        "Score to use",
    ]
    assert dialog.switch.isChecked()
    dialog.switch.click()
    assert not labelled.session.project.stored.effort.is_recorded


def test_recorded_effort_is_erased_on_request_only(
    qtbot: QtBot, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled.proposals.accept_above(0.0)
    dialog = open_effort(qtbot, labelled)
    answers = iter([QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Yes])
    monkeypatch.setattr(QMessageBox, "question", lambda *_: next(answers))
    dialog._on_forget()
    assert effort_report(labelled.session.project.stored).classes != ()
    dialog._on_forget()
    assert effort_report(labelled.session.project.stored).classes == ()
    assert {i.state for i in labelled.session.document} == {InstanceState.ACCEPTED}


def open_effort(qtbot: QtBot, bench: Workbench) -> EffortDialog:
    bench.effort.open()
    qtbot.waitUntil(lambda: bench.window.findChild(EffortDialog) is not None, timeout=20_000)
    return bench.window.findChild(EffortDialog)


def test_going_back_is_a_step_that_can_be_undone(labelled: Workbench) -> None:
    labelled.proposals.accept_above(0.0)
    labelled.history.open_with_times()
    dialog = labelled.window.findChildren(HistoryDialog)[-1]
    assert dialog.row_count == 2
    dialog.mark(1)
    dialog._on_back()
    assert {i.state for i in labelled.session.document} == {InstanceState.PROPOSED}
    labelled.editing.undo()
    assert {i.state for i in labelled.session.document} == {InstanceState.ACCEPTED}
