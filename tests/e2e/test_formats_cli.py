"""Import, check, convert and export on the command line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from coco_sources import one_image, square, varied_source
from maskwright.cli.app import app
from maskwright.document.values import Instance
from maskwright.errors import ProjectError
from maskwright.formats.coco import export_coco, read_coco
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project


def run_json(*arguments: object) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The images of the varied source, and its COCO file beside the folder."""
    for image in varied_source().images():
        file = tmp_path / "photos" / image.file_name
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.zeros((image.height, image.width), np.uint8))
    export_coco(varied_source(), tmp_path / "set.json")
    return tmp_path / "photos"


def test_an_imported_file_is_exported_as_it_came(photos: Path, tmp_path: Path) -> None:
    code, report = run_json("import", photos, tmp_path / "set.json")
    assert (code, report["instances"], report["missing"]) == (0, 20, [])
    run_json("export", photos, "-o", tmp_path / "out.json")
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "set.json").read_bytes()


def test_images_that_are_not_there_are_listed(photos: Path, tmp_path: Path) -> None:
    (photos / "sub" / "3.png").unlink()
    assert run_json("import", photos, tmp_path / "set.json")[1]["missing"] == ["sub/3.png"]


def test_images_that_moved_are_found_by_name_and_size(photos: Path, tmp_path: Path) -> None:
    for name in ("1.png", "3.png"):
        (photos / "moved").mkdir(exist_ok=True)
        (photos / "sub" / name).rename(photos / "moved" / name)
    cv2.imwrite(str(photos / "moved" / "3.png"), np.zeros((5, 5), np.uint8))
    _, report = run_json("import", photos, tmp_path / "set.json", "--relocate")
    assert report["relocated"] == ["moved/1.png"]
    assert report["missing"] == ["sub/3.png"]
    with Project.open(photos) as project:
        assert {"moved/1.png", "sub/3.png"} <= {image.file_name for image in project.images.all()}


def test_an_image_never_takes_the_place_of_another(photos: Path, tmp_path: Path) -> None:
    run_json("import", photos, tmp_path / "set.json")
    with Project.open(photos) as project, pytest.raises(ProjectError, match="another image"):
        project.image_folder.relocate({1: "sub/2.png"})


def test_a_damaged_file_leaves_the_project_alone(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"images": [')
    code, report = run_json("import", photos, tmp_path / "bad.json")
    assert code == 1
    assert "byte" in report["error"]


def test_a_file_of_no_known_format_makes_no_project(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert run_json("import", photos, tmp_path / "notes.txt")[0] == 1
    assert not (photos / ".maskwright").exists()


def test_skipped_annotations_are_listed_and_change_the_exit_code(photos: Path, tmp_path: Path) -> None:
    content = json.loads((tmp_path / "set.json").read_text())
    content["annotations"][0]["segmentation"] = [[1, 2]]
    (tmp_path / "set.json").write_text(json.dumps(content))
    code, report = run_json("import", photos, tmp_path / "set.json")
    assert (code, report["instances"], len(report["problems"])) == (3, 19, 1)


def test_a_check_finds_and_mends(photos: Path, tmp_path: Path) -> None:
    bow_tie = Polygon.of([(2, 2), (12, 12), (12, 2), (2, 12)])
    source = one_image(Instance(1, 1, (square(-2, 3, 9),)), Instance(2, 1, (bow_tie,)), file_name="sub/1.png")
    project = tmp_path / "p.maskwright"
    cv2.imwrite(str(photos / "sub" / "1.png"), np.zeros((30, 40), np.uint8))
    with Project.create(project, image_root=photos) as created:
        export_coco(source, tmp_path / "plain.json")
        data = read_coco(tmp_path / "plain.json")
        by_image = {1: tuple(source.instances(1))}
        created.imports.add(replace(data, instances_by_image=by_image))
    _, before = run_json("check", project)
    assert {row["kind"] for row in before["findings"]} >= {"outside the image", "outline crosses itself"}
    _, after = run_json("check", project, "--fix")
    assert after["fixed"] == 2
    assert not any(row["is_fixable"] for row in after["findings"])


@pytest.mark.parametrize("name", ["labelme", "cvat", "png", "voc"])
def test_converting_there_and_back_keeps_the_objects(photos: Path, tmp_path: Path, name: str) -> None:
    there = tmp_path / ("there.xml" if name == "cvat" else "there")
    code, report = run_json("convert", tmp_path / "set.json", there, "--to", name)
    assert (code, report["instances"]) == (0, 20)
    code, report = run_json("convert", there, tmp_path / "back.json", "--to", "coco")
    assert (code, report["instances"]) == (0, 20)


def test_a_split_export_has_every_image_once_with_its_file(photos: Path, tmp_path: Path) -> None:
    run_json("import", photos, tmp_path / "set.json")
    code, report = run_json(
        "export", photos, "-o", tmp_path / "parts", "--split", "train=70,val=30", "--by-class", "--images", "copy"
    )
    assert code == 0
    assert sum(part["images"] for part in report["sets"]) == 7
    assert len(list((tmp_path / "parts" / "images").rglob("*.png"))) == 7


def test_ultralytics_gets_labels_images_and_classes(photos: Path, tmp_path: Path) -> None:
    run_json("import", photos, tmp_path / "set.json")
    code, report = run_json("export", photos, "-o", tmp_path / "yolo", "--profile", "ultralytics", "--images", "link")
    assert code == 0
    assert report["losses"]
    code, back = run_json("convert", tmp_path / "yolo", tmp_path / "back.json", "--to", "coco")
    assert (code, back["instances"]) == (0, 20)


@pytest.mark.parametrize("bad", ["train", "train=x", "train=-1", "../x=1"])
def test_impossible_splits_say_so(photos: Path, tmp_path: Path, bad: str) -> None:
    run_json("import", photos, tmp_path / "set.json")
    code, report = run_json("export", photos, "-o", tmp_path / "parts", "--split", bad)
    assert code == 1
    assert "train=80,val=20" in report["error"]


def test_detections_are_a_results_list(photos: Path, tmp_path: Path) -> None:
    run_json("import", photos, tmp_path / "set.json")
    assert run_json("export", photos, "-o", tmp_path / "results.json", "--detections")[1]["instances"] == 0
    assert json.loads((tmp_path / "results.json").read_text()) == []


def test_an_import_that_fails_makes_no_project(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_bytes((tmp_path / "set.json").read_bytes()[:-40])
    code, report = run_json("import", photos, tmp_path / "set.json")
    assert code == 1
    assert "byte" in report["error"]
    assert not (photos / ".maskwright").exists()


@pytest.mark.parametrize("name", ["labelme", "cvat", "yolo", "voc", "png"])
def test_the_second_look_is_shown_for_every_format(photos: Path, tmp_path: Path, name: str) -> None:
    run_json("import", photos, tmp_path / "set.json")
    _, report = run_json("export", photos, "-o", tmp_path / "out", "--format", name, "--split", "train=1,val=1")
    assert sum(each["verified"]["exact"] for each in report["sets"]) == 20
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "set.json"), str(tmp_path / "c"), "--to", name])
    assert "20 of 20 masks match the project pixel for pixel" in result.stdout


def test_an_export_goes_to_standard_output_alone(photos: Path, tmp_path: Path) -> None:
    run_json("import", photos, tmp_path / "set.json")
    for command in (["export", photos, "-o", "-"], ["convert", tmp_path / "set.json", "-", "--to", "coco"]):
        result = CliRunner().invoke(app, [*map(str, command)], catch_exceptions=False)
        assert result.exit_code == 0
        assert result.stdout_bytes == (tmp_path / "set.json").read_bytes()
        assert "pixel for pixel" in result.stderr


def test_a_report_and_a_file_do_not_share_a_stream(photos: Path, tmp_path: Path) -> None:
    run_json("import", photos, tmp_path / "set.json")
    result = CliRunner().invoke(app, ["export", str(photos), "-o", "-", "--json"])
    assert result.exit_code == 2


def run(*arguments: object, text: bytes = b"") -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)], input=text, catch_exceptions=False)


def damaged(file: Path, count: int = 1) -> None:
    content = json.loads(file.read_text())
    for annotation in content["annotations"][:count]:
        annotation["segmentation"] = [[1, 2]]
    file.write_text(json.dumps(content))


def test_a_strict_import_takes_nothing_of_a_damaged_file(photos: Path, tmp_path: Path) -> None:
    damaged(tmp_path / "set.json")
    result = run("import", photos, tmp_path / "set.json", "--strict")
    assert result.exit_code == 1
    assert "nothing was" in result.stderr
    assert not (photos / ".maskwright").exists()
    assert run("convert", tmp_path / "set.json", tmp_path / "x", "--to", "labelme", "--strict").exit_code == 1
    assert not (tmp_path / "x").exists()


def test_a_dry_run_has_the_exit_code_and_makes_nothing(photos: Path, tmp_path: Path) -> None:
    assert run("import", photos, tmp_path / "set.json", "--dry-run").exit_code == 0
    damaged(tmp_path / "set.json", 5)
    result = run("import", photos, tmp_path / "set.json", "--dry-run")
    assert result.exit_code == 3
    assert "would import 15 objects on 7 images" in result.stdout
    assert "5 items skipped: annotations[0]" in result.stderr
    assert "and 2 more" in result.stderr
    assert run("import", photos, tmp_path / "set.json", "--dry-run", "--strict").exit_code == 1
    assert not (photos / ".maskwright").exists()


def test_a_second_import_says_what_was_there(photos: Path, tmp_path: Path) -> None:
    run("import", photos, tmp_path / "set.json")
    result = run("import", photos, tmp_path / "set.json")
    assert "0 new, 20 already there" in result.stdout
    assert run_json("import", photos, tmp_path / "set.json", "--again")[1]["added"] == 20


def test_an_import_makes_the_project_that_it_is_given(photos: Path, tmp_path: Path) -> None:
    code, report = run_json("import", tmp_path / "new.maskwright", tmp_path / "set.json", "--images", photos)
    assert (code, report["added"], report["missing"]) == (0, 20, [])
    with Project.open(tmp_path / "new.maskwright") as project:
        assert project.image_root == photos


@pytest.mark.parametrize("to", ["coco", "cvat"])
def test_an_import_reads_standard_input(photos: Path, tmp_path: Path, to: str) -> None:
    text = run("convert", tmp_path / "set.json", "-", "--to", to).stdout_bytes
    result = run("import", photos, "-", text=text)
    assert result.exit_code == 0
    assert result.stdout.startswith("20 objects on 7 images, 2 classes")


def test_an_import_without_its_images_fails(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, report = run_json("import", tmp_path / "empty", tmp_path / "set.json")
    assert code == 1
    assert "none of its images" in report["error"]
    assert not (tmp_path / "empty" / ".maskwright").exists()


@pytest.mark.parametrize("name", ["coco", "yolo", "voc", "png", "labelme", "huggingface", "coco-folder", "panoptic"])
def test_a_split_export_comes_back_into_its_project(photos: Path, tmp_path: Path, name: str) -> None:
    run_json("import", photos, tmp_path / "set.json")
    out = tmp_path / "out"
    assert run("export", photos, "-o", out, "--format", name, "--split", "a=1,b=1", "--images", "copy").exit_code == 0
    code, report = run_json("import", photos, out)
    assert (code, report["instances"], report["missing"]) == (0, 20, [])
    assert report["added"] <= (0 if name in ("coco", "coco-folder", "labelme", "huggingface") else 20)


@pytest.mark.parametrize(
    "wrong",
    [
        "-o x.json --profile ultralytics --format coco",
        "-o x --profile detectron2 --format yolo",
        "-o x.json --profile detectron2 --masks rle",
        "-o x.json --profile fiftyone --holes keyhole",
        "-o x.json --masks polygons --holes rle",
        "-o x.json --masks polygons --profile fiftyone",
        "-o x --format labelme --masks rle",
        "-o x.json --detections --images copy",
        "-o x.json --by-class",
        "-o x.json --split train=1,val=1",
    ],
)
def test_options_that_contradict_each_other_are_refused(photos: Path, tmp_path: Path, wrong: str) -> None:
    run_json("import", photos, tmp_path / "set.json")
    result = run("export", photos, *wrong.replace("-o x", f"-o {tmp_path}/x").split())
    assert result.exit_code == 2
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("wrong", ["x.zip", "x.xml", "x.txt"])
def test_a_name_that_says_something_else_is_refused(photos: Path, tmp_path: Path, wrong: str) -> None:
    run_json("import", photos, tmp_path / "set.json")
    assert run("export", photos, "-o", tmp_path / wrong).exit_code == 1
    assert run("convert", tmp_path / "set.json", tmp_path / wrong, "--to", "coco").exit_code == 1
    assert not (tmp_path / wrong).exists()


@pytest.mark.parametrize("name", ["coco", "coco-folder", "yolo-obb"])
def test_a_profile_takes_its_own_formats(photos: Path, tmp_path: Path, name: str) -> None:
    run_json("import", photos, tmp_path / "set.json")
    profile = "ultralytics" if name.startswith("yolo") else "detectron2"
    assert run("export", photos, "-o", tmp_path / "x", "--profile", profile, "--format", name).exit_code == 0


def test_classes_of_one_name_stay_two_until_they_are_merged_by_id(photos: Path, tmp_path: Path) -> None:
    content = json.loads((tmp_path / "set.json").read_text())
    for category, name in zip(content["categories"], ("Cat", "cat", "cat"), strict=False):
        category["name"] = name
    (tmp_path / "set.json").write_text(json.dumps(content))
    code, report = run_json("import", photos, tmp_path / "set.json")
    count = len(content["categories"])
    assert (code, report["categories"], report["instances"]) == (0, count, 20)
    assert any("merge them" in problem for problem in report["problems"])
    first, second = (str(category["id"]) for category in content["categories"][:2])
    assert len(run_json("classes", photos, "--merge", second, first)[1]["classes"]) == count - 1


@pytest.mark.parametrize(
    "options", [["--format", "voc"], [], ["--detections"], ["--format", "yolo", "--split", "train=1,val=1"]], ids=str
)
def test_an_export_can_be_tried_and_says_what_it_would_lose(photos: Path, tmp_path: Path, options: list[str]) -> None:
    run_json("import", photos, tmp_path / "set.json")
    before = sorted(tmp_path.iterdir())
    code, tried = run_json("export", photos, "-o", tmp_path / "x", *options, "--dry-run")
    assert (code, sorted(tmp_path.iterdir())) == (0, before)
    assert (code, tried) == run_json("export", photos, "-o", tmp_path / "x", *options)
    assert "under another object" in str(tried) or "voc" not in options


def test_a_conversion_can_be_tried(photos: Path, tmp_path: Path) -> None:
    told = run("convert", tmp_path / "set.json", tmp_path / "x.xml", "--to", "cvat", "--dry-run").stdout
    assert told.startswith("would write 20 objects")
    code, tried = run_json("convert", tmp_path / "set.json", tmp_path / "x.xml", "--to", "cvat", "--dry-run")
    assert (code, tried["path"], (tmp_path / "x.xml").exists()) == (0, str(tmp_path / "x.xml"), False)
    assert any("class" in loss for loss in tried["losses"])
