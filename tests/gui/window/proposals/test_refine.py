"""Refining proposals and outlining boxes in the window, with an assistant whose answers are known."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from fake_assistant import FakeBackend
from maskwright.assist.view import BackendAssistant
from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.app import Workbench
from maskwright_gui.features.point import assistants
from maskwright_gui.messages import UNDO_TEXT
from project_builders import square

ORIGIN = Provenance("yolact", "a" * 64, 0.3, 0.5, "2026-01-01T00:00:00.000Z")


class Answering(FakeBackend):
    """Waits at a gate; answers the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def answers(self, *arguments):  # type: ignore[no-untyped-def]  # as it comes, so it goes
        self.gate.wait(20)
        return super().answers(*arguments)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    answering = Answering()
    answering.truth = np.zeros((48, 64), bool)
    answering.truth[10:30, 10:29] = True
    monkeypatch.setattr(assistants, "loaded", lambda _name: BackendAssistant(answering))
    yield answering
    answering.gate.set()


@pytest.fixture
def proposed(backend: Answering, opened: Workbench) -> Workbench:
    """A ragged proposal on each of the first two images, and another on the first that the answer does not meet."""
    project = opened.session.project
    assert project is not None
    cell = opened.classes.add("cell")
    assert cell is not None
    for image_id, outlines in ((1, (ragged(10), square(45, 30, 8))), (2, (ragged(10),))):
        ids = project.stored.instances.reserve_ids(len(outlines))
        made = [
            Instance(id_, opened.session.classes.listed[0].id, (outline,), InstanceState.PROPOSED, 0.8, ORIGIN)
            for id_, outline in zip(ids, outlines, strict=True)
        ]
        opened.session.edit_image(image_id, Change.create(made), "Propose")
    assert opened.session.save()
    return opened


def ragged(at: float) -> Polygon:
    return Polygon.of(np.array([(0, 0), (10, 2), (20, 0), (18, 10), (20, 20), (0, 20)], float) + at)


def finish(qtbot: QtBot, bench: Workbench) -> str:
    qtbot.waitUntil(lambda: not bench.refine.is_working, timeout=20_000)
    bench.session.save()
    return bench.window.toasts.messages[-1].text


def bounds(bench: Workbench, image_id: int) -> list[tuple[float, ...]]:
    return [one.bounds_xyxy for one in bench.session.document_of(image_id)]


def test_the_proposals_of_the_image_are_refined_in_one_step(qtbot: QtBot, proposed: Workbench) -> None:
    proposed.refine.refine_image()
    assert finish(qtbot, proposed) == "Refined 1 of 2 proposals"
    assert bounds(proposed, 1) == [(10, 10, 29, 30), (45, 30, 53, 38)]
    first = next(iter(proposed.session.document or ()))
    assert first.provenance is not None
    assert (first.state, first.provenance.model_name) == (InstanceState.PROPOSED, "yolact + fake")
    assert proposed.session.history.undo() == "Refine outlines"
    assert bounds(proposed, 1)[0] == (10, 10, 30, 30)


def test_where_nothing_was_left_to_refine_nothing_is_offered_to_be_undone(
    qtbot: QtBot, proposed: Workbench, backend: Answering
) -> None:
    proposed.refine.refine_image()
    finish(qtbot, proposed)
    assert proposed.window.toasts.messages[-1].action_text == UNDO_TEXT
    backend.truth = np.zeros((48, 64), bool)  # what is left is not found again
    proposed.refine.refine_image()
    finish(qtbot, proposed)
    assert proposed.window.toasts.messages[-1].action_text == ""


def test_all_images_are_refined_with_a_step_each_and_stay_untouched(qtbot: QtBot, proposed: Workbench) -> None:
    proposed.refine.refine_all()
    assert finish(qtbot, proposed) == "Refined 2 of 3 proposals on 2 images"
    project = proposed.session.project
    assert project is not None
    assert [project.stored.images.record(id_).state for id_ in (1, 2)] == [ImageState.PRELABELLED] * 2
    proposed.session.show_image(2)
    assert bounds(proposed, 2) == [(10, 10, 29, 30)]
    assert proposed.session.history.undo() == "Refine outlines"
    assert bounds(proposed, 2) == [(10, 10, 30, 30)]
    assert bounds(proposed, 1)[0] == (10, 10, 29, 30)


def test_only_the_proposals_of_a_class_are_refined(qtbot: QtBot, proposed: Workbench) -> None:
    other = proposed.classes.add("other")
    assert other is not None
    proposed.session.select(frozenset())
    proposed.session.classes.set_current(proposed.session.classes.listed[-1].id)
    proposed.refine.refine_class()
    assert finish(qtbot, proposed) == "No proposals left to refine"


def test_what_a_user_answers_meanwhile_stays_answered(qtbot: QtBot, proposed: Workbench, backend: Answering) -> None:
    backend.gate.clear()
    proposed.refine.refine_image()
    proposed.session.select(frozenset({min(one.id for one in proposed.session.document or ())}))
    proposed.proposals.reject()
    backend.gate.set()
    finish(qtbot, proposed)
    assert next(one.state for one in proposed.session.document or ()) is InstanceState.REJECTED
    assert bounds(proposed, 1)[0] == (10, 10, 30, 30)


def test_the_button_in_the_status_bar_stops_it(qtbot: QtBot, proposed: Workbench, backend: Answering) -> None:
    backend.gate.clear()
    proposed.refine.refine_all()
    qtbot.waitUntil(lambda: "RefineFeature" in proposed.window.status._tasks)
    proposed.window.status.stop_clicked.emit("RefineFeature")
    backend.gate.set()
    assert "topped" in finish(qtbot, proposed)
    assert bounds(proposed, 2) == [(10, 10, 30, 30)]


def test_boxes_become_outlines_also_those_that_a_user_has_drawn(
    qtbot: QtBot, backend: Answering, opened: Workbench
) -> None:
    opened.classes.add("cell")
    drawn = Instance(opened.session.new_instance_id(), opened.session.classes.listed[0].id, (square(9, 9, 21),))
    opened.session.edit(Change.create([drawn]), "Draw")
    opened.refine.outline_boxes()
    assert finish(qtbot, opened) == "Outlined 1 of 1 box"
    (outlined,) = opened.session.document or ()
    assert outlined.bounds_xyxy == (10, 10, 29, 30)
    assert outlined.provenance is not None
    assert (outlined.state, outlined.provenance.model_name) == (InstanceState.DRAWN, "fake")
    assert opened.session.history.undo() == "Outline boxes"


def test_a_failing_image_is_named_and_the_others_are_done(qtbot: QtBot, proposed: Workbench) -> None:
    project = proposed.session.project
    assert project is not None
    (project.image_root / project.stored.images.record(1).file_name).unlink()
    proposed.refine.refine_all()
    assert finish(qtbot, proposed) == "Refined 1 of 1 proposal"
    message = proposed.window.toasts.messages[-1]
    assert message.tone == "warning"
    assert project.stored.images.record(1).file_name in message.detail
