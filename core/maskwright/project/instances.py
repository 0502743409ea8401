"""The part of a project that holds the instances: read as documents, written as journalled changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from maskwright.document.change import UNTOUCHED, Change, UserEffort, is_work
from maskwright.document.document import Document
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.errors import ProjectError
from maskwright.project.aliases import in_todays_classes, read_aliases
from maskwright.project.bulk import read_all, read_some
from maskwright.project.category_rows import keep
from maskwright.project.instance_rows import (
    read_instances,
    read_provenances,
    reserve_ids,
    stored_instances,
    touch_image,
    write_change,
    write_history,
)
from maskwright.project.measures import Measures, read_measures
from maskwright.project.repository import Repository
from maskwright.project.rows import (
    image_from_row,
    now,
    sound_instances,
)
from maskwright.project.schema import images, instances

_BLOCK = 500
_OUTSIDE = select(images.c.id).where(images.c.standing != "listed")
"""Images outside the set."""


class InstanceRepository(Repository):
    """The instances of a project."""

    _left_out: dict[int, str] | None = None
    """{id: reason} of objects that could not be read, if the caller wants to know: see `ProjectSnapshot`."""

    def document(self, image_id: int) -> Document:
        """An image's document. Raises ProjectError if there is no such image."""
        with self._database.read() as connection:
            row = connection.execute(select(images).where(images.c.id == image_id)).one_or_none()
            if row is None:
                raise ProjectError(f"the project has no image {image_id}")
            record = image_from_row(row)
            damaged: dict[int, str] = {}
            found = stored_instances(connection, [image_id], damaged)[image_id]
            return Document.of(image_id, (record.width, record.height), found, damaged)

    def of(self, image_id: int) -> Sequence[Instance]:
        """By id, without damaged ones; empty for an image without instances."""
        with self._database.read() as connection:
            return read_instances(connection, image_id)

    def has_answers(self, count: int) -> bool:
        """Whether there are at least `count` accepted, edited or drawn objects on done images."""
        states = [state.value for state in InstanceState if state.is_exported]
        found = (
            select(instances.c.id)
            .join(images, images.c.id == instances.c.image_id)
            .where(images.c.state == ImageState.DONE.value, instances.c.state.in_(states))
            .limit(count)
        )
        with self._database.read() as connection:
            return len(connection.execute(found).fetchall()) >= count

    def reserve_ids(self, count: int) -> range:
        """`count` ids that no instance has had and that nothing else will get."""
        with self._database.write(is_repeatable=True, is_seen=False) as connection:
            return reserve_ids(connection, count)

    def apply(
        self,
        image_id: int,
        change: Change,
        *,
        label: str,
        kind: Literal["edit", "undo", "redo"] = "edit",
        gesture: UserEffort | None = None,
    ) -> Change:
        """Store a user's change and its journal entry in one transaction; on return it survives a power cut.

        Returns what was stored: `change` itself, unless a class in it has been merged into another. An unseen or
        pre-labelled image becomes "in progress", unless the step only alters proposals. `gesture` is stored if the
        project records effort. Raises UnfitEditError if the stored instances are not in the state that the change
        starts from, or the image or a class is gone.
        """
        if change.is_empty:
            return change
        with self._database.write() as connection:
            change = in_todays_classes(change, read_aliases(connection))
            if change.is_empty:
                return change
            is_own, stored = is_work(change), read_instances(connection, image_id)
            write_change(connection, image_id, change, stored=stored, edited_at=now() if is_own else "")
            write_history(connection, image_id, change, label=label, kind=kind, gesture=gesture)
            if is_own:
                keep(connection, _worked_on(change))
                touch_image(connection, image_id, was=UNTOUCHED, becomes=ImageState.IN_PROGRESS)
            else:
                touch_image(connection, image_id, was=(ImageState.UNSEEN,), becomes=ImageState.PRELABELLED)
        return change

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        """(image id, instance id, instance), sorted by image and id, or those of `ids` in their order.

        An imported annotation that nobody has changed comes as its JSON.
        """
        with self._database.read() as connection:
            if ids is None:
                yield from read_all(connection, self._left_out)
                return
            for start in range(0, len(ids), _BLOCK):
                block = tuple(ids[start : start + _BLOCK])
                found = {row[1]: row for row in read_some(connection, block, self._left_out)}
                yield from (found[id_] for id_ in block if id_ in found)

    def ids(self) -> Sequence[int]:
        """The ids of all instances, ascending."""
        with self._database.read() as connection:
            return [row[0] for row in connection.execute(select(instances.c.id).order_by(instances.c.id))]

    def find(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids and damaged rows are left out."""
        found: dict[int, tuple[int, Instance]] = {}
        with self._database.read() as connection:
            for start in range(0, len(ids), _BLOCK):
                block = select(instances).where(instances.c.id.in_(list(ids[start : start + _BLOCK])))
                rows = connection.execute(block).fetchall()
                known = read_provenances(connection, {row.provenance_id for row in rows} - {None})
                found |= {
                    row.id: (row.image_id, instance) for row, instance in sound_instances(rows, known, self._left_out)
                }
        return found

    def category_images(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(image ids, category ids, numbers of instances): one entry per image and category, without rejected ones."""
        query = (
            select(instances.c.image_id, instances.c.category_id, func.count())
            .where(instances.c.state != "rejected", instances.c.image_id.not_in(_OUTSIDE))
            .group_by(instances.c.image_id, instances.c.category_id)
        )
        with self._database.read() as connection:
            rows = np.array([tuple(row) for row in connection.execute(query)], np.int64).reshape(-1, 3)
        return rows[:, 0], rows[:, 1], rows[:, 2]

    def category_counts(self) -> dict[int, tuple[int, int]]:
        """{category id: (instances, images that have one)}; without rejected instances."""
        query = (
            select(instances.c.category_id, func.count(), func.count(instances.c.image_id.distinct()))
            .where(instances.c.state != "rejected", instances.c.image_id.not_in(_OUTSIDE))
            .group_by(instances.c.category_id)
        )
        with self._database.read() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(query)}

    def measures(self, on_progress: Callable[[int], None] = lambda done: None) -> Measures:
        """Size and score of all objects. `on_progress` gets the number read so far and may raise to stop."""
        with self._database.read() as connection:
            return read_measures(connection, on_progress)


def _worked_on(change: Change) -> set[int]:
    """Classes of the objects that a user decided about."""
    sides = (side for _, *both in change for side in both if side is not None)
    return {side.category_id for side in sides if side.state is not InstanceState.PROPOSED}
