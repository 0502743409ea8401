"""The ids of a project's images, classes and objects in imported files.

A project's id is assigned once, by the database, and never changes, because an open window refers to it. So an imported
thing keeps its id only if that has never been used; else it gets a new one, and the file's id is stored here for the
export."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from maskwright.document.file_numbers import FileNumbers, Numbers
from maskwright.project.schema import categories, counters, file_ids, images, instances

NumberedKind = Literal["image", "category", "instance"]

LARGEST_KEPT = 1 << 52
"""From here on a file's id does not become the project's: there must be room for higher ones, which JSON readers
that use doubles tell apart up to 2**53."""
_UNLISTED = select(categories.c.id).where(categories.c.standing.in_(("offered", "deleted")))
_TABLES = {"image": images, "category": categories, "instance": instances}


def read_file_numbers(connection: Connection) -> FileNumbers:
    """The ids to be written to a COCO file, where they differ from the project's own."""
    return FileNumbers(*(read_numbers(connection, kind) for kind in ("image", "category", "instance")))


def read_numbers(connection: Connection, kind: NumberedKind) -> Numbers:
    """Ids that differ in files: because the file has another one, or because it uses the id for something else."""
    named = _named(connection, kind)
    if not len(named):
        return named
    table = _TABLES[kind]
    named, others = _once_each(connection, kind, named)
    is_named = select(file_ids.c.id).where(file_ids.c.kind == kind, file_ids.c.id == table.c.id).exists()
    is_used = select(file_ids.c.file_id).where(*_of(kind))
    displaced = select(table.c.id).where(table.c.id.in_(is_used), ~is_named).order_by(table.c.id)
    ids = [row[0] for row in connection.execute(displaced)] + others
    if not ids:
        return named
    first = max(connection.scalar(select(func.max(table.c.id))) or 0, int(named.file_ids.max(initial=0))) + 1
    return Numbers.of_pairs([*zip(named.ids.tolist(), named.file_ids.tolist(), strict=True), *_counted(ids, first)])


def _once_each(connection: Connection, kind: NumberedKind, named: Numbers) -> tuple[Numbers, list[int]]:
    """(those with a unique number, ids of those that need another one).

    A number is free for the next file once its owner is deleted; if that is undone, the latest owner keeps it.
    """
    if len(np.unique(named.file_ids)) == len(named):
        return named, []
    is_there = np.isin(named.ids, _numbers_from(connection.scalar(select(func.group_concat(_TABLES[kind].c.id)))))
    there = Numbers(named.ids[is_there], named.file_ids[is_there])
    latest = len(there) - 1 - np.unique(there.file_ids[::-1], return_index=True)[1]
    has_it = np.zeros(len(there), np.bool_)
    has_it[latest] = True
    return Numbers(there.ids[has_it], there.file_ids[has_it]), there.ids[~has_it].tolist()


def name_in_files(connection: Connection, kind: NumberedKind, pairs: Iterable[tuple[int, int]]) -> None:
    """Store (id, the file's id) where they differ."""
    rows = [(kind, id_, file_id) for id_, file_id in pairs if id_ != file_id]
    if rows:
        statement = "INSERT INTO file_ids (kind, id, file_id) VALUES (?, ?, ?)"
        connection.exec_driver_sql(f"{statement} ON CONFLICT DO UPDATE SET file_id = excluded.file_id", rows)


def displace(connection: Connection, kind: NumberedKind, pairs: Mapping[int, int]) -> None:
    """Give existing things whose id is used in `pairs`, {id: file's id}, other numbers in files."""
    table = _TABLES[kind]
    known = read_numbers(connection, kind)
    ids = [row[0] for row in connection.execute(select(table.c.id).order_by(table.c.id))]
    wanted = set(pairs.values())
    clashing = [id_ for id_ in ids if id_ not in pairs and known[id_] in wanted]
    if clashing:
        first = max([*ids, *wanted, *known.file_ids.tolist()]) + 1
        name_in_files(connection, kind, _counted(clashing, first))


def used_numbers(connection: Connection, kind: NumberedKind) -> NDArray[np.int64]:
    """(N,) int64, ascending: the ids of existing things in files."""
    table, known = _TABLES[kind], read_numbers(connection, kind)
    written = select(func.group_concat(table.c.id))
    if kind == "category":
        written = written.where(categories.c.id.not_in(_UNLISTED))
    ids = _numbers_from(connection.scalar(written))
    return np.union1d(np.setdiff1d(ids, known.ids), known.file_ids[np.isin(known.ids, ids)])


def highest_number(connection: Connection, kind: NumberedKind) -> int:
    """The highest id that exists, was assigned before an earlier copy was restored, or is used in files."""
    highest = select(func.max(file_ids.c.file_id)).where(file_ids.c.kind == bindparam("kind"))
    of_files = connection.scalar(highest.where(file_ids.c.file_id < LARGEST_KEPT), {"kind": kind})
    given = connection.scalar(select(counters.c.next).where(counters.c.name == f"{kind}_id"))
    id_ = _TABLES[kind].c.id
    there = connection.scalar(select(func.max(id_)).where(id_ < LARGEST_KEPT))
    before = given - 1 if type(given) is int and given < LARGEST_KEPT else 0
    return max(there or 0, of_files if type(of_files) is int else 0, before)


def _named(connection: Connection, kind: NumberedKind) -> Numbers:
    columns = select(file_ids.c.id, file_ids.c.file_id).where(*_of(kind)).order_by(file_ids.c.id)
    inner = columns.subquery()
    # Two texts instead of a million rows.
    row = connection.execute(select(func.group_concat(inner.c.id), func.group_concat(inner.c.file_id))).one()
    return Numbers(_numbers_from(row[0]), _numbers_from(row[1]))


def _of(kind: NumberedKind) -> list[ColumnElement[bool]]:
    """Things that are written to files; the official number of a class that does not occur stays free."""
    of_kind = [
        file_ids.c.kind == kind,
        *(func.typeof(each) == "integer" for each in (file_ids.c.id, file_ids.c.file_id)),
    ]
    return [*of_kind, file_ids.c.id.not_in(_UNLISTED)] if kind == "category" else of_kind


def _numbers_from(joined: str | None) -> NDArray[np.int64]:
    return np.fromstring(joined, np.int64, sep=",") if joined else np.empty(0, np.int64)


def _counted(ids: Iterable[int], first: int) -> list[tuple[int, int]]:
    return [(id_, number) for number, id_ in enumerate(ids, start=first)]
