"""The part of a project that stores numbers about images, which order them for review."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from maskwright.project.repository import Repository
from maskwright.project.rows import from_json, to_json
from maskwright.project.schema import signals


class SignalRepository(Repository):
    """Numbers about images, which order them for review."""

    def set(self, name: str, values: Mapping[int, tuple[float, Any]]) -> None:
        """{image id: (value, JSON details)}; replaces earlier values for these images."""
        with self._database.write(is_repeatable=True) as connection:
            write_signals(connection, name, values)

    def values(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(image ids, values), both (N,), by id; images without the signal are missing."""
        query = select(signals.c.image_id, signals.c.value).where(signals.c.name == name).order_by(signals.c.image_id)
        with self._database.read() as connection:
            rows = [row for row in connection.execute(query) if type(row[1]) in (int, float)]  # others are damaged
        return (
            np.fromiter((row[0] for row in rows), np.int64, len(rows)),
            np.fromiter((row[1] for row in rows), np.float64, len(rows)),
        )

    def details(self, name: str) -> dict[int, Any]:
        """{image id: details} of all images with the signal."""
        query = select(signals.c.image_id, signals.c.detail).where(signals.c.name == name)
        with self._database.read() as connection:
            rows = connection.execute(query).fetchall()
        return {row.image_id: detail_of(row.detail) for row in rows}

    def get(self, name: str, image_id: int) -> tuple[float, Any] | None:
        """(value, details) of one image; None if there is none."""
        query = select(signals.c.value, signals.c.detail).where(signals.c.name == name, signals.c.image_id == image_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return (row.value, detail_of(row.detail)) if row is not None and type(row.value) in (int, float) else None


def detail_of(text: object) -> Any:
    """None for invalid JSON, which `damaged_rows` lists."""
    try:
        return from_json(text) if isinstance(text, str) else None
    except ValueError:
        return None


def write_signals(connection: Connection, name: str, values: Mapping[int, tuple[float, Any]]) -> None:
    """See `SignalRepository.set`."""
    if not values:
        return
    rows = [
        {"image_id": image_id, "name": name, "value": value, "detail": to_json(detail) if detail is not None else None}
        for image_id, (value, detail) in values.items()
    ]
    statement = insert(signals)
    changed = {"value": statement.excluded.value, "detail": statement.excluded.detail}
    connection.execute(statement.on_conflict_do_update(index_elements=["name", "image_id"], set_=changed), rows)
