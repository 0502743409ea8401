"""Spellings of known formats that tools write besides the plain one, each read for what it means or named."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from coco_sources import one_image, square
from foreign_sets import foreign_sets
from maskwright.document.values import Instance, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.boxes import box_extra, is_box
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import format_named, format_of
from maskwright.formats.voc_masks import read_label_map, voc_colour

BOX = "<bndbox><xmin>3</xmin><ymin>3</ymin><xmax>12</xmax><ymax>14</ymax></bndbox>"
SIZE = "<size><width>40</width><height>30</height></size>"


def picture(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), np.zeros((30, 40), np.uint8))


def voc(folder: Path, inside: str, *, size: str = SIZE, name: str = "a.jpg") -> DataSet:
    picture(folder / "a.jpg")
    text = f"<annotation><filename>{name}</filename>{size}{inside}</annotation>"
    (folder / "a.xml").write_text(text)
    return format_of(folder).read(folder)


def voc_object(inside: str = BOX, name: str = "car") -> str:
    return f"<object><name>{name}</name>{inside}</object>"


def found(data: DataSet) -> list[Any]:
    return [each for image in data.images() for each in data.instances(image.id)]


@pytest.mark.parametrize(
    "size", ["", "<size><width>0</width><height>0</height></size>", SIZE.replace("40", "40.0")], ids=str
)
def test_a_size_that_is_not_told_is_that_of_the_image(tmp_path: Path, size: str) -> None:
    data = voc(tmp_path, voc_object(), size=size)
    assert [(image.width, image.height) for image in data.images()] == [(40, 30)]


@pytest.mark.parametrize("name", ["", "a", "somewhere/else/a.jpg", "C:\\photos\\a.jpg"])
def test_the_image_of_an_annotation_is_found(tmp_path: Path, name: str) -> None:
    assert [image.file_name for image in voc(tmp_path, voc_object(), name=name).images()] == ["a.jpg"]


def test_a_polygon_beside_a_box_is_the_outline(tmp_path: Path) -> None:
    points = "".join(f"<x{i}>{x}</x{i}><y{i}>{y}</y{i}>" for i, (x, y) in enumerate([(3, 3), (12, 3), (12, 14)], 1))
    (instance,) = found(voc(tmp_path, voc_object(f"{BOX}<polygon>{points}</polygon>")))
    assert not is_box(instance)
    assert instance.polygons[0].exterior.tolist() == [[2, 2], [11, 2], [11, 13]]


def test_a_broken_polygon_is_not_taken_for_its_box(tmp_path: Path) -> None:
    data = voc(tmp_path, voc_object(f"{BOX}<polygon><x1>3</x1><y1>4</y1><x2>5</x2></polygon>"))
    assert found(data) == []
    assert "expected a polygon" in str(data.problems[0])


def test_a_turned_box_of_voc_is_an_outline(tmp_path: Path) -> None:
    turned = "<robndbox><cx>20</cx><cy>15</cy><w>10</w><h>4</h><angle>1.5707963267948966</angle></robndbox>"
    (instance,) = found(voc(tmp_path, voc_object(turned)))
    assert np.allclose(instance.bounds_xyxy, (18, 10, 22, 20))


def test_marks_of_voc_are_attributes(tmp_path: Path) -> None:
    further = "<attributes><attribute><name>colour</name><value>red</value></attribute></attributes>"
    (instance,) = found(voc(tmp_path, voc_object(f"<pose>Left</pose><difficult>1</difficult>{further}{BOX}")))
    assert instance.extra["attributes"] == {"difficult": True, "pose": "Left", "colour": "red"}


def test_one_nameless_object_takes_no_other_with_it(tmp_path: Path) -> None:
    data = voc(tmp_path, voc_object(name="") + voc_object())
    assert len(found(data)) == 1
    assert [str(problem) for problem in data.problems] == ["a.xml object 1: has no name (skipped)"]


def test_parts_of_objects_are_named(tmp_path: Path) -> None:
    data = voc(tmp_path, voc_object(f"{BOX}<part><name>head</name>{BOX}</part>"))
    assert "1 <part>" in str(data.problems[0])


def test_an_empty_folder_of_annotations_does_not_hide_masks(tmp_path: Path) -> None:
    for name in ("SegmentationObject", "SegmentationClass"):
        picture(tmp_path / name / "a.png")
    cv2.imwrite(str(tmp_path / "SegmentationObject" / "a.png"), np.full((30, 40), 7, np.uint8))
    cv2.imwrite(str(tmp_path / "SegmentationClass" / "a.png"), np.full((30, 40), 1, np.uint8))
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "labelmap.txt").write_text("background:::\n0: x:::\n")
    data = format_of(tmp_path).read(tmp_path)
    assert [category.name for category in data.categories()] == ["0: x"]
    assert len(found(data)) == 1


def test_a_set_without_any_annotation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Annotations").mkdir()
    with pytest.raises(FormatError, match="no XML file"):
        format_of(tmp_path, "voc").read(tmp_path)


def test_classes_without_colours_have_those_of_the_devkit(tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:::\na: b:1,2,3::\n# c:::\n")
    assert read_label_map(tmp_path) == {"background": (0, 0, 0), "a: b": (1, 2, 3), "# c": voc_colour(2)}


# YOLO


def yolo(folder: Path, *lines: str) -> DataSet:
    picture(folder / "images" / "a.jpg")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("".join(f"{line}\n" for line in lines))
    (folder / "data.yaml").write_text("names: [a, b]\n")
    return format_of(folder).read(folder)


def test_boxes_of_a_tracker_are_no_triangles(tmp_path: Path) -> None:
    tracked = found(yolo(tmp_path, "0 0.5 0.5 0.2 0.2 0.75 1", "1 0.5 0.5 0.4 0.4 0.25 7"))
    assert [(is_box(each), each.score, each.state) for each in tracked] == [
        (True, 0.75, InstanceState.PROPOSED),
        (True, 0.25, InstanceState.PROPOSED),
    ]
    assert tracked[1].extra["attributes"] == {"track_id": 7}


def test_a_triangle_that_ends_at_the_edge_is_no_track(tmp_path: Path) -> None:
    assert [each.vertex_count for each in found(yolo(tmp_path, "0 0.5 0.5 0.2 0.2 0.75 1"))] == [3]


@pytest.mark.parametrize("line", ["0 5 5 2 2", "0 10 10 30 10 30 20 10 20", "0 -2 0.5 0.2 0.2"])
def test_pixels_are_not_taken_for_shares(tmp_path: Path, line: str) -> None:
    data = yolo(tmp_path, line)
    assert found(data) == []
    assert "fractions" in str(data.problems[0])


# labelme, CVAT, ISAT, COCO


def labelme(folder: Path, kind: str, **more: Any) -> DataSet:
    points = [[2, 3], [12, 4], [12, 8], [2, 8]]
    shape = {"label": "car", "points": points, "shape_type": kind, "group_id": None}
    content = {"shapes": [shape], "imagePath": "a.jpg", "imageWidth": 40, "imageHeight": 30} | more
    (folder / "a.json").write_text(json.dumps(content))
    return format_of(folder).read(folder)


def test_a_quadrilateral_is_an_outline(tmp_path: Path) -> None:
    assert [each.vertex_count for each in found(labelme(tmp_path, "quadrilateral"))] == [4]


def test_what_is_said_of_whole_images_is_named(tmp_path: Path) -> None:
    data = labelme(tmp_path, "polygon", flags={"blurry": True, "dark": False})
    assert [problem.reason for problem in data.problems] == ["image flags were left out: blurry"]
    image = '<image id="0" name="a.png" width="40" height="30"><tag label="night"/></image>'
    (tmp_path / "a.xml").write_text(f"<annotations>{image}</annotations>")
    data = format_of(tmp_path / "a.xml").read(tmp_path / "a.xml")
    assert [problem.reason for problem in data.problems] == ["image tags were left out: night"]


def test_classes_of_isat_that_no_object_has_stay(tmp_path: Path) -> None:
    info = {"description": "ISAT", "folder": "", "name": "a.png", "width": 40, "height": 30}
    (tmp_path / "a.json").write_text(json.dumps({"info": info, "objects": []}))
    (tmp_path / "isat.yaml").write_text("label:\n- {color: '#000000', name: __background__}\n- {name: yes}\n- 3\n")
    assert [category.name for category in format_of(tmp_path).read(tmp_path).categories()] == ["yes"]


def test_a_box_of_corners_is_told_from_one_with_a_size(tmp_path: Path) -> None:
    box = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [], "bbox": [30, 20, 38, 28]}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [box],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert any(
        "extends beyond" in problem.reason
        for problem in format_of(tmp_path / "a.json").read(tmp_path / "a.json").problems
    )


def test_sets_of_other_tools_are_recognised_and_read_whole(tmp_path: Path) -> None:
    for kind, path in foreign_sets(tmp_path):
        data = format_of(path).read(path)
        assert (path, format_of(path).name) == (path, kind.name)
        assert found(data)
        assert [str(problem) for problem in data.problems if problem.effect == "skipped"] == []


def test_no_column_of_an_image_folder_is_without_a_type(tmp_path: Path) -> None:
    """Arrow, which `datasets` reads the file with, stops at columns of nothing but null or empty lists."""
    box = (square(4, 4, 9),)
    source = one_image(Instance(1, 1, box, extra=box_extra(box)), Instance(2, 1, box, extra=box_extra(box)))
    format_named("huggingface").write(source, tmp_path, CocoExportOptions())
    assert {"score", "segmentation"}.isdisjoint(json.loads((tmp_path / "metadata.jsonl").read_text())["objects"])
    assert [is_box(each) for each in found(format_of(tmp_path).read(tmp_path))] == [True, True]
