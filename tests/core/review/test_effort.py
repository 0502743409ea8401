"""What correcting costs, from the history alone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright.project import Project, Proposal
from maskwright.review.effort import InstanceEffort, effort_log
from maskwright.review.report import effort_report, suggested_score
from project_builders import drawn, make_project, square


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path) as project:
        yield project


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the history on by seconds."""
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr("maskwright.project.instances.now", lambda: at[0].isoformat(timespec="milliseconds"))

    def move(seconds: float) -> None:
        at[0] += timedelta(seconds=seconds)

    return move


def answer(project: Project, index: int, **changes: object) -> Instance:
    before = project.instances(1)[index]
    after = replace(before, **changes)
    project.apply(1, Change.of([(before, after)]), label="Answer")
    return after


def test_objects_are_followed_from_proposal_to_end(project: Project, wait: Callable[[float], None]) -> None:
    project.put_proposals(1, [Proposal(1, 0.9, (square(100 * k, side=20),)) for k in range(4)])
    answer(project, 0, state=InstanceState.ACCEPTED)
    wait(4)
    answer(project, 1, state=InstanceState.EDITED, polygons=(square(100, side=18),))
    wait(5)
    answer(project, 2, state=InstanceState.REJECTED)
    wait(300)
    answer(project, 3, state=InstanceState.EDITED, category_id=2)
    wait(7)
    project.apply(1, Change.create([drawn(50, square(400))]), label="Draw")

    accepted, edited, refused, renamed, by_hand = effort_log(project).instances.values()

    assert accepted.is_untouched
    assert (edited.is_untouched, edited.vertices_changed, edited.seconds) == (False, 3, pytest.approx(4))
    assert edited.final_iou == pytest.approx(18 * 18 / 400)
    assert (refused.is_refused, refused.seconds) == (True, pytest.approx(5))
    assert renamed.is_class_changed
    assert renamed.seconds == pytest.approx(30), "idle time is cut"
    assert (by_hand.is_drawn, by_hand.seconds) == (True, pytest.approx(7))


def test_the_report_counts_per_class_and_score(project: Project, wait: Callable[[float], None]) -> None:
    project.put_proposals(1, [Proposal(1, 0.95, (square(),)), Proposal(1, 0.35, (square(100),))])
    answer(project, 0, state=InstanceState.ACCEPTED)
    wait(2)
    answer(project, 1, state=InstanceState.REJECTED)
    wait(10)
    project.apply(1, Change.create([drawn(50, square(400))]), label="Draw")

    report = effort_report(project)

    (cells,) = report.classes
    assert (cells.proposed, cells.untouched, cells.refused, cells.drawn) == (2, 1, 1, 1)
    assert cells.untouched_rate == 0.5
    assert [entry for entry in report.answered_by_score if entry[1]] == [(0.3, 1, 0), (0.9, 1, 1)]
    assert (report.draw_seconds, report.refuse_seconds) == (pytest.approx(10), pytest.approx(2))


def judged(score: float, *, is_false: bool) -> InstanceEffort:
    proposed = replace(drawn(1), state=InstanceState.PROPOSED, score=score)
    return InstanceEffort(1, 1, 1, proposed, None if is_false else proposed, seconds=1.0)


def test_the_suggested_threshold_weighs_drawing_against_refusing() -> None:
    answers = [judged(0.01 * k, is_false=k < 40) for k in range(100)]

    assert suggested_score(answers, draw_s=10, refuse_s=2) == pytest.approx(0.395)
    assert suggested_score(answers[:5], draw_s=10, refuse_s=2) is None


def test_where_drawing_is_dear_the_threshold_goes_down() -> None:
    answers = [judged(0.01 * k, is_false=k % 4 != 0 if k < 50 else k % 4 == 0) for k in range(100)]

    cheap, dear = (suggested_score(answers, draw_s=draw_s, refuse_s=2) for draw_s in (4, 40))

    assert dear < cheap
