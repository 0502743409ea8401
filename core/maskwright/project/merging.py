"""The part of a project that merges two classes and undoes it: also after a restart, also after more work.

All objects of a class get the other class in one transaction; their ids are kept with the merge, and so is the class.
The journal is not rewritten: references to the merged class are read as the class it became (`aliases.py`). When a
merge is undone, steps made while it stood are rewritten to the earlier classes, so that they can be undone."""

import re
import zlib
from dataclasses import dataclass, replace

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from maskwright.document.change import Change
from maskwright.document.values import Category, Instance
from maskwright.errors import ProjectError
from maskwright.inflating import inflate
from maskwright.project.aliases import Aliases, read_aliases
from maskwright.project.category_rows import find_category, keep, read_categories
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.numbers import read_numbers
from maskwright.project.packing import pack_record, packed_record
from maskwright.project.repository import Repository
from maskwright.project.rows import category_to_row, extra_from_json, from_json, json_object, now, to_json
from maskwright.project.schema import categories, category_merges, history, instances, settings

_MOST_MOVED_BYTES = 256 * 2**20

MAPPING_SETTING = "class_mapping"
"""{model hash: {the model's class: category id, or None}}."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A class that was merged into another."""

    id: int
    at: str
    """ISO 8601, UTC."""
    source: Category
    """As it was before."""
    target_id: int
    instance_count: int


class MergeRepository(Repository):
    """Merged classes."""

    def make(self, source_id: int, target_id: int) -> Merge:
        """Turn every instance of `source_id`, including rejected ones, into one of `target_id`; `source_id` disappears.

        Class mappings follow. Raises ProjectError if there is no such category or both are the same.
        """
        if source_id == target_id:
            raise ProjectError("a class cannot be merged into itself")
        with self._database.write() as connection:
            known = read_categories(connection)
            source = find_category(known, source_id)
            find_category(known, target_id)
            keep(connection, [target_id])
            ids = _ids_of(connection, source_id)
            _reclass(connection, source_id, target_id)
            row = {
                "at": now(),
                "source_id": source_id,
                "source": to_json(category_to_row(source)),
                "target_id": target_id,
                "moved": _packed(ids),
                "moved_count": len(ids),
                "mapped": to_json(_remap(connection, source_id, target_id)),
                "after_history": connection.scalar(select(func.max(history.c.id))) or 0,
            }
            connection.execute(delete(categories).where(categories.c.id == source_id))
            made = connection.execute(insert(category_merges).values(row).returning(category_merges))
            return _merge(made.mappings().one())

    def all(self) -> list[Merge]:
        """The merges that stand, the latest last."""
        with self._database.read() as connection:
            return [_merge(row) for row in _standing(connection)]

    def undo(self, merge_id: int) -> Category:
        """Restore the class, with every instance that it lost and that nobody has given another class since.

        Raises ProjectError if the merge does not stand, or its target has been merged further.
        """
        with self._database.write() as connection:
            row = next((row for row in _standing(connection) if row["id"] == merge_id), None)
            if row is None:
                raise ProjectError("this merge has already been undone")
            known = read_categories(connection)
            if row["target_id"] not in {category.id for category in known}:
                raise ProjectError("the class has been merged again since; undo that first")
            source = _with_free_name(_source_of(row), {category.name.casefold() for category in known})
            connection.execute(insert(categories), category_to_row(source))
            stored = select(category_merges.c.moved).where(category_merges.c.id == merge_id)
            moved = _unpacked(connection.execute(stored).scalar_one())
            moved = np.union1d(moved, _brought_back(connection, row))
            _reclass(connection, row["target_id"], source.id, only=moved)
            _map_back(connection, row)
            _rewrite_steps(connection, row, frozenset(moved.tolist()))
            ended = update(category_merges).where(category_merges.c.id == merge_id)
            connection.execute(ended.values(undone_at=now(), moved=b""))
        return source

    def aliases(self) -> Aliases:
        """{id of a class that was merged away: id of the one that has its objects now}."""
        with self._database.read() as connection:
            return read_aliases(connection)

    def names(self) -> dict[str, int]:
        """{name of a class that was merged away: id of the one that has its objects now}."""
        with self._database.read() as connection:
            return read_merged_names(connection)


def read_merged_names(connection: Connection) -> dict[str, int]:
    """See `MergeRepository.names`."""
    aliases = read_aliases(connection)
    standing = [row for row in _standing(connection) if row["source_id"] in aliases]
    return {_source_of(row).name: aliases[row["source_id"]] for row in standing}


def _standing(connection: Connection) -> list[RowMapping]:
    # it takes 1 MB for a million instances
    columns = [column for column in category_merges.c if column.name != "moved"]
    query = select(*columns).where(category_merges.c.undone_at.is_(None)).order_by(category_merges.c.id)
    rows = connection.execute(query).mappings()
    numbers = ("source_id", "target_id", "moved_count", "after_history")
    return [row for row in rows if all(type(row[name]) is int for name in numbers)]  # `damaged_rows` lists the others


def _merge(row: RowMapping) -> Merge:
    return Merge(row["id"], row["at"], _source_of(row), row["target_id"], row["moved_count"])


def _source_of(row: RowMapping) -> Category:
    try:
        source = json_object(row["source"])
        found = Category(**{**source, "extra": extra_from_json(source["extra"])})
    except (LookupError, TypeError, ValueError):
        return Category(row["source_id"], f"class {row['source_id']} (damaged)")
    is_sound = found.id == row["source_id"] and all(isinstance(each, str) for each in _texts(found)) and found.name
    return found if is_sound else Category(row["source_id"], f"class {row['source_id']} (damaged)")


def _texts(category: Category) -> tuple[object, ...]:
    return category.name, category.supercategory, category.colour


def _pairs(text: object) -> list[tuple[str, str]]:
    """(model hash, the model's class); None for anything else."""
    try:
        found = from_json(text) if isinstance(text, str) else []
    except ValueError:
        return []
    listed = found if isinstance(found, list) else []
    return [(each[0], each[1]) for each in listed if isinstance(each, list) and [*map(type, each)] == [str, str]]


def _with_free_name(category: Category, taken: set[str]) -> Category:
    name, number = category.name, 2
    while name.casefold() in taken:
        name, number = f"{category.name} {number}", number + 1
    return replace(category, name=name)


def _ids_of(connection: Connection, category_id: int) -> NDArray[np.int64]:
    query = select(instances.c.id).where(instances.c.category_id == category_id).order_by(instances.c.id)
    return np.array([row[0] for row in connection.execute(query)], np.int64)


def _reclass(connection: Connection, source: int, target: int, *, only: NDArray[np.int64] | None = None) -> None:
    """In one statement: an imported annotation's JSON also contains its class, so the outline column changes, too."""
    driver = connection.connection.driver_connection
    assert driver is not None
    numbers = read_numbers(connection, "category")
    in_file = numbers[source], numbers[target]
    driver.create_function("maskwright_in_class", 1, lambda packed: _in_class(packed, *in_file))
    query = "UPDATE instances SET category_id = ?, polygons = maskwright_in_class(polygons) WHERE category_id = ?"
    if only is None:
        connection.exec_driver_sql(query, (target, source))
        return
    connection.exec_driver_sql("CREATE TEMP TABLE moved (id INTEGER PRIMARY KEY)")
    if len(only):
        connection.exec_driver_sql("INSERT INTO moved VALUES (?)", [(id_,) for id_ in only.tolist()])
    connection.exec_driver_sql(f"{query} AND id IN (SELECT id FROM moved)", (target, source))
    connection.exec_driver_sql("DROP TABLE moved")


def _in_class(packed: bytes, source: int, target: int) -> bytes:
    record = packed_record(packed) if isinstance(packed, bytes) else None
    if record is None:
        return packed
    pattern = rb'("category_id"\s*:\s*)%d\b' % source
    changed, count = re.subn(pattern, rb"\g<1>%d" % target, record)
    if count != 1:  # a nested object has the same key
        try:
            changed = orjson.dumps(orjson.loads(record) | {"category_id": target})
        except (TypeError, ValueError):  # damaged, which reading it reports
            return packed
    return pack_record(changed)


def _packed(ids: NDArray[np.int64]) -> bytes:
    return zlib.compress(np.diff(ids, prepend=np.int64(0)).astype("<i8").tobytes(), 1)


def _unpacked(packed: bytes) -> NDArray[np.int64]:
    """Raises ProjectError for data that none of our versions writes."""
    try:
        return np.cumsum(np.frombuffer(inflate(packed, _MOST_MOVED_BYTES), "<i8"), dtype=np.int64)
    except (TypeError, ValueError) as error:
        raise ProjectError(f"the record of this merge is damaged: {error}") from error


def _mappings(connection: Connection) -> dict[str, dict[str, int | None]]:
    text = connection.scalar(select(settings.c.value).where(settings.c.key == MAPPING_SETTING))
    return {model: known for model, known in json_object(text).items() if isinstance(known, dict)}


def _write_mappings(connection: Connection, mappings: dict[str, dict[str, int | None]]) -> None:
    connection.execute(update(settings).where(settings.c.key == MAPPING_SETTING).values(value=to_json(mappings)))


def _remap(connection: Connection, source: int, target: int) -> list[tuple[str, str]]:
    """(model hash, the model's class) of mappings to the class that disappears."""
    mappings = _mappings(connection)
    found = [(model, label) for model, known in mappings.items() for label, id_ in known.items() if id_ == source]
    for model, label in found:
        mappings[model][label] = target
    if found:
        _write_mappings(connection, mappings)
    return found


def _map_back(connection: Connection, row: RowMapping) -> None:
    mappings = _mappings(connection)
    for model, label in _pairs(row["mapped"]):
        if mappings.get(model, {}).get(label) == row["target_id"]:
            mappings[model][label] = row["source_id"]
    _write_mappings(connection, mappings)


def _brought_back(connection: Connection, row: RowMapping) -> NDArray[np.int64]:
    """Ids of the class's objects that did not exist when it was merged: undo has restored them since."""
    later = history.c.id > row["after_history"]
    query = select(history.c.image_id, history.c.change).where(later, history.c.kind.in_(("undo", "redo")))
    returned: dict[int, set[int]] = {}
    for image_id, stored in connection.execute(query):
        came = {id_ for id_, before, after in _steps_of(stored) if before is None and after is not None}
        returned.setdefault(image_id, set()).update(came)
    found: set[int] = set()
    for image_id, ids in returned.items():
        earlier = select(history.c.change).where(history.c.image_id == image_id, ~later)
        for (stored,) in connection.execute(earlier.order_by(history.c.id)):
            for id_, before, after in _steps_of(stored):
                known = after if after is not None else before
                if id_ in ids and known is not None:
                    (found.add if known.category_id == row["source_id"] else found.discard)(id_)
    return np.array(sorted(found), np.int64)


def _steps_of(stored: object) -> Change:
    """Empty for a damaged step, which is not changed."""
    try:
        return change_from_bytes(stored) if isinstance(stored, bytes) else Change.of(())
    except ValueError:
        return Change.of(())


def _rewrite_steps(connection: Connection, row: RowMapping, moved: frozenset[int]) -> None:
    """Rewrite the steps made while the merge stood as they would have been without it."""

    def of_before(instance: Instance | None) -> Instance | None:
        is_moved = instance is not None and instance.id in moved and instance.category_id == row["target_id"]
        return replace(instance, category_id=row["source_id"]) if instance is not None and is_moved else instance

    later = select(history.c.id).where(history.c.id > row["after_history"]).order_by(history.c.id)
    for (step_id,) in connection.execute(later).fetchall():
        stored = connection.scalar(select(history.c.change).where(history.c.id == step_id))
        change = _steps_of(stored)
        if not moved.isdisjoint(change.entries):
            earlier = Change.of((of_before(before), of_before(after)) for _, before, after in change)
            connection.execute(update(history).where(history.c.id == step_id).values(change=change_to_bytes(earlier)))
