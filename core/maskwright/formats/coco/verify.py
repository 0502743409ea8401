"""The look after an export: the file is read again, strictly, and every mask compared with what it came from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.findings import Finding, Kind
from maskwright.formats.json_stream import top_level_items
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.raster import Rle, polygons_to_rle, rle_area, rle_bbox_xywh
from maskwright.geometry.rle import counts_to_mask, rle_counts

_SECTIONS = ("images", "annotations", "categories")
_NEEDED = ("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd")


def verify_coco(path: Path, source: CocoSource, options: CocoExportOptions) -> Iterator[Finding]:
    """Everything in the file that breaks a rule of its consumers or differs from the source. Nothing: all is well.

    Annotations of an imported file that nobody touched are held to their own masks, not to the rules. Raises
    FormatError when the file cannot be read at all.
    """
    content: dict[str, list[Any]] = {section: [] for section in _SECTIONS}
    for key, value in top_level_items(path, _SECTIONS):
        if key in content:
            content[key] += value
    category_ids = {category.get("id") for category in content["categories"]}
    images = {image.get("id"): image for image in content["images"]}
    yield from _repeated("image", content["images"])
    yield from _repeated("category", content["categories"])
    yield from _repeated("annotation", content["annotations"])
    by_image: dict[Any, list[Mapping[str, Any]]] = {}
    for annotation in content["annotations"]:
        if annotation.get("image_id") not in images or annotation.get("category_id") not in category_ids:
            yield _wrong("its image or class is not in the file", annotation)
        by_image.setdefault(annotation.get("image_id"), []).append(annotation)
    expected = {image.id: image for image in source.images() if options.takes_image(image)}
    if expected.keys() != images.keys():
        yield Finding(Kind.WRONG_IN_FILE, f"{len(images)} images are in the file, {len(expected)} were meant to be")
    for image in expected.values():
        yield from _compare(image, by_image.get(image.id, []), source, options)


def _compare(
    image: ImageRecord, annotations: list[Mapping[str, Any]], source: CocoSource, options: CocoExportOptions
) -> Iterator[Finding]:
    instances = {each.id: each for each in source.instances(image.id) if options.takes_instance(each)}
    for annotation in annotations:
        instance = instances.pop(annotation.get("id", 0), None)
        if instance is None:
            yield _wrong("is not in the project", annotation)
            continue
        yield from _compare_one(annotation, instance, image)
    for instance in instances.values():
        if rle_area(_rle_of(instance, image)):
            yield Finding(Kind.WRONG_IN_FILE, "is not in the file", image.id, instance.id)


def _compare_one(annotation: Mapping[str, Any], instance: Instance, image: ImageRecord) -> Iterator[Finding]:
    missing = [key for key in _NEEDED if key not in annotation]
    if missing:
        yield _wrong(f"has no {', '.join(missing)}", annotation)
        return
    expected = _rle_of(instance, image)
    try:
        written = _written_rle(annotation["segmentation"], image)
    except (ValueError, FormatError) as error:
        yield _wrong(str(error), annotation)
        return
    if written["counts"] != expected["counts"]:
        yield _wrong(f"its mask is another one: IoU {coco_mask.iou([written], [expected], [0])[0, 0]:.4f}", annotation)
    if instance.extra:  # from a file, whose own area and box are kept
        return
    if annotation["area"] != rle_area(expected) or tuple(annotation["bbox"]) != rle_bbox_xywh(expected):
        yield _wrong("its area or box is not that of its pixels", annotation)
    if annotation["iscrowd"] not in (0, 1) or isinstance(annotation["iscrowd"], bool):
        yield _wrong("iscrowd is not 0 or 1", annotation)


def _written_rle(segmentation: Any, image: ImageRecord) -> Rle:
    size = [image.height, image.width]
    if isinstance(segmentation, dict):
        counts_to_mask(
            rle_counts(segmentation["counts"]), (size[0], size[1])
        )  # raises for run lengths that do not fill
        if isinstance(segmentation["counts"], list):
            rle: Rle = coco_mask.frPyObjects(segmentation, *size)
            return rle
        return {"size": size, "counts": segmentation["counts"].encode("ascii")}
    for ring in segmentation:
        if len(ring) < 6 or len(ring) % 2:
            raise ValueError(f"a ring has {len(ring)} numbers")
    merged: Rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, *size))
    return merged


def _rle_of(instance: Instance, image: ImageRecord) -> Rle:
    size_wh = (image.width, image.height)
    return polygons_to_rle(clip_to_image(instance.polygons, size_wh), size_wh)


def _repeated(what: str, records: list[Any]) -> Iterator[Finding]:
    seen: set[Any] = set()
    for record in records:
        id_ = record.get("id")
        if type(id_) is not int or id_ < 1 or id_ in seen:
            yield Finding(Kind.WRONG_IN_FILE, f"{what} id {id_!r} is below 1 or occurs twice")
        seen.add(id_)


def _wrong(text: str, annotation: Mapping[str, Any]) -> Finding:
    where = f"annotation {annotation.get('id')}: {text}"
    return Finding(Kind.WRONG_IN_FILE, where, annotation.get("image_id", 0), annotation.get("id", 0))
