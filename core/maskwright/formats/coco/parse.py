"""Parses records of a COCO file. What cannot be used is reported and skipped, never guessed."""

import math
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.file_names import file_name_fault
from maskwright.formats.coco.original import ANNOTATION_KEYS, CATEGORY_KEYS, IMAGE_KEYS, remember
from maskwright.formats.coco.provenance import with_provenance
from maskwright.formats.coco.segmentation import bbox_to_polygon, segmentation_to_polygons
from maskwright.formats.naming import path_inside
from maskwright.formats.sizes import is_share, whole_size
from maskwright.geometry.polygon import Polygon
from maskwright.plain_words import kind_of

_ROUNDING_PX = 1.5

SizeOf = Callable[[str], tuple[int, int] | None]
"""Width and height of an image by its name; None if it does not exist."""


def category_of(record: Any, new_id: int) -> Category:
    """Raises ValueError for a record without a name."""
    name = _mapping(record).get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("expected a name")
    supercategory = record.get("supercategory")
    return Category(
        new_id,
        name.strip(),
        supercategory if isinstance(supercategory, str) else "",
        extra=MappingProxyType(remember(record, CATEGORY_KEYS)),
    )


def image_of(record: Any, new_id: int, size_of: SizeOf | None = None) -> ImageRecord:
    """`size_of` is called if the record has no size, or an impossible one.

    An absolute path is made relative by dropping its root. Raises ValueError for a missing file name or an impossible
    size.
    """
    name = path_inside(_mapping(record).get("file_name"))
    sides = record.get("width"), record.get("height")
    try:
        width, height = whole_size(*sides)
    except ValueError:
        found = size_of(name) if size_of is not None else None
        if found is None:
            raise
        width, height = found
    extra = MappingProxyType(remember(record, IMAGE_KEYS))
    return ImageRecord(new_id, name, width, height, ImageState.EMPTY, extra=extra)


def is_other_name(given: Any, name: str) -> bool:
    """Whether a file's name for an image is more than another spelling of `name`."""
    return str(given).replace("\\", "/").removeprefix("./") != name


def safe_file_name(name: Any) -> str:
    """The relative path with forward slashes. Raises ValueError if it leads out of the image folder."""
    path = name.replace("\\", "/") if isinstance(name, str) else name
    if (fault := file_name_fault(path)) is not None:
        raise ValueError(f"expected a path inside the image folder, got {str(name)[:200]!r}: {fault}")
    return str(PurePosixPath(path)) if "./" in path or "//" in path else str(path)


def instance_of(
    record: Mapping[str, Any], image: ImageRecord, category_id: int, new_id: int
) -> tuple[Instance, list[str]]:
    """The instance, and the parts of its geometry that had to be left out.

    An annotation with a box and no segmentation becomes a rectangle. Raises ValueError if there is no geometry.
    """
    segmentation = record.get("segmentation")
    polygons: tuple[Polygon, ...]
    if not segmentation and record.get("bbox"):
        box = bbox_to_polygon(record["bbox"])
        polygons, notes = (box,), ["has no segmentation; its box is used instead"]
        if _reaches_out(box, image):
            notes.append("its box extends beyond the image; expected x, y, width, height")
    else:
        polygons, notes = segmentation_to_polygons(segmentation, (image.width, image.height))
    if not has_measures(record):
        notes = [*notes, "its area or box is not numeric; both are recomputed"]
    return _instance(record, polygons, category_id, new_id), notes


def _reaches_out(box: Polygon, image: ImageRecord) -> bool:
    """Whether a box exceeds the image by more than rounding."""
    x1, y1, x2, y2 = box.bounds_xyxy
    return min(x1, y1) < -_ROUNDING_PX or x2 > image.width + _ROUNDING_PX or y2 > image.height + _ROUNDING_PX


def polygon_instance_of(record: Mapping[str, Any], category_id: int, new_id: int) -> Instance:
    """For a record whose segmentation consists of rings checked before, see `stream`."""
    polygons, _ = segmentation_to_polygons(record["segmentation"], (0, 0))
    return _instance(record, polygons, category_id, new_id)


def has_measures(record: Mapping[str, Any]) -> bool:
    """Whether area and box, if present, are finite: NaN is not JSON and could not be written again."""
    box = record.get("bbox", ())
    numbers = [record.get("area", 0), *(box if isinstance(box, list | tuple) else ())]
    return all(type(number) is not float or math.isfinite(number) for number in numbers)


def _instance(record: Mapping[str, Any], polygons: tuple[Polygon, ...], category_id: int, new_id: int) -> Instance:
    instance = Instance(
        new_id,
        category_id,
        polygons,
        InstanceState.ACCEPTED,
        float(score) if is_share(score := record.get("score")) else None,
        is_crowd=bool(record.get("iscrowd", 0)),
        extra=MappingProxyType(remember(record, ANNOTATION_KEYS, polygons if has_measures(record) else ())),
    )
    return with_provenance(instance, record.get("attributes"))


def _mapping(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, Mapping):
        raise ValueError(f"expected an object, got {kind_of(record)}")
    return record
