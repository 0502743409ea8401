"""Files as other tools write them: every shape with an area comes in, the rest is named."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.formats.boxes import is_box
from maskwright.formats.brush_rle import brush_to_mask, mask_to_brush
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import format_named, recognised
from maskwright.formats.voc_masks import voc_colour
from maskwright.geometry.raster import polygons_area, polygons_to_mask

SIZE = (40, 30)


def read(path: Path, name: str) -> DataSet:
    """The data set, recognised as what it is."""
    kind = recognised(path)
    assert kind.name == name
    return kind.read(path)


def objects(data: DataSet) -> list[tuple[str, Instance]]:
    names = {category.id: category.name for category in data.categories()}
    return [(names[each.category_id], each) for image in data.images() for each in data.instances(image.id)]


def areas(data: DataSet) -> list[int]:
    return [polygons_area(each.polygons, SIZE) for _, each in objects(data)]


def picture(place: Path, size_wh: tuple[int, int] = SIZE) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), np.zeros(size_wh[::-1], np.uint8))


# labelme and X-AnyLabeling


def labelme(folder: Path, *shapes: dict[str, Any], **more: Any) -> Path:
    content = {"version": "6.0.0", "shapes": list(shapes), "imagePath": "a.png", "imageWidth": 40, "imageHeight": 30}
    (folder / "a.json").write_text(json.dumps(content | more))
    return folder


def shape(kind: str, points: Any, **more: Any) -> dict[str, Any]:
    return {"label": "car", "points": points, "shape_type": kind, "group_id": None} | more


FOUR = [[2, 3], [12, 3], [12, 8], [2, 8]]
TURNED = [[10, 2], [18, 10], [10, 18], [2, 10]]


@pytest.mark.parametrize("kind", ["rectangle", "rotation", "oriented_rectangle"])
def test_four_points_upright_are_a_box_and_turned_an_outline(tmp_path: Path, kind: str) -> None:
    data = read(labelme(tmp_path, shape(kind, FOUR), shape(kind, TURNED, direction=0.78)), "labelme")
    assert [is_box(each) for _, each in objects(data)] == [True, False]
    assert areas(data)[0] == 50
    assert data.problems == ()


def test_what_xanylabeling_knows_of_a_shape_stays(tmp_path: Path) -> None:
    made = shape("polygon", FOUR, score=0.5, difficult=True, attributes={"colour": "red"}, kie_linking=[])
    data = read(labelme(tmp_path, made, checked=False), "xanylabeling")
    ((_, found),) = objects(data)
    assert found.score == 0.5
    assert found.extra["attributes"] == {"difficult": True, "colour": "red"}


def test_shapes_of_one_group_and_class_are_one_object(tmp_path: Path) -> None:
    parts = [shape("polygon", FOUR, group_id=4), shape("polygon", TURNED, group_id=4)]
    assert len(objects(read(labelme(tmp_path, *parts, shape("rectangle", FOUR, group_id=4)), "labelme"))) == 2


# CVAT


def cvat(folder: Path, inside: str, name: str = "annotations.xml") -> Path:
    image = f'<image id="0" name="a.png" width="40" height="30">{inside}</image>'
    (folder / name).write_text(f"<annotations><version>1.1</version>{image}</annotations>")
    return folder


def polygon(points: str = "2,3;12,3;12,8;2,8", **more: str) -> str:
    return f'<polygon label="car" points="{points}" {" ".join(f"{k}={v!r}" for k, v in more.items())}/>'


def test_cvat_groups_are_objects(tmp_path: Path) -> None:
    parts = polygon(group_id="1") + polygon("20,3;25,3;25,8", group_id="1") + polygon(group_id="0") + polygon()
    assert [len(each.polygons) for _, each in objects(read(cvat(tmp_path, parts), "cvat"))] == [2, 1, 1]


def test_cvat_boxes_turned_boxes_and_ellipses(tmp_path: Path) -> None:
    corners = 'xtl="10" ytl="10" xbr="20" ybr="14"'
    box = f'<box label="car" {corners} occluded="1"><attribute name="colour">red</attribute></box>'
    turned = f'<box label="car" {corners} rotation="90.0"/>'
    ellipse = '<ellipse label="car" cx="20" cy="15" rx="10" ry="5"/>'
    data = read(cvat(tmp_path, box + turned + ellipse, "default.xml"), "cvat")
    found = [each for _, each in objects(data)]
    assert [is_box(each) for each in found] == [True, False, False]
    assert found[0].extra["attributes"] == {"colour": "red", "occluded": True}
    assert found[1].bounds_xyxy == (13, 7, 17, 17)
    assert abs(areas(data)[2] - 157) < 4


def test_cvat_tracks_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<annotations><track id="3" label="car"/></annotations>')
    assert "track 3" in str(read(tmp_path / "a.xml", "cvat").problems[0])


# Pascal VOC


def voc_masks(folder: Path, numbers: Any, classes: Any, table: str | None) -> Path:
    palette = np.array([voc_colour(i) for i in range(256)], np.uint8)
    for name, pixels in (("SegmentationObject", numbers), ("SegmentationClass", classes)):
        (folder / name).mkdir(parents=True)
        Image.fromarray(palette[pixels]).save(folder / name / "a.png")
    if table is not None:
        (folder / "labelmap.txt").write_text(table)
    return folder


def two_objects() -> Any:
    pixels = np.zeros((30, 40), np.uint8)
    pixels[2:6, 2:6], pixels[10:20, 10:20], pixels[25:, :] = 1, 2, 255
    return pixels


def test_coloured_masks_with_a_label_map_are_objects(tmp_path: Path) -> None:
    classes = np.where(two_objects() == 255, 255, np.minimum(two_objects(), 1))
    table = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nStraße:128,0,0::\n"
    data = read(voc_masks(tmp_path, two_objects(), classes, table), "voc")
    assert [name for name, _ in objects(data)] == ["Straße", "Straße"]
    assert areas(data) == [16, 100]
    assert data.problems == ()


def test_a_colour_that_stands_for_nothing_is_no_class(tmp_path: Path) -> None:
    data = read(voc_masks(tmp_path, two_objects(), two_objects(), "car:1,2,3::\n"), "voc")
    assert objects(data) == []
    assert "unknown colour" in str(data.problems[0])


def voc_xml(folder: Path, *names: str) -> Path:
    (folder / "Annotations").mkdir(parents=True)
    box = "<bndbox><xmin>3</xmin><ymin>3</ymin><xmax>6</xmax><ymax>6</ymax></bndbox>"
    inside = "".join(f"<object><name>{name}</name>{box}</object>" for name in names)
    size = "<size><width>40</width><height>30</height></size>"
    (folder / "Annotations" / "a.xml").write_text(f"<annotation><filename>a.png</filename>{size}{inside}</annotation>")
    return folder


def test_coloured_masks_beside_xml_are_its_objects(tmp_path: Path) -> None:
    voc_masks(tmp_path, two_objects(), two_objects(), None)
    data = read(voc_xml(tmp_path, "car", "bus"), "voc")
    assert [name for name, _ in objects(data)] == ["car", "bus"]
    assert areas(data) == [16, 100]


def test_objects_of_a_mask_that_have_no_class_are_named(tmp_path: Path) -> None:
    voc_masks(tmp_path, two_objects(), two_objects(), None)
    data = read(voc_xml(tmp_path, "car"), "voc")
    assert "1 object in its mask without an <object>" in str(data.problems)


def test_a_voc_box_without_mask_is_a_box(tmp_path: Path) -> None:
    ((_, found),) = objects(read(voc_xml(tmp_path, "car"), "voc"))
    assert is_box(found)
    assert found.bounds_xyxy == (2, 2, 6, 6)


# Plain masks


def mask(place: Path, *boxes: tuple[int, int, int, int, int]) -> None:
    pixels = np.zeros((30, 40), np.uint8)
    for x, y, w, h, value in boxes:
        pixels[y : y + h, x : x + w] = value
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), pixels)


def test_one_mask_per_object_in_a_folder_per_image(tmp_path: Path) -> None:
    for i in range(3):
        mask(tmp_path / "id1" / "masks" / f"{i}.png", (5 * i, 2, 4, 4, 255))
    picture(tmp_path / "id1" / "images" / "id1.jpg")
    data = read(tmp_path, "png")
    assert [image.file_name for image in data.images()] == ["id1/images/id1.jpg"]
    assert areas(data) == [16, 16, 16]


def test_one_mask_per_image_numbers_its_objects(tmp_path: Path) -> None:
    mask(tmp_path / "masks" / "sub" / "a.png", (2, 2, 4, 4, 1), (10, 10, 5, 5, 9))
    picture(tmp_path / "images" / "sub" / "a.jpg")
    data = read(tmp_path, "png")
    assert [image.file_name for image in data.images()] == ["sub/a.jpg"]
    assert areas(data) == [16, 25]


def test_folders_of_masks_are_classes(tmp_path: Path) -> None:
    for name in ("car", "bus"):
        mask(tmp_path / "masks" / name / "a.png", (2, 2, 4, 4, 255))
    picture(tmp_path / "images" / "a.png")
    assert sorted(name for name, _ in objects(read(tmp_path, "png"))) == ["bus", "car"]


def test_numbers_are_classes_where_a_table_says_so(tmp_path: Path) -> None:
    mask(tmp_path / "masks" / "a.png", (2, 2, 4, 4, 1), (10, 10, 5, 5, 1))
    (tmp_path / "classes.txt").write_text("nothing\ncar\n")
    data = format_named("png").read(tmp_path)
    assert [name for name, _ in objects(data)] == ["car", "car"]


# Label Studio


def task(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    data = {"image": "/data/upload/3/0a1b2c3d-a b.png"}
    return {"id": 7, "data": data, "annotations": [{"result": list(results)}], "predictions": []} | more


def result(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    return {"id": "x", "type": kind, **size, "value": value | {kind: ["car"]}} | more


BOX = {"x": 25, "y": 10, "width": 50, "height": 20, "rotation": 0}


def studio(folder: Path, *tasks: dict[str, Any]) -> DataSet:
    (folder / "export.json").write_text(json.dumps(list(tasks)))
    return read(folder / "export.json", "labelstudio")


def test_label_studio_shapes_come_in(tmp_path: Path) -> None:
    pixels = np.zeros((30, 40), bool)
    pixels[3:9, 4:10] = True
    brush = {"format": "rle", "rle": mask_to_brush(pixels)}
    data = studio(
        tmp_path,
        task(
            result("polygonlabels", {"points": [[10, 10], [60, 10], [60, 50]]}),
            result("rectanglelabels", BOX),
            result("rectanglelabels", BOX | {"rotation": 90}),
            result("ellipselabels", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 20, "rotation": 0}),
            result("brushlabels", brush),
        ),
    )
    assert [image.file_name for image in data.images()] == ["data/upload/3/a b.png"]
    found = [each for _, each in objects(data)]
    assert [is_box(each) for each in found] == [False, True, False, False, False]
    assert found[2].bounds_xyxy == (4, 3, 10, 23)
    assert np.array_equal(polygons_to_mask(found[4].polygons, SIZE), pixels)
    assert data.problems == ()


def test_label_studio_predictions_are_proposals(tmp_path: Path) -> None:
    predicted = {"score": 0.25, "result": [result("rectanglelabels", BOX)]}
    data = studio(tmp_path, task(annotations=[], predictions=[predicted]))
    ((_, found),) = objects(data)
    assert (found.state, found.score) == (InstanceState.PROPOSED, 0.25)
    assert [image.state for image in data.images()] == [ImageState.PRELABELLED]


def test_what_label_studio_has_without_area_is_named(tmp_path: Path) -> None:
    data = studio(tmp_path, task(result("keypointlabels", {"x": 1, "y": 1}), result("rectanglelabels", BOX)))
    assert ["keypointlabels has no area" in str(each) for each in data.problems] == [True]


def test_shape_and_class_apart_belong_together(tmp_path: Path) -> None:
    box = {"id": "q", "type": "rectangle", "original_width": 40, "original_height": 30, "value": BOX}
    label = {"id": "q", "type": "labels", "value": {"labels": ["bus"]}}
    assert [name for name, _ in objects(studio(tmp_path, task(box, label)))] == ["bus"]


def test_label_studio_min_json_comes_in(tmp_path: Path) -> None:
    box = BOX | {"rectanglelabels": ["car"], "original_width": 40, "original_height": 30}
    data = studio(tmp_path, {"image": "s3://bucket/x/a.png", "id": 1, "label": [box], "annotator": 1})
    assert [image.file_name for image in data.images()] == ["x/a.png"]
    assert len(objects(data)) == 1


@pytest.mark.parametrize("data", [[], [0] * 5, [256], [0, 0, 0, 9, *[255] * 9], ["a"]], ids=str)
def test_damaged_brush_masks_are_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="brush mask"):
        brush_to_mask(data, (3, 3))


# ISAT


def isat(folder: Path, *found: dict[str, Any]) -> DataSet:
    info = {"description": "ISAT", "folder": "", "name": "a.png", "width": 40, "height": 30, "depth": 3}
    (folder / "a.json").write_text(json.dumps({"info": info, "objects": list(found)}))
    return read(folder, "isat")


def isat_object(points: Any, **more: Any) -> dict[str, Any]:
    plain = {"category": "car", "group": 1, "segmentation": points, "layer": 1.0, "iscrowd": False, "note": ""}
    return plain | more


def test_isat_groups_and_holes_on_a_higher_layer(tmp_path: Path) -> None:
    hole = isat_object([[4, 4], [6, 4], [6, 6], [4, 6]], category="__background__", group=2, layer=2.0)
    data = isat(tmp_path, hole, isat_object(FOUR), isat_object([[20, 3], [25, 3], [25, 8], [20, 8]]))
    assert [name for name, _ in objects(data)] == ["car"]
    assert areas(data) == [50 + 25 - 4]
    assert len(objects(data)[0][1].polygons[0].holes) == 1


# QuPath


def test_qupath_features_come_in(tmp_path: Path) -> None:
    ring = [[2, 2], [12, 2], [12, 12], [2, 12], [2, 2]]
    hole = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring, hole]},
         "properties": {"objectType": "annotation", "classification": {"names": ["Tumor", "Positive"]}}},
        {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}, "properties": {}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {}},
    ]  # fmt: skip
    (tmp_path / "slide.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    kind = recognised(tmp_path)
    assert kind.name == "qupath"
    assert kind.read_sized is not None
    data = kind.read_sized(tmp_path, {"slide.tif": SIZE})
    assert [name for name, _ in objects(data)] == ["Tumor: Positive", "Unclassified"]
    assert areas(data) == [96, 100]
    assert "a Point has no area" in str(data.problems)


# Hugging Face


def test_image_folders_with_parts_come_in(tmp_path: Path) -> None:
    row = {"file_name": "a.png", "width": 40, "height": 30, "objects": {"bbox": [[2, 3, 10, 5]], "categories": [1]}}
    (tmp_path / "classes.json").write_text('["car", "bus"]')
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    data = read(tmp_path, "huggingface")
    assert [image.file_name for image in data.images()] == ["test/a.png", "train/a.png"]
    assert [(name, is_box(each)) for name, each in objects(data)] == [("bus", True), ("bus", True)]


# COCO folders and panoptic


def coco(folder: Path, name: str, file_name: str = "a.png", image_id: int = 1) -> None:
    annotation = {"id": 1, "image_id": image_id, "category_id": 3, "segmentation": [[1, 1, 5, 1, 5, 5]]}
    image = {"id": image_id, "file_name": file_name, "width": 40, "height": 30}
    content = {"images": [image], "annotations": [annotation], "categories": [{"id": 3, "name": "car"}]}
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def test_parts_with_their_annotations_beside_the_images(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        coco(tmp_path, f"{part}/_annotations.coco.json")
    data = read(tmp_path, "coco-folder")
    assert [image.file_name for image in data.images()] == ["train/a.png", "valid/a.png"]
    assert [each.id for _, each in objects(data)] == [1, 2]
    assert [category.id for category in data.categories()] == [3]


def test_the_folder_called_annotations(tmp_path: Path) -> None:
    coco(tmp_path, "annotations/instances_train2017.json", "1.jpg")
    coco(tmp_path, "annotations/instances_val2017.json", "2.jpg", 2)
    coco(tmp_path, "annotations/captions_val2017.json", "2.jpg", 2)
    picture(tmp_path / "val2017" / "2.jpg")
    data = read(tmp_path, "coco-folder")
    assert [image.file_name for image in data.images()] == ["1.jpg", "val2017/2.jpg"]


@pytest.mark.parametrize("name", ["result.json", "labels.json"])
def test_a_folder_with_one_coco_file(tmp_path: Path, name: str) -> None:
    coco(tmp_path, name, "images\\a.png")
    assert len(objects(read(tmp_path, "coco-folder"))) == 1


def test_panoptic_segments_come_in_with_their_class_ids(tmp_path: Path) -> None:
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[2:6, 2:6] = (4, 1, 0)
    (tmp_path / "panoptic_val2017").mkdir()
    Image.fromarray(pixels).save(tmp_path / "panoptic_val2017" / "a.png")
    segments = [{"id": 260, "category_id": 184, "area": 16, "bbox": [2, 2, 4, 4], "iscrowd": 0}, {"id": 5}]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 184, "name": "tree", "isthing": 0}],
    }
    (tmp_path / "panoptic_val2017.json").write_text(json.dumps(content))
    data = read(tmp_path / "panoptic_val2017.json", "panoptic")
    assert [(each.category_id, polygons_area(each.polygons, SIZE)) for _, each in objects(data)] == [(184, 16)]
    assert ["is not in the PNG" in str(each) for each in data.problems] == [True]
