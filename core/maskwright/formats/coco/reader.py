"""Reads valid COCO files of any kind, and as much of invalid ones as makes sense."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.coco.options import HEADER_SETTING, ORDER_SETTING
from maskwright.formats.coco.parse import SizeOf, category_of, image_of, instance_of, is_other_name
from maskwright.formats.data_set import DataSet, Problem
from maskwright.formats.folder_contents import sizes_of
from maskwright.formats.json_stream import require_shallow, top_level_items
from maskwright.plain_words import in_plain_words, kind_of

_LARGEST = 2**53
"""Larger ids lose precision in JSON readers that use doubles."""


class IdTable:
    """Maps a file's ids to ours: positive numbers stay; 0, negative, text, missing and repeated ones are replaced."""

    def __init__(self) -> None:
        self._ours: dict[Any, int] = {}
        self._used: set[int] = set()
        self._next = 1

    def reserve(self, ids: Iterable[Any]) -> None:
        """Announce the ids to come, so that a new id never takes one of them."""
        self._next = max((id_ for id_ in ids if _is_good(id_)), default=0) + 1

    def occupy(self, ids: Collection[int]) -> None:
        """Mark further ids as taken."""
        self._used.update(ids)
        self._next = max(self._next, max(ids, default=0) + 1)

    def take(self, file_id: Any) -> tuple[int, bool]:
        """Our id for the next record, and whether it differs from the file's."""
        if _is_good(file_id) and file_id not in self._used:
            ours = int(file_id)
        else:
            ours = self._next
            self._next += 1
        self._used.add(ours)
        if isinstance(file_id, int | str | float):
            self._ours.setdefault(_key(file_id), ours)
        return ours, ours != file_id or type(file_id) is not int

    def known(self, file_id: Any) -> int:
        """Our id of a record taken before; 0, which no record has, if unknown."""
        return self._ours.get(_key(file_id), 0) if isinstance(file_id, int | str | float) else 0


def _is_good(file_id: Any) -> bool:
    return type(file_id) is int and 1 <= file_id < _LARGEST


def _key(file_id: int | str | float) -> int | str:
    """1, 1.0 and "1" mean the same record: exporters are inconsistent about the type."""
    if isinstance(file_id, float):
        return int(file_id) if file_id.is_integer() else str(file_id)
    if isinstance(file_id, str):
        return int(file_id) if file_id.isascii() and file_id.isdigit() and len(file_id) < 16 else file_id
    return int(file_id)


_SECTIONS = ("images", "annotations", "categories")


def read_coco(path: Path, *, size_of: SizeOf | None = None) -> DataSet:
    """Everything usable in the file; `problems` lists the rest.

    `size_of` provides sizes that are not in the file; by default from images beside it. Raises FormatError with the
    byte position for anything that is not JSON in UTF-8, and for JSON that is not COCO.
    """
    raw: dict[str, list[Any]] = {section: [] for section in _SECTIONS}
    header: dict[str, Any] = {}
    order: list[str] = []
    for key, value in top_level_items(path, _SECTIONS):
        if key not in order:
            order.append(key)
        if key not in raw:
            header[key] = shallow(value, key, path)
        elif isinstance(value, list):
            raw[key] += value
        elif value is not None:
            raise FormatError(f"expected a list under {key!r}, got {kind_of(value)}", path=path)
    if "images" not in order or ("annotations" not in order and "categories" not in order):
        raise FormatError(
            "not a COCO instance file: no images or no annotations", path=path,
            hint=f"its keys: {', '.join(order[:8]) or 'none'}",
        )  # fmt: skip
    contents = Contents(size_of or sizes_of(path.parent))
    contents.add_categories(raw["categories"])
    contents.add_images(raw["images"])
    contents.add_annotations(raw["annotations"])
    images = contents.images_with_states()
    settings: dict[str, Any] = {HEADER_SETTING: {"order": order, "values": header}}
    if contents.is_in_unusual_order:
        settings[ORDER_SETTING] = {"images": list(contents.images), "annotations": contents.annotation_order}
    return DataSet(
        path,
        tuple(contents.categories.values()),
        images,
        MappingProxyType({image_id: tuple(found) for image_id, found in contents.instances.items()}),
        MappingProxyType(settings),
        tuple(contents.problems),
    )


class Contents:
    """What has been read of a file so far."""

    def __init__(self, size_of: SizeOf | None = None) -> None:
        self._size_of = size_of
        self._skipped: Counter[int] = Counter()
        self.categories: dict[int, Category] = {}
        self.images: dict[int, ImageRecord] = {}
        self.instances: dict[int, list[Instance]] = {}
        self.problems: list[Problem] = []
        self.annotation_order: list[int] = []
        self._category_ids, self._image_ids, self._annotation_ids = IdTable(), IdTable(), IdTable()

    def add_categories(self, records: list[Any]) -> None:
        """Read the class table."""
        self._category_ids.reserve(_ids(records))
        for i, record in enumerate(records):
            where = f"categories[{i}]"
            try:
                new_id = self._new_id(self._category_ids, record, where)
                self.categories[new_id] = category_of(record, new_id)
            except ValueError as error:
                self.problems.append(Problem(where, in_plain_words(error)))
        self.problems += _alike(self.categories.values())

    def add_images(self, records: list[Any]) -> None:
        """Read the image records."""
        self._image_ids.reserve(_ids(records))
        names: set[str] = set()
        for i, record in enumerate(records):
            where = f"images[{i}]"
            try:
                new_id = self._new_id(self._image_ids, record, where)
                image = image_of(record, new_id, self._size_of)
                if image.file_name in names:
                    raise ValueError(f"{image.file_name!r} is listed twice")
                names.add(image.file_name)
                self.images[new_id] = image
                self._tell_size(record, image, where)
                if is_other_name(record["file_name"], image.file_name):
                    note = f"{str(record['file_name'])[:200]!r} was matched to {image.file_name!r} in the image folder"
                    self.problems.append(Problem(where, note, "changed"))
            except ValueError as error:
                self.problems.append(Problem(where, in_plain_words(error)))

    def _tell_size(self, record: Mapping[str, Any], image: ImageRecord, where: str) -> None:
        sides = record.get("width"), record.get("height")
        if sides not in ((None, None), (image.width, image.height)):
            note = (
                f"its size is {image.width} x {image.height} according to the image file, not {sides[0]!r} x "
                f"{sides[1]!r}"
            )
            self.problems.append(Problem(where, note[:200], "changed"))

    def add_annotations(self, records: list[Any]) -> None:
        """Read annotations; images and categories must have been read."""
        self._annotation_ids.reserve(_ids(records))
        for i, record in enumerate(records):
            where = f"annotations[{i}]"
            try:
                image_id, instance = self.annotation_of(record, where)
                self.instances.setdefault(image_id, []).append(instance)
                self.annotation_order.append(instance.id)
            except ValueError as error:
                self.problems.append(Problem(where, in_plain_words(error)))

    @property
    def is_in_unusual_order(self) -> bool:
        """Whether images or annotations are not sorted by image id and then by their own id."""
        images = sorted(self.images)
        ordered = [id_ for image in images for id_ in sorted(each.id for each in self.instances.get(image, ()))]
        return images != list(self.images) or ordered != self.annotation_order

    def left_open(self, filled: Collection[int] = ()) -> list[int]:
        """Ids of images whose annotations were all skipped, so that they are neither empty nor done. Reports them as
        problems.

        `filled`: images with annotations that were read elsewhere.
        """
        found = [id_ for id_ in self._skipped if not self.instances.get(id_) and id_ not in filled]
        for id_ in found:
            count = "its one annotation was" if self._skipped[id_] == 1 else "all its annotations were"
            self.problems.append(
                Problem(self.images[id_].file_name, f"{count} skipped; the image is not marked as done", "changed")
            )
        return found

    def images_with_states(self) -> tuple[ImageRecord, ...]:
        """In the file's order; images of a finished data set are done, or verified as empty."""
        self.images |= {id_: replace(self.images[id_], state=ImageState.UNSEEN) for id_ in self.left_open()}
        return tuple(
            replace(image, state=_state_with(found), instance_count=len(found))
            if (found := self.instances.get(image.id))
            else image
            for image in self.images.values()
        )

    def unchanged_ids(self) -> tuple[frozenset[int], frozenset[int]]:
        """Image and category ids that are the same in the file and here."""
        return (
            frozenset(id_ for id_ in self.images if self._image_ids.known(id_) == id_),
            frozenset(id_ for id_ in self.categories if self._category_ids.known(id_) == id_),
        )

    def occupy_annotation_ids(self, ids: Collection[int]) -> None:
        """Mark the ids of annotations read elsewhere as taken."""
        self._annotation_ids.occupy(ids)

    def annotation_of(self, record: Any, where: str) -> tuple[int, Instance]:
        """(image id, instance). Raises ValueError if it cannot be used; reports what had to be changed."""
        if not isinstance(record, Mapping):
            raise ValueError(f"expected an object, got {kind_of(record)}")
        image = self.images.get(self._image_ids.known(record.get("image_id")))
        if image is None:
            raise ValueError(f"no valid image {record.get('image_id')!r}")
        category_id = self._category_ids.known(record.get("category_id"))
        if category_id not in self.categories:
            self._skipped[image.id] += 1
            raise ValueError(f"no category {record.get('category_id')!r}")
        try:
            instance, notes = instance_of(record, image, category_id, 0)
        except ValueError:
            self._skipped[image.id] += 1
            raise
        new_id = self._new_id(self._annotation_ids, record, where)
        instance = replace(instance, id=new_id)
        self.problems += [Problem(where, note, "changed") for note in notes]
        return image.id, instance

    def _new_id(self, table: IdTable, record: Any, where: str) -> int:
        new_id, is_changed = table.take(record.get("id") if isinstance(record, Mapping) else None)
        if is_changed and isinstance(record, Mapping):
            self.problems.append(Problem(where, f"id {record.get('id')!r} is now {new_id}", "changed"))
        return new_id


def _state_with(found: list[Instance]) -> ImageState:
    is_undecided = all(instance.state is InstanceState.PROPOSED for instance in found)
    return ImageState.PRELABELLED if is_undecided else ImageState.DONE


def shallow(value: Any, key: str, path: Path) -> Any:
    """The value of a top-level key. Raises FormatError if it could not be written again."""
    try:
        require_shallow(value)
    except ValueError as error:
        raise FormatError(f"{key!r} is {error}", path=path) from error
    return value


def _alike(categories: Iterable[Category]) -> Iterator[Problem]:
    """Classes with names that users cannot tell apart."""
    found: dict[str, list[Category]] = defaultdict(list)
    for category in categories:
        found[category.name.casefold()].append(category)
    for alike in found.values():
        if alike[1:]:
            names = " and ".join(f"“{each.name}” (id {each.id})" for each in alike)
            note = f"{names} stay {len(alike)} separate classes; merge them if they are the same (maskwright classes)"
            yield Problem("categories", note, "changed")


def _ids(records: list[Any]) -> Iterator[Any]:
    return (record.get("id") for record in records if isinstance(record, Mapping))
