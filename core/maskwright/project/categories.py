"""The part of a project that holds its categories.

A class has a standing. "kept": the user or a file asked for it. "found": a model's, and objects of it have occurred.
"offered": a model knows it, but none has occurred; it is not listed, and an object of it makes it "found". "deleted":
the user wants none of it; a model's objects of it are left out, and undoing the deletion of an object brings it back.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from maskwright.document.values import Category, InstanceState
from maskwright.errors import ProjectError
from maskwright.project.database import Database
from maskwright.project.numbers import LARGEST_KEPT, displace, name_in_files, read_numbers
from maskwright.project.rows import category_from_row, category_to_row
from maskwright.project.schema import categories, category_merges, file_ids, instances

KEPT, FOUND, OFFERED, DELETED = "kept", "found", "offered", "deleted"
LISTED = (KEPT, FOUND)
_BLOCK = 500


class CategoryRepository:
    """Categories of a project. All methods may be called from any thread and raise ProjectError as `Database` does."""

    _database: Database

    def categories(self) -> tuple[Category, ...]:
        """Those that the user or a file asked for, or that occur; in order of their ids."""
        with self._database.read() as connection:
            return read_categories(connection, LISTED)

    def offered_categories(self) -> tuple[Category, ...]:
        """Those that a model used here knows, but none of which has been found so far; in order of their ids."""
        return self.classes()[1]

    def deleted_categories(self) -> tuple[Category, ...]:
        """Those that the user wants none of, in order of their ids."""
        return self.classes()[2]

    def classes(self) -> tuple[tuple[Category, ...], tuple[Category, ...], tuple[Category, ...]]:
        """All at one moment: those of `categories`, of `offered_categories` and of `deleted_categories`."""
        with self._database.read() as connection:
            listed, offered, deleted = (read_categories(connection, each) for each in (LISTED, (OFFERED,), (DELETED,)))
        return listed, offered, deleted

    def used_category_ids(self) -> frozenset[int]:
        """Those of which there are objects that were not rejected."""
        query = select(instances.c.category_id).where(instances.c.state != InstanceState.REJECTED.value).distinct()
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))

    def add_category(self, name: str, *, id: int | None = None, supercategory: str = "", colour: str = "") -> Category:
        """The new category; `id` None: one above the highest. One that was offered or deleted is listed again.

        Raises ProjectError when the name is empty or taken or the id is taken or below 1.
        """
        with self._database.write() as connection:
            _require_free_name(name, read_categories(connection, LISTED))
            unlisted = _named(read_categories(connection, (OFFERED, DELETED)), name)
            if unlisted is not None and id in (None, unlisted.id):
                keep(connection, [unlisted.id])
                return _replace(connection, replace(unlisted, name=name.strip(), colour=colour or unlisted.colour))
            taken = taken_ids(connection)
            new_id = max(taken, default=0) + 1 if id is None else id
            if new_id < 1 or new_id in taken:
                raise ProjectError(f"category id {new_id} is taken or below 1")
            category = Category(new_id, name.strip(), supercategory, colour)
            connection.execute(insert(categories), category_to_row(category))
            return category

    def ensure_categories(self, labels: Iterable[tuple[int, str]]) -> dict[int, int]:
        """Make a category for each (id, name) whose name is unknown; {given id: the project's id}.

        Names are compared without case. A new category keeps the given id where that is free, so that the official
        sparse ids of COCO survive. All of them are listed from then on.
        """
        with self._database.write() as connection:
            found = _ensure(connection, labels, KEPT)
            keep(connection, found.values())
            return found

    def offer_categories(
        self, labels: Iterable[tuple[int, str]], *, official_ids: Collection[int] = ()
    ) -> dict[int, int]:
        """As `ensure_categories` for classes of a model, which are listed only once an object of them has occurred.

        official_ids: given ids that files are to be written with once an object of the class occurs, unless the user's
        own classes have them; what another model calls by such a number gets another one.
        """
        with self._database.write() as connection:
            found = _ensure(connection, labels, OFFERED)
            offered = {category.id for category in read_categories(connection, (OFFERED,))}
            official = [(id_, given) for given, id_ in found.items() if given in official_ids and id_ in offered]
            name_in_files(connection, "category", official)
            return found

    def keep_categories(self, ids: Iterable[int]) -> None:
        """List these, whether or not an object of them has occurred."""
        with self._database.write() as connection:
            keep(connection, ids)

    def rename_category(self, category_id: int, name: str) -> Category:
        """A class of that name that is not listed gives it up.

        Raises ProjectError when the name is empty or that of a listed one, or there is no such category.
        """
        with self._database.write() as connection:
            known, listed = read_categories(connection), read_categories(connection, LISTED)
            _require_free_name(name, [category for category in listed if category.id != category_id])
            unlisted = _named(read_categories(connection, (OFFERED, DELETED)), name)
            if unlisted is not None and unlisted.id != category_id:
                _replace(connection, replace(unlisted, name=_free_name(unlisted.name, known)))
            return _replace(connection, replace(find_category(known, category_id), name=name.strip()))

    def set_category_colour(self, category_id: int, colour: str) -> Category:
        """`colour` is `#rrggbb`, or empty for the stable colour of the id."""
        with self._database.write() as connection:
            return _replace(connection, replace(find_category(read_categories(connection), category_id), colour=colour))


def taken_ids(connection: Connection) -> set[int]:
    """Of the categories there are, and of those that were merged into others: the history still speaks of them.

    Also what imported files call them: a new one would have the same id in the next file.
    """
    there, merged = select(categories.c.id), select(category_merges.c.source_id)
    of_files = select(file_ids.c.file_id).where(file_ids.c.kind == "category", file_ids.c.file_id < LARGEST_KEPT)
    return {row[0] for row in connection.execute(there.union(merged, of_files))}


def read_categories(connection: Connection, standings: Collection[str] = ()) -> tuple[Category, ...]:
    """In order of their ids; `standings`: only those, none for all."""
    query: Select[Any] = select(categories).order_by(categories.c.id)
    if standings:
        query = query.where(categories.c.standing.in_(standings))
    return tuple(category_from_row(row) for row in connection.execute(query))


def keep(connection: Connection, ids: Iterable[int]) -> None:
    """The user or a file asks for these."""
    _stand(connection, ids, (FOUND, OFFERED, DELETED), KEPT)


def note_found(connection: Connection, ids: Iterable[int]) -> None:
    """Objects of these have occurred: none of them stays unlisted."""
    _stand(connection, ids, (OFFERED, DELETED), FOUND)


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
    """What is listed from now on takes its official number in files, unless that belongs to a class of the user's."""
    query = select(file_ids.c.id, file_ids.c.file_id).where(file_ids.c.kind == "category", file_ids.c.id.in_(ids))
    official = {row.id: row.file_id for row in connection.execute(query)}
    if not official:
        return
    numbers = read_numbers(connection, "category")
    of_users = {numbers[category.id] for category in read_categories(connection, (KEPT,))}
    given_up = [id_ for id_, number in official.items() if number in of_users]
    connection.execute(delete(file_ids).where(file_ids.c.kind == "category", file_ids.c.id.in_(given_up)))
    displace(connection, "category", {id_: number for id_, number in official.items() if id_ not in given_up})


def _ensure(connection: Connection, labels: Iterable[tuple[int, str]], standing: str) -> dict[int, int]:
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


def _free_name(name: str, known: Collection[Category]) -> str:
    """The name with the first number that makes it one of its own."""
    taken = {category.name.casefold() for category in known}
    return next(free for number in count(2) if (free := f"{name} {number}").casefold() not in taken)


def _named(known: Iterable[Category], name: str) -> Category | None:
    return next((each for each in known if each.name.casefold() == name.strip().casefold()), None)


def find_category(known: Iterable[Category], category_id: int) -> Category:
    for category in known:
        if category.id == category_id:
            return category
    raise ProjectError(f"the project has no category {category_id}")


def _require_free_name(name: str, known: Iterable[Category]) -> None:
    if not name.strip():
        raise ProjectError("a category needs a name")
    if any(category.name.casefold() == name.strip().casefold() for category in known):
        raise ProjectError(f"there is a category called “{name.strip()}” already")


def _replace(connection: Connection, category: Category) -> Category:
    connection.execute(update(categories).where(categories.c.id == category.id).values(category_to_row(category)))
    return category
