"""Verifies an export: reads the file again, strictly, and compares every mask with its source."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from pycocotools import mask as coco_mask

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.boxes import is_box
from maskwright.formats.coco import original
from maskwright.formats.coco.numbers import as_in_file, numbers_of
from maskwright.formats.coco.options import CocoExportOptions, CocoSource, RemembersFile, StreamsRecords
from maskwright.formats.coco.parse import polygon_instance_of
from maskwright.formats.coco.records import instance_rle
from maskwright.formats.coco.writer import numbered
from maskwright.formats.gate import Finding, FindingKind
from maskwright.formats.json_stream import top_level_items
from maskwright.formats.verification import Verification
from maskwright.geometry.raster import Rle, rle_area, rle_bbox_xywh
from maskwright.geometry.rle import counts_to_mask, rle_counts
from maskwright.plain_words import in_plain_words
from maskwright.words import count_of

_SECTIONS = ("images", "annotations", "categories")
_NEEDED = ("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd")


def verify_coco(path: Path, source: CocoSource, options: CocoExportOptions) -> Iterator[Finding]:
    """Everything in the file that breaks a rule of its readers or differs from the source; nothing if all is well.

    Untouched annotations of an imported file are compared with what they were instead of the rules. The file is read as
    a stream. Raises FormatError if it cannot be read at all.
    """
    numbers = numbers_of(source)
    if not numbers:
        yield from _verify(path, source, options)
        return
    own = numbers.inverse()
    for finding in _verify(path, as_in_file(source), options):
        image_id, instance_id = finding.image_id, finding.instance_id
        is_whole = type(image_id) is int and type(instance_id) is int  # as in the file
        places = (own.images[image_id], own.instances[instance_id]) if is_whole else (0, 0)
        yield replace(finding, image_id=places[0], instance_id=places[1])


def _verify(path: Path, source: CocoSource, options: CocoExportOptions) -> Iterator[Finding]:
    stored = _Stored(source)
    images = {image.id: image for image in source.images() if options.takes_image(image)}
    class_ids = {id_: category.id for id_, category in numbered(source, options).items()}
    category_ids: set[Any] = set()
    used_ids: set[Any] = set()
    image_count = 0
    for key, value in top_level_items(path, _SECTIONS):
        if key == "images":
            image_count += len(value)
            yield from (_unknown_image(image) for image in value if image.get("id") not in images)
        elif key == "categories":
            yield from _bad_ids("category", [each.get("id") for each in value], category_ids)
        elif key == "annotations":
            yield from (
                Finding(FindingKind.WRONG_IN_FILE, "an annotation is not a JSON object")
                for each in value
                if not _is_object(each)
            )
            value = [each for each in value if _is_object(each)]
            yield from _bad_ids("annotation", [each.get("id") for each in value], stored.seen)
            used_ids |= {each.get("category_id") for each in value}
            yield from _compare(value, images, stored, class_ids, is_kept=options.keeps_records)
    if image_count != len(images):
        yield Finding(
            FindingKind.WRONG_IN_FILE,
            f"the file has {count_of(image_count, 'image')}, expected {len(images)}",
        )
    if not used_ids <= category_ids:
        yield Finding(
            FindingKind.WRONG_IN_FILE, f"classes {sorted(map(str, used_ids - category_ids))} are not in the file"
        )
    for image_id, instance in stored.unseen():
        is_meant = image_id in images and options.takes_instance(instance)
        if is_meant and rle_area(instance_rle(instance, images[image_id])):
            yield Finding(FindingKind.WRONG_IN_FILE, "is not in the file", image_id, instance.id)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def verified_coco(path: Path, source: CocoSource, options: CocoExportOptions, written: int) -> Verification:
    """The findings of `verify_coco` as a result; `written`: the number of annotations in the file."""
    findings = tuple(verify_coco(path, source, options))
    wrong = {finding.instance_id for finding in findings if finding.instance_id}
    return Verification(written, max(0, written - len(wrong)), findings=findings)


class _Stored:
    """The source's instances by id; as the original JSON if the source has kept it."""

    def __init__(self, source: CocoSource) -> None:
        self._source = source
        self.seen: set[Any] = set()

    def find(self, annotations: Sequence[Mapping[str, Any]]) -> Mapping[int, tuple[int, Instance | bytes]]:
        """The source's instances for some annotations of the file."""
        if isinstance(self._source, StreamsRecords):
            return self._streamed([id_ for each in annotations if type(id_ := each.get("id")) is int])
        # Image by image: a part of a large set may not fit into memory.
        image_ids = dict.fromkeys(id_ for each in annotations if type(id_ := each.get("image_id")) is int)
        return {each.id: (image_id, each) for image_id in image_ids for each in self._source.instances(image_id)}

    def unseen(self) -> Iterator[tuple[int, Instance]]:
        """Instances that no annotation of the file has named."""
        if isinstance(self._source, StreamsRecords) and isinstance(self._source, RemembersFile):
            unseen = [id_ for id_ in self._source.instance_ids() if id_ not in self.seen]
            for image_id, instance in self._streamed(unseen).values():
                yield image_id, _parsed(instance) if isinstance(instance, bytes) else instance
            return
        for image in self._source.images():
            yield from ((image.id, each) for each in self._source.instances(image.id) if each.id not in self.seen)

    def _streamed(self, ids: list[int]) -> dict[int, tuple[int, Instance | bytes]]:
        assert isinstance(self._source, StreamsRecords)
        return {id_: (image_id, instance) for image_id, id_, instance in self._source.stored(ids)}


def _compare(
    annotations: list[Any],
    images: Mapping[int, ImageRecord],
    stored: _Stored,
    class_ids: Mapping[int, int],
    *,
    is_kept: bool,
) -> Iterator[Finding]:
    """`is_kept`: whether untouched records had to be written as they came."""
    found = stored.find(annotations)
    for annotation in annotations:
        image_id, instance = found.get(annotation.get("id"), (0, b""))
        if not instance or image_id not in images or annotation.get("image_id") != image_id:
            yield _wrong("is not in the project or is on another image", annotation)
        elif not isinstance(instance, bytes) or not is_kept:
            meant = _parsed(instance) if isinstance(instance, bytes) else instance
            if annotation.get("category_id") != class_ids.get(meant.category_id):
                yield _wrong("its class differs", annotation)
            yield from _compare_one(annotation, meant, images[image_id])
        elif orjson.loads(instance) != annotation:
            yield _wrong("differs from what was imported", annotation)
        elif not _has_rings(annotation):
            yield _wrong("has no readable outline", annotation)


def _has_rings(annotation: Mapping[str, Any]) -> bool:
    """As all records that are passed on unchanged must; the project may be a stranger's."""
    rings = annotation.get("segmentation")
    try:
        return (
            bool(rings) and isinstance(rings, list) and all(len(ring) >= 6 and sum(ring) < math.inf for ring in rings)
        )
    except TypeError:
        return False


def _parsed(record: bytes) -> Instance:
    """Raises FormatError for a record that no reader would have kept: another program wrote the project."""
    try:
        content = orjson.loads(record)
        return polygon_instance_of(content, content["category_id"], content["id"])
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise FormatError(f"an imported annotation is damaged: {in_plain_words(error):.200}") from error


def _compare_one(annotation: Mapping[str, Any], instance: Instance, image: ImageRecord) -> Iterator[Finding]:
    needed = [key for key in _NEEDED if key not in ("segmentation", "area", "iscrowd") or not is_box(instance)]
    missing = [key for key in needed if key not in annotation]
    if missing:
        yield _wrong(f"has no {', '.join(missing)}", annotation)
        return
    if is_box(instance) and not annotation.get("segmentation"):
        if tuple(annotation["bbox"]) != tuple(instance.extra[original.KEY]["bbox"]):
            yield _wrong("its box differs", annotation)
        return
    expected = instance_rle(instance, image)
    try:
        written = _written_rle(annotation["segmentation"], image)
    except (ValueError, FormatError) as error:
        yield _wrong(str(error), annotation)
        return
    if written["counts"] != expected["counts"]:
        yield _wrong(f"its mask differs: IoU {coco_mask.iou([written], [expected], [0])[0, 0]:.4f}", annotation)
    if instance.extra:  # from a file, which keeps its own area and box
        return
    if annotation["area"] != rle_area(expected) or tuple(annotation["bbox"]) != rle_bbox_xywh(expected):
        yield _wrong("its area or box does not match its pixels", annotation)
    if annotation["iscrowd"] not in (0, 1) or isinstance(annotation["iscrowd"], bool):
        yield _wrong("iscrowd is not 0 or 1", annotation)


def _written_rle(segmentation: Any, image: ImageRecord) -> Rle:
    size = [image.height, image.width]
    if isinstance(segmentation, dict):
        counts_to_mask(
            rle_counts(segmentation["counts"]), (size[0], size[1])
        )  # raises for run lengths that do not fill the image
        if isinstance(segmentation["counts"], list):
            rle: Rle = coco_mask.frPyObjects(segmentation, *size)
            return rle
        return {"size": size, "counts": segmentation["counts"].encode("ascii")}
    if not segmentation:
        raise ValueError("it has no outline")
    for ring in segmentation:
        if len(ring) < 6 or len(ring) % 2:
            raise ValueError(f"a ring has {len(ring)} numbers")
    merged: Rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, *size))
    return merged


def _bad_ids(what: str, ids: list[Any], seen: set[Any]) -> Iterator[Finding]:
    """Ids below 1 and ids in `seen`; valid ones are added to `seen`."""
    for id_ in ids:
        if type(id_) is not int or id_ < 1 or id_ in seen:
            yield Finding(FindingKind.WRONG_IN_FILE, f"{what} id {id_!r} is below 1 or occurs twice")
        else:
            seen.add(id_)


def _unknown_image(image: Mapping[str, Any]) -> Finding:
    return Finding(FindingKind.WRONG_IN_FILE, f"image {image.get('id')} does not belong in the file")


def _wrong(text: str, annotation: Mapping[str, Any]) -> Finding:
    where = f"annotation {annotation.get('id')}: {text}"
    return Finding(FindingKind.WRONG_IN_FILE, where, annotation.get("image_id", 0), annotation.get("id", 0))
