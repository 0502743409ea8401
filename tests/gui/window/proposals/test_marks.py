"""The queue's reason is seen on the canvas, and what was missed is taken over with one key."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.document.change import Change
from maskwright.document.values import ImageState, InstanceState
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.previews import PreviewKind
from maskwright_gui.panels.image_model import REASON_ROLE

Key = Qt.Key


@pytest.fixture
def compared(qtbot: QtBot, labelled: Workbench, tmp_path: Path) -> Workbench:
    """A second model finds other things; the images are in the order of disagreement."""
    other = tiny_models.yolact(tmp_path / "other.xml", boxes=[[[0.0, 0.0, 0.2, 0.2], [0.8, 0.8, 1.0, 1.0]]])
    with qtbot.waitSignal(labelled.comparing.compared, timeout=30_000):
        labelled.comparing.compare(other)
    return labelled


def kinds(bench: Workbench) -> list[PreviewKind]:
    return [outline.kind for outline in bench.window.canvas.renderer.previews]


def go_to_missed(qtbot: QtBot, bench: Workbench) -> None:
    canvas = bench.window.canvas
    for _ in range(4):
        qtbot.keyClick(canvas, Key.Key_Q)
        if any(outline.is_current and outline.kind is PreviewKind.MISSED for outline in canvas.renderer.previews):
            return
    raise AssertionError("no missed object is gone to")


def test_disagreement_is_marked_on_both_sides(compared: Workbench) -> None:
    assert sorted(kind.value for kind in kinds(compared)) == ["missed", "missed", "uncertain", "uncertain"]
    labels = {outline.label for outline in compared.window.canvas.renderer.previews}
    assert "one model only" in labels
    assert any(label.startswith("missed? ") for label in labels)


def test_the_order_of_names_shows_no_marks(compared: Workbench) -> None:
    compared.images.panel.set_order("name")
    assert kinds(compared) == []


def test_an_answered_proposal_loses_its_mark(compared: Workbench) -> None:
    first = next(iter(compared.session.document))
    compared.session.select(frozenset({first.id}))
    compared.proposals.accept()
    assert kinds(compared).count(PreviewKind.UNCERTAIN) == 1


def test_enter_takes_over_what_was_missed(qtbot: QtBot, compared: Workbench) -> None:
    go_to_missed(qtbot, compared)
    qtbot.keyClick(compared.window.canvas, Key.Key_Return)
    added = [i for i in compared.session.document if i.state is InstanceState.ACCEPTED]
    assert len(added) == 1
    assert added[0].score is not None
    assert added[0].provenance.model_name == "other"
    assert kinds(compared).count(PreviewKind.MISSED) == 1


def test_x_dismisses_what_may_have_been_missed(qtbot: QtBot, compared: Workbench) -> None:
    go_to_missed(qtbot, compared)
    qtbot.keyClick(compared.window.canvas, Key.Key_X)
    assert kinds(compared).count(PreviewKind.MISSED) == 1
    compared.session.history.undo()
    assert kinds(compared).count(PreviewKind.MISSED) == 2


def test_a_candidate_below_the_threshold_is_taken_over_from_the_cache(qtbot: QtBot, labelled: Workbench) -> None:
    second = list(labelled.session.document)[1]
    labelled.session.edit(Change.delete([second]), "Delete")
    box = list(second.bounds_xyxy)
    labelled.session.project.stored.signals.set("uncertainty", {1: (1.0, {"reason": "", "boxes_xyxy": [box]})})
    go_to_missed(qtbot, labelled)
    qtbot.keyClick(labelled.window.canvas, Key.Key_Return)
    assert any(i.category_id == second.category_id for i in labelled.session.document)


def test_done_images_carry_no_marks(compared: Workbench) -> None:
    compared.session.set_image_state(ImageState.DONE)
    compared.uncertain.reload()
    assert kinds(compared) == []


def test_the_rarest_class_is_marked(qtbot: QtBot, labelled: Workbench) -> None:
    with qtbot.waitSignal(labelled.images.panel.order_changed):
        labelled.images.panel.set_order("rarity")
    assert {outline.label for outline in labelled.window.canvas.renderer.previews} == {"rare, 6 in the project"}


def test_each_row_of_the_queue_tells_its_reason(compared: Workbench) -> None:
    index = compared.images.rows.index(2)
    assert "found by only one model" in index.data(REASON_ROLE)


def test_rows_in_the_order_of_names_tell_no_reason(labelled: Workbench) -> None:
    assert labelled.images.rows.index(2).data(REASON_ROLE) == ""


def test_marks_say_what_is_doubtful(labelled: Workbench) -> None:
    boxes = [list(instance.bounds_xyxy) for instance in labelled.session.document]
    detail = {"reason": "", "boxes_xyxy": boxes, "kinds": ["class", "outline"], "rivals": ["dog", ""]}
    labelled.session.project.stored.signals.set("uncertainty", {1: (1.0, detail)})
    labelled.images.panel.set_order("uncertainty")
    assert [outline.label for outline in labelled.window.canvas.renderer.previews] == ["or dog?", "outline?"]
