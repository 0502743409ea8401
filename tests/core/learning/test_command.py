"""`maskwright learn` as it is typed; what trains is played by a stand-in."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from learning_builders import learning_project
from maskwright.cli import learn as command
from maskwright.cli.app import app
from maskwright.document.values import ImageState
from maskwright.learning.gate import Figures
from maskwright.learning.learn import LearnOutcome
from maskwright.learning.plan import LearnOptions
from maskwright.learning.requirements import Missing
from maskwright.learning.rounds import RoundRecord
from maskwright.project import Project

FIGURES = Figures(f1=0.9, precision=0.91, recall=0.82, ap50=0.9, ap=0.7, score=0.4, images=2, objects=6)
RECORD = RoundRecord(
    number=1, model="set-round-1", model_hash="0", is_installed=True, reason="F1 0.90", base="general",
    classes=("disc",), training=(1,), held_out=(2,), objects=9, seconds=60.0, steps=100,
    at="2026-01-01T00:00:00+00:00", figures=FIGURES,
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_MODELS", str(tmp_path / "models"))
    with learning_project(tmp_path, images=12, side=64) as made:
        return made.path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["learn", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[LearnOptions]:
    """The options of the rounds that were asked for; each ends well at once."""
    asked: list[LearnOptions] = []

    def play(_: Project, options: LearnOptions, **__: object) -> LearnOutcome:
        asked.append(options)
        return LearnOutcome(RECORD, Path("model.xml"), False, (), 0.4, "cpu", 700)

    monkeypatch.setattr(command, "learn_round", play)
    return asked


def test_dry_run_says_what_there_is_and_learns_nothing(project: Path, rounds: list[LearnOptions]) -> None:
    code, text = run(project, "--dry-run")

    assert code == 0
    assert "set-round-1: 30 objects on 10 images to learn from" in text
    assert "2 held out" in text
    assert rounds == []


def test_dry_run_as_json(project: Path) -> None:
    _, text = run(project, "--dry-run", "--json")

    assert json.loads(text)["objects"] == {"disc": 15, "square": 15}


def test_missing_torch_is_one_line_of_its_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "missing_requirement", lambda: Missing("learning needs PyTorch", "pip install torch"))

    _, text = run(project, "--dry-run")

    assert "pip install torch" in text.splitlines()


def test_options_reach_the_round(project: Path, rounds: list[LearnOptions]) -> None:
    run(project, "--minutes", "2", "--classes", "disc, square", "--to", "mine", "--seed", "7")

    (options,) = rounds
    assert (options.minutes, options.to, options.seed) == (2.0, "mine", 7)
    assert options.classes == ("disc", "square")


def test_outcome_is_told_in_words_with_the_next_command(project: Path, rounds: list[LearnOptions]) -> None:
    code, text = run(project)

    assert code == 0
    assert "82%" in text
    assert "installed: F1 0.90" in text
    assert f"--model set-round-1 --project {project} --untouched --refine assist" in text


def test_old_model_that_has_learned_from_some_held_out_images_says_on_which_it_is_evaluated(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = replace(RECORD, old_model="set-round-0", old_figures=replace(FIGURES, images=1))
    monkeypatch.setattr(
        command, "learn_round", lambda *_, **__: LearnOutcome(record, Path("m.xml"), False, (), 0.4, "cpu", 700)
    )

    assert "set-round-0 is evaluated on 1 held-out image; it has learned from the others" in run(project)[1]


def test_next_command_goes_together_with_a_model_of_other_classes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert RECORD.figures is not None
    old = replace(RECORD.figures, f1_by_class=((1, 0.9), (2, 0.5)))
    new = replace(RECORD.figures, f1_by_class=((1, 0.2), (2, 0.9)))
    beside = replace(
        RECORD, old_model="coco", old_is_own=False, old_figures=old, figures=new, category_ids=(1, 2),
        classes=("disc", "square"),
    )  # fmt: skip
    outcome = LearnOutcome(beside, Path("model.xml"), False, (), 0.4, "cpu", 1)
    monkeypatch.setattr(command, "learn_round", lambda *_, **__: outcome)

    _, text = run(project)

    assert "--untouched --refine assist --extend --classes square" in " ".join(text.split())


def test_name_that_is_taken_is_refused_before_anything_is_learned(project: Path, rounds: list[LearnOptions]) -> None:
    code, text = run(project, "--dry-run", "--to", "nuclei")

    assert code != 0
    assert "a model called nuclei already exists" in text


def test_round_that_is_continued_takes_no_other_options(project: Path, rounds: list[LearnOptions]) -> None:
    code, text = run(project, "--resume", "--minutes", "9")

    assert code != 0
    assert "--minutes" in text
    assert rounds == []


def test_round_of_a_second_window_is_told(
    project: Path, rounds: list[LearnOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "round_elsewhere", lambda _: "a round of this project is already running (ann)")

    _, text = run(project, "--dry-run")

    assert "cannot learn now: a round of this project is already running (ann)" in " ".join(text.split())


def test_images_that_could_not_be_read_are_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = LearnOutcome(replace(RECORD, is_installed=False), None, False, (("a.png", "is gone"),), 0.4, "cpu", 1)
    monkeypatch.setattr(command, "learn_round", lambda *_, **__: outcome)

    code, text = run(project)

    assert code != 0
    assert "a.png" in text
    assert "not installed" in text


def test_nothing_done_is_told(tmp_path: Path) -> None:
    with learning_project(tmp_path, images=2, state=ImageState.UNSEEN) as project:
        path = project.path

    _, text = run(path, "--dry-run")

    assert "no images are done" in text
