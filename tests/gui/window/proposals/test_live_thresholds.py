"""Sliders act at once, without inference, and never on what a user has decided."""

import json
import os
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSlider
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.document.change import Change
from maskwright.document.values import ImageState, InstanceState
from maskwright.images import read_image
from maskwright.images.identity import SeenFile
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.candidates import PREPROCESSING_VERSION
from maskwright.inference.model import load_model
from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright.operations.kept_thresholds import has_kept_score, known_thresholds
from maskwright.prelabel import Proposer
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.previews import PreviewKind
from maskwright_gui.panels.class_filter import ClassFilter, ClassFilterList
from maskwright_gui.workers.preview import PreviewRequest, Purpose
from project_builders import write_image
from window_support import GatedModel


def slider(bench: Workbench, name: str) -> QSlider:
    sliders = bench.thresholds.strip.findChildren(QSlider)
    return next(one for one in sliders if one.accessibleName() == name)


def drag_to(bench: Workbench, name: str, value: float) -> QSlider:
    """Press the handle and move it, without letting go."""
    one = slider(bench, name)
    one.setSliderDown(True)
    one.setValue(round(value * 100))
    return one


def stored_states(bench: Workbench, image_id: int) -> list[InstanceState]:
    bench.session.save()
    return [instance.state for instance in bench.session.project.stored.instances.of(image_id)]


def test_moving_the_score_shows_what_is_left_and_stores_nothing(qtbot: QtBot, labelled: Workbench) -> None:
    drag_to(labelled, "Score", 0.85)
    qtbot.waitUntil(lambda: len(labelled.window.canvas.context.document) == 1)
    assert stored_states(labelled, 1) == [InstanceState.PROPOSED] * 2


def test_the_score_is_stepped_by_key_whatever_is_selected(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.editing.select_all()
    before = labelled.session.document
    qtbot.keyClick(labelled.window.canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert labelled.thresholds.strip.thresholds.score == 0.55
    assert labelled.session.document is before


def test_what_only_a_preview_shows_cannot_be_edited(qtbot: QtBot, labelled: Workbench) -> None:
    drag_to(labelled, "Score", 0.95).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 0)
    drag_to(labelled, "Score", 0.5)
    qtbot.waitUntil(lambda: len(labelled.window.canvas.context.document) == 2)
    shown = list(labelled.window.canvas.context.document)
    assert not labelled.session.edit(Change.delete(shown[:1]), "Delete")
    assert not labelled.session.edit(Change.of([(shown[0], replace(shown[0], is_locked=True))]), "Lock")
    assert len(labelled.session.document) == 0


def test_letting_go_keeps_it_without_inference(qtbot: QtBot, labelled: Workbench, model: GatedModel) -> None:
    drag_to(labelled, "Score", 0.85).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 1)
    assert stored_states(labelled, 1) == [InstanceState.PROPOSED]
    assert model.predict_count == 0


def test_what_is_kept_tells_all_four_thresholds(qtbot: QtBot, labelled: Workbench) -> None:
    drag_to(labelled, "Mask", 0.4).setSliderDown(False)
    qtbot.waitUntil(lambda: {one.provenance.mask_threshold for one in labelled.session.document} == {0.4})
    (origin, _) = (instance.provenance for instance in labelled.session.document)
    assert (origin.score_threshold, origin.nms_iou, origin.min_iou) == (0.5, 0.5, 0.98)


def test_lower_score_brings_proposals_back(qtbot: QtBot, labelled: Workbench) -> None:
    drag_to(labelled, "Score", 0.95).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 0)
    drag_to(labelled, "Score", 0.5).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 2)


def test_accepted_objects_stay_whatever_the_score(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.proposals.accept_above(0.0)
    with qtbot.waitSignal(
        labelled.preview.ready, check_params_cb=lambda preview: preview.request.purpose is Purpose.KEEP
    ):
        drag_to(labelled, "Score", 0.95).setSliderDown(False)
    assert stored_states(labelled, 1) == [InstanceState.ACCEPTED] * 2


def test_other_untouched_images_follow_in_the_background(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.session.project.stored.images.set_state(3, ImageState.DONE)
    drag_to(labelled, "Score", 0.85).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.project.stored.instances.of(6)) == 1, timeout=20_000)
    assert len(labelled.session.project.stored.instances.of(3)) == 2


def test_an_image_gone_to_meanwhile_shows_what_follows(
    qtbot: QtBot, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, store = threading.Event(), Proposer.store

    def waiting(proposer: Proposer, *rest: Any) -> Change:
        gate.wait(20)
        return store(proposer, *rest)

    monkeypatch.setattr(Proposer, "store", waiting)
    drag_to(labelled, "Score", 0.85).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 1)
    labelled.session.show_image(6)
    assert len(labelled.session.document) == 2
    gate.set()
    qtbot.waitUntil(lambda: len(labelled.session.document) == 1, timeout=20_000)


def test_thresholds_belong_to_the_project(qtbot: QtBot, labelled: Workbench) -> None:
    drag_to(labelled, "Score", 0.85).setSliderDown(False)
    path = labelled.session.project.path
    qtbot.waitUntil(lambda: len(labelled.session.document) == 1)
    labelled.projects.close_project()
    labelled.thresholds.strip.set_thresholds(Thresholds())
    with qtbot.waitSignal(labelled.projects.opened, timeout=20_000):
        labelled.projects.open_path(path)
    assert labelled.thresholds.strip.thresholds.score == 0.85


def test_a_project_shows_the_thresholds_of_its_last_batch(qtbot: QtBot, opened: Workbench) -> None:
    project = opened.session.project
    project.stored.runs.start(
        "a model", "its hash", {"score": 0.35, "nms_iou": 0.6, "mask_threshold": 0.5, "min_iou": None}
    )
    path = project.path
    opened.projects.close_project()
    with qtbot.waitSignal(opened.projects.opened, timeout=20_000):
        opened.projects.open_path(path)
    assert opened.thresholds.strip.thresholds == Thresholds(score=0.35, nms_iou=0.6)


def test_image_without_candidates_asks_the_model(qtbot: QtBot, opened: Workbench, model: GatedModel) -> None:
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        qtbot.keyClick(slider(opened, "Score"), Qt.Key.Key_Right)
    assert model.predict_count == 1


def test_editing_while_a_slider_is_held_keeps_both(qtbot: QtBot, labelled: Workbench) -> None:
    held = drag_to(labelled, "Score", 0.85)
    qtbot.waitUntil(lambda: len(labelled.window.canvas.context.document) == 1)
    labelled.proposals.accept_above(0.85)
    held.setSliderDown(False)
    qtbot.waitUntil(lambda: [i.state for i in labelled.session.document] == [InstanceState.ACCEPTED])
    assert [i.state for i in labelled.window.canvas.context.document] == [InstanceState.ACCEPTED]


def path_of(bench: Workbench, image_id: int = 1) -> Path:
    project = bench.session.project
    return project.image_path(project.stored.images.record(image_id))


def known(bench: Workbench) -> bool:
    return bench.session.cache.get(1, path_of(bench)) is not None


def test_cache_drops_the_oldest_beyond_its_size(labelled: Workbench, tiny_model: object) -> None:
    _, candidates = labelled.session.cache.get(1, path_of(labelled))
    small = CandidateCache(labelled.session.project.path / "small", max_bytes=4 * len(candidates.to_bytes()))
    for image_id in range(1, 6):
        small.put(tiny_model, image_id, candidates, SeenFile.now(path_of(labelled, image_id)))
    assert small.image_ids() == [3, 4, 5]


def test_candidates_that_are_stored_at_once_do_not_take_each_others_half_files(
    labelled: Workbench, tiny_model: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, candidates = labelled.session.cache.get(1, path_of(labelled))
    cache = CandidateCache(labelled.session.project.path / "fresh")
    move, other = Path.replace, []

    def put(image_id: int) -> None:
        cache.put(tiny_model, image_id, candidates, SeenFile.now(path_of(labelled, image_id)))

    def replace(path: Path, place: Path) -> Path:
        if not other:  # the first one is written, but not in its place yet
            other.append(threading.Thread(target=put, args=(2,)))
            other[0].start()
            other[0].join()
        return move(path, place)

    monkeypatch.setattr(Path, "replace", replace)
    put(1)
    assert cache.image_ids() == [1, 2]


@pytest.mark.parametrize("content", [b"no archive", b"", b"\xff" * 99], ids=["text", "empty", "ones"])
def test_damaged_candidates_are_dropped(labelled: Workbench, content: bytes) -> None:
    (entry,) = labelled.session.project.path.glob("cache/candidates/*/1.candidates")
    entry.write_bytes(content)
    assert not known(labelled)
    assert not entry.exists()


def test_damaged_candidates_are_made_again_when_a_slider_asks_for_them(
    qtbot: QtBot, labelled: Workbench, model: GatedModel
) -> None:
    (entry,) = labelled.session.project.path.glob("cache/candidates/*/1.candidates")
    entry.write_bytes(entry.read_bytes()[:-20])
    labelled.preview.forget()
    with qtbot.waitSignal(labelled.model.predicted, timeout=20_000):
        qtbot.keyClick(slider(labelled, "Score"), Qt.Key.Key_Right)
    assert known(labelled)


def test_candidates_are_of_the_file_that_was_read(labelled: Workbench) -> None:
    path = path_of(labelled)
    write_image(path, value=7)
    assert not known(labelled)


def test_a_file_that_was_only_touched_keeps_its_candidates(labelled: Workbench) -> None:
    os.utime(path_of(labelled), ns=(1, 1))
    assert known(labelled)


def test_candidates_of_a_file_that_changed_while_it_was_read_are_not_kept(
    labelled: Workbench, tiny_model: object
) -> None:
    cache: CandidateCache = labelled.session.cache
    _, candidates = cache.get(1, path_of(labelled))
    seen = SeenFile.now(path_of(labelled))
    write_image(path_of(labelled), value=7)
    cache.put(tiny_model, 1, candidates, seen)
    assert not known(labelled)


def test_another_preprocessing_forgets_the_candidates(labelled: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskwright.inference.candidates.PREPROCESSING_VERSION", PREPROCESSING_VERSION + 1)
    assert not known(labelled)


def test_a_batch_fills_the_histogram_of_the_image_on_screen(qtbot: QtBot, labelled: Workbench) -> None:
    qtbot.waitUntil(lambda: labelled.thresholds.strip.histogram.count == 2)


def test_what_a_score_takes_away_is_marked_while_the_slider_is_held(qtbot: QtBot, labelled: Workbench) -> None:
    canvas = labelled.window.canvas
    held = drag_to(labelled, "Score", 0.85)
    qtbot.waitUntil(lambda: [outline.kind for outline in canvas.renderer.previews] == [PreviewKind.REMOVED])
    assert labelled.thresholds.strip.effect_text == "removes 1"
    held.setSliderDown(False)
    qtbot.waitUntil(lambda: canvas.renderer.previews == ())
    assert labelled.thresholds.strip.effect_text == ""


def test_what_a_score_adds_is_marked_while_the_slider_is_held(qtbot: QtBot, labelled: Workbench) -> None:
    drag_to(labelled, "Score", 0.95).setSliderDown(False)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 0)
    drag_to(labelled, "Score", 0.5)
    qtbot.waitUntil(lambda: [g.kind for g in labelled.window.canvas.renderer.previews] == [PreviewKind.ADDED] * 2)


def test_marks_of_doubt_and_the_reason_follow_a_score_that_was_let_go(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.images.panel.set_order("uncertainty")
    assert labelled.window.canvas.renderer.previews == ()
    drag_to(labelled, "Score", 0.85).setSliderDown(False)
    qtbot.waitUntil(
        lambda: [outline.label for outline in labelled.window.canvas.renderer.previews] == ["unsure 0.90", "missed?"]
    )
    assert "missed" in labelled.images.rows.reason(1)


def test_doubts_of_other_images_follow_in_the_background(qtbot: QtBot, labelled: Workbench) -> None:
    before, _ = labelled.session.project.stored.signals.get("uncertainty", 5)
    with qtbot.waitSignal(labelled.thresholds.applied_everywhere, timeout=30_000):
        drag_to(labelled, "Score", 0.85).setSliderDown(False)
    after, detail = labelled.session.project.stored.signals.get("uncertainty", 5)
    assert after != before
    assert len(detail["boxes_xyxy"]) == 2


def test_a_class_that_is_left_out_is_not_proposed(qtbot: QtBot, labelled: Workbench) -> None:
    strip = labelled.thresholds.strip
    (filter_button,) = strip.findChildren(ClassFilter)
    filter_button._open()
    (popup,) = filter_button.findChildren(ClassFilterList)
    popup.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: [i.category_id for i in labelled.session.document] == [2])
    qtbot.waitUntil(lambda: len(labelled.session.project.stored.instances.of(6)) == 1, timeout=20_000)
    assert filter_button.text() == "1 of 2 classes ▾"


def test_a_class_that_was_left_out_is_proposed_again(qtbot: QtBot, labelled: Workbench) -> None:
    strip = labelled.thresholds.strip
    (filter_button,) = strip.findChildren(ClassFilter)
    for state, count in ((Qt.CheckState.Unchecked, 1), (Qt.CheckState.Checked, 2)):
        with qtbot.waitSignal(labelled.thresholds.applied_everywhere, timeout=30_000):
            filter_button._open()
            popup = filter_button.findChildren(ClassFilterList)[-1]
            (left_out,) = (
                row for row in range(popup.list.count()) if popup.list.item(row).data(Qt.ItemDataRole.UserRole) == 1
            )
            popup.list.item(left_out).setCheckState(state)
        qtbot.waitUntil(lambda count=count: len(labelled.session.project.stored.instances.of(6)) == count)
        popup.close()
    assert filter_button.text() == "All classes ▾"


def test_a_class_that_is_left_out_is_left_out_of_a_batch(qtbot: QtBot, opened: Workbench) -> None:
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        opened.model.run_on_image()
    first, second = (each.id for each in opened.session.classes.listed)
    opened.thresholds.set_of_project(Thresholds(left_out=(first,)))
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()
    assert {i.category_id for i in opened.session.project.stored.instances.of(4)} == {second}


def test_a_class_left_out_before_the_model_ran_is_kept_at_once(
    qtbot: QtBot, opened: Workbench, model: GatedModel
) -> None:
    opened.classes.add("cat")
    (left_out,) = (category.id for category in opened.session.classes.listed)
    model.gate.clear()  # nothing is proposed yet
    (filter_button,) = opened.thresholds.strip.findChildren(ClassFilter)
    with qtbot.waitSignal(opened.thresholds.candidates_missing):
        filter_button._on_changed(frozenset({left_out}))
    project = opened.session.project
    assert known_thresholds(project.stored).left_out == (left_out,)
    assert not has_kept_score(project.stored)  # that is still the model's to say
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000) as first:
        model.gate.set()
    assert first.args[0].request.thresholds.score is None


def run_on_two_classes_in_one_place(bench: Workbench, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`network` finds both its classes on the left half of the image."""
    monkeypatch.setattr(bench.inference, "_load", lambda _choice: load_model(network))
    bench.model.run_on_image()


def across_classes(bench: Workbench) -> QCheckBox:
    boxes = bench.thresholds.strip.findChildren(QCheckBox)
    return next(box for box in boxes if box.text() == "Across classes")


SAME_PLACE = [[[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.5, 1.0]]]


def test_overlaps_across_classes_are_suppressed_on_request(
    qtbot: QtBot, opened: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tiny_models.yolact(tmp_path / "same.xml", boxes=SAME_PLACE)
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        run_on_two_classes_in_one_place(opened, network, monkeypatch)
    assert len(opened.session.document) == 2
    assert across_classes(opened).isEnabled()
    across_classes(opened).click()
    qtbot.waitUntil(lambda: len(opened.session.document) == 1)


def test_a_model_whose_classes_exclude_each_other_says_so_at_the_switch(
    qtbot: QtBot, opened: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tiny_models.yolact(tmp_path / "same.xml", boxes=SAME_PLACE, notes={"agnostic_nms": "True"})
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        run_on_two_classes_in_one_place(opened, network, monkeypatch)
    assert len(opened.session.document) == 1
    switch = across_classes(opened)
    assert (switch.isChecked(), switch.isEnabled()) == (True, False)
    assert "Always on for this model" in switch.toolTip()
    opened.thresholds.strip.set_thresholds(Thresholds(0.3, 0.5))  # as for another image
    assert switch.isChecked()
    opened.thresholds.strip.set_own(Defaults())
    assert (switch.isChecked(), switch.isEnabled()) == (False, True)


def test_stored_thresholds_come_back_whole() -> None:
    chosen = Thresholds(score=0.3, is_class_agnostic=True, left_out=(4, 7))
    assert Thresholds.from_json(json.loads(json.dumps(asdict(chosen)))) == chosen


@pytest.mark.parametrize("damaged", [None, "text", {"score": "high", "left_out": 3}, {"left_out": ["a"]}])
def test_damaged_thresholds_are_the_defaults(damaged: object) -> None:
    assert Thresholds.from_json(damaged) == Thresholds()


def test_a_mask_threshold_shows_the_masks_own_outlines_until_it_is_let_go(
    qtbot: QtBot, labelled: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[PreviewRequest] = []
    monkeypatch.setattr(labelled.preview, "request", asked.append)
    held = drag_to(labelled, "Mask", 0.6)
    held.setSliderDown(False)
    drag_to(labelled, "Score", 0.7)
    assert [(request.purpose, request.thresholds.min_iou) for request in asked] == [
        (Purpose.SHOW, 1.0),
        (Purpose.KEEP, 0.98),
        (Purpose.SHOW, 0.98),
    ]


def test_the_next_step_is_made_while_nothing_else_is_wanted(qtbot: QtBot, labelled: Workbench) -> None:
    for value in (0.55, 0.56):
        with qtbot.waitSignal(labelled.preview.ready, timeout=20_000):
            drag_to(labelled, "Mask", value)

    def made() -> set[tuple[float, bool]]:
        known = labelled.preview._known
        return set(known.candidates.remembered._styles) if known is not None else set()

    qtbot.waitUntil(lambda: {(0.57, True), (0.58, True)} <= made(), timeout=20_000)


def test_two_images_kept_at_once_do_not_clear_each_other_away(
    model: GatedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [write_image(tmp_path / f"{id_}.png") for id_ in (1, 2)]
    candidates = model.predict(read_image(pictures[0]).bgr_u8)
    cache = CandidateCache(tmp_path / "cache")

    def keep_another_meanwhile(path: Path, target: Path) -> Path:
        monkeypatch.undo()
        other = threading.Thread(target=cache.put, args=(model, 2, candidates, SeenFile.now(pictures[1])))
        other.start()
        other.join()
        return path.replace(target)

    monkeypatch.setattr(Path, "replace", keep_another_meanwhile)
    cache.put(model, 1, candidates, SeenFile.now(pictures[0]))
    assert cache.image_ids() == [1, 2]
