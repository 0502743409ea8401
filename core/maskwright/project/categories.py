"""The part of a project that holds its categories."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, insert, select, update

from maskwright.document.change import Change
from maskwright.document.values import Category, ImageState, InstanceState
from maskwright.errors import ProjectError
from maskwright.project.category_rows import (
    DELETED,
    KEPT,
    LISTED,
    OFFERED,
    ensure,
    find_category,
    free_name,
    keep,
    named,
    put,
    read_categories,
    release,
    require_free_name,
    taken_ids,
)
from maskwright.project.instance_rows import stored_instances, touch_images, write_changes, write_history
from maskwright.project.numbers import name_in_files
from maskwright.project.repository import Repository
from maskwright.project.rows import category_to_row
from maskwright.project.schema import categories, instances

_BLOCK = 200
"""Images per transaction when deleting objects."""


@dataclass(frozen=True, slots=True)
class CategoryUse:
    """What a merge would affect."""

    instances: int
    """Including rejected ones."""
    rejected: int
    images: int


class CategoryRepository(Repository):
    """Classes of a project: listed, offered by a model, or deleted."""

    def listed(self) -> tuple[Category, ...]:
        """Classes that the user or a file asked for, or that occur; by id."""
        with self._database.read() as connection:
            return read_categories(connection, LISTED)

    def offered(self) -> tuple[Category, ...]:
        """Classes that a model used here knows, but none of which has been found so far; by id."""
        return self.by_standing()[1]

    def deleted(self) -> tuple[Category, ...]:
        """Classes that the user deleted; by id."""
        return self.by_standing()[2]

    def by_standing(self) -> tuple[tuple[Category, ...], tuple[Category, ...], tuple[Category, ...]]:
        """`listed`, `offered` and `deleted`, read together."""
        with self._database.read() as connection:
            listed, offered, deleted = (read_categories(connection, each) for each in (LISTED, (OFFERED,), (DELETED,)))
        return listed, offered, deleted

    def used_ids(self) -> frozenset[int]:
        """Ids of classes with objects that are not rejected."""
        query = select(instances.c.category_id).where(instances.c.state != InstanceState.REJECTED.value).distinct()
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))

    def add(self, name: str, *, id: int | None = None, supercategory: str = "", colour: str = "") -> Category:
        """Add a class; `id` of None: one above the highest. One that was offered or deleted is listed again.

        Raises ProjectError if the name is empty or taken, or the id is taken or below 1.
        """
        with self._database.write() as connection:
            require_free_name(name, read_categories(connection, LISTED))
            unlisted = named(read_categories(connection, (OFFERED, DELETED)), name)
            if unlisted is not None and id in (None, unlisted.id):
                keep(connection, [unlisted.id])
                return put(connection, replace(unlisted, name=name.strip(), colour=colour or unlisted.colour))
            taken = taken_ids(connection)
            new_id = max(taken, default=0) + 1 if id is None else id
            if new_id < 1 or new_id in taken:
                raise ProjectError(f"category id {new_id} is taken or below 1")
            category = Category(new_id, name.strip(), supercategory, colour)
            connection.execute(insert(categories), category_to_row(category))
            return category

    def ensure(self, labels: Iterable[tuple[int, str]]) -> dict[int, int]:
        """Create a category for each (id, name) with an unknown name; returns {given id: the project's id}.

        Names are compared ignoring case. A new category keeps the given id if it is free, so that COCO's official ids
        survive. All of them are listed from then on.
        """
        with self._database.write() as connection:
            found = ensure(connection, labels, KEPT)
            keep(connection, found.values())
            return found

    def offer(self, labels: Iterable[tuple[int, str]], *, official_ids: Collection[int] = ()) -> dict[int, int]:
        """Like `ensure`, for classes of a model, which are listed only once an object of them has occurred.

        official_ids: given ids to be written to files once an object of the class occurs, unless the user's own classes
        have them; another model's class with such a number gets another one.
        """
        with self._database.write() as connection:
            found = ensure(connection, labels, OFFERED)
            offered = {category.id for category in read_categories(connection, (OFFERED,))}
            official = [(id_, given) for given, id_ in found.items() if given in official_ids and id_ in offered]
            name_in_files(connection, "category", official)
            return found

    def keep(self, ids: Iterable[int]) -> None:
        """List these, whether or not they occur."""
        with self._database.write() as connection:
            keep(connection, ids)

    def release(self) -> None:
        """Unlist the classes that only a model brought and that have no objects any more, as after other thresholds."""
        with self._database.write(is_repeatable=True) as connection:
            release(connection)

    def rename(self, category_id: int, name: str) -> Category:
        """Rename a class; an unlisted class of the new name gives it up.

        Raises ProjectError if the name is empty or that of a listed class, or there is no such category.
        """
        with self._database.write() as connection:
            known, listed = read_categories(connection), read_categories(connection, LISTED)
            require_free_name(name, [category for category in listed if category.id != category_id])
            unlisted = named(read_categories(connection, (OFFERED, DELETED)), name)
            if unlisted is not None and unlisted.id != category_id:
                put(connection, replace(unlisted, name=free_name(unlisted.name, known)))
            keep(connection, [category_id])
            return put(connection, replace(find_category(known, category_id), name=name.strip()))

    def set_colour(self, category_id: int, colour: str) -> Category:
        """`colour` is `#rrggbb`, or empty for the stable colour of the id."""
        with self._database.write() as connection:
            coloured = put(connection, replace(find_category(read_categories(connection), category_id), colour=colour))
            keep(connection, [category_id])
            return coloured

    def use(self, category_id: int) -> CategoryUse:
        """How many objects and images a class has."""
        is_rejected = instances.c.state == InstanceState.REJECTED.value
        query = select(
            func.count(), func.count().filter(is_rejected), func.count(instances.c.image_id.distinct())
        ).where(instances.c.category_id == category_id)
        with self._database.read() as connection:
            return CategoryUse(*connection.execute(query).one())

    def delete(self, category_id: int) -> int:
        """Unlist the class and delete its objects in all images, including rejected ones; returns their number.

        This is one transaction, and a step in the history of each image: undo brings an object back with its class.
        Models propose no objects of a deleted class until a class of its name is added. Raises ProjectError if there is
        no such class.
        """
        with self._database.write() as connection:
            category = find_category(read_categories(connection, LISTED), category_id)
            query = select(instances.c.image_id).where(instances.c.category_id == category_id).distinct()
            image_ids = sorted(connection.scalars(query))
            count = 0
            for start in range(0, len(image_ids), _BLOCK):
                stored = stored_instances(connection, image_ids[start : start + _BLOCK])
                gone = {
                    image_id: Change.of((each, None) for each in found if each.category_id == category_id)
                    for image_id, found in stored.items()
                }
                write_changes(connection, gone)
                for image_id, change in gone.items():
                    write_history(
                        connection, image_id, change, label=f"delete the class “{category.name}”", kind="edit"
                    )
                    count += len(change)
                touch_images(connection, gone, was=(), becomes=ImageState.IN_PROGRESS)
            where = categories.c.id == category_id
            connection.execute(update(categories).where(where).values(standing=DELETED))
        return count
