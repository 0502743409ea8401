"""Which objects of a file a project has already: so that the same file, or a later version of it, can come in again.

An object is known when it is on the same image and has the id that the file calls it by and covers about the same
place, or when class and outline are the same. What a person has changed since is left as the person has it; it is
known by its class and place, too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, update

from maskwright.document.values import Category, ImageRecord, Instance, InstanceState
from maskwright.formats.coco import original
from maskwright.geometry.boxes import box_ious
from maskwright.project.incoming import Annotated
from maskwright.project.instance_rows import provenance_ids, read_instances
from maskwright.project.numbers import read_numbers
from maskwright.project.rows import instance_to_row
from maskwright.project.schema import instances

SAME_PLACE_IOU = 0.5
"""Of the boxes, for an object that goes by the same id; another file may use that for something else."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What comes in, by what is to be done with it."""

    new: "Additions"
    changed: Sequence[tuple[int, Instance]]
    """(image id, instance as it is to be, under the project's ids)."""
    unchanged_count: int
    kept_count: int
    """Known, and changed by a person since: left alone."""


@dataclass(frozen=True, slots=True)
class Additions:
    """The part of a data set that is new."""

    data: Annotated
    left: Mapping[int, tuple[Instance, ...]] = field(default_factory=dict)
    """By the file's image ids."""

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.data.settings

    def categories(self) -> Sequence[Category]:
        return self.data.categories()

    def images(self) -> Iterator[ImageRecord]:
        return self.data.images()

    def instances(self, image_id: int) -> Sequence[Instance]:
        return self.left.get(image_id, ())


def sort_by_known(
    connection: Connection, data: Annotated, image_ids: Mapping[int, int], category_ids: Mapping[int, int]
) -> Sorted:
    """`image_ids`, `category_ids`: {the file's id: the project's}."""
    numbers = read_numbers(connection, "instance")
    left: dict[int, tuple[Instance, ...]] = {}
    changed: list[tuple[int, Instance]] = []
    unchanged = kept = 0
    for file_image_id, image_id in image_ids.items():
        there = [each for each in read_instances(connection, image_id) if each.state is not InstanceState.REJECTED]
        known = _Known(there, {numbers[each.id]: each for each in there})
        new: list[Instance] = []
        for given in data.instances(file_image_id):
            incoming = replace(given, category_id=category_ids[given.category_id])
            mine = known.take(incoming)
            if mine is None:
                new.append(given)
            elif _is_same(mine, incoming):
                unchanged += 1
            elif _is_persons(mine):
                kept += 1
            else:
                changed.append((image_id, replace(incoming, id=mine.id)))
        left[file_image_id] = tuple(new)
    return Sorted(Additions(data, left), changed, unchanged, kept)


def write_changed(connection: Connection, changed: Iterable[tuple[int, Instance]]) -> None:
    """Put the file's version in the place of what came before."""
    for image_id, instance in changed:
        origins = provenance_ids(connection, [instance])
        row = instance_to_row(instance, image_id, origins[instance.provenance])
        connection.execute(update(instances).where(instances.c.id == instance.id).values(row))


class _Known:
    """The objects of one image, each found once."""

    def __init__(self, there: Sequence[Instance], by_number: Mapping[int, Instance]) -> None:
        self._by_number = by_number
        self._alike: dict[Any, list[Instance]] = defaultdict(list)
        self._edited: dict[int, list[Instance]] = defaultdict(list)
        self._used: set[int] = set()
        for each in there:
            self._alike[_look(each)].append(each)
            if each.state is InstanceState.EDITED:
                self._edited[each.category_id].append(each)

    def take(self, incoming: Instance) -> Instance | None:
        same = self._by_number.get(incoming.id)
        candidates = [same] if same is not None and _is_same_object(same, incoming) else []
        candidates += self._alike.get(_look(incoming), [])
        candidates += [each for each in self._edited[incoming.category_id] if _is_same_place(each, incoming)]
        found = next((each for each in candidates if each.id not in self._used), None)
        if found is not None:
            self._used.add(found.id)
        return found


def _look(instance: Instance) -> Any:
    """Equal for the same class and outline."""
    return instance.category_id, instance.is_crowd, instance.polygons


def _is_same(mine: Instance, incoming: Instance) -> bool:
    is_decided = mine.state is not InstanceState.PROPOSED or incoming.state is InstanceState.PROPOSED
    return _look(mine) == _look(incoming) and is_decided


def _is_persons(mine: Instance) -> bool:
    return bool(mine.edited_at) or mine.state in (InstanceState.EDITED, InstanceState.DRAWN)


def _is_same_object(mine: Instance, incoming: Instance) -> bool:
    """Of two that go by one id: they cover about the same place, or came with the same outline."""
    first, second = mine.extra.get(original.KEY), incoming.extra.get(original.KEY)
    if isinstance(first, Mapping) and isinstance(second, Mapping) and first.get("segmentation"):
        return first["segmentation"] == second.get("segmentation") or _is_same_place(mine, incoming)
    return _is_same_place(mine, incoming)


def _is_same_place(mine: Instance, incoming: Instance) -> bool:
    if not mine.polygons or not incoming.polygons:
        return False
    return float(box_ious([mine.bounds_xyxy], [incoming.bounds_xyxy])[0, 0]) >= SAME_PLACE_IOU
