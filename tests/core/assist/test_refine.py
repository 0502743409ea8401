"""Proposals outlined again: taken only where the assistant is sure and stays on the object."""

from dataclasses import replace

import numpy as np
import pytest

from fake_assistant import FakeBackend, fake_assistant
from maskwright import Polygon, polygons_to_mask
from maskwright.assist.refine import (
    RefineSettings,
    Verdict,
    boxes_to_outline,
    is_refined_by,
    proposals_to_refine,
    refine,
    refined_change,
)
from maskwright.assist.view import BackendAssistant
from maskwright.document.values import Instance, InstanceState, Provenance

IMAGE = np.zeros((60, 80, 3), np.uint8)
ORIGIN = Provenance("nuclei", "a" * 64, 0.3, 0.5, "2026-01-01T00:00:00.000Z")


def ragged(at: tuple[float, float] = (10, 10)) -> Polygon:
    """About a square of 30 pixels."""
    return Polygon.of(np.array([(0, 0), (15, 4), (30, 0), (26, 15), (30, 30), (0, 30)], float) + at)


def proposal(id_: int, *polygons: Polygon, state: InstanceState = InstanceState.PROPOSED) -> Instance:
    return Instance(id_, 1, polygons, state, score=0.8, provenance=ORIGIN)


def assistant(truth: np.ndarray | None = None, *, score: float = 0.9) -> BackendAssistant:
    backend = FakeBackend(score=score)
    backend.truth = truth
    return fake_assistant(backend)


def square(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros(IMAGE.shape[:2], bool)
    mask[y1:y2, x1:x2] = True
    return mask


@pytest.mark.parametrize(
    ("truth", "score", "verdict"),
    [
        (square(10, 10, 40, 40), 0.9, Verdict.TAKEN),
        (square(10, 10, 40, 40), 0.3, Verdict.UNSURE),
        (square(45, 10, 75, 40), 0.9, Verdict.ELSEWHERE),
        (square(0, 0, 80, 60), 0.9, Verdict.ELSEWHERE),
        (square(0, 0, 0, 0), 0.9, Verdict.ELSEWHERE),
    ],
    ids=["good", "unsure", "beside", "everything", "nothing"],
)
def test_an_answer_is_taken_only_where_it_is_safe(truth: np.ndarray, score: float, verdict: Verdict) -> None:
    (found,) = refine([proposal(1, ragged())], assistant(truth, score=score).open(IMAGE))
    assert found.verdict is verdict


def test_the_proposal_s_box_alone_is_shown_for_a_mask_would_be_repeated() -> None:
    helper = assistant(square(10, 10, 40, 40))
    refine([proposal(1, ragged())], helper.open(IMAGE))
    backend = helper.backend
    assert isinstance(backend, FakeBackend)
    (prompt,) = backend.prompts
    assert prompt.box_xyxy == (10, 10, 40, 40)
    assert prompt.mask is None


def test_a_box_becomes_an_outline_even_of_a_thin_object() -> None:
    diagonal = np.eye(60, 80, dtype=bool)
    diagonal[:10] = diagonal[50:] = False
    box = Polygon.of([(10, 10), (50, 10), (50, 50), (10, 50)])
    helper = assistant(diagonal)
    change, (found,) = refined_change([proposal(1, box)], helper.open(IMAGE), helper)
    assert found.verdict is Verdict.TAKEN
    ((_, _, after),) = change
    assert after is not None
    assert np.array_equal(polygons_to_mask(after.polygons, (80, 60)), diagonal)


def test_many_proposals_are_asked_in_blocks_and_come_back_in_order() -> None:
    boxes = [Polygon.of([(x, 5), (x + 4, 5), (x + 4, 9), (x, 9)]) for x in range(70)]
    found = refine([proposal(k, box) for k, box in enumerate(boxes)], assistant().open(IMAGE))
    assert [one.outline.bounds_xyxy[0] for one in found if one.outline] == list(range(70))


def test_a_proposal_beside_the_image_is_impossible_and_harms_no_other() -> None:
    outside = Polygon.of([(100, 100), (120, 100), (120, 120)])
    found = refine([proposal(1, outside), proposal(2, ragged())], assistant(square(10, 10, 40, 40)).open(IMAGE))
    assert [one.verdict for one in found] == [Verdict.IMPOSSIBLE, Verdict.TAKEN]


def test_what_is_proposed_stays_proposed_and_names_the_assistant() -> None:
    helper = assistant(square(10, 10, 40, 40))
    change, _ = refined_change([proposal(7, ragged())], helper.open(IMAGE), helper)
    ((id_, before, after),) = change
    assert (id_, before) == (7, proposal(7, ragged()))
    assert after is not None
    assert (after.state, after.score) == (InstanceState.PROPOSED, 0.8)
    assert after.provenance == replace(ORIGIN, model_name="nuclei + fake", min_iou=0.98)
    assert is_refined_by(after, "fake")
    assert list(proposals_to_refine([after], "fake")) == []


def test_refining_twice_names_the_assistant_once() -> None:
    helper = assistant(square(10, 10, 40, 40))
    marked = replace(proposal(1, ragged()), provenance=replace(ORIGIN, model_name="nuclei + fake"))
    ((_, _, after),) = refined_change([marked], helper.open(IMAGE), helper)[0]
    assert after is not None
    assert after.provenance is not None
    assert after.provenance.model_name == "nuclei + fake"


def test_a_user_s_own_box_counts_as_edited_and_names_the_assistant() -> None:
    helper = assistant(square(10, 10, 40, 40))
    drawn = proposal(1, ragged(), state=InstanceState.DRAWN)
    ((_, _, after),) = refined_change([drawn], helper.open(IMAGE), helper)[0]
    assert after is not None
    assert after.state is not InstanceState.PROPOSED
    assert after.provenance is not None
    assert after.provenance.model_name == "nuclei + fake"


def test_locked_instances_are_left_alone() -> None:
    helper = assistant(square(10, 10, 40, 40))
    change, found = refined_change([replace(proposal(1, ragged()), is_locked=True)], helper.open(IMAGE), helper)
    assert change.is_empty
    assert not found


def test_the_limits_are_the_caller_s() -> None:
    view = assistant(square(10, 10, 40, 40), score=0.6).open(IMAGE)
    assert refine([proposal(1, ragged())], view, RefineSettings(min_score=0.5))[0].verdict is Verdict.TAKEN
    assert refine([proposal(1, ragged())], view, RefineSettings(least_iou=0.99))[0].verdict is Verdict.ELSEWHERE


def test_boxes_are_told_by_their_outline_and_locked_or_rejected_ones_are_left() -> None:
    box = Polygon.of([(10, 10), (50, 10), (50, 50), (10, 50)])
    drawn, rejected = proposal(1, box, state=InstanceState.DRAWN), proposal(2, box, state=InstanceState.REJECTED)
    locked, outlined, empty = replace(proposal(3, box), is_locked=True), proposal(4, ragged()), proposal(5)
    assert list(boxes_to_outline([drawn, rejected, locked, outlined, empty], "fake")) == [drawn]
