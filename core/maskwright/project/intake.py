"""The part of a project that takes in annotations made elsewhere: all of a file or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from maskwright.document.values import Instance
from maskwright.formats.json_stream import paused_gc
from maskwright.formats.problems import Problem
from maskwright.project.bulk import TooHighError, insert_annotations, read_all, read_some
from maskwright.project.database import Database
from maskwright.project.incoming import (
    Annotated,
    keep_order,
    take_categories,
    take_images,
    take_instances,
)
from maskwright.project.instances import next_id, read_provenances
from maskwright.project.numbers import NumberShelf, read_numbers
from maskwright.project.rows import instance_from_row, write_settings
from maskwright.project.schema import history, instances, run_images, signals

if TYPE_CHECKING:
    from maskwright.formats.coco.stream import CocoStream

_BLOCK = 500


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


class _ChangedError(Exception):
    """The project got its first objects while a file was looked at."""


class IntakeShelf(NumberShelf):
    """Import into a project. May be called from any thread and raises ProjectError as `Database` does."""

    _database: Database

    def take_in(self, data: Annotated) -> Intake:
        """Add everything in `data` in one transaction: an error leaves the project as it was.

        Images are the same when their file names are; categories when their names are. What is there keeps its id; what
        comes gets one that was never given, and the file's id is kept for the export: a project without annotations
        takes over all of them, another one those that are not in use.
        """
        with self._database.write() as connection:
            is_fresh = _is_fresh(connection)
            category_ids = take_categories(connection, data.categories(), is_fresh=is_fresh)
            image_ids, resized = take_images(connection, list(data.images()), is_fresh=is_fresh)
            count, renumbered = take_instances(connection, data, image_ids, category_ids, is_fresh=is_fresh)
            if is_fresh:
                write_settings(connection, _header(data.settings))
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

        for keeps_ids in (True, False):
            stream = CocoStream(path)
            with self._database.read() as connection:
                is_fresh = _is_fresh(connection)
            if not is_fresh or not stream.is_streamable:
                break
            try:
                return self._take_stream(stream, alone=alone, keeps_ids=keeps_ids), stream.problems
            except TooHighError:
                continue
            except _ChangedError:  # somebody works here
                break
        data = read_coco(path)
        return self.take_in(data), list(data.problems)

    def _take_stream(self, stream: "CocoStream", *, alone: bool, keeps_ids: bool) -> Intake:
        transaction = self._database.write_alone() if alone else self._database.write()
        with paused_gc(), transaction as connection:
            if not _is_fresh(connection):
                raise _ChangedError
            return take_stream(connection, stream, keeps_ids=keeps_ids)

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


def take_stream(connection: Connection, stream: "CocoStream", *, keeps_ids: bool = True) -> Intake:
    """Into a fresh project. Unless `keeps_ids` all objects get new ids, as they do where any has been given before.

    Raises TooHighError for an id that the project cannot take over.
    """
    category_ids = take_categories(connection, list(stream.categories.values()), is_fresh=True)
    image_ids, resized = take_images(connection, list(stream.images.values()), is_fresh=True)
    numbers = read_numbers(connection, "category")
    stream.read_with_care(id_ for id_, own in category_ids.items() if numbers[own] != id_)
    first = next_id(connection)
    is_new = keeps_ids and first == 1
    inserted = insert_annotations(connection, stream, image_ids, category_ids, first=None if is_new else first)
    write_settings(connection, stream.settings if inserted.order is None else _header(stream.settings))
    if inserted.order is not None:
        keep_order(connection, list(image_ids.values()), inserted.order)
    return Intake(len(image_ids), inserted.count, len(stream.categories), resized=tuple(resized))


def _header(values: Mapping[str, object]) -> dict[str, object]:
    """What a file has beside its objects, less their order under its own ids."""
    from maskwright.formats.coco.options import ORDER_SETTING

    return {key: value for key, value in values.items() if key != ORDER_SETTING}


def _is_fresh(connection: Connection) -> bool:
    """Nothing refers to an image or instance yet."""
    return not any(connection.scalar(select(table).limit(1)) for table in (instances, history, run_images, signals))
