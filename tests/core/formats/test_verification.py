"""Every format is read again after writing; what it cannot hold is told, what it should hold is demanded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from coco_sources import ListSource, one_image, square, square_with_hole, varied_source
from maskwright.document.values import Category, Instance
from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.coco.options import PROFILES
from maskwright.formats.package import Splitting, export_package
from maskwright.formats.registry import FORMATS, format_named
from maskwright.formats.selection import WriteReport
from maskwright.formats.verification import Verification, joined

OPTIONS = CocoExportOptions()


def verified(source: ListSource, path: Path, name: str) -> Verification:
    report = format_named(name).write_verified(source, path / name, OPTIONS)
    assert report.verification is not None
    return report.verification


@pytest.mark.parametrize("name", [known.name for known in FORMATS if known.held is None])
def test_every_format_holds_objects_side_by_side_exactly(tmp_path: Path, name: str) -> None:
    result = verified(varied_source(), tmp_path, name)
    assert result.findings == ()
    assert (result.compared, result.exact) == (20, 20)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_profile_is_read_again(tmp_path: Path, profile: Any) -> None:
    kind = format_named(profile.format_name)
    report = kind.write_verified(varied_source(), tmp_path / "out", profile.applied(OPTIONS))
    assert report.verification == Verification(20, 20)


@pytest.mark.parametrize("name", ["png", "voc", "panoptic"])
def test_what_overlapping_objects_lose_is_told(tmp_path: Path, name: str) -> None:
    # 16 pixels, of which the second takes 4; the third lies wholly under the fourth.
    source = one_image(
        Instance(1, 1, (square(1, 1),)), Instance(2, 18, (square(3, 3),)), Instance(3, 1, (square(21, 21, 2),)),
        Instance(4, 18, (square(20, 20),)),
    )  # fmt: skip
    result = verified(source, tmp_path, name)
    assert result.findings == ()
    assert (result.compared, result.exact, result.hidden, result.lowest_iou) == (4, 2, 1, 0.75)
    assert "lowest IoU 0.7500" in str(result)
    assert "1 entirely hidden under others" in str(result)


OUTLINES = ["labelme", "xanylabeling", "cvat", "yolo", "isat", "labelstudio", "qupath", "huggingface", "coco-folder"]


@pytest.mark.parametrize("name", ["yolo-box", "yolo-obb"])
def test_boxes_are_held_to_what_they_can_hold(tmp_path: Path, name: str) -> None:
    result = verified(varied_source(), tmp_path, name)
    assert result.findings == ()
    assert result.compared == 20


@pytest.mark.parametrize("name", OUTLINES)
def test_overlaps_cost_nothing_where_each_object_has_its_outline(tmp_path: Path, name: str) -> None:
    hidden_hole = Instance(3, 1, (square_with_hole(20, 2), square(34, 2)))
    source = one_image(Instance(1, 1, (square(1, 1),)), Instance(2, 18, (square(3, 3),)), hidden_hole)
    assert verified(source, tmp_path, name) == Verification(3, 3)


@pytest.mark.parametrize("name", OUTLINES)
def test_parts_that_overlap_stay_a_union(tmp_path: Path, name: str) -> None:
    source = one_image(Instance(1, 1, (square(1, 1, 9), square(5, 5, 9))))
    assert verified(source, tmp_path, name) == Verification(1, 1)


def damaged_labelme(folder: Path) -> None:
    file = folder / "a.json"
    file.write_text(file.read_text().replace("20.0", "22.0"))


def damaged_yolo(folder: Path) -> None:
    file = folder / "labels" / "a.txt"
    file.write_text(file.read_text().splitlines()[0])


def damaged_png(folder: Path) -> None:
    cv2.imwrite(str(folder / "instances" / "a.png"), np.ones((30, 40), np.uint8))


def damaged_voc(folder: Path) -> None:
    file = folder / "Annotations" / "a.xml"
    file.write_text(file.read_text().replace("dog", "cell"))


def damaged_cvat(file: Path) -> None:
    file.write_text(file.read_text().replace('name="a.png"', 'name="b.png"'))


@pytest.mark.parametrize(
    ("name", "damage"),
    [("labelme", damaged_labelme), ("yolo", damaged_yolo), ("png", damaged_png), ("voc", damaged_voc),
     ("cvat", damaged_cvat)],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_file_that_is_not_what_was_meant_is_found(tmp_path: Path, name: str, damage: Any) -> None:
    kind = format_named(name)
    source = one_image(Instance(1, 1, (square(1, 1),)), Instance(2, 18, (square(20, 20),)))

    def write(*arguments: Any) -> WriteReport:
        report = kind.write(*arguments)
        damage(report.path)
        return report

    report = replace(kind, write=write).write_verified(source, tmp_path / "out", OPTIONS)
    assert report.verification is not None
    assert report.verification.findings


def test_every_part_of_a_split_is_read_again(tmp_path: Path) -> None:
    reports = export_package(
        varied_source(), tmp_path / "out", format_named("coco"), OPTIONS, splitting=Splitting({"train": 1, "val": 1})
    )
    results = [report.verification for report in reports if report.verification is not None]
    assert [result.compared for result in results] == [report.instance_count for report in reports]
    assert joined(results) == Verification(20, 20)


def test_images_taken_along_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((30, 41), np.uint8))
    source = one_image(Instance(1, 1, (square(1, 1),)))
    (report,) = export_package(
        source, tmp_path / "set", format_named("yolo"), OPTIONS, image_root=tmp_path / "images", placing="copy"
    )
    assert report.verification is not None
    assert [finding.image_id for finding in report.verification.findings] == [1]


def test_class_names_with_blanks_around_them_are_the_same_class(tmp_path: Path) -> None:
    source = one_image(Instance(1, 1, (square(1, 1),)))
    source.category_list = [Category(1, " cell "), Category(18, "dog")]
    for name in ("labelme", "voc", "cvat"):
        assert verified(source, tmp_path, name).findings == ()


def test_a_name_for_two_images_is_refused_before_anything_is_compared(tmp_path: Path) -> None:
    source = one_image()
    source.image_list += [type(source.image_list[0])(2, "a.jpg", 40, 30, source.image_list[0].state)]
    with pytest.raises(FormatError, match="the same file"):
        verified(source, tmp_path, "labelme")
