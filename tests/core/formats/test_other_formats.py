"""Every format holds what it can: masks come back identical, damage is listed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from coco_sources import ListSource, one_image, square, square_with_hole, varied_source
from maskwright.document.values import Category, ImageRecord, ImageState, Instance
from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.data_set import DataSet
from maskwright.formats.labelme import read_labelme
from maskwright.formats.registry import FORMATS, AnnotationFormat, format_named, recognised
from maskwright.geometry.raster import polygons_to_mask

OPTIONS = CocoExportOptions()


def written(source: ListSource, kind: AnnotationFormat, folder: Path) -> Path:
    """Where `kind` has put the source; black images lie where YOLO looks for them."""
    path = folder / f"set{kind.suffix}"
    kind.write(source, path, OPTIONS)
    if kind.name.startswith("yolo"):
        for image in source.images():
            file = path / "images" / image.file_name
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), np.zeros((image.height, image.width), np.uint8))
    return path


def names_and_masks(source: Any) -> Iterator[tuple[str, str, bytes]]:
    names = {category.id: category.name for category in source.categories()}
    for image in source.images():
        for instance in source.instances(image.id):
            mask = polygons_to_mask(instance.polygons, (image.width, image.height))
            yield image.file_name, names[instance.category_id], mask.tobytes()


WHOLE = [kind for kind in FORMATS if kind.held is None]
"""Formats that hold masks."""


@pytest.mark.parametrize("kind", WHOLE, ids=lambda kind: kind.name)
def test_masks_and_classes_come_back_identical(tmp_path: Path, kind: AnnotationFormat) -> None:
    source = varied_source()
    path = written(source, kind, tmp_path)
    back = kind.read(path)
    assert back.problems == ()
    assert sorted(names_and_masks(back)) == sorted(names_and_masks(source))


@pytest.mark.parametrize("kind", WHOLE, ids=lambda kind: kind.name)
def test_written_sets_are_recognised(tmp_path: Path, kind: AnnotationFormat) -> None:
    assert recognised(written(one_image(Instance(1, 1, (square(1, 1),))), kind, tmp_path)) is kind


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_verified_empty_images_are_kept(tmp_path: Path, kind: AnnotationFormat) -> None:
    back = kind.read(written(one_image(state=ImageState.EMPTY), kind, tmp_path))
    assert [image.state for image in back.images()] == [ImageState.EMPTY]


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, kind: AnnotationFormat) -> None:
    contents = []
    for name in "ab":
        (tmp_path / name).mkdir()
        root = written(varied_source(), kind, tmp_path / name)
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        contents.append([file.read_bytes() for file in files if file.is_file()])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_missing_sets_say_so(tmp_path: Path, kind: AnnotationFormat) -> None:
    with pytest.raises(FormatError):
        kind.read(tmp_path / "absent")


@pytest.mark.parametrize(
    "kind", [kind for kind in FORMATS if kind.is_folder and kind.image_folder], ids=lambda kind: kind.name
)
def test_two_images_that_share_a_side_file_are_refused(tmp_path: Path, kind: AnnotationFormat) -> None:
    source = ListSource(
        image_list=[ImageRecord(i, f"a.{end}", 9, 9, ImageState.DONE) for i, end in ((1, "png"), (2, "jpg"))]
    )
    with pytest.raises(FormatError, match="written to the same file"):
        kind.write(source, tmp_path / "set", OPTIONS)


def test_odd_class_names_survive_yolo(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (square(1, 1),)))
    source.category_list = [Category(1, 'a: "b" # c'), Category(2, "Zelle'μ")]
    back = format_named("yolo").read(written(source, format_named("yolo"), tmp_path))
    assert [category.name for category in back.categories()] == ['a: "b" # c', "Zelle'μ"]


@pytest.mark.parametrize("text", ["names: [a, 'b']", "names:\n- a\n- b\nnc: 2", 'names:\n  0: a\n  1: "b"\n'], ids=repr)
def test_yolo_class_names_in_all_spellings(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text(text)
    assert [category.name for category in format_named("yolo").read(tmp_path).categories()] == ["a", "b"]


@pytest.mark.parametrize(
    "line", ["", "x", "7 0 0 1 0 1 1", "0 0 0 1", "0 0 0 1 0 nan 1", "-1 0 0 1 0 1 1", "0 1e9 0 1 0 1 1"]
)
def test_unusable_yolo_lines_are_listed(tmp_path: Path, line: str) -> None:
    path = written(one_image(Instance(1, 1, (square(1, 1),))), format_named("yolo"), tmp_path)
    with (path / "labels" / "a.txt").open("a") as file:
        file.write(line + "\n")
    back = format_named("yolo").read(path)
    assert len(back.instances(1)) == 1
    assert len(back.problems) == bool(line)


def test_yolo_boxes_are_rectangles(tmp_path: Path) -> None:
    path = written(one_image(), format_named("yolo"), tmp_path)
    (path / "labels" / "a.txt").write_text("1 0.5 0.5 0.5 0.2\n")
    (instance,) = format_named("yolo").read(path).instances(1)
    assert instance.polygons[0].bounds_xyxy == (10, 12, 30, 18)


def labelme_file(folder: Path, *shapes: Any, **changes: Any) -> DataSet:
    content = {"shapes": list(shapes), "imagePath": "a.png", "imageWidth": 40, "imageHeight": 30} | changes
    (folder / "a.json").write_text(json.dumps(content))
    return read_labelme(folder)


def shape(**changes: Any) -> dict[str, Any]:
    return {"label": "cell", "points": [[1, 1], [5, 1], [5, 5]], "shape_type": "polygon", "group_id": None} | changes


def test_labelme_rectangles_circles_and_groups(tmp_path: Path) -> None:
    back = labelme_file(
        tmp_path,
        shape(shape_type="rectangle", points=[[9, 9], [2, 3]]),
        shape(shape_type="circle", points=[[20, 15], [25, 15]]),
        shape(group_id=4),
        shape(group_id=4, points=[[10, 1], [15, 1], [15, 5]]),
    )
    assert [len(instance.polygons) for instance in back.instances(1)] == [1, 1, 2]
    assert back.instances(1)[0].polygons[0].bounds_xyxy == (2, 3, 9, 9)


@pytest.mark.parametrize(
    "bad",
    [{"shape_type": "line", "points": [[1, 1], [2, 2]]}, {"points": "x"}, {"points": [[1, 2, 3]]}, {"label": None},
     {"points": [[1, 1], [2, 2], [1e99, 2]]}, {"shape_type": "mask", "mask": "???"},
     {"shape_type": "mask", "mask": "AAAA"}],
    ids=str,
)  # fmt: skip
def test_unusable_labelme_shapes_are_listed(tmp_path: Path, bad: dict[str, Any]) -> None:
    back = labelme_file(tmp_path, shape(**bad), shape())
    assert len(back.instances(1)) == 1
    assert len(back.problems) == 1


def test_labelme_without_a_size_is_listed(tmp_path: Path) -> None:
    assert len(labelme_file(tmp_path, imageWidth=None).problems) == 1


def test_xml_bombs_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotations>&b;</annotations>'
    (tmp_path / "a.xml").write_text(bomb)
    with pytest.raises(FormatError, match="declares entities"):
        format_named("cvat").read(tmp_path / "a.xml")


def test_unknown_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<?xml version="1.0" encoding="uttf-8"?><annotations/>')
    with pytest.raises(FormatError, match="text encoding"):
        format_named("cvat").read(tmp_path / "a.xml")


@pytest.mark.parametrize(
    "attributes",
    [
        'rle="5,5" left="0"',
        'rle="5,-5,100" left="0"',
        'rle="99999999999999999999" left="0"',
        'rle="x" left="0"',
        'rle="100" left="39"',
        'left="0"',
    ],
)
def test_unusable_cvat_masks_are_listed(tmp_path: Path, attributes: str) -> None:
    mask = f'<mask label="cell" {attributes} top="0" width="10" height="10"/>'
    (tmp_path / "a.xml").write_text(
        f'<annotations><image name="a.png" width="40" height="30">{mask}</image></annotations>'
    )
    back = format_named("cvat").read(tmp_path / "a.xml")
    assert [each.effect for each in back.problems] == ["skipped", "changed"]
    assert [image.state for image in back.images()] == [ImageState.UNSEEN]


def test_voc_boxes_count_from_one_and_include_both_ends(tmp_path: Path) -> None:
    path = written(one_image(Instance(1, 1, (square_with_hole(3, 3),))), format_named("voc"), tmp_path)
    text = (path / "Annotations" / "a.xml").read_text()
    assert "<xmin>4</xmin>" in text
    assert "<xmax>12</xmax>" in text


def test_voc_masks_may_have_a_palette(tmp_path: Path) -> None:
    path = written(one_image(Instance(1, 1, (square_with_hole(3, 3),))), format_named("voc"), tmp_path)
    file = path / "SegmentationObject" / "a.png"
    with Image.open(file) as opened:
        palette = Image.fromarray(np.array(opened)).convert("P")
    palette.putdata(np.asarray(Image.open(file)).ravel().tolist())
    palette.save(file)
    (instance,) = format_named("voc").read(path).instances(1)
    assert len(instance.polygons[0].holes) == 1


def test_cut_masks_are_listed(tmp_path: Path) -> None:
    path = written(one_image(Instance(1, 1, (square(1, 1),))), format_named("png"), tmp_path)
    file = path / "instances" / "a.png"
    file.write_bytes(file.read_bytes()[:-30])
    assert "damaged" in str(format_named("png").read(path).problems)


def test_unknown_formats_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="known:"):
        format_named("xyz")
    with pytest.raises(FormatError, match="not a known format"):
        recognised(tmp_path)
