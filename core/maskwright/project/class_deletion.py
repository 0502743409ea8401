"""The part of a project that deletes a class with all its objects, as a step of each image that can be undone."""

from sqlalchemy import select, update

from maskwright.document.change import Change
from maskwright.document.values import ImageState
from maskwright.project.categories import DELETED, LISTED, find_category, read_categories
from maskwright.project.database import Database
from maskwright.project.instances import stored_instances, touch_images, write_changes, write_history
from maskwright.project.schema import categories, instances

_BLOCK = 200


class ClassDeletionRepository:
    """All methods may be called from any thread and raise ProjectError as `Database` does."""

    _database: Database

    def delete_category(self, category_id: int) -> int:
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
