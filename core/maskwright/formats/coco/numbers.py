"""Ids in the project and ids in a file: equal for most objects, but not if an imported id was already taken.

A project gives every image, class and object a permanent id of its own. A COCO file is written with the ids of the
imported file, so that untouched objects are exported as they came. The project's own ids never appear in files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast, runtime_checkable

from maskwright.document.file_numbers import FileNumbers
from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.coco.options import ORDER_SETTING, CocoSource, RemembersFile, StreamsRecords, is_order


@runtime_checkable
class HasFileNumbers(Protocol):
    """A source whose ids differ from those of the files imported into it."""

    def file_numbers(self) -> FileNumbers:
        """The ids that differ."""


def numbers_of(source: CocoSource) -> FileNumbers:
    """The differing ids of a source; none for most sources."""
    return source.file_numbers() if isinstance(source, HasFileNumbers) else FileNumbers()


def as_in_file(source: CocoSource) -> CocoSource:
    """`source` with the ids to be written; itself if its ids are the same."""
    numbers = numbers_of(source)
    if not numbers:
        return source
    is_whole = isinstance(source, RemembersFile) and isinstance(source, StreamsRecords)
    return _NumberedProject(source, numbers) if is_whole else _Numbered(source, numbers)


class _Numbered:
    """A source under other ids, in its original order."""

    def __init__(self, source: CocoSource, numbers: FileNumbers) -> None:
        self._source, self._numbers, self._own = source, numbers, numbers.inverse()

    def categories(self) -> Sequence[Category]:
        return [replace(each, id=self._numbers.categories[each.id]) for each in self._source.categories()]

    def images(self) -> Iterator[ImageRecord]:
        return (replace(each, id=self._numbers.images[each.id]) for each in self._source.images())

    def instances(self, image_id: int) -> Sequence[Instance]:
        return [self._numbered(each) for each in self._source.instances(self._own.images[image_id])]

    def _numbered(self, instance: Instance) -> Instance:
        id_, category_id = self._numbers.instances[instance.id], self._numbers.categories[instance.category_id]
        return replace(instance, id=id_, category_id=category_id)


class _WholeSource(CocoSource, RemembersFile, StreamsRecords, Protocol):
    """What a project is."""


class _NumberedProject(_Numbered):
    """The same for a project, which also implements the two other source protocols."""

    @property
    def _whole(self) -> _WholeSource:
        return cast(_WholeSource, self._source)  # cast: `as_in_file` has checked

    def setting(self, key: str) -> Any:
        value = self._whole.setting(key)
        if key != ORDER_SETTING or not is_order(value):
            return value
        images, annotations = self._numbers.images, self._numbers.instances
        return {
            "images": [images[id_] for id_ in value["images"]],
            "annotations": [annotations[id_] for id_ in value["annotations"]],
        }

    def instance_ids(self) -> Sequence[int]:
        """In the order of the project's own ids."""
        return [self._numbers.instances[id_] for id_ in self._whole.instance_ids()]

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        found = self._whole.find_instances([self._own.instances[id_] for id_ in ids])
        return {
            self._numbers.instances[id_]: (self._numbers.images[image_id], self._numbered(instance))
            for id_, (image_id, instance) in found.items()
        }

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        own = None if ids is None else [self._own.instances[id_] for id_ in ids]
        for image_id, id_, instance in self._whole.stored(own):
            # JSON already has the file's ids
            named = instance if isinstance(instance, bytes) else self._numbered(instance)
            yield self._numbers.images[image_id], self._numbers.instances[id_], named
