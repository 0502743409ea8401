"""A project as it was at one moment, for exports that take a while beside somebody who edits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select

from maskwright.document.values import Instance
from maskwright.errors import ProjectError
from maskwright.project.database import Database
from maskwright.project.instances import read_provenances
from maskwright.project.rows import instance_from_row
from maskwright.project.schema import instances
from maskwright.project.store import Project

_AHEAD = 200
"""Images whose instances are fetched with one statement when they are asked for in order."""


class ProjectSnapshot(Project):
    """Reads like a project, from one transaction: what is written meanwhile does not show. For one thread."""

    def __init__(self, project: Project, database: Database) -> None:
        """Use `snapshot`."""
        self._ahead: dict[int, list[Instance]] = {}
        super().__init__(project.path, database, "this is a snapshot")

    def instances(self, image_id: int) -> Sequence[Instance]:
        """In order of their ids; images of consecutive ids cost one statement for many."""
        if image_id not in self._ahead:
            with self._database.read() as connection:
                self._ahead = _read_ahead(connection, image_id)
        return tuple(self._ahead[image_id])


@contextmanager
def snapshot(project: Project) -> Iterator[ProjectSnapshot]:
    """The project at this moment. Raises ProjectError when it cannot be read."""
    with project._database.read() as connection:
        yield ProjectSnapshot(project, _OneConnection(project._database, connection))


class _OneConnection(Database):
    """A database whose every read takes the one transaction that is open already."""

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
        yield self._connection  # makes this a generator, as contextmanager needs it

    def close(self) -> None:
        """The connection belongs to the project."""


def _read_ahead(connection: Connection, image_id: int) -> dict[int, list[Instance]]:
    query = (
        select(instances)
        .where(instances.c.image_id.between(image_id, image_id + _AHEAD - 1))
        .order_by(instances.c.image_id, instances.c.id)
    )
    rows = connection.execute(query).fetchall()
    known = read_provenances(connection, {row.provenance_id for row in rows} - {None})
    found: dict[int, list[Instance]] = {id_: [] for id_ in range(image_id, image_id + _AHEAD)}
    for row in rows:
        found[row.image_id].append(instance_from_row(row, known))
    return found
