"""Merges a file's content with a project's: classes and images matched by name, ids assigned by the database.

Existing ids never change: an open window, its undo steps and edits in progress refer to them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.project.category_rows import keep, read_categories, taken_ids
from maskwright.project.instance_rows import keep_ids_above, next_id, provenance_ids, reserve_ids, touch_image
from maskwright.project.merging import read_merged_names
from maskwright.project.numbers import LARGEST_KEPT, displace, highest_number, name_in_files, read_numbers, used_numbers
from maskwright.project.renumbering import FileOrder
from maskwright.project.rows import category_to_row, extra_to_json, image_from_row, instance_to_row, write_settings
from maskwright.project.schema import categories, images, instances

_INSERT_IMAGE = (
    "INSERT INTO images (id, file_name, width, height, state, instance_count, extra) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class Annotated(Protocol):
    """What is imported, see `formats.data_set.DataSet`."""

    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def has_own_ids(self) -> bool: ...
    def categories(self) -> Sequence[Category]: ...
    def images(self) -> Iterator[ImageRecord]: ...
    def instances(self, image_id: int) -> Sequence[Instance]: ...


def take_categories(connection: Connection, incoming: Sequence[Category], *, is_fresh: bool) -> dict[int, int]:
    """{the file's id: the project's}. In a fresh project the file's names win, and its ids are exported.

    Two classes of a file stay separate even if their names are alike: each class of the project matches at most one of
    them, preferably one with exactly its name.
    """
    same = _same_categories(connection, incoming)
    merged = {merged_name.casefold(): id_ for merged_name, id_ in read_merged_names(connection).items()}
    taken = taken_ids(connection)
    highest = max([*taken, *(category.id for category in incoming if category.id < LARGEST_KEPT)], default=0)
    ids: dict[int, int] = {}
    pairs: dict[int, int] = {}
    for category in incoming:
        mine = same.get(category.id)
        if mine is None and category.name.casefold() in merged:
            ids[category.id] = merged[category.name.casefold()]
        elif mine is None:
            is_free = category.id not in taken and category.id < LARGEST_KEPT
            highest += not is_free
            ids[category.id] = category.id if is_free else highest
            taken.add(ids[category.id])
            connection.execute(insert(categories), category_to_row(replace(category, id=ids[category.id])))
            pairs[ids[category.id]] = category.id
        else:
            ids[category.id] = mine.id
            keep(connection, [mine.id])
            if is_fresh:
                row = category_to_row(replace(category, id=mine.id, colour=mine.colour or category.colour))
                connection.execute(update(categories).where(categories.c.id == mine.id).values(row))
                pairs[mine.id] = category.id
    _name_all(connection, "category", pairs, is_fresh=is_fresh)
    return ids


def _same_categories(connection: Connection, incoming: Sequence[Category]) -> dict[int, Category]:
    """{the file's id: the matching class of the project}, each class of the project at most once."""
    numbers = read_numbers(connection, "category")
    left = list(read_categories(connection))
    found: dict[int, Category] = {}
    kinds: tuple[Callable[[Category, Category], bool], ...] = (
        lambda a, b: a.name == b.name and numbers[b.id] == a.id,
        lambda a, b: a.name == b.name,
        lambda a, b: a.name.casefold() == b.name.casefold(),
    )
    for is_same in kinds:
        for category in incoming:
            mine = next((each for each in left if is_same(category, each)), None) if category.id not in found else None
            if mine is not None:
                found[category.id] = mine
                left.remove(mine)
    return found


def take_images(
    connection: Connection, incoming: list[ImageRecord], misfits: frozenset[str] = frozenset(), *, is_fresh: bool
) -> tuple[dict[int, int], list[str]]:
    """{the file's id: the project's}, and the names of images whose size differs from the project's.

    `misfits`: names of new images whose files have another size; they are not imported either.
    """
    # By the name in the table: a damaged image keeps its row, and its annotations have another size.
    there = {row.file_name: image_from_row(row) for row in connection.execute(select(images).order_by(images.c.id))}
    differing = {each.id for each in incoming if each.file_name in misfits or _differs(each, there.get(each.file_name))}
    resized = [each.file_name for each in incoming if each.id in differing]
    usable = [each for each in incoming if each.id not in differing]
    taken = {image.id for image in there.values()}
    highest = max([highest_number(connection, "image"), *(each.id for each in usable if each.id < LARGEST_KEPT)])
    ids: dict[int, int] = {}
    added: list[tuple[int, ImageRecord]] = []
    for image in usable:
        if image.file_name in there:
            ids[image.id] = there[image.file_name].id
            continue
        is_free = image.id not in taken and image.id < LARGEST_KEPT
        highest += not is_free
        ids[image.id] = image.id if is_free else highest
        added.append((ids[image.id], image))
    _insert_images(connection, added)
    known = [image for image in usable if image.file_name in there]
    if is_fresh:
        _update_images(connection, [(ids[image.id], image) for image in known])
    pairs = {ids[image.id]: image.id for image in (usable if is_fresh else (image for _, image in added))}
    _name_all(connection, "image", pairs, is_fresh=is_fresh)
    return ids, resized


def take_instances(
    connection: Connection,
    data: Annotated,
    image_ids: dict[int, int],
    category_ids: dict[int, int],
    *,
    is_fresh: bool,
) -> tuple[int, int]:
    """Number of imported instances, and how many of them get other ids in files from now on."""
    given = np.array(_in_order(data, image_ids, is_fresh=is_fresh), np.int64)
    ids = _new_ids(connection, given)
    used = given[:0] if is_fresh else used_numbers(connection, "instance")
    kept = ~np.isin(given, used)
    pairs = zip(ids[kept].tolist(), given[kept].tolist(), strict=True)
    new = dict(zip(given.tolist(), ids.tolist(), strict=True))
    unanswered = set() if is_fresh else _with_proposals(connection)
    for file_image_id, image_id in image_ids.items():
        found = data.instances(file_image_id)
        origins = provenance_ids(connection, found)
        moved = [replace(each, id=new[each.id], category_id=category_ids[each.category_id]) for each in found]
        if moved:
            rows = [instance_to_row(each, image_id, origins[each.provenance]) for each in moved]
            connection.execute(insert(instances), rows)
        if moved and not is_fresh:
            becomes = ImageState.IN_PROGRESS if image_id in unanswered else ImageState.DONE
            touch_image(connection, image_id, was=tuple(ImageState), becomes=becomes)
    name_in_files(connection, "instance", pairs)
    if is_fresh:
        image_of = {new[each.id]: image_ids[file_id] for file_id in image_ids for each in data.instances(file_id)}
        places = [(image_of[id_], id_) for id_ in ids.tolist()]
        keep_order(connection, list(image_ids.values()), FileOrder(ids.tolist(), places == sorted(places)))
    return len(given), int(np.count_nonzero(~kept & (ids != given)))


def _with_proposals(connection: Connection) -> set[int]:
    """Images with unanswered proposals: what a file says about them does not make them done."""
    query = select(instances.c.image_id).where(instances.c.state == InstanceState.PROPOSED.value).distinct()
    return set(connection.scalars(query))


def keep_order(connection: Connection, image_ids: list[int], objects: FileOrder) -> None:
    """Remember the file's order of images and objects, by the project's ids, unless it is sorted by id."""
    from maskwright.formats.coco.options import ORDER_SETTING  # it imports OpenCV

    if not objects.is_natural or image_ids != sorted(image_ids):
        write_settings(connection, {ORDER_SETTING: {"images": image_ids, "annotations": objects.ids}})


def _in_order(data: Annotated, image_ids: Mapping[int, int], *, is_fresh: bool) -> list[int]:
    """The file's ids of what is imported: in the file's order, or image by image if that order is not kept."""
    from maskwright.formats.coco.options import ORDER_SETTING

    taken = [each.id for file_id in image_ids for each in data.instances(file_id)]
    order = data.settings.get(ORDER_SETTING) if is_fresh else None
    if order:
        there = set(taken)
        return [id_ for id_ in order["annotations"] if id_ in there]
    if is_fresh:
        return [id_ for file_id in sorted(image_ids) for id_ in sorted(each.id for each in data.instances(file_id))]
    return taken


def _new_ids(connection: Connection, given: "np.typing.NDArray[np.int64]") -> "np.typing.NDArray[np.int64]":
    """The file's ids if none of them can have been used before, else as many new ones."""
    if not len(given):
        return given
    small = given[given < LARGEST_KEPT]
    is_new = len(small) == len(given) and int(given.min()) >= next_id(connection)
    keep_ids_above(connection, int(small.max(initial=0)))
    if is_new:
        return given
    first = reserve_ids(connection, len(given)).start
    return np.arange(first, first + len(given), dtype=np.int64)


def _name_all(connection: Connection, kind: Any, pairs: dict[int, int], *, is_fresh: bool) -> None:
    """{id: the file's id} for the export. In a fresh project existing ids give way, else the file's ids do."""
    if is_fresh:
        displace(connection, kind, pairs)
        name_in_files(connection, kind, pairs.items())
        return
    others = set(used_numbers(connection, kind).tolist()) - pairs.keys()
    name_in_files(connection, kind, [(id_, file_id) for id_, file_id in pairs.items() if file_id not in others])


def _insert_images(connection: Connection, numbered: list[tuple[int, ImageRecord]]) -> None:
    rows = [
        (
            id_, image.file_name, image.width, image.height, image.state.value, image.instance_count,
            extra_to_json(image.extra),
        )
        for id_, image in numbered
    ]  # fmt: skip
    if rows:
        connection.exec_driver_sql(_INSERT_IMAGE, rows)


def _update_images(connection: Connection, numbered: list[tuple[int, ImageRecord]]) -> None:
    """State, counts and other keys as in the file."""
    if not numbered:
        return
    table = update(images).where(images.c.id == bindparam("at"))
    table = table.values(state=bindparam("state"), instance_count=bindparam("count"), extra=bindparam("extra"))
    rows = [
        {"at": id_, "state": each.state.value, "count": each.instance_count, "extra": extra_to_json(each.extra)}
        for id_, each in numbered
    ]
    connection.execute(table, rows)


def _differs(image: ImageRecord, known: ImageRecord | None) -> bool:
    return known is not None and (image.width, image.height) != (known.width, known.height)
