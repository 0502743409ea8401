"""A batch: every image exactly once, failures apart, stoppable and resumable at any point."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from maskwright.document.values import ImageStanding, ImageState, InstanceState, Provenance
from maskwright.errors import ModelError, ProjectError
from maskwright.geometry.polygon import Polygon
from maskwright.images import DecodedImage, read_image
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.prelabel import CancelToken, Progress, prelabel_one, resumable_run, run_batch, stages
from maskwright.prelabel.stages import Queue
from maskwright.project import ModelProposal, Project, ScannedImage, scan_folder
from maskwright.project.layer import ProposalRepository
from project_builders import write_image


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Finds the left half as class 1 (0.9) and the right half as class 2 (0.8) in whatever it sees."""
    return load_model(tiny_models.yolact(tmp_path_factory.mktemp("model") / "tiny.xml"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for index in range(12):
        write_image(tmp_path / "images" / f"{index:02d}.png")
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path / "images") as project:
        project.images.add(scan_folder(project.image_root))
        yield project


def names_of(project: Project) -> dict[int, str]:
    return {category.id: category.name for category in project.categories.listed()}


def test_every_image_gets_its_proposals_once(project: Project, model: Model) -> None:
    seen: list[Progress] = []

    report = run_batch(project, model, Thresholds(), on_progress=seen.append)

    assert (report.done, report.failed, report.remaining) == (12, 0, 0)
    assert sorted(progress.image_id for progress in seen) == list(range(1, 13))
    assert seen[-1].done == seen[-1].total == 12
    assert project.images.state_counts()[ImageState.PRELABELLED] == 12
    assert {len(project.instances.of(id_)) for id_ in range(1, 13)} == {2}


def test_proposals_lie_where_the_model_sees_them(project: Project, model: Model) -> None:
    run_batch(project, model, Thresholds())

    left, right = sorted(project.instances.of(1), key=lambda instance: instance.bounds_xyxy)
    assert left.bounds_xyxy == pytest.approx((0, 0, 32, 48), abs=8)
    assert right.bounds_xyxy == pytest.approx((32, 0, 64, 48), abs=8)
    assert (left.state, left.score) == (InstanceState.PROPOSED, pytest.approx(0.9))
    assert left.provenance.model_hash == model.content_hash
    assert names_of(project)[left.category_id] == model.labels[0].name


def test_thresholds_and_classes_select(project: Project, model: Model) -> None:
    run_batch(project, model, Thresholds(score=0.85))
    assert [instance.score for instance in project.instances.of(1)] == [pytest.approx(0.9)]

    run_batch(project, model, Thresholds(categories=(model.labels[1].id,)))
    assert [instance.score for instance in project.instances.of(1)] == [pytest.approx(0.8)]


@pytest.mark.parametrize("standing", [ImageStanding.EXCLUDED, ImageStanding.REMOVED])
def test_an_image_taken_out_of_the_set_meanwhile_gets_no_proposals(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch, standing: ImageStanding
) -> None:
    read, put = stages.read_image, ProposalRepository.put_many

    def read_and_take_out(path: Path) -> DecodedImage:
        """12 has not been looked at yet."""
        project.images.set_standing([12], standing)
        return read(path)

    def take_out_and_put(self: ProposalRepository, found: list, **named: object) -> object:
        """8 is done, but not stored."""
        if any(one.image_id == 8 for one in found):
            project.images.set_standing([8], standing)
        return put(self, found, **named)

    monkeypatch.setattr(stages, "read_image", read_and_take_out)
    monkeypatch.setattr(ProposalRepository, "put_many", take_out_and_put)
    report = run_batch(project, model, Thresholds())

    assert (report.done, report.failed, report.remaining, report.is_cancelled) == (10, 0, 0, False)
    assert not project.instances.of(8)
    assert not project.instances.of(12)
    project.images.set_standing([8, 12], ImageStanding.LISTED)
    monkeypatch.undo()
    again = run_batch(project, model, Thresholds(), resume=True)
    assert (again.run_id, again.done, again.remaining) == (report.run_id, 12, 0)
    assert {len(project.instances.of(id_)) for id_ in range(1, 13)} == {2}


def test_a_file_that_is_moved_meanwhile_is_found_at_its_new_place(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, old, one = stages.read_image, project.image_path(project.images.record(12)), threading.Lock()

    def read_and_move(path: Path) -> DecodedImage:
        """Its record has been read already, together with the first one's."""
        with one:
            if old.exists():
                old.rename(old.with_name("moved.png"))
                project.image_folder.relocate({12: "moved.png"})
        return read(path)

    monkeypatch.setattr(stages, "read_image", read_and_move)
    report = run_batch(project, model, Thresholds())

    assert (report.done, report.failed) == (12, 0)


def test_bad_images_fail_alone_with_their_reason(project: Project, model: Model) -> None:
    (project.image_root / "03.png").write_bytes(b"")
    (project.image_root / "05.png").unlink()
    write_image(project.image_root / "07.png", size_wh=(10, 10))
    seen: list[Progress] = []

    report = run_batch(project, model, Thresholds(), on_progress=seen.append)

    reasons = {failure.file_name: failure.reason for failure in project.runs.failures(report.run_id)}
    assert (report.done, report.failed) == (9, 3)
    assert "empty" in reasons["03.png"]
    assert "does not exist" in reasons["05.png"]
    assert "size has changed" in reasons["07.png"]
    assert sum(progress.failure is not None for progress in seen) == 3
    assert project.images.record(4).state is ImageState.UNSEEN


def test_a_cancelled_batch_is_resumed_without_doing_an_image_twice(project: Project, model: Model) -> None:
    for index in range(12, 60):
        write_image(project.image_root / f"{index:02d}.png")
    project.images.add(scan_folder(project.image_root))
    token, seen = CancelToken(), []

    def stop_after_three(progress: Progress) -> None:
        seen.append(progress.image_id)
        if len(seen) == 3:
            token.cancel()

    first = run_batch(project, model, Thresholds(), on_progress=stop_after_three, cancel=token)
    assert first.is_cancelled
    assert first.done + first.remaining == 60

    second = run_batch(
        project, model, Thresholds(), on_progress=lambda progress: seen.append(progress.image_id), resume=True
    )

    assert second.run_id == first.run_id
    assert (second.done, second.remaining) == (60, 0)
    assert sorted(seen) == list(range(1, 61))


def test_images_that_somebody_worked_on_are_left_alone_on_request(project: Project, model: Model) -> None:
    worked_on = {1: ImageState.DONE, 2: ImageState.EMPTY, 3: ImageState.IN_PROGRESS}
    for id_, state in worked_on.items():
        project.images.set_state(id_, state)

    report = run_batch(project, model, Thresholds(), only_untouched=True)

    assert (report.done, report.remaining) == (9, 0)
    assert [len(project.instances.of(id_)) for id_ in (1, 2, 3, 4)] == [0, 0, 0, 2]


def test_other_settings_are_another_run(project: Project, model: Model) -> None:
    first = run_batch(project, model, Thresholds())

    assert resumable_run(project, model, Thresholds(score=0.1)) is None
    assert resumable_run(project, model, Thresholds(score=model.default_score)).id == first.run_id


def test_the_image_on_screen_goes_first(project: Project, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_out: list[int | None] = []
    turn = threading.Lock()

    class Noted(Queue):
        def take(self) -> int | None:
            with turn:
                handed_out.append(super().take())
                return handed_out[-1]

    monkeypatch.setattr("maskwright.prelabel.pipeline.Queue", Noted)
    wanted = iter([11, None, 5])

    run_batch(project, model, Thresholds(), priority=lambda: next(wanted, None))

    assert [image_id for image_id in handed_out if image_id] == [11, 1, 5, 2, 3, 4, 6, 7, 8, 9, 10, 12]


def test_a_paused_batch_waits_and_goes_on(project: Project, model: Model) -> None:
    token, seen, reached = CancelToken(), [], threading.Event()

    def pause_once(progress: Progress) -> None:
        seen.append(progress.image_id)
        if len(seen) == 1:
            token.pause()
            reached.set()

    thread = threading.Thread(
        target=run_batch,
        args=(project, model, Thresholds()),
        kwargs={"on_progress": pause_once, "cancel": token},
    )
    thread.start()
    assert reached.wait(30)
    assert token.is_paused
    token.resume()
    thread.join(30)

    assert not thread.is_alive()
    assert len(seen) == 12


def test_a_dead_device_stops_the_batch_and_blames_no_image(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ModelError("device lost")

    monkeypatch.setattr(Model, "infer", fail)
    report = run_batch(project, model, Thresholds())
    monkeypatch.undo()

    assert "device lost" in report.stopped_because
    assert (report.failed, report.remaining) == (0, 12)
    assert run_batch(project, model, Thresholds(), resume=True).done == 12


def test_images_under_way_when_the_device_dies_do_not_lay_the_blame_on_others(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    infer, calls, first_failed = Model.infer, iter(range(1000)), threading.Event()

    def die_after_the_first(self: Model, *arguments: object) -> object:
        if next(calls) == 0:
            first_failed.wait(10)  # still under way while the others fail; then it succeeds
            return infer(self, *arguments)
        first_failed.set()
        raise ModelError("device lost")

    monkeypatch.setattr(Model, "infer", die_after_the_first)
    report = run_batch(project, model, Thresholds())

    assert "device lost" in report.stopped_because
    assert report.failed == 0
    assert report.done + report.remaining == 12
    assert report.done <= 1, "the first one, unless the batch had given up before it was through"


def test_an_image_on_which_inference_fails_is_listed(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    infer = Model.infer
    write_image(project.image_root / "04.png", value=7)

    def fail_on_dark(self: Model, request: object, feeds: dict[int, np.ndarray], shape: tuple[int, ...]) -> object:
        if feeds[0].max() == 7:
            raise ModelError("too dark")
        return infer(self, request, feeds, shape)

    monkeypatch.setattr(Model, "infer", fail_on_dark)
    report = run_batch(project, model, Thresholds())

    assert report.done == 11
    assert [failure.reason for failure in project.runs.failures(report.run_id)] == ["too dark"]


def test_a_vanished_image_folder_stops_the_batch(project: Project, model: Model) -> None:
    project.image_root.rename(project.image_root.with_name("elsewhere"))

    report = run_batch(project, model, Thresholds())

    assert "no longer exists" in report.stopped_because
    assert report.failed == 0


def test_a_project_that_cannot_be_written_ends_the_batch_with_its_reason(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise ProjectError("the disk is full")

    monkeypatch.setattr(ProposalRepository, "put_many", full)

    with pytest.raises(ProjectError, match="disk is full"):
        run_batch(project, model, Thresholds())


def test_an_empty_project_is_done_at_once(tmp_path: Path, model: Model) -> None:
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path) as project:
        assert run_batch(project, model, Thresholds()).remaining == 0


def test_an_image_above_the_pixel_budget_goes_through_alone(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwright.prelabel.stages.PIXEL_BUDGET", 10)
    write_image(tmp_path / "a.png")
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path) as project:
        project.images.add([ScannedImage("a.png", 64, 48)])
        assert run_batch(project, model, Thresholds()).done == 1


def test_one_image_needs_no_project(tmp_path: Path, model: Model) -> None:
    proposals = prelabel_one(model, write_image(tmp_path / "a.png"), Thresholds())

    assert [proposal.category_id for proposal in proposals] == [label.id for label in model.labels]


def test_several_images_are_stored_in_one_transaction_and_told_of_afterwards(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwright.prelabel.pipeline._WRITTEN_AFTER_S", 60.0)
    revisions: list[int] = []

    def note(progress: Progress) -> None:
        assert len(project.instances.of(progress.image_id)) == 2
        revisions.append(project.revision)

    run_batch(project, model, Thresholds(), on_progress=note)
    assert len(set(revisions)) == 1


def test_an_image_that_somebody_waits_for_is_stored_at_once(
    project: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwright.prelabel.pipeline._WRITTEN_AFTER_S", 60.0)
    wanted, is_stored, waited_in_vain = iter([11]), threading.Event(), []

    def read(path: Path) -> DecodedImage:
        """The others wait until it is stored."""
        if path.name != "10.png" and not is_stored.wait(20):
            waited_in_vain.append(path)
        return read_image(path)

    def on_progress(progress: Progress) -> None:
        if progress.image_id == 11:
            is_stored.set()

    monkeypatch.setattr(stages, "read_image", read)

    run_batch(project, model, Thresholds(), priority=lambda: next(wanted, None), on_progress=on_progress)

    assert is_stored.is_set()
    assert waited_in_vain == []


def test_disagreement_with_the_model_before_is_noted(project: Project, model: Model) -> None:
    project.categories.ensure((label.id, label.name) for label in model.labels)
    left_only = ModelProposal(1, 0.7, (Polygon.of([(0, 0), (32, 0), (32, 48), (0, 48)]),))
    origin = Provenance("old", "0" * 64, 0.3, 0.5, "2026-01-01T00:00:00+00:00")
    project.proposals.put(
        1, [left_only, ModelProposal(1, 0.6, (Polygon.of([(1, 60), (9, 60), (9, 70)]),))], provenance=origin
    )

    run_batch(project, model, Thresholds())

    ids, values = project.signals.values("disagreement")
    assert ids.tolist() == [1]
    assert values[0] == pytest.approx(0.8 + 0.6, abs=0.3)  # the right half is new, the triangle is gone
    value = project.signals.get("disagreement", 1)
    assert value is not None
    assert value[1]["model"] == "old"


def test_a_batch_that_extends_leaves_what_the_model_cannot_know(project: Project, model: Model) -> None:
    other = project.categories.add("fig").id
    beside = ModelProposal(other, 0.7, (Polygon.of([(20, 50), (30, 50), (30, 60)]),))
    project.proposals.put(1, [beside], provenance=Provenance("figs", "1" * 64, 0.3, 0.5, "2026-01-01T00:00:00+00:00"))

    run_batch(project, model, Thresholds(), extends=True)

    assert sorted(one.category_id == other for one in project.instances.of(1)) == [False, False, True]
