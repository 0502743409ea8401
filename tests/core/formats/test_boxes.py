"""Objects that are boxes: kept, written as they came, told of, and an outline once somebody moves a corner."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coco_sources import square
from maskwright.formats.boxes import is_box
from maskwright.formats.coco import CocoExportOptions, read_coco
from maskwright.formats.data_set import DataSet
from maskwright.formats.gate import FindingKind, check
from maskwright.formats.registry import format_named

OPTIONS = CocoExportOptions()


def boxes(folder: Path, **changes: Any) -> tuple[DataSet, dict[str, Any]]:
    box = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [], "bbox": [2, 3, 10, 5], "area": 50} | changes
    bare = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [2.5, 3, 10, 5.25]}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [box, bare],
        "categories": [{"id": 1, "name": "car", "supercategory": "none"}],
        "info": {},
        "licenses": [],
    }
    (folder / "in.json").write_text(json.dumps(content))
    return read_coco(folder / "in.json"), content


def test_a_set_of_boxes_is_written_as_it_came_and_verified(tmp_path: Path) -> None:
    data, content = boxes(tmp_path)
    report = format_named("coco").write_verified(data, tmp_path / "out.json", OPTIONS)
    assert report.verification is not None
    assert report.verification.findings == ()
    assert json.loads((tmp_path / "out.json").read_text()) == content


def test_another_box_in_the_file_is_found(tmp_path: Path) -> None:
    data, _ = boxes(tmp_path)
    other, _ = boxes(tmp_path, bbox=[3, 3, 10, 5])
    kind = format_named("coco")
    kind.write(other, tmp_path / "out.json", OPTIONS)
    wrong = replace(kind, write=lambda source, path, options: kind.write(other, path, options))
    report = wrong.write_verified(data, tmp_path / "out.json", OPTIONS)
    assert report.verification is not None
    assert "its box differs" in str(report.verification.findings)


@pytest.mark.parametrize("name", ["labelme", "xanylabeling", "cvat", "voc", "labelstudio", "isat", "huggingface"])
def test_formats_that_know_boxes_keep_them(tmp_path: Path, name: str) -> None:
    data, _ = boxes(tmp_path)
    kind = format_named(name)
    kind.write_verified(data, tmp_path / f"out{kind.suffix}", OPTIONS)
    back = kind.read(tmp_path / f"out{kind.suffix}")
    assert [is_box(each) for each in back.instances(1)] == [True, True]


def test_a_box_whose_corner_was_moved_is_an_outline(tmp_path: Path) -> None:
    data, _ = boxes(tmp_path)
    moved = replace(data.instances(1)[0], polygons=(square(1, 1),))
    changed = replace(data, instances_by_image={1: (moved,)})
    format_named("coco").write_verified(changed, tmp_path / "out.json", OPTIONS)
    (annotation,) = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert annotation["segmentation"]
    assert annotation["area"] == 16


def test_a_check_speaks_of_boxes_once(tmp_path: Path) -> None:
    found = [each for each in check(boxes(tmp_path)[0], OPTIONS) if each.kind is FindingKind.BOX_ONLY]
    assert [each.message[:25] for each in found] == ["2 objects are a box witho"]
    assert not found[0].is_error
