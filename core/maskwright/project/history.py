"""The part of a project that remembers every change of every image, for undo after a restart and for going back in
time."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast, get_args

from sqlalchemy import Connection, Row, func, select

from maskwright.document.change import Change, UserEffort
from maskwright.document.document import Document
from maskwright.errors import DamagedRowError, ProjectError
from maskwright.file_names import usable_name
from maskwright.plain_words import in_plain_words
from maskwright.project.aliases import Aliases, in_todays_classes, read_aliases
from maskwright.project.database import Database
from maskwright.project.instance_rows import StepKind
from maskwright.project.instances import InstanceRepository
from maskwright.project.journal import change_from_bytes
from maskwright.project.repository import Repository
from maskwright.project.schema import history, images

log = logging.getLogger(__name__)

_BLOCK = 500
_KINDS = frozenset(get_args(StepKind))
_MOST_SECONDS = 1e9
MOST_STEPS = 200
"""Steps of an image that can be undone after a restart."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change as it was made."""

    id: int
    image_id: int
    at: str
    """ISO 8601, UTC."""
    kind: StepKind
    label: str
    change: Change
    gesture: UserEffort | None = None
    """The effort; None if not recorded. Clicks and keys are 0 for steps from before they were counted."""


@dataclass(frozen=True, slots=True)
class StepCount:
    """Number of steps of one name in one image."""

    image_id: int
    file_name: str
    kind: StepKind
    label: str
    count: int
    last_at: str
    """Time of the latest; ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class UndoSteps:
    """A user's steps in an image: `undo` oldest first, `redo` latest undone last; both are used from their end.

    Each entry's `change` is the step as it was first made.
    """

    undo: tuple[HistoryEntry, ...]
    redo: tuple[HistoryEntry, ...]


class HistoryRepository(Repository):
    """All steps of all images."""

    def __init__(self, database: Database, instances: InstanceRepository) -> None:
        super().__init__(database)
        self._instances = instances

    def of(self, image_id: int, *, since: str = "", limit: int = 1000) -> list[HistoryEntry]:
        """The latest `limit` changes of an image made after `since` (ISO 8601, UTC), oldest first."""
        query = (
            select(history)
            .where(history.c.image_id == image_id, history.c.at > since)
            .order_by(history.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            aliases = read_aliases(connection)
            rows = connection.execute(query).fetchall()
        return [_entry(row, aliases) for row in reversed(rows)]

    def _readable_steps(self, image_id: int, limit: int) -> list[HistoryEntry]:
        """Like `of`, but only those after the latest damaged one: what was done before it cannot be undone."""
        query = select(history).where(history.c.image_id == image_id).order_by(history.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            aliases = read_aliases(connection)
            rows = connection.execute(query).fetchall()
        entries: list[HistoryEntry] = []
        for row in rows:
            try:
                entries.append(_entry(row, aliases))
            except DamagedRowError as error:
                log.warning("%s", error)
                break
        return entries[::-1]

    def all(self) -> Iterator[HistoryEntry]:
        """Every change of every image in the order in which they were made, fetched in blocks."""
        last = 0
        while True:
            query = select(history).where(history.c.id > last).order_by(history.c.id).limit(_BLOCK)
            with self._database.read() as connection:
                aliases = read_aliases(connection)
                rows = connection.execute(query).fetchall()
            if not rows:
                return
            yield from (_entry(row, aliases) for row in rows)
            last = rows[-1].id

    def counts_since(self, when: str) -> list[StepCount]:
        """What was done in which image from `when` (ISO 8601, UTC) on; the image worked on last comes first."""
        query = (
            select(
                history.c.image_id,
                images.c.file_name,
                history.c.kind,
                history.c.label,
                func.count(),
                func.max(history.c.at),
            )
            .join_from(history, images)
            .group_by(history.c.image_id, history.c.kind, history.c.label)
        )
        with self._database.read() as connection:
            first = _first_since(connection, when)
            rows = connection.execute(query.where(history.c.id >= first, history.c.at >= when)).fetchall()
        sound = [row for row in rows if row.kind in _KINDS and isinstance(row.label, str) and isinstance(row[5], str)]
        found = [StepCount(row[0], usable_name(row[0], row[1]), *row[2:]) for row in sound]
        latest: dict[int, str] = {}
        for each in found:
            latest[each.image_id] = max(each.last_at, latest.get(each.image_id, ""))
        return sorted(found, key=lambda each: (latest[each.image_id], each.image_id, each.count), reverse=True)

    def undo_steps(self, image_id: int, *, limit: int = MOST_STEPS) -> UndoSteps:
        """What can be undone and redone now, as it was when the project was closed.

        Steps on proposals that a later run has replaced end the list, because they cannot be undone any more.
        """
        done: list[HistoryEntry] = []
        undone: list[HistoryEntry] = []
        for entry in self._readable_steps(image_id, 4 * limit):
            if entry.change.is_empty:  # between two classes that have been merged since
                continue
            match entry.kind:
                case "edit":
                    done.append(entry)
                    undone.clear()
                case "undo" if done:
                    undone.append(done.pop())
                case "redo" if undone:
                    done.append(undone.pop())
        document = self._instances.document(image_id)
        taken_back = [entry.change.inverse() for entry in reversed(done)]
        undo = len(_applicable(document, taken_back[:limit]))
        redo = len(_applicable(document, [entry.change for entry in reversed(undone)]))
        return UndoSteps(tuple(done[len(done) - undo :]), tuple(undone[len(undone) - redo :]))

    def document_at(self, image_id: int, when: str) -> Document:
        """The image's instances as they were at a time (ISO 8601, UTC).

        Raises ProjectError if a step or an object is damaged, so that they cannot be known.
        """
        document = self._instances.document(image_id)
        for entry in reversed(self.of(image_id, since=when, limit=1_000_000)):
            try:
                document = document.apply(entry.change.inverse())
            except ValueError as error:
                raise ProjectError(f"the steps of image {image_id} are inconsistent: {error}") from error
        return document

    def change_back_to(self, image_id: int, when: str) -> Change:
        """The change that restores an image as it was at a time; an edit like any other."""
        before, after = self._instances.document(image_id).instances, self.document_at(image_id, when).instances
        return Change.of((before.get(id_), after.get(id_)) for id_ in sorted(before.keys() | after.keys()))


def _first_since(connection: Connection, when: str) -> int:
    """Id of the first step from a time on, or one above all: steps are ordered by time, so few rows are read."""
    low, high = 0, (connection.scalar(select(func.max(history.c.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            select(history.c.id, history.c.at).where(history.c.id >= middle).order_by(history.c.id).limit(1)
        ).one_or_none()
        if row is None or row.at >= when:
            high = middle
        else:
            low = row.id + 1
    return low


def _applicable(document: Document, changes: Sequence[Change]) -> list[Change]:
    """As many of `changes`, in order, as can be applied."""
    fitting: list[Change] = []
    for change in changes:
        try:
            document = document.apply(change)
        except ValueError:
            break
        fitting.append(change)
    return fitting


def _entry(row: Row[Any], aliases: Aliases) -> HistoryEntry:
    if (fault := step_fault(row)) is not None:
        raise DamagedRowError(f"step {row.id} of image {row.image_id} is damaged: {fault}", row.id)
    gesture = UserEffort(row.clicks or 0, row.keys or 0, row.active_s) if row.active_s is not None else None
    try:
        change = in_todays_classes(change_from_bytes(row.change), aliases)
    except ValueError as error:
        raise DamagedRowError(
            f"step {row.id} of image {row.image_id} is damaged: {in_plain_words(error)}", row.id
        ) from error
    return HistoryEntry(
        row.id, row.image_id, row.at, cast(StepKind, row.kind), row.label, change, gesture
    )  # cast: `step_fault` has looked


def step_fault(row: Row[Any]) -> str | None:
    """What is wrong with a row of the history apart from its change; None if it is sound."""
    if row.kind not in _KINDS or not isinstance(row.label, str):
        return f"a step of the kind {row.kind!r:.60}"
    try:
        datetime.fromisoformat(row.at)
    except (TypeError, ValueError):
        return f"a time {row.at!r:.60}"
    counts, seconds = (row.clicks, row.keys), row.active_s
    is_spent = all(count is None or (type(count) is int and count >= 0) for count in counts) and (
        seconds is None or (type(seconds) in (int, float) and 0 <= seconds < _MOST_SECONDS)
    )
    return None if is_spent else f"an effort of {(*counts, seconds)!r:.100}"
