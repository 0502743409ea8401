"""One kind of mask for all objects of a COCO file; keypoints of what was changed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from pycocotools import mask as coco_mask

from coco_sources import square, square_with_hole
from maskwright.document.values import Instance
from maskwright.formats.coco import CocoExportOptions, export_coco, read_coco
from maskwright.formats.coco.options import profile_named
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import format_named
from maskwright.geometry.polygon import Polygon

RING = [2.125, 2, 12, 2, 12, 12, 2, 12]
RUNS = {"size": [30, 40], "counts": [5, 10, 1185]}


def mixed(folder: Path, **changes: Any) -> DataSet:
    plain = {"image_id": 1, "category_id": 1, "iscrowd": 0, "area": 1, "bbox": [0, 0, 1, 1]}
    annotations = [
        {"id": 1, "segmentation": [RING], **plain, **changes},
        {"id": 2, "segmentation": RUNS, **plain, "iscrowd": 1},
        {"id": 3, "segmentation": [], **plain, "bbox": [3, 3, 5, 5]},
    ]
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cell"}],
    }
    (folder / "in.json").write_text(json.dumps(content))
    data = read_coco(folder / "in.json")
    holed = Instance(4, 1, (square_with_hole(20, 3),))
    return replace(data, instances_by_image={1: (*data.instances(1), holed)})


def written(data: DataSet, folder: Path, options: CocoExportOptions) -> list[dict[str, Any]]:
    """Read again and compared, too."""
    report = format_named("coco").write_verified(data, folder / "out.json", options)
    assert report.verification is not None
    assert report.verification.findings == ()
    found: list[dict[str, Any]] = json.loads((folder / "out.json").read_text())["annotations"]
    return found


@pytest.mark.parametrize(("masks", "kind"), [("polygons", list), ("rle", dict)])
def test_all_outlines_are_of_one_kind_and_boxes_stay_boxes(
    tmp_path: Path, masks: Literal["polygons", "rle"], kind: type
) -> None:
    found = written(mixed(tmp_path), tmp_path, CocoExportOptions(masks=masks))
    assert [type(each["segmentation"]) for each in found] == [kind, kind, list, kind]
    assert found[2]["segmentation"] == []


def test_run_lengths_are_compressed_and_fill_the_same_pixels(tmp_path: Path) -> None:
    found = written(mixed(tmp_path), tmp_path, CocoExportOptions(masks="rle"))
    assert all(isinstance(each["segmentation"]["counts"], str) for each in found if each["segmentation"])
    assert coco_mask.area(found[1]["segmentation"]) == 10


@pytest.mark.parametrize("name", ["detectron2", "mmdetection", "cvat"])
def test_readers_of_polygons_get_nothing_else(tmp_path: Path, name: str) -> None:
    found = written(mixed(tmp_path), tmp_path, profile_named(name).applied(CocoExportOptions()))
    assert all(isinstance(each["segmentation"], list) for each in found)


def changed(folder: Path, outline: Polygon, **changes: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    data = mixed(folder, keypoints=[3, 4, 2, 5.5, 6, 1, 0, 0, 0], num_keypoints=2, **changes)
    first = replace(data.instances(1)[0], polygons=(outline,))
    data = replace(data, instances_by_image={1: (first,)})
    report = format_named("coco").write_verified(data, folder / "out.json", CocoExportOptions())
    (annotation,) = json.loads((folder / "out.json").read_text())["annotations"]
    return annotation, report.losses


def ring(*points: tuple[float, float]) -> Polygon:
    return Polygon.of(points)


def test_keypoints_move_with_their_object(tmp_path: Path) -> None:
    annotation, losses = changed(tmp_path, ring((7.13, 5), (17, 5), (17, 15), (7, 15)))
    assert annotation["keypoints"] == [8, 7, 2, 10.5, 9, 1, 0, 0, 0]
    assert losses == ()


def test_keypoints_stay_where_one_vertex_moves(tmp_path: Path) -> None:
    annotation, _ = changed(tmp_path, ring((2.125, 2), (14, 1), (12, 12), (2, 12)))
    assert annotation["keypoints"][:3] == [3, 4, 2]


def test_keypoints_of_another_outline_are_left_out_and_told(tmp_path: Path) -> None:
    annotation, losses = changed(tmp_path, square(20, 20, 7))
    assert "keypoints" not in annotation
    assert "num_keypoints" not in annotation
    assert losses == ("the keypoints of 1 edited object",)


def staircase(dx: float) -> list[tuple[float, float]]:
    """Pixel edges; moved by one, most vertices lie where others were."""
    down = [(dx + x, dx + y) for k in range(2, 12) for x, y in ((k, k), (k + 1, k))]
    return [*down, (dx + 12.0, dx + 20.0), (dx + 2.0, dx + 20.0)]


def test_keypoints_move_with_a_staircase_of_pixels(tmp_path: Path) -> None:
    flat = [n for point in staircase(0) for n in point]
    data = mixed(tmp_path, segmentation=[flat], keypoints=[3, 8, 2], num_keypoints=1)
    first = replace(data.instances(1)[0], polygons=(ring(*staircase(1)),))
    export_coco(replace(data, instances_by_image={1: (first,)}), tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["annotations"][0]["keypoints"] == [4, 9, 2]


def test_keypoints_of_an_object_that_covered_nothing_are_left_out(tmp_path: Path) -> None:
    annotation, _ = changed(tmp_path, square(20, 20, 7), segmentation={"size": [30, 40], "counts": [1200]})
    assert "keypoints" not in annotation


def test_crowds_that_became_polygons_are_told(tmp_path: Path) -> None:
    report = format_named("coco").write_verified(
        mixed(tmp_path), tmp_path / "out.json", CocoExportOptions(masks="polygons")
    )
    assert report.losses == ("the run lengths of 1 crowd region, now polygons",)
