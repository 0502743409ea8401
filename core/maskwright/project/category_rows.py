"""The database rows of a project's categories.

A class has a standing. "kept": the user or a file asked for it, or the user worked on an object of it. "found": a
model's, and objects of it occur. "offered": a model knows it, but none occurs; it is not listed, and the first object
makes it "found". "deleted": the user does not want it; a model's objects of it are dropped, and undoing the deletion of
an object restores it."""

from collections.abc import Collection, Iterable
from itertools import count
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from maskwright.document.values import Category
from maskwright.errors import ProjectError
from maskwright.project.numbers import LARGEST_KEPT, displace, read_numbers
from maskwright.project.rows import category_from_row, category_to_row
from maskwright.project.schema import categories, category_merges, file_ids, instances

KEPT, FOUND, OFFERED, DELETED = "kept", "found", "offered", "deleted"
LISTED = (KEPT, FOUND)
_BLOCK = 500


def taken_ids(connection: Connection) -> set[int]:
    """Ids of all categories, and of those merged into others, which the history still refers to.

    Includes the ids in imported files: a new category would otherwise get the same id in the next file.
    """
    there, merged = select(categories.c.id), select(category_merges.c.source_id)
    of_files = select(file_ids.c.file_id).where(file_ids.c.kind == "category", file_ids.c.file_id < LARGEST_KEPT)
    return {id_ for id_ in connection.scalars(there.union(merged, of_files)) if type(id_) is int}


def read_categories(connection: Connection, standings: Collection[str] = ()) -> tuple[Category, ...]:
    """By id; `standings`: only those, all if empty."""
    query: Select[Any] = select(categories).order_by(categories.c.id)
    if standings:
        query = query.where(categories.c.standing.in_(standings))
    return tuple(category_from_row(row) for row in connection.execute(query))


def keep(connection: Connection, ids: Iterable[int]) -> None:
    """Mark as asked for by the user or a file."""
    _stand(connection, ids, (FOUND, OFFERED, DELETED), KEPT)


def note_found(connection: Connection, ids: Iterable[int]) -> None:
    """Objects of these have occurred: list them."""
    _stand(connection, ids, (OFFERED, DELETED), FOUND)


def release(connection: Connection, ids: Collection[int] | None = None) -> None:
    """Classes that only a model brought, and of which no object is left, are offered again; `ids`: only these.

    The first object makes them "found" again, so undo needs no class to stay.
    """
    found = {each.id for each in read_categories(connection, (FOUND,))}
    gone = [id_ for id_ in (found if ids is None else found.intersection(ids)) if not _has_objects(connection, id_)]
    for start in range(0, len(gone), _BLOCK):
        block = gone[start : start + _BLOCK]
        connection.execute(update(categories).where(categories.c.id.in_(block)).values(standing=OFFERED))


def _has_objects(connection: Connection, category_id: int) -> bool:
    query = select(instances.c.category_id).where(instances.c.category_id == category_id).limit(1)
    return connection.scalar(query) is not None


def _stand(connection: Connection, ids: Iterable[int], was: Collection[str], becomes: str) -> None:
    wanted = set(ids)
    rows = connection.execute(select(categories.c.id, categories.c.standing).where(categories.c.standing.in_(was)))
    changed = {row.id: row.standing for row in rows if row.id in wanted}
    if not changed:
        return
    _claim_numbers(connection, [id_ for id_, standing in changed.items() if standing == OFFERED])
    for start in range(0, len(changed), _BLOCK):
        block = list(changed)[start : start + _BLOCK]
        connection.execute(update(categories).where(categories.c.id.in_(block)).values(standing=becomes))


def _claim_numbers(connection: Connection, ids: Collection[int]) -> None:
    """Newly listed classes take their official numbers in files, unless a class of the user's has them."""
    query = select(file_ids.c.id, file_ids.c.file_id).where(file_ids.c.kind == "category", file_ids.c.id.in_(ids))
    official = {row.id: row.file_id for row in connection.execute(query)}
    if not official:
        return
    numbers = read_numbers(connection, "category")
    of_users = {numbers[category.id] for category in read_categories(connection, (KEPT,))}
    given_up = [id_ for id_, number in official.items() if number in of_users]
    connection.execute(delete(file_ids).where(file_ids.c.kind == "category", file_ids.c.id.in_(given_up)))
    displace(connection, "category", {id_: number for id_, number in official.items() if id_ not in given_up})


def ensure(connection: Connection, labels: Iterable[tuple[int, str]], standing: str) -> dict[int, int]:
    """See `CategoryRepository.ensure`; new ones get this standing."""
    wanted = [(int(id_), name.strip()) for id_, name in labels]
    by_name = {category.name.casefold(): category.id for category in read_categories(connection)}
    new = {name.casefold(): (id_, name) for id_, name in reversed(wanted) if name.casefold() not in by_name}
    taken = taken_ids(connection)
    highest = max([0, *taken, *(id_ for id_, _ in new.values())])
    added: list[Category] = []
    for given_id, name in sorted(new.values()):
        is_free = given_id >= 1 and given_id not in taken
        highest += not is_free
        added.append(Category(given_id if is_free else highest, name))
        by_name[name.casefold()] = added[-1].id
        taken.add(added[-1].id)
    if added:
        connection.execute(insert(categories), [category_to_row(each) | {"standing": standing} for each in added])
    return {given_id: by_name[name.casefold()] for given_id, name in wanted}


def free_name(name: str, known: Collection[Category]) -> str:
    """The name, with a number added if need be to make it unique."""
    taken = {category.name.casefold() for category in known}
    return next(free for number in count(2) if (free := f"{name} {number}").casefold() not in taken)


def named(known: Iterable[Category], name: str) -> Category | None:
    """The category of this name, ignoring case; None if there is none."""
    return next((each for each in known if each.name.casefold() == name.strip().casefold()), None)


def find_category(known: Iterable[Category], category_id: int) -> Category:
    """Raises ProjectError if there is no such category."""
    for category in known:
        if category.id == category_id:
            return category
    raise ProjectError(f"the project has no category {category_id}")


def require_free_name(name: str, known: Iterable[Category]) -> None:
    """Raises ProjectError if the name is empty or taken."""
    if not name.strip():
        raise ProjectError("a class needs a name")
    if any(category.name.casefold() == name.strip().casefold() for category in known):
        raise ProjectError(f"a class called “{name.strip()}” already exists")


def put(connection: Connection, category: Category) -> Category:
    """Update the row of a category; returns the argument."""
    connection.execute(update(categories).where(categories.c.id == category.id).values(category_to_row(category)))
    return category
