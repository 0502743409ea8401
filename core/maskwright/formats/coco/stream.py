"""Reads COCO files of any size, annotation by annotation: plain ones pass as JSON text, the rest is parsed with care.

Plain means polygons and valid ids, which nearly all annotations have; they are matched by pattern instead of parsed,
and written back byte for byte."""

import math
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.coco.options import HEADER_SETTING, ORDER_SETTING
from maskwright.formats.coco.parse import SizeOf, has_measures
from maskwright.formats.coco.provenance import has_provenance
from maskwright.formats.coco.reader import Contents, shallow
from maskwright.formats.coco.segmentation import MAX_COORDINATE
from maskwright.formats.data_set import Problem
from maskwright.formats.folder_contents import sizes_of
from maskwright.formats.json_stream import ElementBatch, last_array, require_shallow, top_level_items
from maskwright.plain_words import in_plain_words, kind_of

# [0-9] instead of \d: the regex engine has a faster loop for it.
_WHOLE = rb"-?(?:0|[1-9][0-9]{0,5}+)"
_COORDINATE = _WHOLE + rb"(?:\.[0-9]{1,12}+)?+"
"""Below a million, which is `segmentation.MAX_COORDINATE`."""
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]{1,12}+)?+"
_ID = rb"([1-9][0-9]{0,14}+)"
_IDS = ("id", "image_id", "category_id")
_BETWEEN = re.compile(rb"\}(\s*,\s*)\{")


@dataclass(frozen=True, slots=True)
class Recognised:
    """Annotations as columns of equal length."""

    records: Sequence[bytes]
    """The JSON of each."""
    ids: list[int]
    image_ids: list[int]
    category_ids: list[int]
    crowds: Sequence[bytes]
    """b"0" or b"1" each; empty if the annotations have no crowd flag."""

    def __len__(self) -> int:
        return len(self.ids)


class Shortcut:
    """Recognises annotations formatted like `example`, whose text is `text`."""

    def __init__(self, example: Mapping[str, Any], text: bytes) -> None:
        colon, comma = (b": ", b", ") if b'": ' in text[:400] else (b":", b",")
        pair = _COORDINATE + comma + _COORDINATE
        ring = rb"\[" + pair + rb"(?:" + comma + pair + rb"){2,}+\]"
        values = {
            **dict.fromkeys(_IDS, _ID),
            "segmentation": rb"\[" + ring + rb"(?:" + comma + ring + rb")*+\]",
            "area": _NUMBER,
            "bbox": rb"\[" + _NUMBER + rb"(?:" + comma + _NUMBER + rb"){3}\]",
            "iscrowd": rb"([01])",
        }
        places = [key for key in example if key in (*_IDS, "iscrowd")]
        self._place = {key: at for at, key in enumerate(places, start=1)}
        is_known = all(key in values for key in example) and all(key in example for key in (*_IDS, "segmentation"))
        pairs = [b'"' + key.encode() + b'"' + colon + values[key] for key in example] if is_known else []
        between = _BETWEEN.search(text)
        self._separator = between.group(1) if between is not None else b","
        record = rb"(\{" + comma.join(pairs) + rb"\})"
        self._pattern = re.compile(record + rb"(?:" + re.escape(self._separator) + rb"|$)") if is_known else None

    def __call__(self, text: bytes) -> Recognised | None:
        """All annotations of `text`, a list without its brackets; None if one of them is formatted differently."""
        if self._pattern is None:
            return None
        columns = list(zip(*self._pattern.findall(text), strict=True))
        if not columns:
            return None
        records = columns[0]
        # Nothing lies between the matches: their lengths and the separators add up to the whole text.
        if sum(map(len, records)) + len(self._separator) * (len(records) - 1) != len(text):
            return None
        ids, image_ids, category_ids = (list(map(int, columns[self._place[key]])) for key in _IDS)
        crowds = columns[self._place["iscrowd"]] if "iscrowd" in self._place else ()
        return Recognised(records, ids, image_ids, category_ids, crowds)


Plain = tuple[int, int, int, bool, bytes]
"""(id, image id, category id, whether a crowd, the record as JSON)."""

AnnotationBatch = Recognised | list[Plain | tuple[int, Instance]]
"""Annotations that are not plain, as (image id, instance)."""

_SECTIONS = ("images", "annotations", "categories")
_NUMBERS_AND_LISTS = b"0123456789.,-[]"
_MOST_WORDS = 100
_LARGEST_ID = 1 << 53
_SPECIAL = frozenset({"ignore", "score"})


class CocoStream:
    """An open file: read `categories` and `images`, iterate over `annotations` once, then read `settings` and
    `problems`.

    Raises FormatError as `read_coco` does. `is_streamable` is false for a file whose annotations precede its images,
    which only `read_coco` can read.
    """

    def __init__(self, path: Path, *, size_of: SizeOf | None = None) -> None:
        self._path = path
        self._contents = Contents(size_of or sizes_of(path.parent))
        self._header: dict[str, Any] = {}
        self._key_order: list[str] = []
        self._seen: set[int] = set()
        self._order = array("q")
        self._last = (0, 0)
        self._is_in_order = True
        self._plain_words: set[bytes] = set()
        self._shortcut: Shortcut | None = None
        self._items = top_level_items(path, _SECTIONS, shortcut=self._recognised)
        self._first_batch: list[Any] = []
        self._index = 0
        self._image_ids: frozenset[int] = frozenset()
        self._category_ids: frozenset[int] = frozenset()
        self.is_streamable = self._read_up_to_annotations()

    @property
    def categories(self) -> dict[int, Category]:
        """{our id: category}."""
        return self._contents.categories

    @property
    def images(self) -> dict[int, ImageRecord]:
        """{our id: image}."""
        return self._contents.images

    @property
    def problems(self) -> list[Problem]:
        """What has been skipped or changed so far."""
        return self._contents.problems

    @property
    def order(self) -> Sequence[int]:
        """The ids of the annotations read so far, in the file's order."""
        return self._order

    @property
    def settings(self) -> dict[str, Any]:
        """What a project has to remember of the file; complete once all annotations have been read."""
        settings: dict[str, Any] = {HEADER_SETTING: {"order": self._key_order, "values": self._header}}
        images = list(self.images)
        if not self._is_in_order or images != sorted(images):
            settings[ORDER_SETTING] = {"images": images, "annotations": self._order.tolist()}
        return settings

    def rename_images(self, names: Mapping[str, str]) -> None:
        """{name in the file: name to use}, for images that lie elsewhere."""
        for id_, image in self.images.items():
            if image.file_name in names:
                self.images[id_] = replace(image, file_name=names[image.file_name])

    def left_open(self, filled: Collection[int]) -> list[int]:
        """Ids of images whose annotations were all skipped; `filled`: those with some that were not."""
        return self._contents.left_open(filled)

    def read_with_care(self, category_ids: Iterable[int]) -> None:
        """Parse annotations of these categories instead of passing them as JSON, because their category will change."""
        self._category_ids -= frozenset(category_ids)

    def annotations(self) -> Iterator[AnnotationBatch]:
        """All annotations in batches. Those whose id had to be replaced come last."""
        late: list[tuple[int, Any]] = []
        yield self._batch(self._first_batch, late)
        self._first_batch = []
        for key, value in self._items:
            self._note_key(key)
            if key == "annotations" and isinstance(value, list | Recognised):
                yield self._batch(value, late)
            elif key == "images":
                raise FormatError("`images` occurs twice", path=self._path)
            elif key != "categories":
                self._header[key] = shallow(value, key, self._path)
        if late:
            self._contents.occupy_annotation_ids(self._seen)
        careful = (self._careful(record, index) for index, record in late)
        yield [found for found in careful if found is not None]

    def _read_up_to_annotations(self) -> bool:
        raw: dict[str, list[Any]] = {"images": [], "categories": []}
        for key, value in self._items:
            self._note_key(key)
            if key in _SECTIONS and not isinstance(value, list | None):
                raise FormatError(f"expected a list under {key!r}, got {kind_of(value)}", path=self._path)
            if key == "annotations":
                self._first_batch = value or []
                break
            if key in raw:
                raw[key] += value or []
            else:
                self._header[key] = shallow(value, key, self._path)
        if "images" not in self._key_order:
            return False
        if "categories" not in self._key_order:
            raw["categories"] = last_array(self._path, "categories") or []
        self._contents.add_categories(raw["categories"])
        self._contents.add_images(raw["images"])
        self._image_ids, self._category_ids = self._contents.unchanged_ids()
        return bool(self.categories)

    def _note_key(self, key: str) -> None:
        if key not in self._key_order:
            self._key_order.append(key)

    def _recognised(self, key: str, text: bytes) -> Recognised | None:
        return self._shortcut(text) if key == "annotations" and self._shortcut is not None else None

    def _note_all(self, found: Recognised) -> bool:
        """False, with nothing recorded, if an id in it is invalid."""
        ids = set(found.ids)
        is_good = self._image_ids.issuperset(found.image_ids) and self._category_ids.issuperset(found.category_ids)
        if not is_good or len(ids) != len(found) or not self._seen.isdisjoint(ids):
            return False
        self._seen |= ids
        self._order.extend(found.ids)
        places = np.array([(self._last[0], *found.image_ids), (self._last[1], *found.ids)], np.int64)
        image_steps, id_steps = np.diff(places)
        self._is_in_order &= bool(((image_steps > 0) | ((image_steps == 0) & (id_steps > 0))).all())
        self._last = (found.image_ids[-1], found.ids[-1])
        self._index += len(found)
        return True

    def _batch(self, records: list[Any] | Recognised, late: list[tuple[int, Any]]) -> AnnotationBatch:
        if isinstance(records, Recognised):
            if self._note_all(records):
                return records
            records = [orjson.loads(record) for record in records.records]
        elif isinstance(records, ElementBatch) and self._shortcut is None and isinstance(records[0], dict):
            self._shortcut = Shortcut(records[0], records.text)
        found: list[Plain | tuple[int, Instance]] = []
        texts = (records.texts() if isinstance(records, ElementBatch) else None) or repeat(None)
        for index, (record, text) in enumerate(zip(records, texts, strict=False), start=self._index):
            plain = self._plain(record, text)
            if plain is not None:
                found.append(plain)
            elif self._has_good_id(record):
                careful = self._careful(record, index)
                if careful is not None:
                    found.append(careful)
            else:
                late.append((index, record))
        self._index += len(records)
        return found

    def _plain(self, record: Any, text: bytes | None) -> Plain | None:
        try:
            id_, image_id, category_id = record["id"], record["image_id"], record["category_id"]
            rings, is_crowd = record["segmentation"], record.get("iscrowd", 0)
            if (
                type(id_) is not int
                or not 1 <= id_ < _LARGEST_ID
                or id_ in self._seen
                or type(image_id) is not int
                or image_id not in self._image_ids
                or category_id not in self._category_ids
                or type(category_id) is not int
                or (is_crowd != 0 and is_crowd != 1)
                or type(rings) is not list
                or not rings
            ):
                return None
            json = text if text is not None else orjson.dumps(record)
            # What is left are the keys and strings, the same for nearly all records of a file.
            words = json.translate(None, _NUMBERS_AND_LISTS)
            if words not in self._plain_words and not self._is_plain_but_for_words(record, words):
                return None
            for ring in rings:
                if type(ring) is not list or len(ring) < 6 or len(ring) % 2 or max(ring) > MAX_COORDINATE:
                    return None
                if b"-" in json and min(ring) < -MAX_COORDINATE:
                    return None
        except (KeyError, TypeError, AttributeError):  # not a record, or lists in place of numbers
            return None
        self._note(image_id, id_)
        return id_, image_id, category_id, is_crowd == 1, json

    def _is_plain_but_for_words(self, record: dict[str, Any], words: bytes) -> bool:
        """A closer look at a record with unfamiliar keys or with text in it."""
        # Provenance: state and score have database columns of their own.
        if not _SPECIAL.isdisjoint(record) or has_provenance(record.get("attributes")) or not has_measures(record):
            return False
        if not all(type(n) in (int, float) and math.isfinite(n) for ring in record["segmentation"] for n in ring):
            return False
        try:
            require_shallow(record)
        except ValueError:
            return False
        if all(type(value) in (int, float, list) for value in record.values()) and len(self._plain_words) < _MOST_WORDS:
            self._plain_words.add(words)
        return True

    def _has_good_id(self, record: Any) -> bool:
        id_ = record.get("id") if isinstance(record, dict) else None
        return type(id_) is int and 1 <= id_ < _LARGEST_ID and id_ not in self._seen

    def _careful(self, record: Any, index: int) -> tuple[int, Instance] | None:
        where = f"annotations[{index}]"
        try:
            image_id, instance = self._contents.annotation_of(record, where)
        except ValueError as error:
            self.problems.append(Problem(where, in_plain_words(error)))
            return None
        self._note(image_id, instance.id)
        return image_id, instance

    def _note(self, image_id: int, id_: int) -> None:
        self._seen.add(id_)
        self._order.append(id_)
        place = (image_id, id_)
        if place < self._last:
            self._is_in_order = False
        self._last = place
