"""Proposals are a layer: a re-run replaces them and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon
from maskwright.project import ModelProposal, Project
from maskwright.project.layer import ImageProposals
from maskwright.project.overlaps import overlaps
from maskwright.project.proposals import preview_change, proposals_to_change
from project_builders import drawn, make_project, square


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path, images=2) as project:
        yield project


def cell(left: float, score: float = 0.9, category_id: int = 1) -> ModelProposal:
    return ModelProposal(category_id, score, (square(left, side=20),))


def answer(project: Project, instance: Instance, **changes: object) -> None:
    project.instances.apply(1, Change.of([(instance, replace(instance, **changes))]), label="Answer")


def test_first_proposals_mark_the_image_and_carry_their_origin(project: Project) -> None:
    run_id = project.runs.start("net", "abc", {"score": 0.5, "nms_iou": 0.4})

    project.proposals.put(1, [cell(0), cell(100)], run_id=run_id)

    first = project.instances.of(1)[0]
    assert (first.state, first.score, first.provenance.model_name) == (InstanceState.PROPOSED, 0.9, "net")
    assert (first.provenance.score_threshold, first.provenance.nms_iou) == (0.5, 0.4)
    assert project.images.record(1).state is ImageState.PRELABELLED
    assert project.runs.pending_images(run_id).tolist() == [2]


OLD = Provenance("coco", "c", 0.5, 0.5, "2026-01-01T00:00:00+00:00")
NEW = Provenance("figs", "f", 0.4, 0.5, "2026-02-01T00:00:00+00:00")


def origins(project: Project) -> list[tuple[int, str]]:
    return sorted((one.category_id, one.provenance.model_name) for one in project.instances.of(1))


def test_proposals_of_classes_that_a_model_lacks_stay_beside(project: Project) -> None:
    project.proposals.put(
        1, [cell(0, category_id=1), cell(100, category_id=2), cell(200, category_id=2)], provenance=OLD
    )

    covered = ImageProposals(1, [cell(0, category_id=1), cell(201, category_id=1)], covers=frozenset({1}))
    project.proposals.put_many([covered], provenance=NEW)

    assert origins(project) == [(1, "figs"), (1, "figs"), (2, "coco beside figs")]


def test_what_stays_beside_a_model_stays_at_its_next_word_and_goes_with_another(project: Project) -> None:
    project.proposals.put(1, [cell(100, category_id=2)], provenance=OLD)
    project.proposals.put_many([ImageProposals(1, [cell(0)], covers=frozenset({1}))], provenance=NEW)

    assert preview_change(project.instances.of(1), [cell(0)], lambda _: -1).entries.keys() <= {2}
    project.proposals.put(1, [cell(50)], provenance=NEW)
    assert origins(project) == [(1, "figs"), (2, "coco beside figs")]

    project.proposals.put(1, [cell(0)], provenance=OLD)
    assert origins(project) == [(1, "coco")]


def test_the_model_that_proposed_last_is_known_by_image(project: Project) -> None:
    assert project.runs.proposed_by(1) is None
    project.proposals.put(1, [cell(0)], provenance=OLD)
    assert project.runs.proposed_by(1) == "coco"
    project.proposals.put(1, [], run_id=project.runs.start("figs", "f", {}))
    assert project.runs.proposed_by(1) == "figs"


@pytest.mark.parametrize(
    ("settings", "found"),
    [({"mask_threshold": 0.4, "min_iou": 0.95}, (0.4, 0.95)), ({"min_iou": None}, (None, 1.0)), ({}, (None, None))],
    ids=["both", "exact outlines", "an older run"],
)
def test_proposals_of_a_run_tell_its_mask_threshold_and_detail(
    project: Project, settings: dict[str, float | None], found: tuple[float | None, float | None]
) -> None:
    project.proposals.put(1, [cell(0)], run_id=project.runs.start("net", "abc", settings))
    (origin,) = (instance.provenance for instance in project.instances.of(1))
    assert (origin.mask_threshold, origin.min_iou) == found


def test_origins_that_differ_in_the_mask_threshold_alone_are_two(project: Project) -> None:
    one = Provenance("net", "abc", 0.5, 0.5, "2026-01-01", 0.4, 0.98)
    for image_id, origin in ((1, one), (2, replace(one, mask_threshold=0.6))):
        project.proposals.put(image_id, [cell(0)], provenance=origin)
    assert [project.instances.of(image_id)[0].provenance.mask_threshold for image_id in (1, 2)] == [0.4, 0.6]


def test_the_returned_change_leads_from_the_old_document_to_the_new(project: Project) -> None:
    project.proposals.put(1, [cell(0), cell(100)])
    before = project.instances.document(1)

    change = project.proposals.put(1, [cell(101), cell(300)])

    assert before.apply(change).instances == project.instances.document(1).instances


def test_a_rerun_keeps_the_id_of_the_same_object_and_drops_the_rest(project: Project) -> None:
    project.proposals.put(1, [cell(0), cell(100)])
    old = {instance.bounds_xyxy[0]: instance.id for instance in project.instances.of(1)}

    project.proposals.put(1, [cell(102, 0.4), cell(300)])

    new = {instance.bounds_xyxy[0]: instance.id for instance in project.instances.of(1)}
    assert new[102] == old[100]
    assert set(new) == {102, 300}
    assert old[0] not in new.values()


@pytest.mark.parametrize(
    "state", [InstanceState.ACCEPTED, InstanceState.EDITED, InstanceState.DRAWN, InstanceState.REJECTED]
)
def test_what_a_person_answered_is_neither_changed_nor_proposed_again(project: Project, state: InstanceState) -> None:
    project.proposals.put(1, [cell(0)])
    answer(project, project.instances.of(1)[0], state=state)
    before = project.instances.of(1)

    project.proposals.put(1, [cell(1)])

    assert project.instances.of(1) == before


def test_an_object_given_another_class_is_not_proposed_again_under_the_old_one(project: Project) -> None:
    project.proposals.put(1, [cell(0)])
    answer(project, project.instances.of(1)[0], category_id=2, state=InstanceState.EDITED)

    project.proposals.put(1, [cell(0)])

    assert [instance.category_id for instance in project.instances.of(1)] == [2]


def test_a_rejected_output_does_not_come_back_under_another_class_name(project: Project) -> None:
    project.proposals.put(1, [cell(0, 0.9)])
    answer(project, project.instances.of(1)[0], state=InstanceState.REJECTED)

    project.proposals.put(1, [cell(0, 0.9, category_id=2), cell(200, 0.9, category_id=2)])

    assert [(item.category_id, item.state.value) for item in project.instances.of(1)] == [
        (1, "rejected"),
        (2, "proposed"),
    ]
    assert project.instances.of(1)[1].bounds_xyxy[0] == 200


def test_a_rejected_class_does_not_block_another_class_there(project: Project) -> None:
    project.proposals.put(1, [cell(0)])
    answer(project, project.instances.of(1)[0], state=InstanceState.REJECTED)

    project.proposals.put(1, [cell(0, 0.6, category_id=2)])

    assert [(item.category_id, item.state.value) for item in project.instances.of(1)] == [
        (1, "rejected"),
        (2, "proposed"),
    ]
    assert project.images.record(1).instance_count == 1


def test_two_objects_of_one_class_that_touch_stay_two(project: Project) -> None:
    project.instances.apply(1, Change.create([drawn(50, square(0, side=20))]), label="Draw")

    project.proposals.put(1, [cell(15)])

    assert len(project.instances.of(1)) == 2


def test_self_crossing_and_multi_part_outlines_are_compared_without_failing(project: Project) -> None:
    bow = drawn(60, replace(square(), exterior=square().exterior[[0, 2, 1, 3]]), square(40))
    project.instances.apply(1, Change.create([bow]), label="Draw")

    project.proposals.put(1, [ModelProposal(1, 0.5, (square(), square(40)))])

    assert [instance.id for instance in project.instances.of(1)] == [60]  # 150 of 200 px are common


def test_a_finished_image_stays_finished(project: Project) -> None:
    project.images.set_state(1, ImageState.DONE)

    project.proposals.put(1, [cell(0)])

    assert project.images.record(1).state is ImageState.DONE


def test_runs_remember_what_is_done_and_what_failed(project: Project) -> None:
    run_id = project.runs.start("net", "abc", {"score": 0.5})
    project.proposals.put(1, [], run_id=run_id, seconds=0.25)
    project.runs.record_failure(run_id, 2, "the file is empty")

    assert project.runs.pending_images(run_id).size == 0
    assert [(failure.file_name, failure.reason) for failure in project.runs.failures(run_id)] == [
        ("000001.jpg", "the file is empty")
    ]
    assert project.runs.done_count(run_id) == 1
    assert project.runs.last().settings == {"score": 0.5}
    assert project.runs.forget_failures(run_id) == 1
    assert project.runs.pending_images(run_id).tolist() == [2]


def shown(*proposals: ModelProposal) -> list[Instance]:
    """As they stand in a document."""
    return [
        Instance(id_, p.category_id, p.polygons, InstanceState.PROPOSED, score=p.score)
        for id_, p in enumerate(proposals, start=1)
    ]


def never(proposal: ModelProposal) -> int:
    raise AssertionError(f"no new id is needed for {proposal}")


def test_proposals_alike_to_the_last_point_keep_an_id_each() -> None:
    twice = [cell(0), cell(0), cell(30)]
    before = shown(*twice)
    change = proposals_to_change(before, [*twice, cell(60)], None, [99, 98, 97, 96])
    kept = [(old.id, new.id) for _, old, new in change if old is not None and new is not None]
    added = [new.id for _, old, new in change if old is None and new is not None]
    assert all(old == new for old, new in kept)
    assert added == [99]


def test_a_preview_of_the_same_thresholds_changes_nothing() -> None:
    same = [cell(0, 0.9), cell(100, 0.8)]
    assert preview_change(shown(*same), same, never).is_empty


def test_a_preview_keeps_the_object_whose_outline_alone_is_another() -> None:
    (before,) = shown(cell(0))
    change = preview_change([before], [cell(3)], never)
    assert [(id_, after.polygons) for id_, _, after in change] == [(before.id, cell(3).polygons)]


def test_a_preview_adds_and_removes() -> None:
    change = preview_change(shown(cell(0, 0.9)), [cell(100, 0.8)], lambda proposal: -7)
    assert {(id_, before is None, after is None) for id_, before, after in change} == {
        (1, False, True),
        (-7, True, False),
    }


def test_a_preview_shows_two_of_one_class_and_score_as_two() -> None:
    twins = [cell(0), cell(100)]
    assert preview_change(shown(*twins), twins[:1], never).entries.keys() <= {1, 2}
    ids = iter([-1, -2])
    assert preview_change([], twins, lambda proposal: next(ids)).entries.keys() == {-1, -2}


def test_a_preview_leaves_answered_objects_alone() -> None:
    accepted = replace(shown(cell(0))[0], state=InstanceState.ACCEPTED)
    assert preview_change([accepted], [cell(1)], never).is_empty


def scribble(left: float, vertices: int = 60, seed: int = 0) -> Polygon:
    """An outline that crosses itself again and again."""
    rng = np.random.default_rng(seed)
    return Polygon.of(rng.random((vertices, 2)) * 50 + (left, 0))


def test_an_outline_that_crosses_itself_is_compared_as_it_is_filled() -> None:
    bow_tie = Polygon.of([(0, 0), (40, 40), (40, 0), (0, 40)])
    halves = (Polygon.of([(0, 0), (20, 20), (0, 40)]), Polygon.of([(40, 0), (40, 40), (20, 20)]))

    _, _, ious = overlaps([ModelProposal(1, 0.9, (bow_tie,))], [ModelProposal(1, 0.9, halves)], least_iou=0.5)

    assert ious == pytest.approx([1.0], abs=0.05)


def test_a_scribble_that_was_refused_is_known_again() -> None:
    old = [Instance(k + 1, 1, (scribble(60 * k, seed=k),), InstanceState.REJECTED) for k in range(50)]
    proposals = [ModelProposal(1, 0.9, instance.polygons) for instance in old]

    assert proposals_to_change(old, proposals, None, range(100, 150)).is_empty


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=12),
)
def test_any_two_outlines_have_an_iou(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    sides = [[ModelProposal(1, 0.9, (Polygon.of(ring),))] for ring in (first, second)]

    _, _, ious = overlaps(*sides, least_iou=0.0)

    assert ((ious >= 0) & (ious <= 1 + 1e-9)).all()


def test_another_model_that_outlines_an_answered_object_differently_does_not_double_it(project: Project) -> None:
    project.proposals.put(1, [cell(0), cell(100)])
    for instance, state in zip(project.instances.of(1), (InstanceState.ACCEPTED, InstanceState.REJECTED), strict=True):
        answer(project, instance, state=state)
    looser = [ModelProposal(1, 0.8, (square(left, side=26),)) for left in (0, 100)]  # IoU 0.59

    project.proposals.put(1, looser)

    assert [instance.state for instance in project.instances.of(1)] == [InstanceState.ACCEPTED, InstanceState.REJECTED]


def test_when_a_person_touched_an_object_is_known(project: Project) -> None:
    project.proposals.put(1, [cell(0), cell(100)])
    answer(project, project.instances.of(1)[0], state=InstanceState.ACCEPTED)

    touched, other = project.instances.of(1)

    assert touched.edited_at >= project.history.of(1)[0].at
    assert other.edited_at == ""


ORIGIN = Provenance("net", "abc", 0.5, 0.5, "2026-01-01T00:00:00Z")


def proposed(proposal: ModelProposal, name: str, id_: int = 1, **changes: Any) -> Instance:
    origin = replace(ORIGIN, model_name=name)
    one = Instance(id_, proposal.category_id, proposal.polygons, InstanceState.PROPOSED, proposal.score, origin)
    return replace(one, **changes)


def test_a_slider_does_not_undo_what_an_assistant_has_refined() -> None:
    refined = proposed(cell(0), "net + assist", polygons=(square(1, side=18),))
    assert proposals_to_change([refined], [cell(0)], ORIGIN, [9]).is_empty
    assert preview_change([refined], [cell(0)], never).is_empty


@pytest.mark.parametrize(
    ("proposal", "origin"),
    [(cell(0, 0.8), ORIGIN), (cell(0), replace(ORIGIN, model_hash="def")), (cell(0), replace(ORIGIN, model_name="no"))],
    ids=["another score", "another file", "another model"],
)
def test_what_is_not_the_same_output_replaces_a_refined_proposal(proposal: ModelProposal, origin: Provenance) -> None:
    refined = proposed(cell(0), "net + assist", polygons=(square(1, side=18),))
    ((_, _, after),) = proposals_to_change([refined], [proposal], origin, [9])
    assert after is not None
    assert (after.polygons, after.provenance) == (proposal.polygons, origin)


def test_what_an_assistant_found_alike_stays_and_is_not_proposed_twice() -> None:
    alike = proposed(cell(0, 0.6), "assist net, like 2 objects")
    change = proposals_to_change([alike], [cell(1), cell(100)], ORIGIN, [8, 9])
    assert [after.polygons for _, _, after in change if after is not None] == [cell(100).polygons]
    assert 1 not in change.entries
    assert 1 not in preview_change([alike], [], never).entries
