"""All proposals of a project through an assistant."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fake_assistant import FakeBackend
from maskwright.assist.placing import SoftMask
from maskwright.assist.refine import Verdict
from maskwright.assist.view import BackendAssistant
from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, ImageState, InstanceState
from maskwright.errors import ModelError
from maskwright.inference.async_runner import InferenceCancelledError
from maskwright.monitor import OperationCancelledError
from maskwright.operations.refining import refine_project
from maskwright.project import ModelProposal, Project, scan_folder
from project_builders import drawn, square, write_image


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Three images of 64x48 with a proposed square each, and one with none."""
    for index in range(4):
        write_image(tmp_path / "images" / f"{index}.png", value=index)
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path / "images") as project:
        project.images.add(scan_folder(project.image_root))
        project.ensure_categories([(1, "cell")])
        for image_id in (1, 2, 3):
            project.put_proposals(image_id, [ModelProposal(1, 0.9, (square(10, 10, 20),))])
        yield project


@pytest.fixture
def assistant() -> BackendAssistant:
    backend = FakeBackend()
    backend.truth = np.zeros((48, 64), bool)
    backend.truth[10:30, 10:29] = True
    return BackendAssistant(backend)


class Stopping:
    """Calls the work off after so many reports."""

    def __init__(self, after: int) -> None:
        self.left = after

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self.left -= 1
        self.check()

    def check(self) -> None:
        if self.left < 0:
            raise OperationCancelledError


def test_an_image_taken_out_of_the_set_meanwhile_is_not_refined(project: Project, assistant: BackendAssistant) -> None:
    refined: list[int] = []

    def store(image_id: int, change: Change) -> None:
        refined.append(image_id)
        project.images.set_standing([3], ImageStanding.REMOVED)

    refine_project(project, assistant, store=store)
    assert refined == [1, 2]


def test_every_proposal_is_refined_once(project: Project, assistant: BackendAssistant) -> None:
    first, second = (refine_project(project, assistant) for _ in range(2))
    assert (first.images, first.counts[Verdict.TAKEN], first.failures) == (3, 3, ())
    assert (second.images, sum(second.counts.values())) == (0, 0)
    assert {project.instances.of(id_)[0].bounds_xyxy for id_ in (1, 2, 3)} == {(10, 10, 29, 30)}


def test_proposals_stay_proposals_and_the_image_unworked(project: Project, assistant: BackendAssistant) -> None:
    refine_project(project, assistant)
    assert project.instances.of(1)[0].state is InstanceState.PROPOSED
    assert project.instances.of(1)[0].edited_at == ""
    assert project.images.record(1).state is ImageState.PRELABELLED


def test_a_user_s_objects_stay_as_they_are(project: Project, assistant: BackendAssistant) -> None:
    own = drawn(project.instances.reserve_ids(1)[0], square(10, 10, 21))
    project.instances.apply(1, Change.create([own]), label="Draw")
    refine_project(project, assistant)
    assert next(one for one in project.instances.of(1) if one.id == own.id).polygons == own.polygons


def test_a_missing_image_is_noted_and_the_rest_goes_on(project: Project, assistant: BackendAssistant) -> None:
    (project.image_root / "1.png").unlink()
    report = refine_project(project, assistant)
    assert [name for name, _ in report.failures] == ["1.png"]
    assert report.images == 2


def test_what_was_done_before_it_was_called_off_is_kept(project: Project, assistant: BackendAssistant) -> None:
    report = refine_project(project, assistant, monitor=Stopping(after=2))
    assert (report.is_cancelled, report.images) == (True, 2)
    assert refine_project(project, assistant).images == 1


def test_a_device_that_fails_on_everything_ends_it(
    project: Project, assistant: BackendAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ModelError("the device is gone")

    monkeypatch.setattr(assistant.backend, "answers", fail)
    monkeypatch.setattr("maskwright.operations.refining._DEVICE_FAILURES", 2)
    with pytest.raises(ModelError, match="device is gone"):
        refine_project(project, assistant)
    assert project.instances.of(1)[0].bounds_xyxy == (10, 10, 30, 30)


def test_somebody_else_may_choose_and_keep_what_is_refined(project: Project, assistant: BackendAssistant) -> None:
    kept: dict[int, Change] = {}
    report = refine_project(
        project, assistant, choose=lambda instances, _name: list(instances)[:1], store=kept.__setitem__
    )
    assert (report.images, list(kept)) == (3, [1, 2, 3])
    assert project.instances.of(1)[0].bounds_xyxy == (10, 10, 30, 30)


def test_what_is_ahead_of_the_project_is_refined(project: Project, assistant: BackendAssistant) -> None:
    kept: dict[int, Change] = {}
    refine_project(project, assistant, image_ids=[1], store=kept.__setitem__, known={1: ()})
    assert kept == {}


class CancelledBackend(FakeBackend):
    """Was called off in the middle of an image."""

    def answers(self, *_: object) -> list[SoftMask]:
        raise InferenceCancelledError("cancelled")


def test_an_image_that_was_called_off_has_not_failed(project: Project) -> None:
    report = refine_project(project, BackendAssistant(CancelledBackend()))
    assert (report.is_cancelled, report.failures) == (True, ())
