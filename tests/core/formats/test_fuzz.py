"""Damaged files: an error or a listed, skipped object; never a crash, a hang or a half-read set."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coco_sources import one_image, square
from format_fuzzing import mutated, survives, written_sets
from maskwright.document.values import Instance
from maskwright.errors import FormatError
from maskwright.formats.coco import export_coco, read_coco
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import FORMATS

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
KEYS = ["id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "size", "counts", "file_name",
        "width", "height", "name", "supercategory", "keypoints"]  # fmt: skip


def content() -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 10}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5]], "bbox": [1, 1, 4, 4]},
            {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"size": [10, 20], "counts": [5, 10, 185]}},
        ],
        "categories": [{"id": 1, "name": "cell"}],
    }


@given(st.sampled_from(["images", "annotations", "categories"]), st.integers(0, 1), st.sampled_from(KEYS), anything)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_at_any_key_is_survived(tmp_path: Path, section: str, index: int, key: str, value: Any) -> None:
    damaged = content()
    target = damaged[section][index % len(damaged[section])]
    if key in ("size", "counts"):
        target = damaged["annotations"][1]["segmentation"]
    target[key] = value
    (tmp_path / "in.json").write_text(json.dumps(damaged))
    assert survives(lambda: read_coco(tmp_path / "in.json"), tmp_path), "one damaged record costs the whole file"


@given(anything)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_survived(tmp_path: Path, value: Any) -> None:
    inside = [content() | {"annotations": value}, content() | {"images": [value, value]}, content() | {"info": value}]
    for damaged in [value, *inside, {"images": [], "annotations": [value]}]:
        (tmp_path / "in.json").write_text(json.dumps(damaged))
        survives(lambda: read_coco(tmp_path / "in.json"), tmp_path)


LEAST_READ = {"coco": 1, "labelstudio": 1, "coco-folder": 3, "cvat": 10}
"""Of 40 damaged sets. One JSON text with everything in it seldom stays JSON."""
BINARY = (".png", ".jpg", ".npy", ".parquet")


def files_of(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def outlines(data: DataSet) -> dict[str, list[tuple[int, list[list[list[float]]]]]]:
    """{file name: (class, rings) of each object}"""
    return {
        image.file_name: [
            (each.category_id, [ring.tolist() for polygon in each.polygons for ring in polygon.rings])
            for each in data.instances(image.id)
        ]
        for image in data.images()
    }


@pytest.mark.parametrize("name", [kind.name for kind in FORMATS])
def test_damaged_bytes_are_survived(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    kind, path = next((kind, path) for kind, path in written_sets(tmp_path) if kind.name == name)
    files = files_of(path)
    read = 0
    for _ in range(40):
        file = chance.choice(files)
        whole = file.read_bytes()
        file.write_bytes(mutated(whole, chance))
        read += survives(lambda: kind.read(path), tmp_path)
        file.write_bytes(whole)
    assert read >= LEAST_READ.get(name, 15), "a reader that refuses everything survives everything"


@pytest.mark.parametrize("name", [kind.name for kind in FORMATS])
def test_a_last_empty_line_changes_nothing(tmp_path: Path, name: str) -> None:
    kind, path = next((kind, path) for kind, path in written_sets(tmp_path) if kind.name == name)
    before = outlines(kind.read(path))
    for file in files_of(path):
        if file.suffix not in BINARY:
            file.write_bytes(file.read_bytes() + b"\n")
    assert outlines(kind.read(path)) == before
    assert any(before.values())


def test_a_polygon_of_a_hundred_thousand_vertices_is_read(tmp_path: Path) -> None:
    value = content()
    value["annotations"][0]["segmentation"] = [[i % 20 if i % 2 else i % 10 for i in range(200_000)] + [1, 2]]
    (tmp_path / "in.json").write_text(json.dumps(value))
    assert len(read_coco(tmp_path / "in.json").instances(1)) == 2


def test_nesting_that_could_not_be_written_again_is_listed(tmp_path: Path) -> None:
    text = json.dumps(content()).replace('"bbox"', '"note": ' + "[" * 500 + "]" * 500 + ', "bbox"')
    (tmp_path / "in.json").write_text(text)
    file = read_coco(tmp_path / "in.json")
    assert [instance.id for instance in file.instances(1)] == [2]


def test_half_a_surrogate_pair_says_so(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps(content()).replace('"cell"', '"\\ud800"'))
    with pytest.raises(FormatError, match="not readable"):
        read_coco(tmp_path / "in.json")


def test_damage_to_one_file_leaves_the_written_one_alone(tmp_path: Path) -> None:
    export_coco(one_image(Instance(1, 1, (square(1, 1),))), tmp_path / "a.json")
    before = (tmp_path / "a.json").read_bytes()
    survives(lambda: read_coco(tmp_path / "a.json"), tmp_path)
    assert (tmp_path / "a.json").read_bytes() == before
