"""Profiles apply what a consumer needs; splits share one class table and never an image."""

import io
import json
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO

from coco_sources import ListSource, one_image, square, square_with_hole, varied_source
from maskwright.document.values import ImageRecord, ImageState, Instance, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions, export_coco, read_coco
from maskwright.formats.coco.options import PROFILES, profile_named
from maskwright.formats.coco.records import export_results
from maskwright.formats.image_files import place_image
from maskwright.formats.package import Splitting, Subset, classes_by_image, export_package, split
from maskwright.formats.registry import format_named


def exported(source: Any, path: Path, profile: str) -> Any:
    export_coco(source, path, profile_named(profile).applied(CocoExportOptions()))
    return json.loads(path.read_text())


@pytest.mark.parametrize("profile", ["detectron2", "cvat"])
def test_polygon_only_profiles_write_no_run_lengths(tmp_path: Path, profile: str) -> None:
    run_lengths = {"size": [30, 40], "counts": [5, 10, 1185]}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": run_lengths, "iscrowd": 1}],
        "categories": [{"id": 1, "name": "cell"}],
    }
    (tmp_path / "in.json").write_text(json.dumps(content))
    (annotation,) = exported(read_coco(tmp_path / "in.json"), tmp_path / "out.json", profile)["annotations"]
    assert isinstance(annotation["segmentation"], list)
    assert annotation["area"] == 10


def test_cvat_gets_plain_attributes(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (square(1, 1),), extra={"attributes": {"a": 1, "b": [1], "c": "x"}}))
    (annotation,) = exported(source, tmp_path / "out.json", "cvat")["annotations"]
    assert annotation["attributes"] == {"a": 1, "c": "x"}


def test_fiftyone_gets_holes_as_run_lengths(tmp_path: Path) -> None:
    (annotation,) = exported(one_image(Instance(1, 1, (square_with_hole(1, 1),))), tmp_path / "o.json", "fiftyone")[
        "annotations"
    ]
    assert isinstance(annotation["segmentation"], dict)


def test_contiguous_ids_are_used_everywhere(tmp_path: Path) -> None:
    export_coco(
        one_image(Instance(1, 18, (square(1, 1),))), tmp_path / "o.json", CocoExportOptions(category_ids="contiguous")
    )
    content = json.loads((tmp_path / "o.json").read_text())
    assert [category["id"] for category in content["categories"]] == [1, 2]
    assert content["annotations"][0]["category_id"] == 2


def test_every_profile_names_a_format_and_loads(tmp_path: Path) -> None:
    for profile in PROFILES:
        report = format_named(profile.format_name).write(
            varied_source(), tmp_path / profile.name, profile.applied(CocoExportOptions())
        )
        assert report.instance_count == 20


def test_unknown_profiles_are_named() -> None:
    with pytest.raises(FormatError, match="detectron2"):
        profile_named("x")


@given(st.integers(0, 60), st.integers(0, 5), st.booleans(), st.lists(st.floats(0, 9), min_size=1, max_size=4))
def test_every_image_is_in_exactly_one_part(count: int, seed: int, by_class: bool, shares: list[float]) -> None:
    shares[0] += 1
    classes = {i: Counter([i % 3, i % 7]) for i in range(1, count + 1)}
    parts = split(classes, {str(i): share for i, share in enumerate(shares)}, seed=seed, by_class=by_class)
    assert sorted(id_ for part in parts.values() for id_ in part) == sorted(classes)


def test_the_seed_decides() -> None:
    classes = {i: Counter([1]) for i in range(100)}
    parts = [split(classes, {"train": 8, "val": 2}, seed=seed) for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]
    assert [len(part) for part in parts[0].values()] == [80, 20]


def test_a_rare_class_is_in_every_part_when_split_by_class() -> None:
    classes = {i: Counter([9 if i % 20 == 0 else 1]) for i in range(100)}
    parts = split(classes, {"train": 0.8, "val": 0.2}, by_class=True)
    assert sum(9 in classes[i] for i in parts["val"]) == 1


@pytest.mark.parametrize("shares", [{}, {"a": -1, "b": 2}, {"a": 0}, {"a": float("nan")}], ids=str)
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        split({1: Counter()}, shares)


def test_parts_share_the_class_table(tmp_path: Path) -> None:
    source = varied_source()
    parts = split(classes_by_image(source), {"train": 1, "val": 1})
    tables = []
    for name, ids in parts.items():
        export_coco(Subset(source, ids), tmp_path / name)
        tables.append(json.loads((tmp_path / name).read_text())["categories"])
    assert tables[0] == tables[1]


def test_results_load_beside_their_ground_truth(tmp_path: Path) -> None:
    proposals = [Instance(1, 1, (square(1, 1),), InstanceState.PROPOSED, 0.75), Instance(2, 1, (square(9, 9),))]
    source = one_image(*proposals)
    assert export_results(source, tmp_path / "results.json") == 1
    export_coco(source, tmp_path / "truth.json")
    with redirect_stdout(io.StringIO()):
        results = COCO(str(tmp_path / "truth.json")).loadRes(str(tmp_path / "results.json"))
    assert [(each["score"], each["area"]) for each in results.anns.values()] == [(0.75, 16)]


def test_no_results_are_an_empty_list(tmp_path: Path) -> None:
    export_results(ListSource(), tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text()) == []


def turned_image(folder: Path) -> ImageRecord:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :10] = 255
    (folder / "in" / "sub").mkdir(parents=True)
    Image.fromarray(pixels).save(folder / "in" / "sub" / "a.jpg", exif=exif)
    return ImageRecord(1, "sub/a.jpg", 20, 40, ImageState.DONE)


def test_upright_copies_have_the_size_of_the_annotations(tmp_path: Path) -> None:
    place = place_image(turned_image(tmp_path), tmp_path / "in", tmp_path / "out", "upright")
    with Image.open(place) as opened:
        assert opened.size == (20, 40)
        assert opened.getexif().get(0x0112, 1) == 1
        assert np.asarray(opened)[:8].min() > 200


@pytest.mark.parametrize("how", ["copy", "link"])
def test_copies_and_links_have_the_same_bytes(tmp_path: Path, how: Any) -> None:
    place = place_image(turned_image(tmp_path), tmp_path / "in", tmp_path / "out", how)
    assert place.read_bytes() == (tmp_path / "in" / "sub" / "a.jpg").read_bytes()


def test_missing_images_and_links_out_of_the_root_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "in" / "b.png").symlink_to(tmp_path / "secret.png")
    for name in ("a.png", "b.png"):
        with pytest.raises(FormatError, match="missing"):
            place_image(ImageRecord(1, name, 2, 2), tmp_path / "in", tmp_path / "out", "copy")


def test_the_places_in_data_yaml_count_from_the_file(tmp_path: Path) -> None:
    """Ultralytics takes `path: .` for the folder it is started in."""
    format_named("yolo").write(varied_source(), tmp_path, CocoExportOptions())
    lines = (tmp_path / "data.yaml").read_text().splitlines()
    assert lines[:2] == ["train: images", "val: images"]
    assert not any(line.startswith("path") for line in lines)


def test_the_parts_of_a_yolo_set_have_one_data_yaml(tmp_path: Path) -> None:
    parts = Splitting({"train": 2, "test": 1})
    export_package(varied_source(), tmp_path, format_named("yolo"), CocoExportOptions(), splitting=parts)
    lines = (tmp_path / "data.yaml").read_text().splitlines()
    assert lines[:3] == ["train: train/images", "val: train/images", "test: test/images"]
    assert (tmp_path / "test" / "labels").is_dir()


def test_voc_lists_its_images_as_the_devkit_does(tmp_path: Path) -> None:
    format_named("voc").write(varied_source(), tmp_path, CocoExportOptions())
    for task in ("Main", "Segmentation"):
        assert (tmp_path / "ImageSets" / task / "default.txt").read_text().startswith("sub/1\nsub/2\n")
    classes = (tmp_path / "labelmap.txt").read_text().splitlines()
    assert classes[1:] == ["background:0,0,0::", "cell:128,0,0::", "dog:0,128,0::"]


def test_a_class_number_without_bounds_is_refused(tmp_path: Path) -> None:
    format_named("yolo").write(varied_source(), tmp_path, CocoExportOptions())
    (tmp_path / "data.yaml").write_text('names:\n  99999999999999: "cell"\n')
    with pytest.raises(FormatError, match="class numbers"):
        format_named("yolo").read(tmp_path)
