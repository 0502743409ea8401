"""What all commands have in common: exit codes, --quiet, progress without a terminal, what --json prints."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

import tiny_models
from maskwright.cli import output
from maskwright.cli.app import COMMANDS, app
from maskwright.cli.output import keep_quiet, progress_bar
from maskwright.project import Project
from maskwright.words import count_of

ON_PROJECTS = ("export", "check", "queue", "classes", "images", "effort", "duplicates", "restore", "trust")


@pytest.fixture(autouse=True)
def loud_again() -> Iterator[None]:
    yield
    keep_quiet(False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "sub/c.png", "sub/d.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "photos" / name), np.zeros((32, 32, 3), np.uint8))
    return tmp_path / "photos"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_models.yolact(tmp_path / "tiny.xml")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def names_in(file: Path) -> list[str]:
    return [image["file_name"] for image in json.loads(file.read_text())["images"]]


@pytest.mark.parametrize("command", ON_PROJECTS)
def test_what_cannot_be_done_is_one_in_every_command(tmp_path: Path, command: str) -> None:
    rest = ["-o", tmp_path / "x.json"] if command == "export" else []
    result = run(command, tmp_path / "nothing", *rest, "--json")
    assert result.exit_code == 1
    assert "no project" in json.loads(result.stdout)["error"]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_wrong_usage_is_two_in_every_command_and_help_says_so(command: str) -> None:
    assert run(command, "--no-such-option").exit_code == 2
    assert "Exit codes" in run(command, "--help").stdout


def test_quiet_leaves_errors_and_what_was_asked_for(photos: Path, model: Path, tmp_path: Path) -> None:
    result = run("prelabel", photos, "-m", model, "-o", tmp_path / "x.json", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert run("prelabel", photos, "-m", model, "-o", tmp_path / "y.json").output
    assert json.loads(run("convert", tmp_path / "x.json", tmp_path / "x.xml", "--to", "cvat", "-q", "--json").stdout)
    assert "does not exist" in run("convert", tmp_path / "z.json", tmp_path / "w.xml", "--to", "cvat", "-q").stderr


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 3.0, 11.0, 12.0, 25.0])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))
    with progress_bar("pre-label", 4000) as show:
        for done in (10, 1100, 1200, 2500):
            show(done, "3.0/s")
    assert capsys.readouterr().err.splitlines() == [
        "pre-label: 1,100 of 4,000, 3.0/s",
        "pre-label: 2,500 of 4,000, 3.0/s",
    ]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["a.png"], ["a.png"]),
        (["a.png", "sub/c.png"], ["a.png", "sub/c.png"]),
        (["*.png"], ["a.png", "b.png"]),
        (["**/*.png"], ["a.png", "b.png", "sub/c.png"]),
        (["sub/../b.png"], ["b.png"]),
        (["."], ["a.png", "b.png"]),
    ],
    ids=str,
)
def test_files_and_patterns_are_pre_labelled(
    photos: Path, model: Path, tmp_path: Path, given: list[str], found: list[str]
) -> None:
    result = run("prelabel", *(photos / each for each in given), "-m", model, "-o", tmp_path / "x.json")
    assert (result.exit_code, names_in(tmp_path / "x.json")) == (0, found)


@pytest.mark.parametrize("given", [["*.gif"], ["none.png"], ["sub", "a.png"]], ids=str)
def test_what_names_no_image_is_refused(photos: Path, model: Path, tmp_path: Path, given: list[str]) -> None:
    assert run("prelabel", *(photos / each for each in given), "-m", model, "-o", tmp_path / "x.json").exit_code == 1
    assert not list(tmp_path.glob("x.json*"))


def test_one_file_of_a_project_leaves_its_others_alone(photos: Path, model: Path, tmp_path: Path) -> None:
    with Project.create(tmp_path / "set.maskwright", image_root=photos) as project:
        project.scan()
    assert run("prelabel", photos / "sub" / "c.png", "-m", model, "-p", tmp_path / "set.maskwright").exit_code == 0
    with Project.open(tmp_path / "set.maskwright") as project:
        touched = [image.file_name for image in project if image.state.value == "prelabelled"]
    assert touched == ["sub/c.png"]


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """As much of JSON Schema as ours uses."""
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    if schema["type"] == "null":
        return value is None
    if not isinstance(value, kinds[schema["type"]]) or (schema["type"] in ("integer", "number") and value is True):
        return False
    if schema["type"] == "array":
        return all(fits(each, schema["items"]) for each in value) if "items" in schema else True
    known = schema.get("properties", {})
    is_whole = schema["type"] != "object" or all(key in value for key in schema.get("required", ()))
    is_known = schema["type"] != "object" or not known or set(value) <= set(known)
    return is_whole and is_known and all(fits(value[key], each) for key, each in known.items() if key in value)


def test_what_json_prints_is_as_its_schema_says(photos: Path, model: Path, tmp_path: Path) -> None:
    truth = tmp_path / "x.json"
    for arguments in (
        ["prelabel", photos, "-m", model, "-o", truth],
        ["convert", truth, tmp_path / "x.xml", "--to", "cvat"],
        ["import", photos, truth],
        ["export", photos, "-o", tmp_path / "out.json"],
        ["export", photos, "-o", tmp_path / "set", "--format", "coco-folder", "--images", "copy"],
        ["export", photos, "-o", tmp_path / "found.json", "--detections"],
        ["check", photos],
        ["classes", photos],
        ["images", photos],
        ["queue", photos],
        ["duplicates", photos],
        ["restore", photos],
        ["devices"],
        ["info"],
        ["effort", photos],
        ["evaluate", truth, "--predictions", truth],
        ["check", tmp_path / "nothing"],
    ):
        schema = json.loads(run(arguments[0], "--json-schema").stdout)
        printed = run(*arguments, "--json")
        assert printed.exit_code in (0, 1, 3)
        assert fits(json.loads(printed.stdout), schema), (arguments, printed.stdout)


@pytest.mark.parametrize(
    ("number", "what", "text"),
    [(1, "object", "1 object"), (0, "class", "0 classes"), (2, "box", "2 boxes"), (12000, "image", "12,000 images")],
)
def test_counts_are_in_the_right_number(number: int, what: str, text: str) -> None:
    assert count_of(number, what) == text


def test_a_file_of_predictions_is_no_project(photos: Path, model: Path, tmp_path: Path) -> None:
    run("prelabel", photos, "-m", model, "-o", tmp_path / "x.json")
    assert run("evaluate", tmp_path / "x.json", "--predictions", tmp_path / "x.json").exit_code == 0
    assert run("check", tmp_path / "x.json").exit_code == 1
