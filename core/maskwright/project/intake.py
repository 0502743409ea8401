"""The part of a project that takes in annotations made elsewhere: all of a file or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from maskwright.document.values import Category, ImageRecord, ImageState, Instance
from maskwright.errors import ProjectError
from maskwright.formats.json_stream import paused_gc
from maskwright.formats.problems import Problem
from maskwright.project.bulk import insert_annotations, read_all, read_some
from maskwright.project.categories import taken_ids
from maskwright.project.database import Database
from maskwright.project.instances import keep_ids_above, provenance_ids, read_provenances, reserve_ids, touch_image
from maskwright.project.merging import read_merged_names
from maskwright.project.rows import (
    category_from_row,
    category_to_row,
    extra_to_json,
    image_from_row,
    instance_from_row,
    instance_to_row,
    to_json,
)
from maskwright.project.schema import (
    categories,
    category_merges,
    history,
    image_looks,
    images,
    instances,
    run_images,
    settings,
    signals,
)

if TYPE_CHECKING:
    from maskwright.formats.coco.stream import CocoStream

_BLOCK = 500
_INSERT_IMAGE = (
    "INSERT INTO images (id, file_name, width, height, state, instance_count, extra) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class Annotated(Protocol):
    """What comes in, see `formats.data_set.DataSet`."""

    @property
    def settings(self) -> Mapping[str, Any]: ...
    def categories(self) -> Sequence[Category]: ...
    def images(self) -> Iterator[ImageRecord]: ...
    def instances(self, image_id: int) -> Sequence[Instance]: ...


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in."""

    image_count: int
    instance_count: int
    category_count: int
    renumbered_count: int = 0
    """Instances whose id was taken in the project."""
    resized: tuple[str, ...] = ()
    """Images that the project knows in another size; their annotations were left out."""


class IntakeShelf:
    """Import into a project. May be called from any thread and raises ProjectError as `Database` does."""

    _database: Database

    def take_in(self, data: Annotated) -> Intake:
        """Add everything in `data` in one transaction: an error leaves the project as it was.

        Images are the same when their file names are; categories when their names are. A project without annotations
        takes over the file's ids; in another one ids that are taken are replaced.
        """
        with self._database.write() as connection:
            is_fresh = _is_fresh(connection)
            category_ids = _take_categories(connection, data.categories(), is_fresh=is_fresh)
            image_ids, resized = _take_images(connection, list(data.images()), is_fresh=is_fresh)
            count, renumbered = _take_instances(connection, data, image_ids, category_ids)
            if is_fresh:
                _write_settings(connection, data.settings)
        return Intake(len(image_ids), count, len(category_ids), renumbered, tuple(resized))

    def take_in_file(
        self, path: Path, *, format_name: str | None = None, alone: bool = False
    ) -> tuple[Intake, list[Problem]]:
        """Import a file or folder of any known format; also what could not be read.

        `alone`: nobody reads the project meanwhile, which makes a large file faster (see `Database.write_alone`).
        Raises FormatError for what is not that format, or none that is known.
        """
        # Here and not above: the formats bring OpenCV, which a window does not need before it is painted.
        from maskwright.formats.registry import format_named, recognised

        kind = recognised(path) if format_name is None else format_named(format_name)
        if kind.name == "coco":
            return self.take_in_coco(path, alone=alone)
        data = kind.read(path)
        return self.take_in(data), list(data.problems)

    def take_in_coco(self, path: Path, *, alone: bool = False) -> tuple[Intake, list[Problem]]:
        """Import a COCO file of any size into a project without annotations as a stream; as `take_in` otherwise.

        Also returns what could not be read. Raises FormatError for a file that is not COCO.
        """
        from maskwright.formats.coco.reader import read_coco
        from maskwright.formats.coco.stream import CocoStream

        stream = CocoStream(path)
        with self._database.read() as connection:
            is_fresh = _is_fresh(connection)
        if not is_fresh or not stream.is_streamable:
            data = read_coco(path)
            return self.take_in(data), list(data.problems)
        transaction = self._database.write_alone() if alone else self._database.write()
        with paused_gc(), transaction as connection:
            if not _is_fresh(connection):
                raise ProjectError("the project was changed while the file was read; import it again", path=path)
            intake = _take_stream(connection, stream)
        return intake, stream.problems

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        """(image id, instance id, instance), by image and id, or those of `ids` in their order.

        An imported annotation that nobody has touched comes as its JSON.
        """
        with self._database.read() as connection:
            if ids is None:
                yield from read_all(connection)
                return
            for start in range(0, len(ids), _BLOCK):
                block = tuple(ids[start : start + _BLOCK])
                found = {row[1]: row for row in read_some(connection, block)}
                yield from (found[id_] for id_ in block if id_ in found)

    def instance_ids(self) -> Sequence[int]:
        """Of all images, ascending."""
        with self._database.read() as connection:
            return [row[0] for row in connection.execute(select(instances.c.id).order_by(instances.c.id))]

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids are left out."""
        found: dict[int, tuple[int, Instance]] = {}
        with self._database.read() as connection:
            for start in range(0, len(ids), _BLOCK):
                block = select(instances).where(instances.c.id.in_(list(ids[start : start + _BLOCK])))
                rows = connection.execute(block).fetchall()
                known = read_provenances(connection, {row.provenance_id for row in rows} - {None})
                found |= {row.id: (row.image_id, instance_from_row(row, known)) for row in rows}
        return found


def _take_stream(connection: Connection, stream: "CocoStream") -> Intake:
    """Into a fresh project."""
    _take_categories(connection, list(stream.categories.values()), is_fresh=True)
    image_ids, resized = _take_images(connection, list(stream.images.values()), is_fresh=True)
    count = insert_annotations(connection, stream, image_ids.keys())
    _write_settings(connection, stream.settings)
    return Intake(len(image_ids), count, len(stream.categories), resized=tuple(resized))


def _write_settings(connection: Connection, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        row = upsert(settings).values(key=key, value=to_json(value))
        connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))


def _is_fresh(connection: Connection) -> bool:
    """Nothing refers to an image or instance yet, so that all ids may still change."""
    return not any(connection.scalar(select(table).limit(1)) for table in (instances, history, run_images, signals))


def _take_categories(connection: Connection, incoming: Sequence[Category], *, is_fresh: bool) -> dict[int, int]:
    """{the file's id: the project's}. In a fresh project the file's ids win, and a person's own classes move."""
    there = [category_from_row(row) for row in connection.execute(select(categories).order_by(categories.c.id))]
    if is_fresh:
        colours = {category.name.casefold(): category.colour for category in there}
        incoming = [replace(each, colour=colours.get(each.name.casefold(), each.colour)) for each in incoming]
        connection.execute(delete(category_merges))  # of classes without objects
        connection.execute(delete(categories))
    ids = _add_categories(connection, incoming, [] if is_fresh else there)
    if is_fresh:
        _add_categories(connection, there, incoming)
    return ids


def _add_categories(connection: Connection, added: Sequence[Category], there: Sequence[Category]) -> dict[int, int]:
    """{given id: the id of the category of that name}, made where there is none."""
    merged = {name.casefold(): id_ for name, id_ in read_merged_names(connection).items()}
    known = merged | {category.name.casefold(): category.id for category in there}
    taken = {category.id for category in there} | taken_ids(connection)
    ids: dict[int, int] = {}
    for category in added:
        name = category.name.casefold()
        if name not in known:
            known[name] = category.id if category.id not in taken else max(taken) + 1
            taken.add(known[name])
            connection.execute(insert(categories), category_to_row(replace(category, id=known[name])))
        ids[category.id] = known[name]
    return ids


def _take_images(
    connection: Connection, incoming: list[ImageRecord], *, is_fresh: bool
) -> tuple[dict[int, int], list[str]]:
    """{the file's id: the project's}, and the names of images whose size differs."""
    names = {image.file_name: image for image in incoming}
    there = {row.file_name: image_from_row(row) for row in connection.execute(select(images).order_by(images.c.id))}
    resized = [name for name, image in there.items() if name in names and _size(names[name]) != _size(image)]
    usable = [image for image in incoming if image.file_name not in set(resized)]
    if is_fresh:
        connection.execute(delete(image_looks))  # minutes of looking at images that get other ids
        connection.execute(delete(images))
        _insert_images(connection, [(image.id, image) for image in usable])
        others = [image for name, image in there.items() if name not in names or name in set(resized)]
        first = max((image.id for image in usable), default=0) + 1
        _insert_images(connection, list(enumerate(others, start=first)))
        return {image.id: image.id for image in usable}, resized
    taken = {image.id for image in there.values()}
    highest = max(taken | {image.id for image in usable}, default=0)
    ids: dict[int, int] = {}
    for image in usable:
        if image.file_name in there:
            ids[image.id] = there[image.file_name].id
            continue
        highest += image.id in taken
        ids[image.id] = highest if image.id in taken else image.id
        _insert_images(connection, [(ids[image.id], image)])
    return ids, resized


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


def _take_instances(
    connection: Connection, data: Annotated, image_ids: dict[int, int], category_ids: dict[int, int]
) -> tuple[int, int]:
    """How many came in, and how many of them under a new id."""
    taken = {row[0] for row in connection.execute(select(instances.c.id))}
    given = [instance.id for image_id in image_ids for instance in data.instances(image_id)]
    keep_ids_above(connection, max(given, default=0))
    fresh_ids = iter(reserve_ids(connection, sum(id_ in taken for id_ in given)))
    count = renumbered = 0
    for file_image_id, image_id in image_ids.items():
        rows = []
        origins = provenance_ids(connection, data.instances(file_image_id))
        for instance in data.instances(file_image_id):
            id_ = next(fresh_ids) if instance.id in taken else instance.id
            renumbered += id_ != instance.id
            moved = replace(instance, id=id_, category_id=category_ids[instance.category_id])
            rows.append(instance_to_row(moved, image_id, origins[moved.provenance]))
        if rows:
            connection.execute(insert(instances), rows)
        if rows and taken:
            touch_image(connection, image_id, was=tuple(ImageState), becomes=ImageState.DONE)
        count += len(rows)
    return count, renumbered


def _size(image: ImageRecord) -> tuple[int, int]:
    return image.width, image.height
