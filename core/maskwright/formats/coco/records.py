"""Builds the records of a COCO file, by the rules that its readers enforce.

Area and bounding box are those of the pixels that pycocotools fills; `iscrowd` is always present; `ignore` and a
top-level score never are (Detectron2 rejects the former, others take a file with the latter for results), except in the
results list that `COCO.loadRes` reads: no images, no ids, but scores.

Keypoints are not shown in the window, so an edit cannot move them. They are derived from the outline: if most vertices
moved by the same step, the object was moved; if most are still in place, it was reshaped."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.coco import original
from maskwright.formats.coco.numbers import as_in_file
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.provenance import has_provenance, refreshed, stripped
from maskwright.formats.coco.segmentation import bbox_to_polygon, segmentation_to_polygons
from maskwright.formats.sizes import is_number
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.keyhole import cut_keyholes
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import DECIMALS, Rle, polygons_to_rle, rle_area, rle_bbox_xywh, rounded

_NEVER_WRITTEN = frozenset({"ignore", "score", original.KEY})


def category_record(category: Category) -> dict[str, Any]:
    """Every category gets a supercategory, because pycocotools requires one."""
    record = {"id": category.id, "name": category.name, "supercategory": category.supercategory or "none"}
    return original.in_original_order(record | _unknown(category.extra, record), category.extra)


def image_record(image: ImageRecord) -> dict[str, Any]:
    """Raises FormatError for a file name that is absolute or leads out of the image folder."""
    name = image.file_name
    if name.startswith("/") or "\\" in name or (".." in name and ".." in PurePosixPath(name).parts):
        raise FormatError(f"image {image.id}: expected a path inside the image folder, got {image.file_name!r}")
    record = {"id": image.id, "file_name": image.file_name, "width": image.width, "height": image.height}
    return original.in_original_order(record | _unknown(image.extra, record), image.extra)


def instance_record(instance: Instance, image: ImageRecord, options: CocoExportOptions) -> dict[str, Any] | None:
    """The annotation, or None if it has no pixel inside the image.

    An imported instance that nobody has changed is written with the geometry of its file.
    """
    geometry = original.untouched_geometry(instance.extra, instance.polygons)
    is_untouched = geometry is not None
    if geometry is None or (isinstance(geometry.get("segmentation"), dict) and options.masks == "polygons"):
        geometry = _geometry_record(instance, (image.width, image.height), options)
        if geometry is None:
            return None
    elif options.masks == "rle" and geometry.get("segmentation"):
        geometry["segmentation"] = rle_record(instance_rle(instance, image))
    record = {"id": instance.id, "image_id": image.id, "category_id": instance.category_id, **geometry}
    record |= _unknown(instance.extra, record)
    if not is_untouched and KEYPOINTS in record:
        _move_keypoints(record, instance, image)
    _tell_provenance(record, instance, options.include_provenance)
    if options.plain_attributes and "attributes" in record:
        record["attributes"] = {
            key: value for key, value in _mapping(record["attributes"]).items() if isinstance(value, str | int | float)
        }
    return original.in_original_order(record, instance.extra)


def _move_keypoints(record: dict[str, Any], instance: Instance, image: ImageRecord) -> None:
    points = keypoints_of(instance.extra, instance.polygons, (image.width, image.height))
    if points is not None:
        record[KEYPOINTS] = points
        return
    del record[KEYPOINTS]
    record.pop(COUNT, None)


def instance_rle(instance: Instance, image: ImageRecord) -> Rle:
    """The pixels of an instance inside its image."""
    size_wh = (image.width, image.height)
    return polygons_to_rle(clip_to_image(instance.polygons, size_wh), size_wh)


def _tell_provenance(record: dict[str, Any], instance: Instance, is_wanted: bool | None) -> None:
    """See `CocoExportOptions.include_provenance`."""
    known = _mapping(record.get("attributes"))
    if is_wanted or (is_wanted is None and has_provenance(known)):
        record["attributes"] = refreshed(known, instance)
    elif has_provenance(known) and (others := stripped(known)):
        record["attributes"] = others
    elif has_provenance(known):
        del record["attributes"]


def _geometry_record(instance: Instance, size_wh: tuple[int, int], options: CocoExportOptions) -> dict[str, Any] | None:
    polygons = clip_to_image(instance.polygons, size_wh)
    rle = polygons_to_rle(polygons, size_wh)
    area = rle_area(rle)
    if not area:
        return None
    wants_run_lengths = instance.is_crowd or (options.holes == "rle" and any(polygon.holes for polygon in polygons))
    is_run_lengths = options.masks == "rle" or (wants_run_lengths and options.masks == "as-is")
    return {
        "segmentation": rle_record(rle) if is_run_lengths else polygon_record(polygons),
        "area": float(area),
        "bbox": list(rle_bbox_xywh(rle)),
        "iscrowd": int(instance.is_crowd),
    }


def polygon_record(polygons: Sequence[Polygon]) -> list[list[float]]:
    """One flat list of x, y per part, holes bridged; parts without area may stay, because they change no pixel."""
    return [rounded(cut_keyholes(polygon)).ravel().tolist() for polygon in polygons]


def rle_record(rle: Rle) -> dict[str, Any]:
    """Compressed run lengths as JSON."""
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _unknown(extra: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in extra.items() if key not in known and key not in _NEVER_WRITTEN}


def export_results(
    source: CocoSource, path: Path, *, takes: Callable[[Instance], bool] = lambda instance: instance.score is not None
) -> int:
    """Write the instances that `takes` accepts (default: those with a score; a missing score counts as 1); returns
    their number.

    Raises FormatError if the file cannot be written.
    """
    count = 0
    source = as_in_file(source)
    with atomic_writer(path) as file:
        separator = b"["
        for image in source.images():
            for instance in filter(takes, source.instances(image.id)):
                record = _result(instance, image)
                if record is not None:
                    file.write(separator + b"\n" + orjson.dumps(record))
                    separator = b","
                    count += 1
        file.write(b"[]\n" if not count else b"]\n")
    return count


def _result(instance: Instance, image: ImageRecord) -> dict[str, Any] | None:
    rle = instance_rle(instance, image)
    if not rle_area(rle):
        return None
    return {
        "image_id": image.id,
        "category_id": instance.category_id,
        "segmentation": rle_record(rle),
        "bbox": list(rle_bbox_xywh(rle)),
        "score": 1.0 if instance.score is None else round(instance.score, 6),
    }


KEYPOINTS, COUNT = "keypoints", "num_keypoints"
_SHARE = 0.5
"""Fraction of the vertices; agreement of fewer may be chance."""


def keypoints_of(extra: Mapping[str, Any], polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> list[float] | None:
    """The x, y, visibility triples for the present outline; None if they no longer belong to it."""
    points, kept = extra.get(KEYPOINTS), extra.get(original.KEY)
    is_usable = isinstance(points, list) and len(points) % 3 == 0 and all(map(is_number, points))
    if not is_usable or not isinstance(kept, Mapping) or not polygons:
        return None
    try:
        before = _polygons_of(kept, size_wh)
    except ValueError:
        return None
    step = _common_step(before, polygons)
    if step is None:
        return None
    moved = np.array(points, np.float64).reshape(-1, 3)
    moved[moved[:, 2] > 0, :2] += step  # unlabelled keypoints stay at 0, 0
    return [int(n) if n.is_integer() else round(n, DECIMALS) for n in moved.ravel().tolist()]


def _polygons_of(kept: Mapping[str, Any], size_wh: tuple[int, int]) -> Sequence[Polygon]:
    if kept.get("segmentation"):
        return segmentation_to_polygons(kept["segmentation"], size_wh)[0]
    return (bbox_to_polygon(kept.get("bbox")),)


def _common_step(before: Sequence[Polygon], after: Sequence[Polygon]) -> tuple[float, float] | None:
    """The step by which most vertices moved, (0, 0) if most are in place; None if they do not agree.

    Compared vertex by vertex first: a pixel staircase moved by one step still has vertices at old positions.
    """
    old, new = _vertices(before), _vertices(after)
    if len(old) == len(new) > 0:
        step, count = Counter(map(tuple, (new - old).round(DECIMALS).tolist())).most_common(1)[0]
        if count > _SHARE * len(old):
            return step[0], step[1]
    there = set(map(tuple, new.tolist()))
    return (0.0, 0.0) if sum(tuple(point) in there for point in old.tolist()) > _SHARE * len(old) else None


def _vertices(polygons: Sequence[Polygon]) -> NDArray[np.float64]:
    rings = [ring for polygon in polygons for ring in polygon.rings]
    return np.concatenate(rings).round(DECIMALS) if rings else np.empty((0, 2))
