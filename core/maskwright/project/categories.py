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
    require_free_name,
    taken_ids,
)
from maskwright.project.instance_rows import stored_instances, touch_images, write_changes, write_history
from maskwright.project.numbers import name_in_files
from maskwright.project.repository import Repository
from maskwright.project.rows import category_to_row
from maskwright.project.schema import categories, instances

_BLOCK = 200
"""Images at a time whose objects are deleted."""


@dataclass(frozen=True, slots=True)
class CategoryUse:
    """What a merge would touch."""

    instances: int
    """Rejected ones included."""
    rejected: int
    images: int


class CategoryRepository(Repository):
    """Classes of a project: those that are listed, offered by a model or deleted."""

    def listed(self) -> tuple[Category, ...]:
        """Those that the user or a file asked for, or that occur; in order of their ids."""
        with self._database.read() as connection:
            return read_categories(connection, LISTED)

    def offered(self) -> tuple[Category, ...]:
        """Those that a model used here knows, but none of which has been found so far; in order of their ids."""
        return self.by_standing()[1]

    def deleted(self) -> tuple[Category, ...]:
        """Those that the user wants none of, in order of their ids."""
        return self.by_standing()[2]

    def by_standing(self) -> tuple[tuple[Category, ...], tuple[Category, ...], tuple[Category, ...]]:
        """All at one moment: those of `listed`, of `offered` and of `deleted`."""
        with self._database.read() as connection:
            listed, offered, deleted = (read_categories(connection, each) for each in (LISTED, (OFFERED,), (DELETED,)))
        return listed, offered, deleted

    def used_ids(self) -> frozenset[int]:
        """Those of which there are objects that were not rejected."""
        query = select(instances.c.category_id).where(instances.c.state != InstanceState.REJECTED.value).distinct()
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))

    def add(self, name: str, *, id: int | None = None, supercategory: str = "", colour: str = "") -> Category:
        """The new category; `id` None: one above the highest. One that was offered or deleted is listed again.

        Raises ProjectError when the name is empty or taken or the id is taken or below 1.
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
        """Make a category for each (id, name) whose name is unknown; {given id: the project's id}.

        Names are compared without case. A new category keeps the given id where that is free, so that the official
        sparse ids of COCO survive. All of them are listed from then on.
        """
        with self._database.write() as connection:
            found = ensure(connection, labels, KEPT)
            keep(connection, found.values())
            return found

    def offer(self, labels: Iterable[tuple[int, str]], *, official_ids: Collection[int] = ()) -> dict[int, int]:
        """As `ensure` for classes of a model, which are listed only once an object of them has occurred.

        official_ids: given ids that files are to be written with once an object of the class occurs, unless the user's
        own classes have them; what another model calls by such a number gets another one.
        """
        with self._database.write() as connection:
            found = ensure(connection, labels, OFFERED)
            offered = {category.id for category in read_categories(connection, (OFFERED,))}
            official = [(id_, given) for given, id_ in found.items() if given in official_ids and id_ in offered]
            name_in_files(connection, "category", official)
            return found

    def keep(self, ids: Iterable[int]) -> None:
        """List these, whether or not an object of them has occurred."""
        with self._database.write() as connection:
            keep(connection, ids)

    def rename(self, category_id: int, name: str) -> Category:
        """A class of that name that is not listed gives it up.

        Raises ProjectError when the name is empty or that of a listed one, or there is no such category.
        """
        with self._database.write() as connection:
            known, listed = read_categories(connection), read_categories(connection, LISTED)
            require_free_name(name, [category for category in listed if category.id != category_id])
            unlisted = named(read_categories(connection, (OFFERED, DELETED)), name)
            if unlisted is not None and unlisted.id != category_id:
                put(connection, replace(unlisted, name=free_name(unlisted.name, known)))
            return put(connection, replace(find_category(known, category_id), name=name.strip()))

    def set_colour(self, category_id: int, colour: str) -> Category:
        """`colour` is `#rrggbb`, or empty for the stable colour of the id."""
        with self._database.write() as connection:
            return put(connection, replace(find_category(read_categories(connection), category_id), colour=colour))

    def use(self, category_id: int) -> CategoryUse:
        is_rejected = instances.c.state == InstanceState.REJECTED.value
        query = select(
            func.count(), func.count().filter(is_rejected), func.count(instances.c.image_id.distinct())
        ).where(instances.c.category_id == category_id)
        with self._database.read() as connection:
            return CategoryUse(*connection.execute(query).one())

    def delete(self, category_id: int) -> int:
        """Take the class off the list and its objects off all images, rejected ones too; how many objects that were.

        It is one transaction, and a step in the history of each image: an object brought back by undo brings its class
        back. Models propose no object of a class that was deleted; adding a class of its name ends that.
        Raises ProjectError when there is no such class.
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
