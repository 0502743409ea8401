"""What a format does not keep of an object is among the losses that are said before it is written."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coco_sources import ListSource, one_image, square, square_with_hole
from maskwright.document.values import Category, Instance, InstanceState
from maskwright.formats.boxes import box_extra, is_box
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import FORMATS, AnnotationFormat

PLAIN = Instance(3, 18, (square(4, 4, 9),), InstanceState.ACCEPTED)
BOX = (square(4, 4, 9),)
OBJECTS: dict[str, Instance] = {
    "scores": replace(PLAIN, score=0.75),
    "crowd": replace(PLAIN, is_crowd=True),
    "attributes": replace(PLAIN, extra={"attributes": {"colour": "red"}}),
    "boxes": replace(PLAIN, polygons=BOX, extra=box_extra(BOX)),
    "holes": replace(PLAIN, polygons=(square_with_hole(4, 4, 9),)),
    "class ids": PLAIN,
    "object ids": PLAIN,
    "classes that no object has": PLAIN,
}
SAID_OTHERWISE = {"class ids": ("class and object ids",), "object ids": ("class and object ids",)}


def written(kind: AnnotationFormat, source: ListSource, path: Path) -> tuple[DataSet, tuple[str, ...]]:
    report = kind.write(source, path, CocoExportOptions())
    data = kind.read_sized(path, {"a.png": (40, 30)}) if kind.read_sized is not None else kind.read(path)
    return data, report.losses


def is_kept(what: str, meant: Instance, source: ListSource, data: DataSet) -> bool:
    (image,) = data.images()
    (found,) = data.instances(image.id)
    kept: dict[str, Any] = {
        "scores": found.score == meant.score,
        "crowd": found.is_crowd,
        "attributes": found.extra.get("attributes") == meant.extra.get("attributes"),
        "boxes": is_box(found),
        "holes": bool(found.polygons[0].holes),
        "class ids": [category.id for category in data.categories()] == [1, 18],
        "object ids": found.id == meant.id,
        "classes that no object has": len(data.categories()) == len(source.categories()),
    }
    return bool(kept[what])


@pytest.mark.parametrize("what", OBJECTS)
@pytest.mark.parametrize("kind", FORMATS, ids=[kind.name for kind in FORMATS])
def test_what_a_format_loses_is_said(kind: AnnotationFormat, what: str, tmp_path: Path) -> None:
    source = one_image(OBJECTS[what])
    source.category_list = [Category(1, "cell"), Category(18, "dog")]
    data, losses = written(kind, source, tmp_path / f"out{kind.suffix}")
    words = (what, *SAID_OTHERWISE.get(what, ()))
    is_said = any(word in loss for word in words for loss in losses) or any("outlines (only" in loss for loss in losses)
    assert is_kept(what, OBJECTS[what], source, data) or is_said, losses


@pytest.mark.parametrize("kind", FORMATS, ids=[kind.name for kind in FORMATS])
def test_a_set_without_images_can_be_written(kind: AnnotationFormat, tmp_path: Path) -> None:
    report = kind.write_verified(ListSource(), tmp_path / f"out{kind.suffix}", CocoExportOptions())
    assert (report.image_count, report.verification is not None) == (0, True)
