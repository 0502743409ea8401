"""Ids in the project and ids in a file: the same for most, and not for what came with ids that were taken already.

A project gives every image, class and object an id of its own, for life. A COCO file is written with the ids that an
imported file gave, so that what nobody touched leaves as it came. Readers of files never see the project's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast, runtime_checkable

from maskwright.document.file_numbers import FileNumbers
from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.coco.options import ORDER_SETTING, CocoSource, RemembersFile, StreamsRecords, is_order


@runtime_checkable
class HasFileNumbers(Protocol):
    """A source whose ids are not all those of the files that came into it."""

    def file_numbers(self) -> FileNumbers: ...


def numbers_of(source: CocoSource) -> FileNumbers:
    return source.file_numbers() if isinstance(source, HasFileNumbers) else FileNumbers()


def as_in_file(source: CocoSource) -> CocoSource:
    """`source` under the ids that a file is to have: itself where these are its own."""
    numbers = numbers_of(source)
    if not numbers:
        return source
    is_whole = isinstance(source, RemembersFile) and isinstance(source, StreamsRecords)
    return _NumberedProject(source, numbers) if is_whole else _Numbered(source, numbers)


class _Numbered:
    """A source under other ids, in the order of its own."""

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
    """Also under the two other protocols of a source."""

    @property
    def _whole(self) -> _WholeSource:
        return cast(_WholeSource, self._source)  # cast: `as_in_file` has looked

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
        """In the order of the project's own."""
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
            named = instance if isinstance(instance, bytes) else self._numbered(instance)  # JSON has the file's ids
            yield self._numbers.images[image_id], self._numbers.instances[id_], named
