"""Every request to the model ends in exactly one way, whatever happens meanwhile."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from maskwright.document.values import InstanceState
from maskwright.errors import UNEXPECTED, ModelError
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.thresholds import Thresholds
from maskwright.project import Project, scan_folder
from maskwright_gui.workers.inference import InferenceThread
from maskwright_gui.workers.requests import BatchRequest, ModelChoice, PredictRequest
from window_support import GatedModel, image_folder

CHOICE = ModelChoice("tiny")


class Endings(QObject):
    """Counts how requests and batches end."""

    def __init__(self, thread: InferenceThread) -> None:
        super().__init__()
        self.requests: Counter[tuple[int, str]] = Counter()
        self.batches: list[str] = []
        thread.done.connect(lambda result: self._note(result.request, "done"))
        thread.failed.connect(lambda request, _error: self._note(request, "failed"))
        thread.cancelled.connect(lambda request: self._note(request, "cancelled"))
        for name in ("done", "failed", "cancelled"):
            getattr(thread.batch, name).connect(lambda _value, name=name: self.batches.append(name))

    def _note(self, request: PredictRequest, ending: str) -> None:
        self.requests[request.request_id, ending] += 1

    @property
    def by_request(self) -> dict[int, str]:
        assert set(self.requests.values()) <= {1}
        return dict(self.requests.keys())


MANY = 40
"""More images than a batch has under way at once."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return image_folder(tmp_path / "images", MANY)


@pytest.fixture
def project(folder: Path, tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "set.maskwright", image_root=folder) as project:
        project.images.add(scan_folder(folder))
        yield project


@pytest.fixture
def thread(model: GatedModel) -> Iterator[InferenceThread]:
    thread = InferenceThread(load=lambda _choice: model)  # type: ignore[arg-type, return-value]  # acts like one
    thread.start()
    yield thread
    model.gate.set()
    thread.stop()


@pytest.fixture
def endings(thread: InferenceThread) -> Endings:
    return Endings(thread)


def cache_of(project: Project) -> CandidateCache:
    return CandidateCache(project.path / "cache")


def request(project: Project, request_id: int, image_id: int = 1) -> PredictRequest:
    path = project.image_path(project.images.record(image_id))
    return PredictRequest(request_id, project, image_id, path, cache_of(project), CHOICE, Thresholds())


def batch(project: Project) -> BatchRequest:
    return BatchRequest(project, cache_of(project), CHOICE, Thresholds())


def test_result_is_stored_and_told(qtbot: QtBot, thread: InferenceThread, project: Project, endings: Endings) -> None:
    with qtbot.waitSignal(thread.done) as blocker:
        thread.predict(request(project, 1))
    assert blocker.args[0].outcome.proposal_count == 2
    assert {instance.state for instance in project.instances.of(1)} == {InstanceState.PROPOSED}
    assert project.instances.of(1)[0].provenance.model_name


def test_newest_request_wins(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    model.gate.clear()
    thread.predict(request(project, 1, image_id=1))
    model.entered.acquire()
    thread.predict(request(project, 2, image_id=2))
    thread.predict(request(project, 3, image_id=3))
    model.gate.set()
    qtbot.waitUntil(lambda: len(endings.requests) == 3)
    assert endings.by_request == {1: "cancelled", 2: "cancelled", 3: "done"}
    assert [len(project.instances.of(id_)) for id_ in (1, 2, 3)] == [0, 0, 2]


def test_one_image_run_by_hand_is_judged_for_the_queue_as_in_a_batch(
    qtbot: QtBot, thread: InferenceThread, project: Project
) -> None:
    with qtbot.waitSignal(thread.done):
        thread.predict(request(project, 2))
    by_hand = project.signals.get("uncertainty", 1)
    with qtbot.waitSignal(thread.batch.done, timeout=20_000):
        thread.start_batch(batch(project))
    assert by_hand is not None
    assert by_hand == project.signals.get("uncertainty", 1)


def test_failed_inference_writes_nothing(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    thread.predict(request(project, 1))
    qtbot.waitUntil(lambda: endings.by_request == {1: "done"})
    before = project.instances.of(1)
    judged = project.signals.get("uncertainty", 1)
    model.failure = "the device went away"
    thread.predict(request(project, 2))
    qtbot.waitUntil(lambda: endings.by_request == {1: "done", 2: "failed"})
    assert project.instances.of(1) == before
    assert project.signals.get("uncertainty", 1) == judged


def test_unreadable_image_fails_with_its_path(
    qtbot: QtBot, thread: InferenceThread, project: Project, folder: Path
) -> None:
    (folder / "000.png").write_bytes(b"")
    with qtbot.waitSignal(thread.failed) as blocker:
        thread.predict(request(project, 1))
    assert "000.png" in str(blocker.args[1])


def test_model_that_cannot_be_loaded_fails_the_request(qtbot: QtBot, project: Project) -> None:
    def refuse(_choice: ModelChoice) -> None:
        raise ModelError("no such model", path="x.xml")

    thread = InferenceThread(load=refuse)  # type: ignore[arg-type]  # never returns
    thread.start()
    with qtbot.waitSignals([thread.model_failed, thread.failed]):
        thread.predict(request(project, 1))
    thread.stop()


def test_bug_in_the_model_fails_the_request(
    qtbot: QtBot,
    thread: InferenceThread,
    project: Project,
    model: GatedModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(model, "predict", lambda _image: 1 / 0)
    with qtbot.waitSignal(thread.failed) as blocker:
        thread.predict(request(project, 1))
    assert UNEXPECTED in str(blocker.args[1])
    assert "division" not in str(blocker.args[1]), "an exception's own words are for the log"
    assert "division by zero" in caplog.text


def test_stopping_cancels_the_running_request(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    model.gate.clear()
    thread.predict(request(project, 1))
    model.entered.acquire()
    thread.cancel_predict()
    model.gate.set()
    thread.stop()
    qtbot.waitUntil(lambda: endings.by_request == {1: "cancelled"})
    assert len(project.instances.of(1)) == 0


def test_batch_labels_every_image(qtbot: QtBot, thread: InferenceThread, project: Project, endings: Endings) -> None:
    with qtbot.waitSignal(thread.batch.done, timeout=20_000) as blocker:
        thread.start_batch(batch(project))
    assert blocker.args[0].done == MANY
    assert [len(project.instances.of(id_)) for id_ in range(1, MANY + 1)] == [2] * MANY
    assert endings.batches == ["done"]


def test_image_on_screen_is_answered_while_the_batch_waits(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    thread.batch.begin(batch(project))
    thread.batch.pause()
    thread.predict(request(project, 1, image_id=MANY))
    qtbot.waitUntil(lambda: endings.by_request == {1: "done"})
    assert len(project.instances.of(MANY)) == 2
    thread.batch.resume()
    qtbot.waitUntil(lambda: endings.batches == ["done"], timeout=20_000)


def test_cancelled_batch_leaves_the_rest_for_another_time(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    model.gate.clear()
    thread.start_batch(batch(project))
    model.entered.acquire()
    thread.batch.cancel()
    model.gate.set()
    qtbot.waitUntil(lambda: endings.batches == ["cancelled"], timeout=20_000)
    with qtbot.waitSignal(thread.batch.done, timeout=20_000):
        thread.start_batch(batch(project))
    assert [len(project.instances.of(id_)) for id_ in range(1, MANY + 1)] == [2] * MANY


def test_failing_device_fails_the_batch_as_a_whole(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    model.failure = "the device went away"
    thread.start_batch(batch(project))
    qtbot.waitUntil(lambda: len(endings.batches) == 1, timeout=20_000)
    assert all(len(project.instances.of(id_)) == 0 for id_ in range(1, MANY + 1))


def test_stopping_ends_a_paused_batch(
    qtbot: QtBot, thread: InferenceThread, project: Project, model: GatedModel, endings: Endings
) -> None:
    model.gate.clear()
    thread.start_batch(batch(project))
    model.entered.acquire()
    thread.batch.pause()
    model.gate.set()
    thread.stop()
    qtbot.waitUntil(lambda: endings.batches == ["cancelled"])
