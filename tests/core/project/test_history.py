"""What was done can be undone after a restart, and an earlier state brought back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.document import combine
from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.dense import mask_to_dense
from maskwright.project import ModelProposal, Project
from maskwright.project.journal import change_from_bytes, change_to_bytes
from project_builders import drawn, make_project, square


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path) as project:
        yield project


def reopened(project: Project) -> Project:
    project.close()
    return Project.open(project.path)


def labels(project: Project) -> tuple[list[str], list[str]]:
    steps = project.history.undo_steps(1)
    return [entry.label for entry in steps.undo], [entry.label for entry in steps.redo]


def test_steps_can_be_undone_and_redone_after_a_restart(project: Project) -> None:
    first, second, third = (Change.create([drawn(id_)]) for id_ in (1, 2, 3))
    for label, change in (("A", first), ("B", second), ("C", third)):
        project.instances.apply(1, change, label=label)
    project.instances.apply(1, third.inverse(), label="C", kind="undo")
    project.instances.apply(1, second.inverse(), label="B", kind="undo")
    project.instances.apply(1, second, label="B", kind="redo")

    with reopened(project) as project:
        assert labels(project) == (["A", "B"], ["C"])
        project.instances.apply(1, project.history.undo_steps(1).redo[-1].change, label="C", kind="redo")
        assert len(project.instances.document(1)) == 3
        for entry in reversed(project.history.undo_steps(1).undo):
            project.instances.apply(1, entry.change.inverse(), label=entry.label, kind="undo")
        assert len(project.instances.document(1)) == 0
        assert labels(project) == ([], ["C", "B", "A"])


def test_a_new_step_forgets_what_was_undone(project: Project) -> None:
    first = Change.create([drawn(1)])
    project.instances.apply(1, first, label="A")
    project.instances.apply(1, first.inverse(), label="A", kind="undo")
    project.instances.apply(1, Change.create([drawn(2)]), label="B")

    assert labels(project) == (["B"], [])


def test_steps_on_replaced_proposals_end_the_list(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(),))])
    proposal = project.instances.of(1)[0]
    project.instances.apply(1, Change.of([(proposal, replace(proposal, category_id=2))]), label="Change class")
    project.instances.apply(1, Change.create([drawn(50, square(200))]), label="Draw")
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(400),))])

    assert labels(project) == (["Draw"], [])


def test_proposals_upon_proposals_are_one_entry(project: Project) -> None:
    for left in (0, 100, 200):
        project.put_proposals(1, [ModelProposal(1, 0.9, (square(left),))])
    assert [entry.kind for entry in project.history.of(1)] == ["proposals"]
    assert project.history.document_at(1, "").instances == {}

    project.instances.apply(1, Change.create([drawn(50, square(400))]), label="Draw")
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(300),))])
    project.put_proposals(1, [])

    assert [entry.kind for entry in project.history.of(1)] == ["proposals", "edit", "proposals"]
    assert project.history.document_at(1, "").instances == {}


def test_a_person_s_steps_survive_new_proposals(project: Project) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(),))])
    proposal = project.instances.of(1)[0]
    project.instances.apply(1, Change.of([(proposal, replace(proposal, state=InstanceState.ACCEPTED))]), label="Accept")
    project.put_proposals(1, [ModelProposal(1, 0.8, (square(300),))])

    assert labels(project) == (["Accept"], [])


def test_an_earlier_state_is_brought_back_as_an_edit(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    times = (f"2026-01-01T10:00:{second:02d}.000+00:00" for second in range(60))
    for module in ("instances", "instance_rows"):
        monkeypatch.setattr(f"maskwright.project.{module}.now", lambda: next(times))
    project.instances.apply(1, Change.create([drawn(1), drawn(2)]), label="Draw")
    before = project.instances.document(1).instances
    when = project.history.of(1)[-1].at
    project.instances.apply(1, Change.delete([before[1]]), label="Delete")
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(300),))])

    project.instances.apply(1, project.history.change_back_to(1, when), label="Restore")

    assert project.instances.document(1).instances == before


coordinates = st.floats(-1e6, 1e6, allow_nan=False)
instances = st.builds(
    Instance,
    id=st.just(7),
    category_id=st.integers(1, 90),
    polygons=st.tuples(st.builds(lambda x, y: square(x, y), coordinates, coordinates)),
    state=st.sampled_from(InstanceState),
    score=st.none() | st.floats(0, 1),
    provenance=st.none() | st.builds(Provenance, st.text(), st.text(), st.floats(0, 1), st.floats(0, 1), st.text()),
    z=st.integers(-9, 9),
    is_visible=st.booleans(),
    extra=st.dictionaries(st.text(), st.integers(-9, 9) | st.text() | st.none(), max_size=3),
)


@given(st.none() | instances, instances)
def test_journal_entries_come_back_exactly(before: Instance | None, after: Instance) -> None:
    change = Change.of([(before, after)])

    assert change_from_bytes(change_to_bytes(change)) == change


def test_detail_comes_back_after_closing_and_opening_again(tmp_path: Path) -> None:
    mask = np.tri(40, 60, k=8, dtype=np.bool_)
    proposal = ModelProposal(1, 0.9, mask_to_polygons(mask), mask_to_dense(mask, (0, 0)))
    with make_project(tmp_path) as project:
        project.put_proposals(1, [proposal])
        document = project.instances.document(1)
        coarser = combine.simplify(document, list(document.instances), 9)
        project.instances.apply(1, coarser, label="Simplify")
        path = project.path

    with Project.open(path) as project:
        document = project.instances.document(1)
        finer = document.apply(combine.simplify(document, list(document.instances), 0))
        (step,) = project.history.undo_steps(1).undo
        undone = document.apply(step.change.inverse())

    assert next(iter(finer)).polygons == mask_to_polygons(mask, min_iou=None)
    assert next(iter(undone)).polygons == proposal.polygons
    assert next(iter(undone)).dense == proposal.dense
