"""Annotations by the million: written in bulk, read as they came."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.project.instances import keep_ids_above, read_provenances
from maskwright.project.packing import pack_record, packed_record
from maskwright.project.rows import instance_from_row, instance_to_row
from maskwright.project.schema import instances

if TYPE_CHECKING:
    from maskwright.formats.coco.stream import CocoStream, Plain

Stored = tuple[int, int, bytes | Instance]
"""(image id, instance id, instance, or the JSON of an imported annotation that nobody has touched)."""

_BLOCK = 500
_STORED = "SELECT image_id, id, polygons, category_id, state, score, provenance_id, z, flags, extra FROM instances"
_ACCEPTED = InstanceState.ACCEPTED.value
_INSERT = (
    "INSERT INTO instances (id, image_id, category_id, state, score, provenance_id, z, flags, polygons, extra) "
    "VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"
)


def _read(connection: Connection, query: str, values: tuple[int, ...]) -> Iterator[tuple[int, int, bytes | Instance]]:
    rows = connection.exec_driver_sql(query, values)
    known: dict[int, Any] = {}
    while block := rows.fetchmany(_BLOCK):
        wanted = {row.provenance_id for row in block} - known.keys() - {None}
        known |= read_provenances(connection, wanted)
        for row in block:
            record = packed_record(row[2])
            yield row[0], row[1], record if record is not None else instance_from_row(row, known)


def insert_annotations(connection: Connection, stream: "CocoStream", image_ids: Collection[int]) -> int:
    """Those of the given images; how many they are. For a project without instances.

    Indexes are made afterwards: sorting a million entries is cheaper than inserting them one by one.
    """
    indexes = sorted(instances.indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    counts: Counter[int] = Counter()
    highest = 0
    for batch in stream.annotations():
        rows = [_stream_row(found) for found in batch]
        rows = [row for row in rows if row[1] in image_ids]
        if rows:
            connection.exec_driver_sql(_INSERT, rows)
            counts.update(row[1] for row in rows)
            highest = max(highest, max(row[0] for row in rows))
    for index in indexes:
        index.create(connection)
    keep_ids_above(connection, highest)
    done = [(count, ImageState.DONE.value, image_id) for image_id, count in counts.items()]
    if done:
        connection.exec_driver_sql("UPDATE images SET instance_count = ?, state = ? WHERE id = ?", done)
    return counts.total()


def read_all(connection: Connection) -> Iterator[Stored]:
    """By image, then by id."""
    return _read(connection, _STORED + " ORDER BY image_id, id", ())


def read_some(connection: Connection, ids: tuple[int, ...]) -> Iterator[Stored]:
    """In no particular order; unknown ids are left out."""
    return _read(connection, f"{_STORED} WHERE id IN ({','.join('?' * len(ids))})", ids)


def _stream_row(found: "Plain | tuple[int, Instance]") -> tuple[Any, ...]:
    if len(found) == 5:
        id_, image_id, category_id, is_crowd, record = found
        return id_, image_id, category_id, _ACCEPTED, None, 0, 5 if is_crowd else 1, pack_record(record), None
    row = instance_to_row(found[1], found[0], None)
    keys = ("id", "image_id", "category_id", "state", "score", "z", "flags", "polygons", "extra")
    return tuple(row[key] for key in keys)
