"""What correcting costs, from the history and the gestures kept with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maskwright.document.change import Change, UserEffort
from maskwright.document.values import InstanceState
from maskwright.project import ModelProposal, Project
from maskwright.review.effort import EffortLog, ImageEffort, InstanceEffort, effort_log
from maskwright.review.report import effort_report, suggested_score
from project_builders import drawn, make_project, square


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path) as project:
        yield project


def answer(project: Project, index: int, gesture: UserEffort | None, **changes: object) -> None:
    before = project.instances.of(1)[index]
    project.instances.apply(1, Change.of([(before, replace(before, **changes))]), label="Answer", gesture=gesture)


def draw(project: Project, id_: int, gesture: UserEffort) -> None:
    project.instances.apply(1, Change.create([drawn(id_, square(400))]), label="Draw", gesture=gesture)


def test_objects_are_followed_from_proposal_to_end(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(100 * k, side=20),)) for k in range(4)])
    answer(project, 0, UserEffort(active_s=1.0), state=InstanceState.ACCEPTED)
    answer(project, 1, UserEffort(3, 1, 4.0), state=InstanceState.EDITED, polygons=(square(100, side=18),))
    answer(project, 2, UserEffort(0, 1, 5.0), state=InstanceState.REJECTED)
    answer(project, 3, UserEffort(0, 2, 6.0), state=InstanceState.EDITED, category_id=2)
    draw(project, 50, UserEffort(5, 0, 7.0))

    accepted, edited, refused, renamed, by_hand = effort_log(project).instances.values()

    assert accepted.is_untouched
    assert (edited.is_untouched, edited.vertices_changed, edited.seconds) == (False, 3, pytest.approx(4))
    assert (edited.clicks, edited.keys) == (3, 1)
    assert edited.final_iou == pytest.approx(18 * 18 / 400)
    assert (refused.is_refused, refused.seconds) == (True, pytest.approx(5))
    assert renamed.is_class_changed
    assert (by_hand.is_drawn, by_hand.clicks, by_hand.seconds) == (True, 5, pytest.approx(7))


def test_outline_that_an_assistant_refined_and_a_user_accepted_is_no_correction(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(100 * k),)) for k in range(2)])
    before = project.instances.of(1)
    refined = [replace(one, polygons=(square(100 * k + 1),)) for k, one in enumerate(before)]
    project.instances.apply(1, Change.of(zip(before, refined, strict=True)), label="Refine outlines")
    answer(project, 0, UserEffort(1, 0, 2.0), state=InstanceState.ACCEPTED)
    answer(project, 1, UserEffort(2, 0, 3.0), state=InstanceState.EDITED, polygons=(square(100),))

    accepted, edited = effort_log(project).instances.values()

    assert accepted.is_untouched
    assert not edited.is_untouched
    assert effort_log(project).images == {1: ImageEffort(5.0, 3, 0)}


def test_a_step_on_many_objects_is_shared_between_them(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(100 * k),)) for k in range(4)])
    accepted = [(one, replace(one, state=InstanceState.ACCEPTED)) for one in project.instances.of(1)]

    project.instances.apply(1, Change.of(accepted), label="Accept all", gesture=UserEffort(1, 2, 8.0))

    log = effort_log(project)
    assert {(one.clicks, one.keys, one.seconds) for one in log.instances.values()} == {(0.25, 0.5, 2.0)}
    assert log.images == {1: ImageEffort(8.0, 1, 2)}


def test_looking_at_an_image_counts_for_the_image_alone(project: Project) -> None:
    draw(project, 50, UserEffort(5, 0, 7.0))
    project.effort.add_look(1, UserEffort(1, 1, 2.0))
    project.effort.add_look(1, UserEffort(0, 1, 3.0))

    log = effort_log(project)

    assert log.images == {1: ImageEffort(12.0, 6, 2)}
    assert log.instances[50].seconds == 7


def test_nothing_is_stored_while_recording_is_off(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(),)), ModelProposal(1, 0.8, (square(100),))])
    answer(project, 0, UserEffort(1, 0, 2.0), state=InstanceState.ACCEPTED)
    project.effort.record(False)
    answer(project, 0, UserEffort(1, 0, 2.0), state=InstanceState.REJECTED)
    answer(project, 1, UserEffort(1, 0, 2.0), state=InstanceState.ACCEPTED)
    project.effort.add_look(1, UserEffort(1, 0, 2.0))

    log = effort_log(project)

    assert not project.effort.is_recorded
    assert [entry.gesture for entry in project.history.of(1)][-2:] == [None, None]
    assert log.images == {1: ImageEffort(2.0, 1, 0)}
    (known,) = log.instances.values()
    assert known.is_refused, "what became of it is known all the same"


def test_what_was_recorded_can_be_erased_and_the_steps_stay(project: Project) -> None:
    draw(project, 50, UserEffort(5, 0, 7.0))
    project.effort.add_look(1, UserEffort(1, 1, 2.0))

    project.effort.forget()

    assert effort_log(project) == EffortLog()
    assert len(project.history.undo_steps(1).undo) == 1


def test_the_report_counts_per_class_and_score(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.95, (square(),)), ModelProposal(1, 0.35, (square(100),))])
    answer(project, 0, UserEffort(active_s=1.0), state=InstanceState.ACCEPTED)
    answer(project, 1, UserEffort(active_s=2.0), state=InstanceState.REJECTED)
    draw(project, 50, UserEffort(active_s=10.0))

    report = effort_report(project)

    (cells,) = report.classes
    assert (cells.proposed, cells.untouched, cells.refused, cells.drawn) == (2, 1, 1, 1)
    assert cells.untouched_rate == 0.5
    assert [entry for entry in report.answered_by_score if entry[1]] == [(0.3, 1, 0), (0.9, 1, 1)]
    assert (report.draw_seconds, report.refuse_seconds) == (pytest.approx(10), pytest.approx(2))


def judged(score: float, *, is_false: bool) -> InstanceEffort:
    proposed = replace(drawn(1), state=InstanceState.PROPOSED, score=score)
    return InstanceEffort(1, 1, 1, proposed, None if is_false else proposed, seconds=1.0)


def test_the_suggested_threshold_never_lies_among_equal_scores() -> None:
    answers = [judged(0.3, is_false=False)] * 10 + [judged(0.9, is_false=True)] * 10

    assert suggested_score(answers, draw_s=1, refuse_s=10) == 0.3, "0.9 would leave no proposal"


def test_the_suggested_threshold_weighs_drawing_against_refusing() -> None:
    answers = [judged(0.01 * k, is_false=k < 40) for k in range(100)]

    assert suggested_score(answers, draw_s=10, refuse_s=2) == pytest.approx(0.395)
    assert suggested_score(answers[:5], draw_s=10, refuse_s=2) is None


def test_where_drawing_is_dear_the_threshold_goes_down() -> None:
    answers = [judged(0.01 * k, is_false=k % 4 != 0 if k < 50 else k % 4 == 0) for k in range(100)]

    cheap, dear = (suggested_score(answers, draw_s=draw_s, refuse_s=2) for draw_s in (4, 40))

    assert dear < cheap
