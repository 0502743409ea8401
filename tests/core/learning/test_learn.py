"""A whole round: snapshot, process, gate, installation. The process itself is played by a stand-in here."""

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

import tiny_models
from learning_builders import learning_project, octagon, put
from maskwright.document.values import ImageStanding, ImageState
from maskwright.errors import FormatError, MaskwrightError
from maskwright.inference.installed import installed_model, installed_models
from maskwright.learning import learn as learning
from maskwright.learning.events import Failed, Finished, LearnProgress, event_line, parsed
from maskwright.learning.gate import Figures
from maskwright.learning.job import BEST_MODEL, CHECKPOINT_NAME, LearningJob
from maskwright.learning.learn import interrupted_round, learn, round_elsewhere
from maskwright.learning.plan import LearnOptions
from maskwright.learning.process import LearningError, LearningRefusedError
from maskwright.learning.rounds import learning_folder, read_rounds
from maskwright.models.catalog import listed_models
from maskwright.project import Project
from maskwright.project.learned_classes import learned_classes

GOOD = Figures(f1=0.9, precision=0.9, recall=0.9, ap50=0.9, ap=0.7, score=0.4, images=2, objects=6)
BAD = Figures(f1=0.5, precision=0.5, recall=0.5, ap50=0.5, ap=0.3, score=0.4, images=2, objects=6)

Stand = Callable[..., Finished]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(learning, "require_learning", lambda: None)
    return tmp_path / "models"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return learning_project(tmp_path, images=12, side=64)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.yolact(tmp_path_factory.mktemp("model") / "tiny.xml")


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, model: Path) -> Callable[..., list[LearningJob]]:
    """Let the learning process leave `model` behind, with these figures; the jobs it was given."""

    def pretend(
        new: Figures | None = GOOD,
        old: Figures | None = None,
        *,
        compared: Figures | None = None,
        also: Callable[[], None] = lambda: None,
    ):
        jobs: list[LearningJob] = []

        def run(folder: Path, **_: object) -> Finished:
            jobs.append(LearningJob.read(folder))
            also()
            for suffix in (".xml", ".bin"):
                shutil.copyfile(model.with_suffix(suffix), (folder / BEST_MODEL).with_suffix(suffix))
            told = [figures and asdict(figures) for figures in (new, old, compared)]
            return Finished(100, 60.0, 0.4, told[0], told[1], was_stopped=False, compared=told[2])

        monkeypatch.setattr(learning, "run_process", run)
        return jobs

    return pretend


def test_first_round_is_installed_with_its_card(project: Project, process, models: Path) -> None:
    jobs = process()

    outcome = learn(project)

    assert outcome.is_installed
    assert installed_model("set-round-1") is not None
    assert f"{outcome.record.objects} objects on 10 images" in (models / "set-round-1" / "card.toml").read_text()
    assert [len(job.examples) for job in jobs] == [10]


def test_card_of_a_learned_model_is_in_the_list(project: Project, process) -> None:
    process()
    learn(project)

    (listed,) = [model for model in listed_models() if model.name == "set-round-1"]

    assert listed.availability == "installed"
    assert "10 images" in listed.title
    assert listed.card is not None
    assert listed.card.metrics["f1"] == pytest.approx(0.9)


def test_worse_round_is_not_installed_and_says_why(project: Project, process) -> None:
    process()
    learn(project)
    process(BAD, GOOD)

    outcome = learn(project)

    assert not outcome.is_installed
    assert [model.name for model in installed_models()] == ["set-round-1"]
    assert all(figure in outcome.record.reason for figure in ("0.50", "0.90", "set-round-1"))
    assert [entry.is_installed for entry in read_rounds(project.path)] == [True, False]


def test_next_round_is_compared_on_images_that_the_old_one_did_not_see(project: Project, process) -> None:
    process()
    first = learn(project)
    jobs = process(GOOD, GOOD)

    learn(project)

    assert jobs[0].old_judged_on == first.record.held_out
    assert str(jobs[0].old_model).endswith("set-round-1.xml")


def test_models_are_compared_on_the_same_images(project: Project, process) -> None:
    process()
    learn(project)
    process(GOOD, GOOD, compared=BAD)

    outcome = learn(project)

    assert not outcome.is_installed
    assert outcome.record.figures == GOOD


def test_projects_of_one_name_do_not_take_each_others_models(project: Project, process, tmp_path: Path) -> None:
    process()
    learn(project)

    outcome = learn(learning_project(tmp_path / "elsewhere", images=12, side=64))

    assert outcome.record.model == "set-round-1b"
    assert [model.name for model in installed_models()] == ["set-round-1", "set-round-1b"]


def test_name_of_another_projects_model_is_refused(project: Project, process, tmp_path: Path) -> None:
    process()
    learn(learning_project(tmp_path / "elsewhere", images=12, side=64), LearnOptions(to="mine"))

    with pytest.raises(MaskwrightError, match="a model called mine already exists"):
        learn(project, LearnOptions(to="mine"))


def test_own_name_may_be_used_again(project: Project, process) -> None:
    process()
    for _ in range(2):
        outcome = learn(project, LearnOptions(to="mine"))

    assert outcome.is_installed
    assert [model.name for model in installed_models()] == ["mine"]


def test_failed_replacement_leaves_the_model_that_was_there(
    project: Project, process, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process()
    before = learn(project, LearnOptions(to="mine")).record.model_hash

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("maskwright.learning.installing.record", full)
        with pytest.raises(FormatError, match="full"):
            learn(project, LearnOptions(to="mine"))

    (kept,) = installed_models()
    assert kept.content_hash == before
    assert kept.path.exists()


def test_what_a_killed_program_left_half_written_goes_with_the_next_round(
    project: Project, process, models: Path
) -> None:
    process()
    draft = models / ".set-round-1.a1b2c3" / "set-round-1"
    draft.mkdir(parents=True)
    learning_folder(project.path).mkdir()
    (learning_folder(project.path) / ".rounds.json.a1b2.part").write_text("[")

    learn(project)

    assert list(models.glob(".*")) == []
    assert list(learning_folder(project.path).glob(".*")) == []


def test_second_round_at_the_same_time_is_refused(project: Project, process) -> None:
    told: list[str] = []

    def another() -> None:
        code = (
            "import sys; from pathlib import Path; from maskwright.project.lock import ProjectLock;"
            "print(type(ProjectLock.acquire(Path(sys.argv[1]))).__name__)"
        )
        folder = str(project.path / "learning")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run(
            [sys.executable, "-c", code, folder], env=environment, capture_output=True, text=True, check=True
        )
        told.append(done.stdout.strip())

    process(also=another)
    learn(project)

    assert told == ["Holder"]


def test_second_round_of_the_same_program_is_refused_and_the_next_is_not(project: Project, process) -> None:
    told: list[str] = []

    def another() -> None:
        with pytest.raises(MaskwrightError, match="already running") as refused:
            learn(project)
        told.append(refused.value.message)

    process(also=another)
    first = learn(project)
    process()

    assert first.is_installed
    assert len(told) == 1
    assert learn(project).record.number == 2


def test_project_may_change_while_it_learns(project: Project, process) -> None:
    image_id = int(project.images.ids()[0])

    def change() -> None:
        put(project, image_id, (octagon(1, 1, 9), 1))
        project.categories.rename(1, "ring")
        project.images.set_state(image_id, ImageState.IN_PROGRESS)

    jobs = process(also=change)

    outcome = learn(project)

    assert jobs[0].category_names == ("disc", "square")
    assert outcome.record.classes == ("disc", "square")
    assert outcome.is_installed


@pytest.mark.parametrize(
    ("change", "known"),
    [
        (lambda project: project.categories.rename(2, "block"), {1: 1, 2: 2}),
        (lambda project: project.merges.make(2, 1), {1: 1, 2: 1}),
        (lambda project: project.categories.delete(2), {1: 1, 2: None}),
        (lambda project: (project.categories.delete(2), project.categories.add("new")), {1: 1, 2: None}),
    ],
    ids=["renamed", "merged", "deleted", "deleted and another added"],
)
def test_classes_that_change_while_it_learns_are_followed(
    project: Project, process, change: Callable[[Project], object], known: dict[int, int | None]
) -> None:
    process(also=lambda: change(project))

    outcome = learn(project)

    assert learned_classes(project, outcome.record.model_hash) == known


def test_images_that_are_excluded_while_it_learns_are_not_used_by_the_next_round(project: Project, process) -> None:
    ids = project.images.ids().tolist()
    jobs = process(also=lambda: project.images.set_standing(ids[:2], ImageStanding.EXCLUDED))
    first = learn(project)

    second = learn(project)

    assert first.is_installed
    assert len(jobs) == 2
    assert {*second.record.training, *second.record.held_out} == set(ids[2:])


def test_full_disk_at_installation_leaves_what_was_there(
    project: Project, process, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("maskwright.learning.installing.shutil.copyfile", full)
        patch.setattr(learning, "run_process", _left_behind)
        with pytest.raises(FormatError, match="full"):
            learn(project)

    assert installed_models() == ()
    assert [path for path in models.iterdir() if path.is_dir()] == []
    assert interrupted_round(project) == 1


def _left_behind(folder: Path, **_: object) -> Finished:
    (folder / BEST_MODEL).write_bytes(b"<net/>")
    return Finished(100, 60.0, 0.4, asdict(GOOD), None, was_stopped=False)


def test_killed_process_is_told_and_can_be_resumed(project: Project, process, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: Path, **__: object) -> Finished:
        raise LearningError("the learning process was killed")

    monkeypatch.setattr(learning, "run_process", killed)
    with pytest.raises(LearningError):
        learn(project, LearnOptions(seed=5))
    jobs = process()
    put(project, int(project.images.ids()[0]), (octagon(1, 1, 9), 1))

    outcome = learn(project, resume=True)

    assert jobs[0].seed == 5
    assert outcome.is_installed
    assert interrupted_round(project) is None


def test_round_that_is_stopped_at_once_leaves_nothing_to_go_on_with(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stop = threading.Event()
    stop.set()
    starting = tmp_path / "python"
    starting.write_text("#!/bin/sh\nexec sleep 600\n")
    starting.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(starting))

    with pytest.raises(LearningError, match="before anything was learned"):
        learn(project, stop=stop)

    assert interrupted_round(project) is None


def test_round_that_refuses_before_it_has_learned_leaves_nothing_to_go_on_with(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path, **__: object) -> Finished:
        raise LearningRefusedError("there is no such device")

    monkeypatch.setattr(learning, "run_process", refused)
    with pytest.raises(LearningError, match="no such device"):
        learn(project, LearnOptions(device="cuda"))

    assert interrupted_round(project) is None


def test_round_that_refuses_later_keeps_what_it_has_learned(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(folder: Path, **__: object) -> Finished:
        (folder / CHECKPOINT_NAME).touch()
        raise LearningRefusedError("the disk is full")

    monkeypatch.setattr(learning, "run_process", refused)
    with pytest.raises(LearningError, match="full"):
        learn(project)

    assert interrupted_round(project) == 1


def test_round_of_another_program_is_no_interrupted_one(
    project: Project, process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(also=lambda: (_ for _ in ()).throw(LearningError("killed")))
    with pytest.raises(LearningError):
        learn(project)
    assert (interrupted_round(project), round_elsewhere(project)) == (1, None)

    with another_program_holds(learning_folder(project.path)):
        assert interrupted_round(project) is None
        assert "already running" in str(round_elsewhere(project))
        with pytest.raises(MaskwrightError, match="already running"):
            learn(project)

    assert (interrupted_round(project), round_elsewhere(project)) == (1, None)


@contextmanager
def another_program_holds(folder: Path) -> Iterator[None]:
    """Its lock, until the end."""
    work = "import sys; from maskwright.project.lock import ProjectLock; from pathlib import Path; "
    work += "held = ProjectLock.acquire(Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    place = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.Popen(
        [sys.executable, "-c", work, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=place
    )
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        other.stdout.readline()
        yield
    finally:
        other.communicate()


def test_next_round_is_compared_in_the_classes_of_today(project: Project, process) -> None:
    process()
    learn(project)
    project.merges.make(2, 1)
    jobs = process(GOOD, GOOD)
    learn(project)

    assert jobs[-1].old_is_own
    assert jobs[-1].old_classes == ((1, 1), (2, 1))


def test_resuming_without_an_interrupted_round_is_refused(project: Project) -> None:
    with pytest.raises(MaskwrightError, match="no interrupted round"):
        learn(project, resume=True)


def test_name_of_another_model_is_refused(project: Project, process) -> None:
    process()

    with pytest.raises(MaskwrightError, match="nuclei"):
        learn(project, LearnOptions(to="nuclei"))


def test_nothing_to_learn_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    project = learning_project(tmp_path / "other", images=2, objects=0, state=ImageState.EMPTY)

    with pytest.raises(MaskwrightError, match="empty"):
        learn(project)

    assert not (project.path / "learning").exists()


@pytest.mark.parametrize(
    "event",
    [
        LearnProgress("learning", 5, 0.5, 10.0, 10.0, 3.2, 0.4, 0.5, is_starved=True),
        Finished(5, 1.0, 0.4, {"f1": 0.9}, None, was_stopped=True, skipped=(("a.png", "gone"),)),
        Failed("no memory", "close something"),
    ],
    ids=["progress", "finished", "failed"],
)
def test_events_survive_the_way_between_processes(event: object) -> None:
    assert parsed(event_line(event)) == event  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [b"", b"warning: x\n", b"{}", b'{"event":"finished"}', b"[1]"])
def test_other_output_is_no_event(line: bytes) -> None:
    assert parsed(line) is None


def test_stop_can_be_asked_for_from_anywhere(tmp_path: Path) -> None:
    from maskwright.learning.process import STOP_NAME, ask_to_stop

    ask_to_stop(tmp_path)

    assert (tmp_path / STOP_NAME).exists()
