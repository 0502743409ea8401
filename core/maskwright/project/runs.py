"""The part of a project that records batches: what ran, what is done, what failed. The basis for resuming."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, exists, func, insert, select, union
from sqlalchemy.dialects.sqlite import insert as upsert

from maskwright.document.values import ASSISTED, BESIDE, ImageStanding, ImageState
from maskwright.errors import NO_FILE, NO_LINKED_FILE, ProjectError
from maskwright.file_names import usable_name
from maskwright.project.repository import Repository
from maskwright.project.rows import json_object, now, to_json
from maskwright.project.schema import images, instances, provenances, run_images, runs, signals
from maskwright.project.signals import detail_of, write_signals

_ALONE = "failure"
"""Signal that stores why the model failed on an image outside of a batch."""

_NO_FILE = (NO_FILE, NO_LINKED_FILE)


@dataclass(frozen=True, slots=True)
class Run:
    """A batch of one model with certain settings, over any number of sessions."""

    id: int
    model_name: str
    model_hash: str
    settings: Mapping[str, Any]
    started_at: str
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class RunFailure:
    """An image that a run, or the model outside of a run, failed on, and why."""

    image_id: int
    file_name: str
    reason: str


class RunRepository(Repository):
    """Batches: what ran, what is done, what failed."""

    def start(self, model_name: str, model_hash: str, settings: Mapping[str, Any]) -> int:
        """Start a run and return its id; `settings` must be JSON values."""
        row = {
            "model_name": model_name,
            "model_hash": model_hash,
            "settings": to_json(dict(settings)),
            "started_at": now(),
        }
        with self._database.write() as connection:
            return int(connection.execute(insert(runs).values(row).returning(runs.c.id)).scalar_one())

    def get(self, run_id: int) -> Run:
        """Raises ProjectError if there is no such run."""
        with self._database.read() as connection:
            return read_run(connection, run_id)

    def last(self) -> Run | None:
        """The latest run; None if there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(runs).order_by(runs.c.id.desc()).limit(1)).one_or_none()
        return _run_from_row(row) if row is not None else None

    def proposed_by(self, image_id: int) -> str | None:
        """Name of the model that last proposed for an image, in a batch or alone; None if none has."""
        alone = (
            select(provenances.c.created_at, provenances.c.model_name)
            .join(instances, instances.c.provenance_id == provenances.c.id)
            .where(instances.c.image_id == image_id, ~provenances.c.model_name.startswith(ASSISTED))
        )
        has_done = exists().where(
            run_images.c.run_id == runs.c.id, run_images.c.image_id == image_id, run_images.c.failure.is_(None)
        )
        in_batch = (
            select(runs.c.started_at, runs.c.model_name)
            .where(has_done)  # by key, run by run: a join would go through all images of all runs
            .order_by(runs.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            rows = [*connection.execute(alone).fetchall(), *connection.execute(in_batch).fetchall()]
        return max(rows)[1].partition(BESIDE)[0] if rows else None

    def images_of(self, model_hash: str) -> frozenset[int]:
        """Ids of the images that batches of a model have done."""
        done = (
            select(run_images.c.image_id)
            .join(runs, runs.c.id == run_images.c.run_id)
            .where(runs.c.model_hash == model_hash, run_images.c.failure.is_(None))
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(done).scalars())

    def pending_images(self, run_id: int, *, only_untouched: bool = False) -> NDArray[np.int64]:
        """(N,) int64 ids, in order, that the run has neither done nor failed on.

        only_untouched: without those that a user has worked on. Images outside the set are left out.
        """
        seen = exists().where(run_images.c.run_id == run_id, run_images.c.image_id == images.c.id)
        states = [state.value for state in ImageState if state.is_untouched]
        wanted = [images.c.standing == ImageStanding.LISTED.value]
        if only_untouched:
            wanted.append(images.c.state.in_(states))
        with self._database.read() as connection:
            rows = connection.execute(select(images.c.id).where(~seen, *wanted).order_by(images.c.id)).fetchall()
        return np.fromiter((row[0] for row in rows), np.int64, len(rows))

    def record_failure(self, run_id: int, image_id: int, reason: str) -> None:
        """Record that a run failed on an image."""
        with self._database.write(is_repeatable=True) as connection:
            _mark_images(connection, run_id, {image_id: (None, reason)})

    def failures(self, run_id: int) -> list[RunFailure]:
        """By image."""
        query = (
            select(images.c.id, images.c.file_name, run_images.c.failure)
            .join_from(run_images, images)
            .where(run_images.c.run_id == run_id, run_images.c.failure.is_not(None))
            .order_by(images.c.id)
        )
        with self._database.read() as connection:
            return [_failure(*row) for row in connection.execute(query)]

    def failure_counts(self, run_id: int | None) -> tuple[int, int]:
        """Number of images that `run_id` or the model alone failed on, each counted once: those whose file cannot be
        used, and those that have none.
        """
        is_failed = run_images.c.run_id == run_id, run_images.c.failure.is_not(None)
        of_run = select(run_images.c.image_id, run_images.c.failure.in_(_NO_FILE)).where(*is_failed)
        alone = select(signals.c.image_id, signals.c.detail.in_([to_json(reason) for reason in _NO_FILE]))
        with self._database.read() as connection:
            rows = connection.execute(union(of_run, alone.where(signals.c.name == _ALONE)))
            is_missing = {row[0]: bool(row[1]) for row in rows}
        missing = sum(is_missing.values())
        return len(is_missing) - missing, missing

    def missing_count(self, run_id: int) -> int:
        """Number of the run's failures that are images without a file."""
        query = select(func.count()).where(run_images.c.run_id == run_id, run_images.c.failure.in_(_NO_FILE))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def note_failure(self, image_id: int, reason: str) -> None:
        """The model failed on one image outside of a batch; kept until a run succeeds or fails there."""
        with self._database.write(is_repeatable=True) as connection:
            write_signals(connection, _ALONE, {image_id: (0.0, reason)})

    def forget_failure(self, image_id: int) -> None:
        """The model succeeded on the image outside of a batch: earlier failures there no longer count.

        For the batch that failed there the image is pending again.
        """
        failed = run_images.c.image_id == image_id, run_images.c.failure.is_not(None)
        with self._database.write(is_repeatable=True) as connection:
            _forget_alone(connection, [image_id])
            connection.execute(delete(run_images).where(*failed))

    def failures_alone(self) -> list[RunFailure]:
        """Failures outside of batches, by image."""
        query = (
            select(images.c.id, images.c.file_name, signals.c.detail)
            .join_from(signals, images)
            .where(signals.c.name == _ALONE)
            .order_by(images.c.id)
        )
        with self._database.read() as connection:
            return [_failure(row[0], row[1], str(detail_of(row[2]))) for row in connection.execute(query)]

    def done_count(self, run_id: int) -> int:
        """Number of images done by the run, without failures."""
        query = select(func.count()).where(run_images.c.run_id == run_id, run_images.c.failure.is_(None))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def forget_failures(self, run_id: int) -> int:
        """Make the failed images pending again; returns their number."""
        query = delete(run_images).where(run_images.c.run_id == run_id, run_images.c.failure.is_not(None))
        with self._database.write() as connection:
            return connection.execute(query).rowcount


def read_run(connection: Connection, run_id: int) -> Run:
    """Raises ProjectError if there is no such run."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise ProjectError(f"the project has no run {run_id}")
    return _run_from_row(row)


def mark_images_done(connection: Connection, run_id: int, seconds: Mapping[int, float | None]) -> None:
    """{image id: processing time}; an earlier failure of the image is forgotten."""
    _mark_images(connection, run_id, {image_id: (taken, None) for image_id, taken in seconds.items()})


def _mark_images(connection: Connection, run_id: int, marks: Mapping[int, tuple[float | None, str | None]]) -> None:
    """{image id: (seconds, reason of the failure)}."""
    if not marks:
        return
    _forget_alone(connection, marks)
    rows = [
        {"run_id": run_id, "image_id": image_id, "seconds": seconds, "failure": failure}
        for image_id, (seconds, failure) in marks.items()
    ]
    statement = upsert(run_images)
    changed = {"seconds": statement.excluded.seconds, "failure": statement.excluded.failure}
    connection.execute(statement.on_conflict_do_update(index_elements=["run_id", "image_id"], set_=changed), rows)


def _forget_alone(connection: Connection, image_ids: Iterable[int]) -> None:
    wanted = signals.c.image_id.in_(list(image_ids))
    connection.execute(delete(signals).where(signals.c.name == _ALONE, wanted))


def _failure(image_id: int, file_name: object, reason: object) -> RunFailure:
    """Names and reasons may be anything if another program wrote the project."""
    return RunFailure(image_id, usable_name(image_id, file_name), reason if isinstance(reason, str) else "")


def _run_from_row(row: Row[Any]) -> Run:
    return Run(row.id, row.model_name, row.model_hash, json_object(row.settings), row.started_at)
