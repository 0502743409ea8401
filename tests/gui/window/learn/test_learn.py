"""Learning from the window: one press, progress, the result, and the new model put to work."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from learning_builders import learning_project, octagon
from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance
from maskwright.errors import MaskwrightError
from maskwright.learning import learn as learning
from maskwright.learning import requirements
from maskwright.learning.events import LearnProgress
from maskwright.learning.gate import Figures
from maskwright.learning.learn import LearnOutcome
from maskwright.learning.looks import HeldOutComparison, HeldOutImage, MatchedObject
from maskwright.learning.requirements import Missing
from maskwright.learning.rounds import RoundRecord, add_round, learning_folder, looks_path
from maskwright.prelabel.mapping import stored_mapping
from maskwright.project import ModelProposal
from maskwright_gui.app import Workbench
from maskwright_gui.features.learn import words
from maskwright_gui.features.learn.dialog import LearnDialog
from maskwright_gui.features.learn.pictures import HeldOutPicture
from maskwright_gui.menu_letters import bare
from maskwright_gui.messages import Message
from maskwright_gui.workers.requests import BatchState

FIGURES = Figures(f1=0.9, precision=0.91, recall=0.82, ap50=0.9, ap=0.7, score=0.4, images=2, objects=6)
OLD = replace(FIGURES, precision=0.85, recall=0.71)
RECORD = RoundRecord(
    number=1, model="set-round-1", model_hash="0", is_installed=True, reason="F1 0.90", base="general",
    classes=("disc",), training=(1,), held_out=(2,), objects=9, seconds=60.0, steps=100,
    at="2026-01-01T00:00:00+00:00", figures=FIGURES, old_model="nuclei", old_figures=OLD,
)  # fmt: skip

Learn = Callable[..., LearnOutcome]


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "missing_requirement", lambda: None)


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Learn], None]:
    """Let this be done instead of learning."""
    return lambda play: monkeypatch.setattr(learning, "learn", play)


@pytest.fixture
def project_bench(qtbot: QtBot, bench: Workbench, tmp_path: Path) -> Workbench:
    """Twelve images: ten done with three objects each, two that nobody has looked at."""
    with learning_project(tmp_path / "taught", images=12, side=64) as project:
        for image_id in project.images.ids()[-2:].tolist():
            project.images.set_state(image_id, ImageState.UNSEEN)
        path = project.path
    with qtbot.waitSignal(bench.projects.opened, timeout=20_000):
        bench.projects.open_path(path)
    return bench


def opened_dialog(qtbot: QtBot, bench: Workbench) -> LearnDialog:
    bench.window.actions_table["learn"].trigger()
    dialog = bench.learn.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: "Counting" not in dialog.material.text())
    return dialog


def press(qtbot: QtBot, dialog: LearnDialog) -> None:
    qtbot.mouseClick(dialog.learn_button, Qt.MouseButton.LeftButton)


def outcome(model_path: Path | None, **changes: object) -> LearnOutcome:
    record = replace(RECORD, **changes)  # type: ignore[arg-type]
    return LearnOutcome(record, model_path, False, (), 0.4, "cpu", 700)


def test_panel_counts_what_there_is(qtbot: QtBot, project_bench: Workbench, ready: None) -> None:
    dialog = opened_dialog(qtbot, project_bench)

    assert dialog.material.text() == "24 objects on 8 images; 2 more images held out for evaluation"
    assert "disc: 12 (3 more for reliable results)" in dialog.classes.text()
    assert bare(dialog.learn_button.text()) == "Learn from 8 images (about 5 minutes)"


def test_missing_pytorch_is_one_line_to_copy(
    qtbot: QtBot, project_bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "missing_requirement", lambda: Missing("it is missing", "pip install torch"))
    dialog = opened_dialog(qtbot, project_bench)

    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)

    assert not dialog.learn_button.isEnabled()
    assert QGuiApplication.clipboard().text() == "pip install torch"


def test_project_without_done_images_says_what_to_do(qtbot: QtBot, opened: Workbench, ready: None) -> None:
    dialog = opened_dialog(qtbot, opened)

    assert "No images are done" in dialog.material.text()
    assert not dialog.learn_button.isEnabled()


def test_progress_is_shown_and_the_result_in_plain_words(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def play(*_: object, on_progress: Callable[[LearnProgress], None], **__: object) -> LearnOutcome:
        for step in (1, 2, 3):
            on_progress(LearnProgress("learning", step, step / 4, 1.0, 30.0, loss=3.0 / step, f1=0.5))
        go_on.wait(30)
        return outcome(tmp_path / "model.xml")

    learned(play)
    dialog = opened_dialog(qtbot, project_bench)
    press(qtbot, dialog)
    qtbot.waitUntil(lambda: "step 3" in dialog.told.text())

    assert len(dialog.curve.points) == 3
    assert "F1 so far: 0.50" in dialog.told.text()
    go_on.set()
    qtbot.waitUntil(lambda: dialog.outcome.use_button.isVisible())
    assert dialog.outcome.headline.text() == "set-round-1 finds 82% of your objects, 9% false"
    assert "The last model, nuclei, finds 71%, 15% false." in dialog.outcome.text.text()
    assert bare(dialog.outcome.use_button.text()) == "Use it and propose objects on the other 2 images"


def test_stop_keeps_the_best_so_far(qtbot: QtBot, project_bench: Workbench, ready: None, learned) -> None:
    def play(*_: object, stop: threading.Event, **__: object) -> LearnOutcome:
        assert stop.wait(30)
        return outcome(None, is_installed=False, reason="it is worse")

    learned(play)
    dialog = opened_dialog(qtbot, project_bench)
    press(qtbot, dialog)

    qtbot.mouseClick(dialog.stop_button, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: "Not installed: it is worse" in dialog.outcome.text.text())
    assert not dialog.outcome.use_button.isVisible()


def dialog_with_outcome(qtbot: QtBot, bench: Workbench, learned, model: Path) -> LearnDialog:
    """Once a round has made `model`, which can be used."""
    model.touch()
    learned(lambda *_, **__: outcome(model))
    dialog = opened_dialog(qtbot, bench)
    press(qtbot, dialog)
    qtbot.waitUntil(dialog.outcome.use_button.isVisible)
    return dialog


def test_used_model_proposes_on_the_other_images(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    dialog = dialog_with_outcome(qtbot, project_bench, learned, tmp_path / "model.xml")

    with qtbot.waitSignal(project_bench.inference.batch.done, timeout=30_000):
        qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)

    project = project_bench.session.project
    assert project is not None
    assert project_bench.model.choice.source == str(tmp_path / "model.xml")
    assert project.stored.images.state_counts()[ImageState.PRELABELLED] == 2
    assert {record.instance_count for record in project.stored.images.all() if record.state is ImageState.DONE} == {3}


def counts_of(bench: Workbench) -> dict[int, int]:
    """{image id: objects}"""
    assert bench.session.project is not None
    return {record.id: record.instance_count for record in bench.session.project.stored.images.all()}


def test_undo_after_use_takes_back_the_users_own_step_and_no_proposal(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    session = project_bench.session
    qtbot.waitUntil(lambda: session.document is not None)
    session.edit(Change.create([Instance(session.new_instance_id(), 1, (octagon(2, 2, 9),))]), "Draw")
    dialog = dialog_with_outcome(qtbot, project_bench, learned, tmp_path / "model.xml")
    with qtbot.waitSignal(project_bench.inference.batch.done, timeout=30_000):
        qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)
    before = counts_of(project_bench)

    project_bench.window.actions_table["undo"].trigger()
    session.save()

    assert session.image is not None
    own = session.image.id
    assert counts_of(project_bench) == {**before, own: before[own] - 1}


def test_tenth_done_image_offers_learning_once(qtbot: QtBot, project_bench: Workbench, ready: None) -> None:
    project, told = project_bench.session.project, []
    assert project is not None
    project_bench.learn.told.connect(told.append)
    ids = project.stored.images.ids().tolist()

    shown: list[int] = []
    project_bench.images.counted.connect(lambda done, _count: shown.append(done))

    def counts(id_: int, state: ImageState, done: int) -> None:
        project.stored.images.set_state(id_, state)
        project_bench.session.record_changed.emit(id_)
        qtbot.waitUntil(lambda: bool(shown) and shown[-1] == done)

    counts(ids[0], ImageState.IN_PROGRESS, 9)
    counts(ids[0], ImageState.DONE, 10)
    qtbot.waitUntil(lambda: bool(told))  # the offer is made beside the window and says how many are done by then
    counts(ids[-1], ImageState.DONE, 11)

    assert [message.text for message in told] == ["10 images are done"]
    told[0].action()
    assert project_bench.learn.dialog is not None
    assert project_bench.learn.dialog.isVisible()


def test_round_that_was_cut_short_is_gone_on_with(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def play(*_: object, resume: bool, **__: object) -> LearnOutcome:
        asked.append(resume)
        return outcome(None, is_installed=False)

    learned(play)
    monkeypatch.setattr(learning, "interrupted_round", lambda _: 3)
    dialog = opened_dialog(qtbot, project_bench)

    assert bare(dialog.resume_button.text()) == "Continue round 3, which was interrupted"
    qtbot.mouseClick(dialog.resume_button, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: "Not installed" in dialog.outcome.text.text())
    assert asked == [True]


def test_round_that_was_cut_short_is_told_when_the_project_is_opened(
    qtbot: QtBot, bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ready: None
) -> None:
    monkeypatch.setattr(learning, "interrupted_round", lambda _: 3)
    told: list[Message] = []
    bench.learn.told.connect(told.append)
    with learning_project(tmp_path / "taught", images=2, side=64) as project:
        path = project.path

    bench.projects.open_path(path)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert told[0].action is not None
    told[0].action()

    assert told[0].text == "Learning was interrupted in round 3"
    assert bench.learn.dialog is not None
    qtbot.waitUntil(bench.learn.dialog.resume_button.isVisible)


def test_failure_is_told_where_the_next_try_begins(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned
) -> None:
    def play(*_: object, **__: object) -> LearnOutcome:
        raise MaskwrightError("not enough memory", hint="close other programs")

    learned(play)
    dialog = opened_dialog(qtbot, project_bench)

    press(qtbot, dialog)

    qtbot.waitUntil(lambda: "not enough memory" in dialog.material.text())
    assert dialog.learn_button.isEnabled()
    assert not dialog.resume_button.isVisible()


def test_round_that_failed_halfway_can_be_gone_on_with_at_once(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(*_: object, **__: object) -> LearnOutcome:
        raise MaskwrightError("the learning process was killed")

    learned(play)
    monkeypatch.setattr(learning, "interrupted_round", lambda _: None)
    dialog = opened_dialog(qtbot, project_bench)
    monkeypatch.setattr(learning, "interrupted_round", lambda _: 4)

    press(qtbot, dialog)

    qtbot.waitUntil(dialog.resume_button.isVisible)
    assert bare(dialog.resume_button.text()) == "Continue round 4, which was interrupted"


def test_closing_the_project_ends_the_round(qtbot: QtBot, project_bench: Workbench, ready: None, learned) -> None:
    ended = threading.Event()

    def play(*_: object, check: Callable[[], None], **__: object) -> LearnOutcome:
        try:
            while not ended.wait(0.01):
                check()
        finally:
            ended.set()
        raise AssertionError("nobody ended it")

    learned(play)
    press(qtbot, opened_dialog(qtbot, project_bench))

    project_bench.session.close_project()

    assert ended.wait(30)
    assert not project_bench.learn.is_working


def test_round_goes_on_while_its_panel_is_closed(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def play(*_: object, **__: object) -> LearnOutcome:
        go_on.wait(30)
        return outcome(tmp_path / "model.xml")

    learned(play)
    dialog = opened_dialog(qtbot, project_bench)
    press(qtbot, dialog)
    dialog.close()
    go_on.set()
    qtbot.waitUntil(lambda: not project_bench.learn.is_working)

    project_bench.learn.open()

    assert "set-round-1 finds 82%" in dialog.outcome.headline.text()
    assert dialog.outcome.use_button.isVisible()


def test_pictures_show_what_was_found_missed_and_false(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    project = project_bench.session.project
    assert project is not None
    name = project.stored.images.record(1).file_name
    ring = ((5.0, 5.0), (20.0, 5.0), (20.0, 20.0))
    missed, false = MatchedObject("missed", 1, (ring,)), MatchedObject("false", 1, (ring,), 0.5)
    looks_path(project.path, 1).parent.mkdir()
    HeldOutComparison((HeldOutImage(name, 64, 64, (missed,)),), (HeldOutImage(name, 64, 64, (missed, false)),)).write(
        looks_path(project.path, 1)
    )
    learned(lambda *_, **__: outcome(tmp_path / "model.xml"))
    dialog = opened_dialog(qtbot, project_bench)

    press(qtbot, dialog)
    qtbot.waitUntil(lambda: dialog.outcome.pictures.isVisible())

    told = [picture.accessibleName() for picture in dialog.outcome.pictures.findChildren(HeldOutPicture)]
    assert told == [f"{name}: 0 found, 1 missed, 0 false", f"{name}: 0 found, 1 missed, 1 false"]


def test_cost_of_each_round_is_plotted_with_what_follows_from_it(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    assert project_bench.session.project is not None
    path = project_bench.session.project.stored.path
    learning_folder(path).mkdir()
    add_round(path, RECORD)
    learned(lambda *_, **__: outcome(tmp_path / "model.xml"))
    dialog = opened_dialog(qtbot, project_bench)
    press(qtbot, dialog)
    qtbot.waitUntil(lambda: dialog.outcome.worth_button.isVisible())

    qtbot.mouseClick(dialog.outcome.worth_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Correct at least 3 images" in dialog.worth.advice.text())

    assert [plot.isVisible() for plot in dialog.worth.plots] == [False, True]
    qtbot.mouseClick(dialog.worth.back_button, Qt.MouseButton.LeftButton)
    assert dialog.outcome.isVisible()


def test_model_that_is_not_the_projects_own_may_be_extended(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(project_bench.batch, "run_on_untouched", lambda *, extends, **_: asked.append(extends))
    better = replace(OLD, f1_by_class=((1, 0.9), (2, 0.1)))
    worse = replace(FIGURES, f1_by_class=((1, 0.2), (2, 0.9)))
    played = outcome(
        tmp_path / "model.xml", old_is_own=False, category_ids=(1, 2), figures=worse, old_figures=better, model_hash="h"
    )
    learned(lambda *_, **__: played)
    dialog = opened_dialog(qtbot, project_bench)
    press(qtbot, dialog)
    qtbot.waitUntil(lambda: dialog.outcome.extends.isVisible())

    qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)

    project = project_bench.session.project
    assert project is not None
    assert asked == [True]
    assert stored_mapping(project.stored, "h") == {1: None}


def test_round_that_waits_for_the_processor_says_why() -> None:
    told = words.progress_text(LearnProgress("learning", 40, 0.1, 30.0, 900.0, is_starved=True))

    assert told.startswith("Learning: step 40, about 15 min left.\n")
    assert "processor" in told


def test_round_that_got_too_little_of_the_processor_says_so(tmp_path: Path) -> None:
    busy = outcome(tmp_path / "model.xml", minutes=5.0, seconds=70.0)
    fine = outcome(tmp_path / "model.xml", minutes=5.0, seconds=290.0)

    assert "learning got 1 min 10 s of 5 minutes" in words.outcome_text(busy)
    assert "busy" not in words.outcome_text(fine)


def test_old_model_that_has_learned_from_some_of_the_images_says_on_which_it_is_evaluated(tmp_path: Path) -> None:
    text = words.outcome_text(outcome(tmp_path / "model.xml", old_figures=replace(OLD, images=1)))

    assert "nuclei, finds 71%, 15% false on the 1 held-out image that it has not learned from." in text


def test_share_of_few_objects_is_said_to_say_little(tmp_path: Path) -> None:
    many = outcome(tmp_path / "model.xml", figures=replace(FIGURES, objects=60))

    assert "2 held-out images with 6 objects, so few that this may be chance" in words.outcome_text(
        outcome(tmp_path / "model.xml")
    )
    assert "chance" not in words.outcome_text(many)


def test_model_that_is_used_takes_the_place_of_a_batch_that_runs(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    batch = project_bench.batch
    monkeypatch.setattr(batch, "run_on_untouched", lambda **_: asked.append("run"))
    monkeypatch.setattr(batch, "cancel", lambda: asked.append("cancel"))
    learned(lambda *_, **__: outcome(tmp_path / "model.xml"))
    dialog = opened_dialog(qtbot, project_bench)
    press(qtbot, dialog)
    qtbot.waitUntil(lambda: dialog.outcome.use_button.isVisible())
    batch._on_state(BatchState.RUNNING)

    qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)
    assert asked == ["cancel"]
    batch._on_state(BatchState.IDLE)

    assert asked == ["cancel", "run"]


def test_images_are_sorted_when_the_model_that_is_used_has_proposed(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, tmp_path: Path
) -> None:
    dialog = dialog_with_outcome(qtbot, project_bench, learned, tmp_path / "model.xml")

    qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: project_bench.images.order == "disagreement")


@pytest.mark.parametrize("is_wanted", [True, False])
def test_assistant_refines_what_the_model_that_is_used_has_proposed(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    is_wanted: bool,
) -> None:  # fmt: skip
    asked: list[BatchState] = []
    monkeypatch.setattr(project_bench.refine, "refine_all", lambda: asked.append(project_bench.batch.state))
    dialog = dialog_with_outcome(qtbot, project_bench, learned, tmp_path / "model.xml")
    dialog.outcome.refines.setChecked(is_wanted)

    with qtbot.waitSignal(project_bench.inference.batch.done, timeout=30_000):
        qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)

    assert asked == [BatchState.IDLE] * is_wanted


def test_batch_that_cannot_begin_leaves_no_wish_for_the_next_one(
    qtbot: QtBot, project_bench: Workbench, ready: None, learned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dialog = dialog_with_outcome(qtbot, project_bench, learned, tmp_path / "model.xml")
    with monkeypatch.context() as patch:
        patch.setattr(project_bench.model, "may_write", lambda: False)
        qtbot.mouseClick(dialog.outcome.use_button, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(project_bench.inference.batch.done, timeout=30_000):
        project_bench.batch.run()

    assert project_bench.images.order == "name"


def test_each_image_says_which_model_proposed_on_it(qtbot: QtBot, project_bench: Workbench) -> None:
    assert project_bench.session.project is not None
    project = project_bench.session.project.stored
    last = int(project.images.ids()[-1])
    project.proposals.put(last, [], run_id=project.runs.start("set-round-2", "two", {}))
    project.signals.set("uncertainty", {last: (1.0, {"reason": "1 vague outline"})})
    project_bench.images.panel.set_order("uncertainty")
    project_bench.session.show_image(last)

    qtbot.waitUntil(lambda: project_bench.images.panel.reason_text == "1 vague outline\nProposed by set-round-2")
    row = project_bench.images.rows.row_of(last)
    assert row is not None
    tip = project_bench.images.rows.index(row).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("Proposed by set-round-2")


def test_open_proposals_name_their_model(qtbot: QtBot, project_bench: Workbench) -> None:
    assert project_bench.session.project is not None
    project = project_bench.session.project.stored
    last = int(project.images.ids()[-1])
    run = project.runs.start("set-round-2", "two", {})
    project.proposals.put(last, [ModelProposal(1, 0.9, (octagon(40, 40, 20),))], run_id=run)

    project_bench.session.show_image(last)

    def told() -> list[str]:
        return [label.toolTip() for label in project_bench.window.findChildren(QLabel)]

    qtbot.waitUntil(lambda: any("1 proposed by set-round-2" in text for text in told()))
    panel = project_bench.objects.panel
    assert panel.minimumSizeHint().width() < panel.fontMetrics().horizontalAdvance("1 proposed by set-round-2")
