"""Millions of annotations: bulk inserts, and reads that return untouched records unparsed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.project.instance_rows import keep_ids_above, provenance_ids, read_provenances
from maskwright.project.numbers import LARGEST_KEPT
from maskwright.project.packing import pack_record, packed_record
from maskwright.project.renumbering import FileOrder, Renumbering
from maskwright.project.rows import instance_to_row, sound_instances
from maskwright.project.schema import instances

if TYPE_CHECKING:
    from maskwright.formats.coco.stream import AnnotationBatch, CocoStream

Stored = tuple[int, int, bytes | Instance]
"""(image id, instance id, instance, or the JSON of an imported annotation that nobody has touched)."""

_BLOCK = 500
_STORED = (
    "SELECT image_id, id, polygons, category_id, state, score, provenance_id, z, flags, extra, edited_at, "
    # An export needs no detail, except that damage must show.
    "CASE WHEN typeof(dense) IN ('null', 'blob') THEN NULL ELSE 0 END AS dense FROM instances"
)
_ACCEPTED, _PROPOSED = InstanceState.ACCEPTED.value, InstanceState.PROPOSED.value
# Constants are in the statement instead of the rows: binding values is a third of an insert's cost.
_INSERT_RECORD = (
    "INSERT INTO instances (id, image_id, category_id, state, z, flags, polygons) "
    f"VALUES (?, ?, ?, '{_ACCEPTED}', 0, ?, ?)"
)
_KEYS = (
    "id", "image_id", "category_id", "state", "score", "provenance_id", "z", "flags", "polygons", "extra", "edited_at",
)  # fmt: skip
_INSERT_ROW = f"INSERT INTO instances ({', '.join(_KEYS)}) VALUES ({', '.join('?' * len(_KEYS))})"
_ID_OF = itemgetter(0)
_AT_STATE = _KEYS.index("state")
_FLAGS = {b"0": 1, b"1": 5}


def _read(
    connection: Connection, query: str, values: tuple[int, ...], damaged: dict[int, str] | None
) -> Iterator[tuple[int, int, bytes | Instance]]:
    rows = connection.exec_driver_sql(query, values)
    known: dict[int, Any] = {}
    while block := rows.fetchmany(_BLOCK):
        wanted = {row[6] for row in block} - known.keys() - {None}  # provenance_id
        if wanted:
            known |= read_provenances(connection, wanted)
        for row in block:
            record = packed_record(row[2]) if isinstance(row[2], bytes) else None
            if record is not None:
                yield row[0], row[1], record
                continue
            for _, instance in sound_instances((row,), known, damaged):
                yield row[0], row[1], instance


class TooHighError(Exception):
    """An id of the file is too high for the project, which needs room for further ids."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """What was inserted."""

    count: int
    order: FileOrder | None
    """None if all ids are the file's own."""
    filled: frozenset[int] = frozenset()
    """The file's ids of images that got some."""


def insert_annotations(
    connection: Connection,
    stream: "CocoStream",
    image_ids: Mapping[int, int],
    category_ids: Mapping[int, int],
    *,
    first: int | None,
) -> Inserted:
    """Insert annotations of the images in {file's id: ours}. For a project without instances.

    `first`: their ids count from there; None to keep the file's, none of which has ever been used. Indexes are built
    afterwards: sorting a million entries is cheaper than inserting them one by one.
    """
    indexes = sorted(instances.indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    is_same = first is None and all(a == b for ids in (image_ids, category_ids) for a, b in ids.items())
    renumbering = None if is_same else Renumbering(image_ids, category_ids, first)
    known = frozenset(image_ids)
    counts: Counter[int] = Counter()
    proposed: Counter[int] = Counter()
    highest = 0
    filled: set[int] = set()
    for batch in stream.annotations():
        for statement, rows, row_images in _statements(connection, batch):
            if not known.issuperset(row_images):
                rows = [row for row in rows if row[1] in known]
                row_images = [row[1] for row in rows]
            if not rows:
                continue
            filled.update(row_images)
            top = max(map(_ID_OF, rows))
            if top >= LARGEST_KEPT:
                if first is None:
                    raise TooHighError
                top = max((id_ for id_ in map(_ID_OF, rows) if id_ < LARGEST_KEPT), default=0)
            highest = max(highest, top)
            if renumbering is not None:
                rows = renumbering.rows(rows)
                row_images = [row[1] for row in rows]
            connection.exec_driver_sql(statement, rows)
            counts.update(row_images)
            if statement is _INSERT_ROW:
                proposed.update(row[1] for row in rows if row[_AT_STATE] == _PROPOSED)
    for index in indexes:
        index.create(connection)
    keep_ids_above(connection, highest)
    if renumbering is not None:
        renumbering.keep(connection)
    done = [(count, _image_state(count, proposed[image_id]), image_id) for image_id, count in counts.items()]
    if done:
        connection.exec_driver_sql("UPDATE images SET instance_count = ?, state = ? WHERE id = ?", done)
    order = renumbering.order(stream.order) if renumbering is not None else None
    return Inserted(counts.total(), order, frozenset(filled))


def read_all(connection: Connection, damaged: dict[int, str] | None = None) -> Iterator[Stored]:
    """By image, then by id. Objects that cannot be read are left out; the reasons go into `damaged` by id."""
    return _read(connection, _STORED + " ORDER BY image_id, id", (), damaged)


def read_some(connection: Connection, ids: tuple[int, ...], damaged: dict[int, str] | None = None) -> Iterator[Stored]:
    """In no particular order; unknown ids, and those that `read_all` leaves out, are left out."""
    return _read(connection, f"{_STORED} WHERE id IN ({','.join('?' * len(ids))})", ids, damaged)


def _image_state(count: int, proposed_count: int) -> str:
    """An image of a finished data set is done; one on which nobody has decided anything is not."""
    return (ImageState.PRELABELLED if proposed_count == count else ImageState.DONE).value


def _statements(
    connection: Connection, batch: "AnnotationBatch"
) -> Iterator[tuple[str, list[tuple[Any, ...]], list[int]]]:
    """Statements, their rows, which start with id and image id, and the image ids again."""
    if not isinstance(batch, list):
        flags = map(_FLAGS.__getitem__, batch.crowds) if batch.crowds else repeat(_FLAGS[b"0"])
        records = map(pack_record, batch.records)
        columns = zip(batch.ids, batch.image_ids, batch.category_ids, flags, records, strict=False)
        yield _INSERT_RECORD, list(columns), batch.image_ids
        return
    plain = [found for found in batch if len(found) == 5]
    rows = [(*found[:3], _FLAGS[b"%d" % found[3]], pack_record(found[4])) for found in plain]
    yield _INSERT_RECORD, rows, [row[1] for row in rows]
    read = [found for found in batch if len(found) == 2]
    origins = provenance_ids(connection, [instance for _, instance in read])
    careful = [instance_to_row(instance, image_id, origins[instance.provenance]) for image_id, instance in read]
    yield _INSERT_ROW, [tuple(row[key] for key in _KEYS) for row in careful], [row["image_id"] for row in careful]
