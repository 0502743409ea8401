"""What people script: a project from any detector's output, steps by name, files in and out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import maskwright as mw
from maskwright.cli.app import app
from maskwright.document.values import ImageStanding, InstanceState
from maskwright.formats.registry import FORMATS, format_named

README = Path(__file__).resolve().parents[2] / "README.md"
SQUARE = [(2, 2), (12, 2), (12, 12), (2, 12)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "photos" / name), np.zeros((48, 64, 3), np.uint8))
    return tmp_path / "photos"


@pytest.fixture
def project(photos: Path) -> Iterator[mw.Project]:
    with mw.Project.create(str(photos)) as made:
        made.scan()
        made.categories.add("cat")
        yield made


def mask() -> Any:
    found = np.zeros((48, 64), np.uint8)
    found[5:20, 10:30] = 255
    return found


def test_the_example_of_the_readme_runs(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"<!-- python: proposals -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    monkeypatch.chdir(photos.parent)
    exec(found.group(1), {"detector": lambda path: [("cat", 0.9, mask()), ("dog", 0.6, mask().T[:48, :64])][:1]})
    content = json.loads((photos.parent / "proposals.json").read_text())
    assert [annotation["area"] for annotation in content["annotations"]] == [300, 300]


def test_a_project_lives_in_its_folder_and_is_found_there(photos: Path) -> None:
    with mw.Project.create(str(photos)) as made:
        assert made.scan().added_count == 2
        assert [image.file_name for image in made] == ["a.png", "sub/b.png"]
    with mw.Project.open(str(photos)) as opened:
        assert "photos" in repr(opened)


def test_the_class_table_has_all_classes_or_those_of_what_is_written(project: mw.Project, tmp_path: Path) -> None:
    project.ensure_categories([(1, "cat"), (7, "unused"), (18, "dog"), (44, "bottle"), (90, "lost")])
    first, second = project
    project.draw(first, "dog", [SQUARE])
    project.put_proposals(second, [mw.Proposal("bottle", 0.9, polygons=[SQUARE])], source="a model")
    project.put_proposals(first, [mw.Proposal("lost", 0.2, polygons=[SQUARE])], source="a model")

    def table(name: str, **options: Any) -> dict[str, int]:
        mw.export_annotations(project, tmp_path / name, **options)
        return {each["name"]: each["id"] for each in json.loads((tmp_path / name).read_text())["categories"]}

    everything = table("all.json")
    assert set(everything) == {"cat", "unused", "dog", "bottle", "lost"}
    assert table("used.json", classes="used") == {"dog": everything["dog"]}
    asked = table("proposed.json", classes="used", proposals=True, min_score=0.5)
    assert asked == {name: everything[name] for name in ("dog", "bottle")}
    project.images.set_standing([first.id], ImageStanding.EXCLUDED)
    assert set(table("rest.json", classes="used", proposals=True)) == {"bottle"}
    with pytest.raises(mw.InputError, match="classes"):
        table("wrong.json", classes="some")


def test_the_command_line_writes_used_classes_in_any_format(project: mw.Project, tmp_path: Path) -> None:
    project.ensure_categories([(1, "cat"), (18, "dog")])
    project.draw(next(iter(project)), "dog", [SQUARE])
    for name in ("coco", "voc", "yolo", "coco-folder"):
        out = tmp_path / (name + (".json" if name == "coco" else ""))
        run = CliRunner().invoke(
            app, ["export", str(project.path), "-o", str(out), "--format", name, "--classes", "used"]
        )
        assert run.exit_code == 0, run.output
        assert {each.name for each in format_named(name).read(out).categories()} == {"dog"}, name


def test_a_file_that_is_no_image_is_told(photos: Path) -> None:
    (photos / "c.png").write_bytes(b"no image")
    with mw.Project.create(photos) as made:
        scanned = made.scan()
    assert (scanned.added_count, [name for name, _ in scanned.failures]) == (2, ["c.png"])


RLE = {"size": [48, 64], "counts": [0, 5, 3067]}


@pytest.mark.parametrize(
    "shape",
    [
        {"polygons": SQUARE},
        {"polygons": [2, 2, 12, 2, 12, 12]},
        {"polygons": [[2, 2, 12, 2, 12, 12], [20, 20, 30, 20, 30, 30]]},
        {"polygons": np.array(SQUARE)},
        {"polygons": mw.Polygon.of(SQUARE)},
        {"mask": mask()},
        {"mask": mask() > 0},
        {"mask": mask(), "bbox_xyxy": (1, 1, 5, 5)},
        {"rle": RLE},
        {"bbox_xyxy": (1, 1, 5, 5)},
    ],
    ids=str,
)
def test_any_shape_is_proposed(project: mw.Project, shape: dict[str, Any]) -> None:
    project.put_proposals("a.png", [mw.Proposal("Cat", 0.5, **shape)], source="mine")
    (instance,) = project.instances.of(project.find("a.png").id)
    assert instance.state is InstanceState.PROPOSED
    assert instance.provenance is not None
    assert instance.provenance.model_name == "mine"


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": float("nan"), "polygons": SQUARE},
        {"score": 2, "polygons": SQUARE},
        {"score": -0.1, "polygons": SQUARE},
        {"score": "high", "polygons": SQUARE},
        {"score": None, "polygons": SQUARE},
        {"polygons": []},
        {"polygons": [[1, 1], [2, 2]]},
        {"polygons": [[1, 1, 2, 2]]},
        {"polygons": [(0, 0), (float("nan"), 1), (1, 1)]},
        {"polygons": "abc"},
        {"mask": np.zeros((48, 64))},
        {"mask": np.zeros((48, 64, 3))},
        {"rle": {"size": [48, 64], "counts": [1, 2]}},
        {"rle": {"counts": [1, 2]}},
        {"bbox_xyxy": (5, 5, 5, 9)},
        {"bbox_xyxy": (5, 5, 9)},
        {"polygons": SQUARE, "mask": np.ones((48, 64))},
        {},
        {"category": None, "polygons": SQUARE},
    ],
    ids=str,
)
def test_an_impossible_proposal_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(mw.InputError) as caught:
        mw.Proposal(**{"category": "cat", "score": 0.5, **wrong})
    assert isinstance(caught.value, ValueError)


def test_a_mask_of_another_size_is_refused_before_anything_is_stored(project: mw.Project) -> None:
    good, bad = mw.Proposal("cat", 0.5, mask=mask()), mw.Proposal("cat", 0.5, mask=mask().T)
    with pytest.raises(mw.InputError, match="proposal 1"):
        project.put_proposals("a.png", [good, bad])
    assert not project.instances.of(1)


@pytest.mark.parametrize("wrong", [None, [3], "cat"], ids=str)
def test_what_is_no_proposal_is_refused(project: mw.Project, wrong: Any) -> None:
    with pytest.raises(mw.InputError, match="expected a"):
        project.put_proposals("a.png", wrong)


def test_a_proposal_beside_the_image_is_refused(project: mw.Project) -> None:
    with pytest.raises(mw.InputError, match="outside the image of 64 x 48"):
        project.put_proposals("a.png", [mw.Proposal("cat", 0.5, bbox_xyxy=(64, 1, 70, 9))])


@pytest.mark.parametrize("wrong", [{"masks": "x"}, {"images": "x"}, {"split": {"a": -1}}, {"split": {}}], ids=str)
def test_an_impossible_option_is_refused(project: mw.Project, tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(mw.InputError, match="expected"):
        mw.export_annotations(project, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("image", "category"), [("z.png", "cat"), (99, "cat"), ("a.png", "dog"), ("a.png", 99)], ids=str
)
def test_unknown_images_and_classes_are_named(project: mw.Project, image: Any, category: Any) -> None:
    with pytest.raises(mw.ProjectError, match=r"the project has no (image|class)"):
        project.put_proposals(image, [mw.Proposal(category, 0.5, polygons=SQUARE)])


def test_a_users_steps_are_taken_by_name(project: mw.Project) -> None:
    project.categories.add("dog")
    boxes = [mw.Proposal("cat", 0.5, bbox_xyxy=(x, 1, x + 9, 9)) for x in (1, 20, 40)]
    project.put_proposals("a.png", boxes)
    first, second, third = (instance.id for instance in project.instances.of(1))
    project.accept("a.png", [first])
    project.reject("a.png", [second])
    project.edit("a.png", third, category="dog", polygons=SQUARE)
    drawn = project.draw("a.png", "dog", SQUARE)
    project.delete("a.png", [drawn.id])
    found = {instance.id: (instance.state.value, instance.category_id) for instance in project.instances.of(1)}
    assert found == {first: ("accepted", 1), second: ("rejected", 1), third: ("edited", 2)}


def test_what_is_not_there_cannot_be_edited(project: mw.Project) -> None:
    with pytest.raises(mw.ProjectError, match="no object 7"):
        project.accept("a.png", [7])
    with pytest.raises(mw.InputError):
        project.draw("a.png", "cat", [(1, 1), (2, 2)])
    with pytest.raises(mw.InputError):
        project.edit("a.png", project.draw("a.png", "cat", SQUARE).id, polygons=[])


def test_files_go_out_come_in_are_converted_checked_and_judged(project: mw.Project, tmp_path: Path) -> None:
    project.draw("a.png", "cat", SQUARE)
    (report,) = mw.export_annotations(project, str(tmp_path / "out.json"))
    assert (report.instance_count, report.verification is not None) == (1, True)
    assert mw.convert(tmp_path / "out.json", tmp_path / "out.xml", "cvat").report.instance_count == 1
    assert mw.import_annotations(project, tmp_path / "out.xml").result.added_count == 0
    assert not [finding for finding in mw.check(project) if finding.is_error]
    assert mw.evaluate(tmp_path / "out.json", project).segm["AP"] == pytest.approx(1)
    assert mw.evaluate(tmp_path / "out.json", tmp_path / "out.json").segm["AP"] == pytest.approx(1)


def test_a_report_names_what_the_profile_leaves_out(project: mw.Project, tmp_path: Path) -> None:
    project.draw("a.png", "cat", SQUARE)
    (report,) = mw.export_annotations(project, tmp_path / "yolo", profile="ultralytics")
    assert "crowd regions" in report.losses


def test_a_split_with_its_images(project: mw.Project, tmp_path: Path) -> None:
    for name in ("a.png", "sub/b.png"):
        project.draw(name, "cat", SQUARE)
    shares = {"train": 1, "valid": 1}
    mw.export_annotations(project, tmp_path / "set", format="coco-folder", split=shares, images="copy")
    for part in shares:
        (record,) = json.loads((tmp_path / "set" / part / "_annotations.coco.json").read_text())["images"]
        assert (tmp_path / "set" / part / record["file_name"]).is_file()


NAMES = ("a b/ü 1.png", "a b/日本.png", "c#1.png", "d.e.tif", "sub/deep/x.jpeg")
CLASSES = ("Gurke", "日本 語", 'quo"te', "a & b", "comma, here", "100% <x>", "yes", "1")


@pytest.mark.parametrize("name", [kind.name for kind in FORMATS])
def test_a_set_with_its_images_and_odd_names_comes_back_whole(tmp_path: Path, name: str) -> None:
    for file in NAMES:
        place = tmp_path / "photos" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(cv2.imencode(place.suffix, np.zeros((60, 80, 3), np.uint8))[1].tobytes())
    with mw.Project.create(tmp_path / "photos") as project:
        project.scan()
        for category in CLASSES:
            project.categories.add(category)
        for index, category in enumerate(CLASSES):
            x = 5 + 25 * (index % 2)
            project.draw(NAMES[index % 5], category, [(x, 5), (x + 18, 5), (x + 18, 30), (x, 30)])
        out = tmp_path / "out" / f"set{format_named(name).suffix}"
        out.parent.mkdir()
        mw.export_annotations(project, out, format=name, images="copy", unreviewed=True)
    root = out if out.is_dir() else out.parent
    with mw.Project.create(tmp_path / "again", image_root=root) as project:
        imported = mw.import_annotations(project, out)
        assert (imported.result.image_count, imported.result.instance_count, imported.problems) == (5, 8, ())
        assert not project.image_folder.missing()
        found = {(project.category(i.category_id).name) for image in project for i in project.instances.of(image.id)}
    assert found == set(CLASSES)
