"""The part of a project that holds its categories."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, insert, select, update

from maskwright.document.values import Category
from maskwright.errors import ProjectError
from maskwright.project.database import Database
from maskwright.project.numbers import LARGEST_KEPT
from maskwright.project.rows import category_from_row, category_to_row
from maskwright.project.schema import categories, category_merges, file_ids


class CategoryShelf:
    """Categories of a project. All methods may be called from any thread and raise ProjectError as `Database` does."""

    _database: Database

    def categories(self) -> tuple[Category, ...]:
        """In order of their ids."""
        with self._database.read() as connection:
            return read_categories(connection)

    def add_category(self, name: str, *, id: int | None = None, supercategory: str = "", colour: str = "") -> Category:
        """The new category; `id` None: one above the highest.

        Raises ProjectError when the name is empty or taken or the id is taken or below 1.
        """
        with self._database.write() as connection:
            known = read_categories(connection)
            _require_free_name(name, known)
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
        sparse ids of COCO survive.
        """
        wanted = [(int(id_), name.strip()) for id_, name in labels]
        with self._database.write() as connection:
            known = list(read_categories(connection))
            by_name = {category.name.casefold(): category.id for category in known}
            taken = taken_ids(connection)
            added: list[Category] = []
            for given_id, name in wanted:
                if name.casefold() in by_name:
                    continue
                free = given_id if given_id >= 1 and given_id not in taken else max(taken, default=0) + 1
                added.append(Category(free, name))
                by_name[name.casefold()] = free
                taken.add(free)
            if added:
                connection.execute(insert(categories), [category_to_row(category) for category in added])
        return {given_id: by_name[name.casefold()] for given_id, name in wanted}

    def put_category(self, category: Category) -> None:
        """Add `category` as it is, or replace the one of the same id (import of a file's own categories)."""
        with self._database.write() as connection:
            known = {category.id for category in read_categories(connection)}
            row = category_to_row(category)
            if category.id in known:
                connection.execute(update(categories).where(categories.c.id == category.id).values(row))
            else:
                connection.execute(insert(categories), row)

    def rename_category(self, category_id: int, name: str) -> Category:
        """Raises ProjectError when the name is empty or taken, or there is no such category."""
        with self._database.write() as connection:
            known = read_categories(connection)
            _require_free_name(name, [category for category in known if category.id != category_id])
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


def read_categories(connection: Connection) -> tuple[Category, ...]:
    rows = connection.execute(select(categories).order_by(categories.c.id))
    return tuple(category_from_row(row) for row in rows)


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
