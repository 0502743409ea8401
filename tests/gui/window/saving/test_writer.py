"""Edits reach the database in order, and nothing that cannot be written is lost."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright.errors import ProjectError
from maskwright.project import ModelProposal, Project
from maskwright_gui.app import Workbench
from maskwright_gui.workers.writer import EditWriter, PendingEdit
from project_builders import drawn, make_project, square


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path / "set") as project:
        yield project


@pytest.fixture
def writer(project: Project) -> Iterator[EditWriter]:
    writer = EditWriter(project, retry_s=0.02)
    writer.start()
    yield writer
    writer.stop()


class FullDisk:
    """Makes `apply` fail until it is freed."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        real = project.instances.apply

        def apply(*arguments: object, **named: object) -> None:
            if self.is_full:
                raise ProjectError("the disk is full")
            real(*arguments, **named)  # type: ignore[arg-type]  # passed through

        monkeypatch.setattr(project.instances, "apply", apply)


def edit(change: Change) -> PendingEdit:
    return PendingEdit(1, change, "Draw")


def test_edits_are_written_in_order(writer: EditWriter, project: Project) -> None:
    first = drawn(1)
    writer.write(edit(Change.create([first])))
    writer.write(edit(Change.of([(first, drawn(1, square(5, 5)))])))
    assert writer.flush()
    assert list(project.instances.of(1)) == [drawn(1, square(5, 5))]


def test_full_disk_keeps_the_edit_and_retries(
    qtbot: QtBot, writer: EditWriter, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(project, monkeypatch)
    with qtbot.waitSignal(writer.failed):
        writer.write(edit(Change.create([drawn(1)])))
    assert writer.pending_count == 1
    with qtbot.waitSignal(writer.recovered):
        disk.is_full = False
    assert len(project.instances.of(1)) == 1


def test_failure_is_reported_once(
    qtbot: QtBot, writer: EditWriter, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(project, monkeypatch)
    reports: list[object] = []
    writer.failed.connect(reports.append)
    writer.write(edit(Change.create([drawn(1)])))
    assert not writer.flush()
    assert not writer.flush()
    qtbot.waitUntil(lambda: len(reports) == 1)


def test_edit_of_a_proposal_that_a_model_run_replaced_still_counts(
    qtbot: QtBot, writer: EditWriter, project: Project
) -> None:
    project.put_proposals(1, [ModelProposal(1, 0.9, (square(),))])
    (proposed,) = project.instances.of(1)
    project.put_proposals(1, [])
    accepted = drawn(proposed.id, state=InstanceState.ACCEPTED)
    with qtbot.waitSignal(writer.rebased):
        writer.write(edit(Change.of([(proposed, accepted)])))
    assert writer.flush()
    assert [instance.state for instance in project.instances.of(1)] == [InstanceState.ACCEPTED]


def test_steps_that_are_read_again_before_they_are_written_are_those_on_screen(
    classed: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = classed.session
    assert session.project is not None
    assert session.image is not None
    session.save()
    disk = FullDisk(session.project.stored, monkeypatch)
    session.edit(Change.create([drawn(3)]), "Draw 3")
    session.edit(Change.create([drawn(4)]), "Draw 4")
    session.history.undo()
    session.history.undo()
    session.history.redo()
    known = session.history.steps
    session.history.forget(session.image.id)
    assert session.history.steps == known
    assert [[step.label for step in side] for side in known] == [["Draw", "Draw 3"], ["Draw 4"]]
    disk.is_full = False
    assert session.save()
    session.history.forget(session.image.id)
    assert session.history.steps == known


def test_steps_are_read_while_an_edit_waits_for_the_transaction_of_another(
    classed: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, gate, begun = classed.session, Event(), Event()
    assert session.project is not None
    assert session.image is not None
    session.save()
    real = session.project.stored.instances.apply

    def apply(*arguments: Any, **named: Any) -> Any:
        begun.set()
        gate.wait()
        return real(*arguments, **named)

    monkeypatch.setattr(session.project.stored.instances, "apply", apply)
    session.edit(Change.create([drawn(3)]), "Draw 3")
    begun.wait()
    session.history.forget(session.image.id)
    done, _ = session.history.steps
    gate.set()
    assert [step.label for step in done] == ["Draw", "Draw 3"]
    assert not session.history.is_partial
    assert session.save()
