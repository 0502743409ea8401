"""Recognises objects of a file that a project already has, so that the same file, or a later version, can be imported
again.

An object is known if it is in the same image, has the id that the file uses and covers about the same place, or if
class and outline are equal up to rounding: to its present state, or to the state before a user changed it, according to
the history. What a user has changed is kept. An object of another file that only overlaps it is another object."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pycocotools import mask as coco_mask
from sqlalchemy import Connection, select, update

from maskwright.document.values import Category, ImageRecord, Instance, InstanceState
from maskwright.formats.coco import original
from maskwright.geometry.polygon import box_ious
from maskwright.geometry.raster import polygons_to_rle, rle_area
from maskwright.project.aliases import in_todays_classes, read_aliases
from maskwright.project.incoming import Annotated
from maskwright.project.instance_rows import provenance_ids, read_instances
from maskwright.project.journal import change_from_bytes
from maskwright.project.numbers import read_numbers
from maskwright.project.rows import instance_to_row
from maskwright.project.schema import history, images, instances

SAME_PLACE_IOU = 0.5
"""IoU of the boxes of objects with the same id; another file may use that id for something else."""
_ROUNDED_PIXELS, _ROUNDED_SHARE = 2, 0.001
"""How many pixels of an object, and which fraction of them, rounding in a file may change."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Incoming objects, by what has to be done with them."""

    new: "Additions"
    changed: Sequence[tuple[int, Instance]]
    """(image id, the instance as it will be, with the project's ids)."""
    unchanged_count: int
    kept_count: int
    """Known, but changed by a user since: left alone."""


@dataclass(frozen=True, slots=True)
class Additions:
    """The new part of a data set."""

    data: Annotated
    left: Mapping[int, tuple[Instance, ...]] = field(default_factory=dict)
    """By the file's image ids."""

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.data.settings

    @property
    def has_own_ids(self) -> bool:
        return self.data.has_own_ids

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
    sizes = {
        row[0]: (row[1], row[2]) for row in connection.execute(select(images.c.id, images.c.width, images.c.height))
    }
    left: dict[int, tuple[Instance, ...]] = {}
    changed: list[tuple[int, Instance]] = []
    unchanged = kept = 0
    for file_image_id, image_id in image_ids.items():
        there = [each for each in read_instances(connection, image_id) if each.state is not InstanceState.REJECTED]
        by_number = {numbers[each.id]: each for each in there} if data.has_own_ids else {}
        known = _Known(there, by_number, _former(connection, image_id, there), sizes[image_id])
        new: list[Instance] = []
        for given in data.instances(file_image_id):
            incoming = replace(given, category_id=category_ids[given.category_id])
            mine = known.take(incoming)
            if mine is None:
                new.append(given)
            elif _is_same(mine, incoming) or known.is_rounded(mine, incoming):
                unchanged += 1
            elif _is_persons(mine):
                kept += 1
            else:
                changed.append((image_id, replace(incoming, id=mine.id)))
        left[file_image_id] = tuple(new)
    return Sorted(Additions(data, left), changed, unchanged, kept)


def write_changed(connection: Connection, changed: Iterable[tuple[int, Instance]]) -> None:
    """Replace what was imported before by the file's version."""
    for image_id, instance in changed:
        origins = provenance_ids(connection, [instance])
        row = instance_to_row(instance, image_id, origins[instance.provenance])
        connection.execute(update(instances).where(instances.c.id == instance.id).values(row))


def _former(connection: Connection, image_id: int, there: Sequence[Instance]) -> dict[int, list[Instance]]:
    """{id: its former state} of the objects in an image that a user has changed."""
    wanted = {each.id for each in there if each.state is InstanceState.EDITED}
    found: dict[int, list[Instance]] = defaultdict(list)
    if not wanted:
        return found
    aliases = read_aliases(connection)
    query = select(history.c.change).where(history.c.image_id == image_id).order_by(history.c.id)
    for (packed,) in connection.execute(query):
        try:
            change = in_todays_classes(change_from_bytes(packed), aliases)
        except ValueError:  # a damaged step, which `check` lists
            continue
        for id_, *sides in change:
            found[id_] += [side for side in sides if side is not None and id_ in wanted]
    return found


class _Known:
    """The objects of one image; each is matched at most once."""

    def __init__(
        self,
        there: Sequence[Instance],
        by_number: Mapping[int, Instance],
        former: Mapping[int, Sequence[Instance]],
        size_wh: tuple[int, int],
    ) -> None:
        self._by_number = by_number
        self._size_wh = size_wh
        self._alike: dict[Any, list[Instance]] = defaultdict(list)
        self._faces: list[tuple[Instance, Instance]] = []
        """(an object, what it is or was)."""
        self._used: set[int] = set()
        for each in there:
            for face in (each, *former.get(each.id, ())):
                self._alike[_look(face)].append(each)
                self._faces.append((each, face))

    def take(self, incoming: Instance) -> Instance | None:
        same = self._by_number.get(incoming.id)
        candidates = [same] if same is not None and _is_same_object(same, incoming) else []
        candidates += self._alike.get(_look(incoming), [])
        found = next((each for each in candidates if each.id not in self._used), None)
        if found is None:
            faces = (each for each, face in self._faces if each.id not in self._used and self._is_near(face, incoming))
            found = next(faces, None)
        if found is not None:
            self._used.add(found.id)
        return found

    def is_rounded(self, mine: Instance, incoming: Instance) -> bool:
        """Whether they differ by no more than rounding in a file."""
        is_decided = mine.state is not InstanceState.PROPOSED or incoming.state is InstanceState.PROPOSED
        is_same_number = self._by_number.get(incoming.id) is mine
        return is_decided and not is_same_number and self._is_near(mine, incoming)

    def _is_near(self, mine: Instance, incoming: Instance) -> bool:
        if mine.category_id != incoming.category_id or not _is_same_place(mine, incoming):
            return False
        first, second = (polygons_to_rle(each.polygons, self._size_wh) for each in (mine, incoming))
        if first["counts"] == second["counts"]:
            return True
        both = rle_area(coco_mask.merge([first, second], intersect=True))
        apart = rle_area(first) + rle_area(second) - 2 * both
        return bool(both) and apart <= max(_ROUNDED_PIXELS, _ROUNDED_SHARE * rle_area(first))


def _look(instance: Instance) -> Any:
    """A key that is equal for the same class and outline."""
    return instance.category_id, instance.is_crowd, instance.polygons


def _is_same(mine: Instance, incoming: Instance) -> bool:
    is_decided = mine.state is not InstanceState.PROPOSED or incoming.state is InstanceState.PROPOSED
    return _look(mine) == _look(incoming) and is_decided


def _is_persons(mine: Instance) -> bool:
    return bool(mine.edited_at) or mine.state in (InstanceState.EDITED, InstanceState.DRAWN)


def _is_same_object(mine: Instance, incoming: Instance) -> bool:
    """For two with the same id: whether they cover about the same place, or came with the same outline."""
    first, second = mine.extra.get(original.KEY), incoming.extra.get(original.KEY)
    if isinstance(first, Mapping) and isinstance(second, Mapping) and first.get("segmentation"):
        return first["segmentation"] == second.get("segmentation") or _is_same_place(mine, incoming)
    return _is_same_place(mine, incoming)


def _is_same_place(mine: Instance, incoming: Instance) -> bool:
    if not mine.polygons or not incoming.polygons:
        return False
    return float(box_ious([mine.bounds_xyxy], [incoming.bounds_xyxy])[0, 0]) >= SAME_PLACE_IOU
