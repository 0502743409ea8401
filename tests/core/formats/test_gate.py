"""The export gate finds what a consumer would trip over, mends what is safe, and checks what was written."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from coco_sources import ListSource, one_image, square, square_with_hole, varied_source
from maskwright.document.values import ImageRecord, ImageState, Instance
from maskwright.formats.coco import CocoExportOptions, export_coco, read_coco
from maskwright.formats.coco.verify import verify_coco
from maskwright.formats.gate import Finding, FindingKind, check, fix_all
from maskwright.geometry.algebra import are_valid
from maskwright.geometry.polygon import Polygon
from shared_data import shared_path

OPTIONS = CocoExportOptions()
BOW_TIE = Polygon.of([(2, 2), (12, 12), (12, 2), (2, 12)])


def findings(source: ListSource, image_root: Path | None = None) -> list[Finding]:
    return [
        found for found in check(source, OPTIONS, image_root=image_root) if found.kind is not FindingKind.UNUSED_CLASS
    ]


def kinds(*instances: Instance) -> set[FindingKind]:
    return {found.kind for found in findings(one_image(*instances))}


@pytest.mark.parametrize(
    ("polygon", "kind"),
    [
        (BOW_TIE, FindingKind.SELF_INTERSECTION),
        (square(-2, 3, 9), FindingKind.OUTSIDE),
        (square(50, 50), FindingKind.ZERO_AREA),
        (Polygon.of([(1, 1), (9, 1.01), (1, 1.02)]), FindingKind.ZERO_AREA),
        (Polygon.of([(1, 1), (5, 5), (1, 1), (5, 5)]), FindingKind.FEW_POINTS),
    ],
    ids=lambda value: str(value) if isinstance(value, FindingKind) else "",
)
def test_broken_geometry_is_found(polygon: Polygon, kind: FindingKind) -> None:
    assert kind in kinds(Instance(1, 1, (polygon,)))


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_an_outline_beyond_any_side_of_the_image_is_found(side: str) -> None:
    image = next(one_image().images())
    x, y = {"left": (-2, 3), "top": (3, -2), "right": (image.width - 7, 3), "bottom": (3, image.height - 7)}[side]
    assert kinds(Instance(1, 1, (square(x, y, 9),))) == {FindingKind.OUTSIDE}


def test_good_geometry_is_not() -> None:
    assert findings(varied_source()) == []


def test_slivers_are_found() -> None:
    sliver = Polygon.of([(20, 1), (20.02, 1), (20.02, 20), (20, 20)])
    assert kinds(Instance(1, 1, (square(1, 1), sliver))) == {FindingKind.SLIVER}


def test_near_duplicates_are_found_once() -> None:
    source = one_image(*(Instance(i, 1, (square(3, 3, 20),)) for i in (1, 2)), Instance(3, 1, (square(3, 3, 17),)))
    assert [(found.kind, found.instance_id) for found in findings(source)] == [(FindingKind.NEAR_DUPLICATE, 2)]


def test_unknown_and_unused_classes_are_found() -> None:
    found = list(check(one_image(Instance(1, 7, (square(1, 1),))), OPTIONS))
    assert [each.kind for each in found] == [
        FindingKind.UNKNOWN_CLASS,
        FindingKind.UNUSED_CLASS,
        FindingKind.UNUSED_CLASS,
    ]


def test_repeated_ids_are_found() -> None:
    source = ListSource(image_list=[ImageRecord(i, f"{i}.png", 9, 9, ImageState.DONE) for i in (1, 2)])
    source.instances_of = {i: [Instance(5, 1, (square(1, 1),))] for i in (1, 2)}
    assert [found.kind for found in findings(source)] == [FindingKind.DUPLICATE_ID]


def test_done_images_without_objects_are_questioned_and_verified_ones_not() -> None:
    assert [found.kind for found in findings(one_image(state=ImageState.DONE))] == [FindingKind.UNVERIFIED_EMPTY]
    assert findings(one_image(state=ImageState.EMPTY)) == []


def test_names_that_differ_in_case_only_collide() -> None:
    images = [ImageRecord(1, "A.png", 9, 9, ImageState.EMPTY), ImageRecord(2, "a.PNG", 9, 9, ImageState.EMPTY)]
    assert [found.kind for found in findings(ListSource(image_list=images))] == [FindingKind.NAME_COLLISION]


@pytest.mark.parametrize(
    ("size_hw", "kind"),
    [(None, FindingKind.MISSING_IMAGE), ((40, 30), FindingKind.TURNED_IMAGE), ((9, 9), FindingKind.CHANGED_IMAGE)],
    ids=str,
)
def test_image_files_are_compared(tmp_path: Path, size_hw: Any, kind: FindingKind) -> None:
    if size_hw:
        cv2.imwrite(str(tmp_path / "a.png"), np.zeros(size_hw, np.uint8))
    (found,) = findings(one_image(state=ImageState.EMPTY), tmp_path)
    assert (found.kind, found.image_id) == (kind, 1)


def test_fixing_mends_all_that_is_safe_and_deletes_what_is_nothing() -> None:
    source = one_image(
        Instance(1, 1, (BOW_TIE,)), Instance(2, 1, (square(-2, 3, 9),)), Instance(3, 1, (square(50, 50),)),
        Instance(4, 1, (square(20, 20),)),
    )  # fmt: skip
    change = fix_all(source.instances(1), source.image_list[0])
    mended = {id_: after for id_, _, after in change}
    assert mended.keys() == {1, 2, 3}
    assert mended[3] is None
    assert all(are_valid(after.polygons) for after in mended.values() if after is not None)


@pytest.mark.parametrize("holes", ["keyhole", "rle"])
def test_what_was_written_passes(tmp_path: Path, holes: Any) -> None:
    options = CocoExportOptions(holes=holes)
    export_coco(varied_source(), tmp_path / "out.json", options)
    assert list(verify_coco(tmp_path / "out.json", varied_source(), options)) == []


def test_published_files_pass(tmp_path: Path) -> None:
    file = read_coco(shared_path("coco/val.json"))
    export_coco(file, tmp_path / "out.json")
    assert list(verify_coco(tmp_path / "out.json", file, OPTIONS)) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content["annotations"].pop(),
        lambda content: content["images"].pop(),
        lambda content: content["annotations"].append(dict(content["annotations"][0])),
        lambda content: content["annotations"][0].update(id=0),
        lambda content: content["annotations"][0].update(area=1.0),
        lambda content: content["annotations"][0].update(bbox=[0, 0, 1, 1]),
        lambda content: content["annotations"][0].update(iscrowd=2),
        lambda content: content["annotations"][0].update(category_id=5),
        lambda content: content["annotations"][0].pop("iscrowd"),
        lambda content: content["annotations"][0]["segmentation"][0].pop(),
        lambda content: content["annotations"][0]["segmentation"][0].__setitem__(0, 9.0),
    ],
)
def test_damage_is_found(tmp_path: Path, damage: Any) -> None:
    source = one_image(Instance(1, 1, (square_with_hole(3, 3),)), Instance(2, 1, (square(20, 20),)))
    path = tmp_path / "out.json"
    export_coco(source, path)
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))
    assert any(found.is_error for found in verify_coco(path, source, OPTIONS))


def test_a_sliver_beside_a_good_part_is_found_and_mended() -> None:
    sliver = Polygon.of([(20, 1), (20.02, 1), (20.02, 25)])
    source = one_image(Instance(1, 1, (square(1, 1), sliver)))
    assert FindingKind.SLIVER in {found.kind for found in findings(source)}
    ((_, _, after),) = fix_all(source.instances(1), source.image_list[0])
    assert after is not None
    assert len(after.polygons) == 1
