"""Running the model from the window: on one image, on all, while correcting, and closing in the middle."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from maskwright.document.values import ImageState, InstanceState
from maskwright.project.store import Project
from maskwright_gui.app import Workbench
from maskwright_gui.workers.requests import BatchState
from window_support import GatedModel

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def states(bench: Workbench) -> list[InstanceState]:
    return [instance.state for instance in bench.session.document]


def run_on_image(qtbot: QtBot, bench: Workbench) -> None:
    with qtbot.waitSignal(bench.model.predicted, timeout=20_000):
        qtbot.keyClick(bench.window.canvas, Key.Key_I)


def test_model_key_brings_proposals(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    assert states(opened) == [InstanceState.PROPOSED] * 2
    assert opened.objects.panel.model.rowCount() == 2
    assert len(opened.session.classes.listed) == 2


def test_enter_accepts_one_after_the_other(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    for _ in range(3):
        qtbot.keyClick(opened.window.canvas, Key.Key_Return)
    assert states(opened) == [InstanceState.ACCEPTED] * 2


def test_rejected_proposal_stays_rejected_after_another_run(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    qtbot.keyClick(opened.window.canvas, Key.Key_Return)
    qtbot.keyClick(opened.window.canvas, Key.Key_X)
    run_on_image(qtbot, opened)
    assert sorted(states(opened)) == [InstanceState.PROPOSED, InstanceState.REJECTED]
    assert opened.objects.panel.model.rowCount() == 1


def test_accept_above_takes_only_what_scores_enough(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    opened.proposals.accept_above(0.85)
    assert sorted(states(opened)) == [InstanceState.ACCEPTED, InstanceState.PROPOSED]


def test_accept_all_is_one_undo_step(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    opened.proposals.accept_above(0.0)
    opened.editing.undo()
    assert states(opened) == [InstanceState.PROPOSED] * 2


def test_failed_run_is_told_and_changes_nothing(qtbot: QtBot, opened: Workbench, model: GatedModel) -> None:
    run_on_image(qtbot, opened)
    model.failure = "the device went away"
    with qtbot.waitSignal(opened.model.told):
        qtbot.keyClick(opened.window.canvas, Key.Key_I)
    assert states(opened) == [InstanceState.PROPOSED] * 2
    assert "the device went away" in opened.window.toasts.messages[-1].detail


def test_correcting_goes_on_while_the_batch_waits(qtbot: QtBot, opened: Workbench, model: GatedModel) -> None:
    run_on_image(qtbot, opened)
    model.gate.clear()
    qtbot.keyClick(opened.window.canvas, Key.Key_I, CTRL | SHIFT)
    model.entered.acquire()
    opened.proposals.accept_above(0.0)
    model.gate.set()
    qtbot.waitUntil(lambda: opened.batch.state is BatchState.IDLE, timeout=20_000)
    opened.session.save()
    assert {i.state for i in opened.session.project.stored.instances.of(1)} == {InstanceState.ACCEPTED}
    assert len(opened.session.project.stored.instances.of(6)) == 2


def test_batch_shows_its_proposals_on_the_image_on_screen(qtbot: QtBot, opened: Workbench) -> None:
    with qtbot.waitSignal(opened.inference.batch.done, timeout=20_000):
        opened.batch.run()
    assert states(opened) == [InstanceState.PROPOSED] * 2
    assert "6 images pre-labelled" in [message.text for message in opened.window.toasts.messages]


def test_failures_of_a_batch_are_listed_with_reasons(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    (folder / "004.png").write_bytes(b"")
    with qtbot.waitSignal(opened.inference.batch.done, timeout=20_000):
        opened.batch.run()
    (failure,) = opened.batch.failures()
    assert failure.file_name == "004.png"
    assert "empty" in failure.reason


def test_a_failed_run_on_one_image_is_listed_until_one_succeeds(
    qtbot: QtBot, opened: Workbench, model: GatedModel
) -> None:
    model.failure = "the device went away"
    with qtbot.waitSignal(opened.model.told):
        qtbot.keyClick(opened.window.canvas, Key.Key_I)
    (failure,) = opened.batch.failures()
    assert (failure.file_name, failure.reason) == ("000.png", "the device went away")
    model.failure = None
    run_on_image(qtbot, opened)
    assert opened.batch.failures() == []


def test_the_panel_counts_what_the_list_of_failures_holds(
    qtbot: QtBot, opened: Workbench, model: GatedModel, folder: Path
) -> None:
    shown = next(one for one in opened.model.panel.findChildren(QPushButton) if "failed" in one.accessibleName())
    (folder / "004.png").write_bytes(b"")
    with qtbot.waitSignal(opened.inference.batch.done, timeout=20_000):
        opened.batch.run()
    model.failure = "the device went away"
    for image_id in (2, 5):  # one that fails only now, one that failed with the batch, too
        opened.session.show_image(image_id)
        with qtbot.waitSignal(opened.model.told):
            opened.model.run_on_image()
    qtbot.waitUntil(lambda: shown.text() == "2 failed…")
    assert len(opened.batch.failures()) == 2
    assert not shown.isHidden()


def test_images_that_failed_one_by_one_are_tried_again_together(
    qtbot: QtBot, opened: Workbench, model: GatedModel
) -> None:
    model.failure = "the device went away"
    for image_id in (2, 5):
        opened.session.show_image(image_id)
        with qtbot.waitSignal(opened.model.told):
            opened.model.run_on_image()
    model.failure = None
    opened.batch.retry_failures()
    qtbot.waitUntil(lambda: opened.batch.failures() == [], timeout=20_000)
    assert [len(opened.session.project.stored.instances.of(id_)) for id_ in range(1, 7)] == [0, 2, 0, 0, 2, 0]


def test_what_failed_in_a_batch_and_then_worked_by_hand_is_no_failure(
    qtbot: QtBot, opened: Workbench, folder: Path
) -> None:
    whole = (folder / "000.png").read_bytes()
    (folder / "000.png").write_bytes(b"")
    with qtbot.waitSignal(opened.inference.batch.done, timeout=20_000):
        opened.batch.run()
    assert len(opened.batch.failures()) == 1
    (folder / "000.png").write_bytes(whole)
    run_on_image(qtbot, opened)
    assert opened.batch.failures() == []


def test_closing_during_a_batch_stops_cleanly(qtbot: QtBot, opened: Workbench, model: GatedModel, folder: Path) -> None:
    model.gate.clear()
    opened.batch.run()
    model.entered.acquire()
    model.gate.set()
    opened.window.close()
    assert not opened.inference.isRunning()
    assert not opened.inference.batch.is_running
    with Project.open(folder) as project:
        assert {len(project.instances.of(id_)) for id_ in range(1, 7)} <= {0, 2}


def test_first_run_of_a_model_uses_its_own_operating_point(qtbot: QtBot, opened: Workbench) -> None:
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000) as first:
        qtbot.keyClick(opened.window.canvas, Key.Key_I)
    assert first.args[0].request.thresholds.score is None


def test_later_runs_use_the_thresholds_on_screen(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000) as later:
        qtbot.keyClick(opened.window.canvas, Key.Key_I)
    assert later.args[0].request.thresholds.score == opened.thresholds.strip.thresholds.score


def test_second_batch_with_the_same_thresholds_has_nothing_to_do(qtbot: QtBot, opened: Workbench) -> None:
    for _ in range(2):
        with qtbot.waitSignal(opened.inference.batch.done, timeout=20_000):
            opened.batch.run()
    assert "Nothing left to do" in [message.text for message in opened.window.toasts.messages]


def test_an_image_with_open_proposals_is_not_verified_empty(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    qtbot.keyClick(opened.window.canvas, Key.Key_Space)
    opened.session.save()
    assert opened.session.project.stored.images.record(1).state is ImageState.DONE
    (message,) = (message for message in opened.window.toasts.messages if message.action_text == "Go back")
    assert message.text == "2 proposals were not reviewed"
    message.action()
    assert opened.session.image.id == 1


def test_an_image_whose_proposals_were_rejected_is_verified_empty(qtbot: QtBot, opened: Workbench) -> None:
    run_on_image(qtbot, opened)
    opened.proposals.reject_below(1.0)
    qtbot.keyClick(opened.window.canvas, Key.Key_Space)
    opened.session.save()
    assert opened.session.project.stored.images.record(1).state is ImageState.EMPTY
    assert "Go back" not in [message.action_text for message in opened.window.toasts.messages]
