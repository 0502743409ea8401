"""Reading COCO files: everything legal, the rest named and skipped."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from pycocotools import mask as coco_mask

from geometry_masks import Mask, masks
from maskwright.document.values import ImageState
from maskwright.errors import FormatError
from maskwright.formats import json_stream
from maskwright.formats.coco import export_coco, read_coco
from maskwright.formats.data_set import DataSet
from maskwright.geometry.raster import polygons_to_mask

SQUARE = [2, 2, 6, 2, 6, 6, 2, 6]
KEYHOLE = [0, 0, 3, 3, 3, 6, 6, 6, 6, 3, 3, 3, 0, 0, 9, 0, 9, 9, 0, 9]


def annotation(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "segmentation": [SQUARE],
        "area": 16,
        "bbox": [2, 2, 4, 4],
        "iscrowd": 0,
    }
    return plain | changes


def content(*annotations: Any, **changes: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 10}],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "cell"}],
    } | changes


def read(tmp_path: Path, value: Any) -> DataSet:
    path = tmp_path / "in.json"
    path.write_text(json.dumps(value))
    return read_coco(path)


def round_trip(tmp_path: Path, value: Any) -> Any:
    export_coco(read(tmp_path, value), tmp_path / "out.json")
    return json.loads((tmp_path / "out.json").read_text())


def test_polygons_are_read(tmp_path: Path) -> None:
    (instance,) = read(tmp_path, content(annotation())).instances(1)
    assert instance.polygons[0].bounds_xyxy == (2, 2, 6, 6)


def test_rings_are_parts(tmp_path: Path) -> None:
    (instance,) = read(tmp_path, content(annotation(segmentation=[SQUARE, [10, 2, 14, 2, 14, 6]]))).instances(1)
    assert len(instance.polygons) == 2


def test_a_keyhole_becomes_a_hole(tmp_path: Path) -> None:
    (instance,) = read(tmp_path, content(annotation(segmentation=[KEYHOLE]))).instances(1)
    assert len(instance.polygons[0].holes) == 1


@given(mask=masks(max_side=12).filter(lambda mask: bool(mask.any())))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("is_compressed", [True, False], ids=["compressed", "list"])
def test_run_lengths_are_read_exactly(tmp_path: Path, is_compressed: bool, mask: Mask) -> None:
    rle = coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))
    counts: Any = rle["counts"].decode()
    if not is_compressed:
        flat = np.concatenate(([0], mask.T.ravel(), [0])).astype(int)
        edges = np.flatnonzero(np.diff(flat)).tolist()
        counts = np.diff([0, *edges, mask.size]).tolist()
        counts = counts if edges[-1] < mask.size else counts[:-1]
    image = {"id": 1, "file_name": "a.png", "width": mask.shape[1], "height": mask.shape[0]}
    segmentation = {"size": list(mask.shape), "counts": counts}
    file = read(tmp_path, content(annotation(segmentation=segmentation), images=[image]))
    (instance,) = file.instances(1)
    assert np.array_equal(polygons_to_mask(instance.polygons, (mask.shape[1], mask.shape[0])), mask)


def test_a_box_without_segmentation_is_its_rectangle(tmp_path: Path) -> None:
    file = read(tmp_path, content(annotation(segmentation=[])))
    assert file.instances(1)[0].polygons[0].bounds_xyxy == (2, 2, 6, 6)
    assert file.problems[0].effect == "changed"


def test_images_are_done_or_empty_on_purpose(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}.png", "width": 20, "height": 10} for i in (1, 2)]
    file = read(tmp_path, content(annotation(), images=images))
    assert [image.state for image in file.images()] == [ImageState.DONE, ImageState.EMPTY]


def test_untouched_objects_are_written_back_as_they_were(tmp_path: Path) -> None:
    odd = {
        "bbox": [2, 2, 4.0, 4], "keypoints": [1, 2, 2], "num_keypoints": 1, "segmentation": [[2, 2, 6.123456, 2, 6, 6]],
        "id": 77, "image_id": 5, "category_id": 90, "area": 123, "iscrowd": 0, "attributes": {"a": [1, {"b": None}]},
    }  # fmt: skip
    value = {
        "licenses": [{"id": 1}],
        "categories": [{"supercategory": "x", "id": 90, "name": "toothbrush", "skeleton": [[1, 2]]}],
        "annotations": [odd, annotation(id=3, image_id=5, category_id=90, segmentation=[KEYHOLE])],
        "images": [{"height": 10, "width": 20, "id": 5, "file_name": "b/a.png", "date_captured": "x"}],
        "info": {"year": 2017},
        "own": [1, 2],
    }
    assert json.dumps(round_trip(tmp_path, value)) == json.dumps(value)


def test_the_order_of_images_and_annotations_is_kept(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}.png", "width": 20, "height": 10} for i in (9, 2, 5)]
    annotations = [annotation(id=id_, image_id=image_id) for id_, image_id in ((7, 2), (3, 9), (5, 2), (1, 5))]
    value = content(*annotations, images=images)
    written = round_trip(tmp_path, value)
    assert written["images"] == images
    assert written["annotations"] == annotations


def test_run_lengths_of_untouched_objects_keep_their_counts(tmp_path: Path) -> None:
    crowd = annotation(segmentation={"counts": [5, 10, 185], "size": [10, 20]}, iscrowd=1)
    assert round_trip(tmp_path, content(crowd))["annotations"] == [crowd]


@pytest.mark.parametrize("bad_id", [0, -3, "abc", 1.5, None, [1]], ids=str)
def test_ids_that_are_not_numbers_from_one_are_replaced_and_listed(tmp_path: Path, bad_id: Any) -> None:
    file = read(tmp_path, content(annotation(id=bad_id), annotation(id=9)))
    assert sorted(instance.id for instance in file.instances(1)) == [9, 10]
    assert [problem.effect for problem in file.problems] == ["changed"]


def test_text_ids_of_images_and_categories_are_followed(tmp_path: Path) -> None:
    value = content(
        annotation(image_id="x", category_id="k"),
        images=[{"id": "x", "file_name": "a.png", "width": 20, "height": 10}],
        categories=[{"id": "k", "name": "cell"}],
    )
    assert len(read(tmp_path, value).instances(1)) == 1


def test_repeated_ids_are_told_apart(tmp_path: Path) -> None:
    file = read(tmp_path, content(annotation(), annotation()))
    assert [instance.id for instance in file.instances(1)] == [1, 2]


def test_the_same_name_in_two_folders_is_two_images(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}/a.png", "width": 20, "height": 10} for i in (1, 2)]
    assert [image.file_name for image in read(tmp_path, content(images=images)).images()] == ["1/a.png", "2/a.png"]


@pytest.mark.parametrize(
    "changes",
    [
        {"segmentation": [[1, 2, 3]]},
        {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]},
        {"segmentation": [[1, 2, 3, 4, 5, "6"]]},
        {"segmentation": [[1, 2, 3, 4, 5, float("nan")]]},
        {"segmentation": [[1, 2, 3, 4, 5, 1e308]]},
        {"segmentation": [[1, 2, 3, 4, 5, float("inf")]]},
        {"segmentation": "x"},
        {"segmentation": 3},
        {"segmentation": None, "bbox": None},
        {"segmentation": {"counts": [5, 10], "size": [10, 20]}},
        {"segmentation": {"counts": [-5, 205], "size": [10, 20]}},
        {"segmentation": {"counts": [10**9], "size": [10, 20]}},
        {"segmentation": {"counts": [10**9], "size": [31623, 31623]}},
        {"segmentation": {"counts": "\u00ff\u0100", "size": [10, 20]}},
        {"segmentation": {"counts": "oooooooooooooooooooooooo", "size": [10, 20]}},
        {"segmentation": {"size": [10, 20]}},
        {"segmentation": {"counts": [200]}},
        {"segmentation": [[[[[[[[[[1]]]]]]]]]]},
        {"image_id": 2},
        {"image_id": None},
        {"category_id": 2},
        {"category_id": {}},
    ],
    ids=str,
)
def test_unusable_annotations_are_listed_and_the_rest_is_read(tmp_path: Path, changes: dict[str, Any]) -> None:
    file = read(tmp_path, content(annotation(**changes), annotation(id=2)))
    assert [instance.id for instance in file.instances(1)] == [2]
    assert [problem.where for problem in file.problems if problem.effect == "skipped"] == ["annotations[0]"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("/etc/passwd", "etc/passwd"),
        ("../x.png", "x.png"),
        ("a/../../x.png", "x.png"),
        ("C:\\x.png", "x.png"),
        ("..\\x.png", "x.png"),
        ("file:///data/x%20y.png", "data/x y.png"),
        ("https://host/a/x.png?v=1", "a/x.png"),
        ("/data/local-files/?d=a/%C3%BC.png", "a/ü.png"),
        ("//server/share/x.png", "server/share/x.png"),
        ("./a//x.png", "a/x.png"),
    ],
)
def test_names_that_lead_out_of_the_folder_are_taken_for_names_within(tmp_path: Path, name: str, inside: str) -> None:
    file = read(tmp_path, content(images=[{"id": 1, "file_name": name, "width": 2, "height": 2}]))
    assert [image.file_name for image in file.images()] == [inside]
    assert [problem.effect for problem in file.problems] == ["changed"]


@pytest.mark.parametrize("name", ["", "..", "/", "C:", "a/..", "http://", "a\0b", "\n.png", 3, None], ids=repr)
def test_names_of_no_file_are_listed(tmp_path: Path, name: Any) -> None:
    file = read(tmp_path, content(images=[{"id": 1, "file_name": name, "width": 2, "height": 2}]))
    assert file.image_list == ()
    assert len(file.problems) == 1


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (5, None), ("5", 5), (1.5, 2), (10**9, 10**9)], ids=str)
def test_impossible_sizes_are_listed(tmp_path: Path, size: Any) -> None:
    file = read(tmp_path, content(images=[{"id": 1, "file_name": "a.png", "width": size[0], "height": size[1]}]))
    assert file.image_list == ()


@pytest.mark.parametrize("size", [{}, {"width": 0, "height": 0}, {"width": "64", "height": 48}], ids=str)
def test_a_size_that_is_missing_or_impossible_is_that_of_the_file_wherever_it_lies(
    tmp_path: Path, size: dict[str, Any]
) -> None:
    (tmp_path / "below").mkdir()
    cv2.imwrite(str(tmp_path / "below" / "a.png"), np.zeros((48, 64, 3), np.uint8))
    found = read(tmp_path, content(images=[{"id": 1, "file_name": "/home/me/a.png", **size}]))
    assert [(image.width, image.height) for image in found.images()] == [(64, 48)]
    assert any("according to the image file" in problem.reason for problem in found.problems) == bool(size)


def test_nan_outside_the_geometry_does_no_harm(tmp_path: Path) -> None:
    assert len(read(tmp_path, content(annotation(area=float("nan")))).instances(1)) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"images": [', r"not valid JSON .*byte"),
        (b"", "the file is empty"),
        (b"[1]", "expected a JSON object"),
        (b'{"images": 5, "annotations": []}', "expected a list under 'images'"),
        (b'{"shapes": []}', "not a COCO instance file"),
        (b'{"images": [{"file_name": "\xe9.png"}], "annotations": []}', "not UTF-8 at byte 27"),
        ('{"images": []}'.encode("utf-16"), "UTF-16"),
        (b"[" * 100_000, "nested too deeply|not valid JSON"),
    ],
    ids=["cut", "empty", "list", "number", "other", "latin1", "utf16", "deep"],
)
def test_files_that_are_not_coco_say_why(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "in.json").write_bytes(data)
    with pytest.raises(FormatError, match=reason):
        read_coco(tmp_path / "in.json")


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content(annotation())).encode())
    assert len(read_coco(tmp_path / "in.json").instances(1)) == 1


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_coco(tmp_path / "absent.json")


@pytest.mark.parametrize("indent", [None, 1])
def test_files_read_in_pieces_are_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    nested = annotation(attributes={"list": [{"a": 1}, {"b": "}, {"}, []]}, note='"},{"')
    value = content(*[nested | {"id": i + 1} for i in range(40)], licenses=[], info={"x": [{}, {}]})
    (tmp_path / "in.json").write_text(json.dumps(value, indent=indent))
    whole = read_coco(tmp_path / "in.json")
    monkeypatch.setattr(json_stream, "WHOLE_BYTES", 0)
    monkeypatch.setattr(json_stream, "WINDOW_BYTES", 700)
    assert read_coco(tmp_path / "in.json") == whole
