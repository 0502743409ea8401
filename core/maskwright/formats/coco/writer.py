"""Writes a COCO file as a stream: one record in memory at a time, the same bytes for the same content."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import orjson

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.coco.numbers import as_in_file
from maskwright.formats.coco.options import (
    HEADER_SETTING,
    ORDER_SETTING,
    CocoExportOptions,
    CocoExportReport,
    CocoSource,
    LeftOut,
    RemembersFile,
    StreamsRecords,
    is_order,
)
from maskwright.formats.coco.records import KEYPOINTS, category_record, image_record, instance_record

# No date, so that the same project gives the same bytes.
_INFO = {
    "description": "Exported by Maskwright. Sizes and coordinates are those after EXIF orientation; "
    "polygons run on pixel edges: pixel (0, 0) covers 0..1.",
    "version": "1.0",
}
_ARRAYS = ("images", "annotations", "categories")
_BLOCK = 500
_ORDER = ("info", "licenses", *_ARRAYS)


def export_coco(
    source: CocoSource,
    path: Path,
    options: CocoExportOptions | None = None,
    *,
    on_image: Callable[[int], None] = lambda done: None,
) -> CocoExportReport:
    """Write the source's images and instances to `path`, completely or not at all.

    `on_image` is called with the number of images done; an exception from it cancels the export and leaves no file
    behind. Raises FormatError if the file cannot be written or a file name leads out of the image folder.
    """
    chosen = options if options is not None else CocoExportOptions()
    writer = _CocoWriter(as_in_file(source), chosen, on_image)
    with atomic_writer(path) as file:
        writer.write(file)
    return CocoExportReport(
        path,
        writer.image_count,
        writer.instance_count,
        writer.unreviewed_count,
        tuple(writer.left_out),
        writer.lost_keypoints,
        writer.crowd_polygons,
        writer.lost_scores,
        writer.lost_ignores,
    )


class _CocoWriter:
    """One export in progress."""

    def __init__(self, source: CocoSource, options: CocoExportOptions, on_image: Callable[[int], None]) -> None:
        self._source, self._options, self._on_image = source, options, on_image
        self._categories = numbered(source, options)
        self._taken: dict[int, ImageRecord] = {}
        self._order = order_of(source)
        self.image_count = 0
        self.instance_count = 0
        self.unreviewed_count = 0
        self.lost_keypoints = 0
        self.crowd_polygons = 0
        self.lost_scores = 0
        self.lost_ignores = 0
        self.left_out: list[LeftOut] = []

    def write(self, file: IO[bytes]) -> None:
        """Write all keys of the file in order."""
        values, order = _header_of(self._source)
        images = self._images()
        separator = b"{"
        for key in order:
            file.write(separator + orjson.dumps(key) + b":")
            separator = b",\n"
            match key:
                case "images":
                    _write_array(file, map(image_record, images))
                case "annotations":
                    _write_array(file, self._annotations())
                case "categories":
                    _write_array(file, map(category_record, self._categories.values()))
                case _:
                    file.write(orjson.dumps(values[key]))
        file.write(b"}\n")

    def _images(self) -> Iterator[ImageRecord]:
        for image in self._source.images():
            if self._options.takes_image(image):
                self._taken[image.id] = image
            else:
                self.unreviewed_count += 1
        self.image_count = len(self._taken)
        first = [id_ for id_ in self._order.get("images", ()) if id_ in self._taken]
        known = set(first)
        return (self._taken[id_] for id_ in (*first, *(id_ for id_ in self._taken if id_ not in known)))

    def _annotations(self) -> Iterator[dict[str, Any] | bytes]:
        for image, instance in self._instances():
            if isinstance(instance, bytes):
                self.instance_count += 1
                yield instance
                continue
            if not self._options.takes_instance(instance):
                continue
            record = instance_record(instance, image, self._options)
            if record is None:
                self.left_out.append(LeftOut(image.id, instance.id, "has no pixel inside the image"))
                continue
            self.instance_count += 1
            self.lost_keypoints += KEYPOINTS in instance.extra and KEYPOINTS not in record
            self.crowd_polygons += instance.is_crowd and self._options.masks == "polygons"
            self.lost_scores += instance.score is not None and "score" not in (record.get("attributes") or ())
            self.lost_ignores += bool(instance.extra.get("ignore"))
            record["category_id"] = self._categories[instance.category_id].id
            yield record

    def _instances(self) -> Iterator[tuple[ImageRecord, Instance | bytes]]:
        """Image by image, or in the order of the imported file with new ones last."""
        order = self._order.get("annotations")
        if self._options.keeps_records and isinstance(self._source, StreamsRecords):
            yield from self._stored(None if order is None else self._file_order(order))
        elif order is None or not isinstance(self._source, RemembersFile):
            for done, image in enumerate(self._taken.values(), start=1):
                yield from ((image, instance) for instance in self._source.instances(image.id))
                self._on_image(done)
        else:
            yield from self._found(self._file_order(order))

    def _file_order(self, order: list[int]) -> list[int]:
        assert isinstance(self._source, RemembersFile)  # only such a source has an order
        known = set(order)
        return [*order, *sorted(id_ for id_ in self._source.instance_ids() if id_ not in known)]

    def _stored(self, ids: list[int] | None) -> Iterator[tuple[ImageRecord, Instance | bytes]]:
        assert isinstance(self._source, StreamsRecords)
        last, done = 0, 0
        for image_id, _, instance in self._source.stored(ids):
            image = self._taken.get(image_id)
            if image is None:
                continue
            if image_id != last:
                last, done = image_id, done + 1
                self._on_image(min(done, self.image_count))
            yield image, instance

    def _found(self, ids: list[int]) -> Iterator[tuple[ImageRecord, Instance]]:
        assert isinstance(self._source, RemembersFile)
        for start in range(0, len(ids), _BLOCK):
            block = ids[start : start + _BLOCK]
            found = self._source.find_instances(block)
            for image_id, instance in (found[id_] for id_ in block if id_ in found):
                if image_id in self._taken:
                    yield self._taken[image_id], instance
            self._on_image(min(start + _BLOCK, len(ids)) * self.image_count // len(ids))


def numbered(source: CocoSource, options: CocoExportOptions) -> dict[int, Category]:
    """{the project's id: the category with the id to write}."""
    categories = source.categories()
    if options.category_ids == "project":
        return {category.id: category for category in categories}
    ordered = sorted(categories, key=lambda category: category.id)
    return {category.id: replace(category, id=i) for i, category in enumerate(ordered, start=1)}


def _header_of(source: CocoSource) -> tuple[dict[str, Any], list[str]]:
    """The values of the other top-level keys, and the order of all keys."""
    values, order = _kept_header(source)
    values = {"info": _INFO, "licenses": [], **values}
    known = [key for key in order if key in values or key in _ARRAYS]
    return values, [*known, *(key for key in _ORDER if key not in known)]


def order_of(source: CocoSource) -> dict[str, list[int]]:
    """See `ORDER_SETTING`, with the ids of the source; empty for anything else."""
    found = source.setting(ORDER_SETTING) if isinstance(source, RemembersFile) else None
    return found if is_order(found) else {}


def _kept_header(source: CocoSource) -> tuple[dict[str, Any], list[str]]:
    """See `HEADER_SETTING`; nothing for anything else."""
    kept = source.setting(HEADER_SETTING) if isinstance(source, RemembersFile) else None
    values, order = (kept.get("values"), kept.get("order")) if isinstance(kept, dict) else (None, None)
    if not isinstance(values, dict) or not isinstance(order, list) or not all(isinstance(key, str) for key in order):
        return {}, []
    return {key: value for key, value in values.items() if key not in _ARRAYS}, list(dict.fromkeys(order))


def _write_array(file: IO[bytes], records: Iterable[dict[str, Any] | bytes]) -> None:
    """One record per line, so that two versions of a file can be compared with diff."""
    separator = b"[\n"
    for record in records:
        file.write(separator + (record if isinstance(record, bytes) else orjson.dumps(record)))
        separator = b",\n"
    file.write(b"[]" if separator == b"[\n" else b"]")
