"""Finds everything in a project's tables that none of our versions writes, row by row."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Float, Integer, LargeBinary, Row, Table, Text, func, or_, select
from sqlalchemy.types import TypeEngine

from maskwright.document.values import Provenance
from maskwright.errors import DamagedRowError
from maskwright.formats.gate import DamagedRow
from maskwright.plain_words import in_plain_words
from maskwright.project.history import step_fault
from maskwright.project.instance_rows import read_provenances
from maskwright.project.journal import change_from_bytes
from maskwright.project.repository import Repository
from maskwright.project.rows import (
    category_fault,
    from_json,
    image_fault,
    instance_from_row,
    provenance_from_row,
    sound_instances,
)
from maskwright.project.schema import (
    categories,
    category_merges,
    counters,
    edits_set_aside,
    file_ids,
    history,
    image_looks,
    images,
    instances,
    provenances,
    run_images,
    runs,
    settings,
    signals,
)

_BLOCK = 500
_PLAIN = (category_merges, counters, edits_set_aside, file_ids, image_looks, run_images, runs, signals)
"""Tables of numbers and texts, of which only the types are checked."""
_TYPES: dict[type[TypeEngine[Any]], tuple[str, ...]] = {
    Integer: ("integer",), Float: ("real", "integer"), Text: ("text",), LargeBinary: ("blob",),
}  # fmt: skip
_NAMES = {
    "instances": "object",
    "images": "image",
    "categories": "class",
    "history": "step",
    "provenances": "model run",
}


class DamageRepository(Repository):
    """Damaged rows."""

    def rows(self) -> Iterator[DamagedRow]:
        """Of images, classes, objects, steps and settings; reads the whole project."""
        for block in self._blocks(images):
            yield from _found("image", block, image_fault, lambda row: row.id)
        for block in self._blocks(categories):
            yield from _found("class", block, category_fault)
        for block in self._blocks(instances):
            with self._database.read() as connection:
                known = read_provenances(connection, {row.provenance_id for row in block} - {None})
            yield from _found("object", block, partial(_instance_fault, known), lambda row: row.image_id)
        for block in self._blocks(provenances):
            yield from _found("model run", block, lambda row: _fault_of(provenance_from_row, row))
        for block in self._blocks(history):
            yield from _found("step", block, _step_fault, lambda row: row.image_id)
        with self._database.read() as connection:
            yield from _without_parent(connection)
            for table in _PLAIN:
                yield from _of_other_types(connection, table)
            stored = connection.execute(select(settings)).fetchall()
        for row in stored:
            if (fault := _fault_of(from_json, row.value)) is not None:
                yield DamagedRow(f"setting {str(row.key)[:100]}", fault)

    def objects(self) -> Iterator[tuple[int, str]]:
        """(id, reason) of objects that cannot be read; reads all of them."""
        for block in self._blocks(instances):
            damaged: dict[int, str] = {}
            with self._database.read() as connection:
                known = read_provenances(connection, {row.provenance_id for row in block} - {None})
            deque(sound_instances(block, known, damaged), maxlen=0)
            yield from damaged.items()

    def _blocks(self, table: Table) -> Iterator[Sequence[Row[Any]]]:
        """By id; no lock is held between blocks."""
        last: int | None = None
        while True:
            query = select(table).order_by(table.c.id).limit(_BLOCK)
            with self._database.read() as connection:
                rows = connection.execute(query if last is None else query.where(table.c.id > last)).fetchall()
            if not rows:
                return
            yield rows
            last = rows[-1].id


def _of_other_types(connection: Connection, table: Table) -> Iterator[DamagedRow]:
    """Rows with a value of a type that its column cannot hold; SQLite accepts any type anywhere."""
    wrong = [func.typeof(column).not_in(_types_of(column)) for column in table.c]
    first = next(iter(table.primary_key.columns))
    for row in connection.execute(select(first, *wrong).where(or_(*wrong)).order_by(first)).fetchall():
        names = [column.name for column, is_wrong in zip(table.c, row[1:], strict=True) if is_wrong]
        yield DamagedRow(f"{table.name.replace('_', ' ')} {row[0]}", f"its {', '.join(names)}")


def _types_of(column: Column[Any]) -> list[str]:
    known = next(types for kind, types in _TYPES.items() if isinstance(column.type, kind))
    return [*known, "null"] if column.nullable else list(known)


def _without_parent(connection: Connection) -> Iterator[DamagedRow]:
    """Rows that refer to missing ones."""
    for table, id_, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
        what, other = (_NAMES.get(name, name.replace("_", " ")) for name in (table, parent))
        yield DamagedRow(f"{what} {id_}" if id_ is not None else what, f"its {other} is not there")


def _found(
    what: str,
    rows: Iterable[Row[Any]],
    fault_of: Callable[[Row[Any]], str | None],
    image_of: Callable[[Row[Any]], object] = lambda row: None,
) -> Iterator[DamagedRow]:
    for row in rows:
        if (fault := fault_of(row)) is not None:
            image_id = image_of(row)
            yield DamagedRow(f"{what} {row.id}", fault, image_id if isinstance(image_id, int) else None)


def _instance_fault(known: Mapping[int, Provenance], row: Row[Any]) -> str | None:
    try:
        instance_from_row(row, known)
    except DamagedRowError as error:
        return error.message.removeprefix(f"object {row.id} of the project is damaged: ")
    return None


def _step_fault(row: Row[Any]) -> str | None:
    return step_fault(row) or _fault_of(change_from_bytes, row.change)


def _fault_of(read: Callable[[Any], object], value: object) -> str | None:
    try:
        read(value)
    except (TypeError, ValueError, MemoryError) as error:
        return in_plain_words(error)
    return None
