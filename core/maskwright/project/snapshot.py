"""A project as it was at one moment, for long exports while someone keeps editing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from maskwright.document.values import Category, ImageRecord, ImageStanding, ImageState, Instance, InstanceState
from maskwright.errors import ProjectError
from maskwright.formats.coco.options import CocoExportOptions
from maskwright.project.database import Database
from maskwright.project.images import ImageRepository
from maskwright.project.instance_rows import read_provenances
from maskwright.project.instances import InstanceRepository
from maskwright.project.rows import is_stand_in, sound_instances
from maskwright.project.schema import categories, instances
from maskwright.project.schema import images as image_rows
from maskwright.project.source import ProjectSource
from maskwright.project.store import Project

_AHEAD = 200
"""Images whose instances are fetched in one statement if they are requested in order."""


class _ReadsAhead(InstanceRepository):
    """Reads many images of consecutive ids in one statement; damaged rows go into `left_out`."""

    def __init__(self, database: Database, left_out: dict[int, str]) -> None:
        super().__init__(database)
        self._left_out: dict[int, str] = left_out
        self._ahead: dict[int, list[Instance]] = {}

    def of(self, image_id: int) -> Sequence[Instance]:
        """By id."""
        if image_id not in self._ahead:
            with self._database.read() as connection:
                self._ahead = _read_ahead(connection, image_id, self._left_out)
        return tuple(each for each in self._ahead[image_id] if each.id not in self._left_out)


class ProjectSnapshot(ProjectSource):
    """A source that reads in a single transaction: later writes do not show. For one thread.

    Damaged rows and what depends on them are left out; `left_out` names those encountered so far.
    """

    def __init__(self, project: Project, database: Database) -> None:
        """Use `snapshot`."""
        self._damaged_images: dict[int, str] = {}
        self._listed: frozenset[int] | None = None
        self._objects = _without_class(database)
        images = ImageRepository(database, project.image_root)
        super().__init__(database, images, _ReadsAhead(database, self._objects))

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line per row left out so far."""
        return (*self._damaged_images.values(), *(self._objects[id_] for id_ in sorted(self._objects)))

    def leave_out_all_damaged(self) -> bool:
        """Also check annotations that are passed on unparsed; returns whether more are left out now."""
        known = len(self._objects)
        for id_, why in self.damaged_objects():
            self._objects.setdefault(id_, why)
        return len(self._objects) > known

    def list_classes_for(self, options: CocoExportOptions) -> None:
        """Restrict `categories` to those that `options` ask for."""
        if options.classes == "all":
            return
        written: list[ColumnElement[bool]] = [
            instances.c.state.in_([state.value for state in InstanceState if state.is_exported])
        ]
        if options.include_proposals:
            is_sure = instances.c.score.is_(None) | (instances.c.score >= options.min_score)
            written.append((instances.c.state == InstanceState.PROPOSED.value) & is_sure)
        states = [state.value for state in ImageState if options.takes_images_in(state)]
        of_set = image_rows.c.state.in_(states) & (image_rows.c.standing == ImageStanding.LISTED.value)
        query = select(instances.c.category_id).distinct().join(image_rows, image_rows.c.id == instances.c.image_id)
        with self._database.read() as connection:
            self._listed = frozenset(connection.scalars(query.where(or_(*written), of_set)))

    def categories(self) -> tuple[Category, ...]:
        """The listed ones, or only those in use."""
        listed = super().categories()
        return listed if self._listed is None else tuple(each for each in listed if each.id in self._listed)

    def images(self) -> Iterator[ImageRecord]:
        """Those with a valid name and size."""
        for image in super().images():
            if is_stand_in(image):
                self._damaged_images[image.id] = f"image {image.id} of the project is damaged"
            else:
                yield image

    def instance_ids(self) -> Sequence[int]:
        """The ids of all instances, ascending."""
        return [id_ for id_ in super().instance_ids() if id_ not in self._objects]

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids and damaged rows are left out."""
        return {id_: found for id_, found in super().find_instances(ids).items() if id_ not in self._objects}

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        """(image id, instance id, instance or JSON of an untouched annotation), by image and id or as in `ids`."""
        return (found for found in super().stored(ids) if found[1] not in self._objects)


@contextmanager
def snapshot(project: Project) -> Iterator[ProjectSnapshot]:
    """The project at this moment. Raises ProjectError if it cannot be read."""
    with project._database.read() as connection:
        yield ProjectSnapshot(project, _OneConnection(project._database, connection))


class _OneConnection(Database):
    """A database whose reads all share one open transaction."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self.path = database.path
        self.is_read_only = True
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        yield self._connection

    @contextmanager
    def write(self, **_: Any) -> Iterator[Connection]:
        raise ProjectError("a snapshot cannot be written", path=self.path.parent)
        yield self._connection  # makes this a generator, as contextmanager needs

    def close(self) -> None:
        """The connection belongs to the project."""


def _without_class(database: Database) -> dict[int, str]:
    """{id: reason} of objects without a class (0.1 s for a million)."""
    query = select(instances.c.id, instances.c.category_id)
    with database.read() as connection:
        rows = connection.execute(query.where(instances.c.category_id.not_in(select(categories.c.id)))).fetchall()
    return {row.id: f"object {row.id} of the project is damaged: there is no class {row.category_id!r}" for row in rows}


def _read_ahead(connection: Connection, image_id: int, damaged: dict[int, str]) -> dict[int, list[Instance]]:
    query = (
        select(instances)
        .where(instances.c.image_id.between(image_id, image_id + _AHEAD - 1))
        .order_by(instances.c.image_id, instances.c.id)
    )
    rows = connection.execute(query).fetchall()
    known = read_provenances(connection, {row.provenance_id for row in rows} - {None})
    found: dict[int, list[Instance]] = {id_: [] for id_ in range(image_id, image_id + _AHEAD)}
    for row, instance in sound_instances(rows, known, damaged):
        found[row.image_id].append(instance)
    return found
