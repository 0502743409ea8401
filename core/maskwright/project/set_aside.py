"""The part of a project that stores edits which can never be applied, so that they are seen and do not block later
ones."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select

from maskwright.document.change import Change
from maskwright.document.values import ImageState
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.repository import Repository
from maskwright.project.rows import now
from maskwright.project.schema import edits_set_aside, images

log = logging.getLogger(__name__)

_NEVER = "1970-01-01T00:00:00.000+00:00"


@dataclass(frozen=True, slots=True)
class EditSetAside:
    """An edit that the project could not apply, and why."""

    id: int
    image_id: int
    file_name: str
    """Name of the image; empty if the project does not have it."""
    at: str
    """ISO 8601, UTC."""
    label: str
    kind: Literal["edit", "undo", "redo"]
    reason: str
    change: Change | None
    """None if only a state was set, or the change can no longer be read."""
    state: ImageState | None


class AsideRepository(Repository):
    """Edits that the project could not apply."""

    def add(
        self,
        image_id: int,
        *,
        label: str,
        kind: Literal["edit", "undo", "redo"],
        reason: str,
        change: Change | None,
        state: ImageState | None,
    ) -> EditSetAside:
        """Store an edit without applying it; on return it survives a power cut."""
        row = {
            "image_id": image_id,
            "at": now(),
            "kind": kind,
            "label": label,
            "reason": reason,
            "change": _bytes_of(change),
            "state": state.value if state is not None else None,
        }
        with self._database.write() as connection:
            name = connection.scalar(select(images.c.file_name).where(images.c.id == image_id))
            added = insert(edits_set_aside).values({**row, "file_name": name or ""}).returning(edits_set_aside)
            return _edit(connection.execute(added).one())

    def all(self) -> list[EditSetAside]:
        """All of them, oldest first."""
        with self._database.read() as connection:
            return [_edit(row) for row in connection.execute(select(edits_set_aside).order_by(edits_set_aside.c.id))]

    def forget(self, ids: Collection[int]) -> None:
        """Delete some."""
        with self._database.write() as connection:
            connection.execute(delete(edits_set_aside).where(edits_set_aside.c.id.in_(list(ids))))


def _bytes_of(change: Change | None) -> bytes | None:
    """None if it cannot be stored: an edit set aside must not block anything, and its label and reason remain."""
    try:
        return change_to_bytes(change) if change is not None else None
    except (TypeError, ValueError) as error:
        log.warning("an edit could not be set aside: %s", error)
        return None


def _edit(row: Row[Any]) -> EditSetAside:
    try:
        change = change_from_bytes(row.change) if row.change is not None else None
    except (ValueError, KeyError, TypeError):
        change = None
    state = ImageState(row.state) if row.state in set(ImageState) else None
    image_id = row.image_id if type(row.image_id) is int else 0
    name, label, reason = (text if isinstance(text, str) else "" for text in (row.file_name, row.label, row.reason))
    kind: Literal["edit", "undo", "redo"] = row.kind if row.kind in ("undo", "redo") else "edit"
    return EditSetAside(row.id, image_id, name, _time(row.at), label, kind, reason, change, state)


def _time(text: object) -> str:
    """As it is, or a time long ago for an invalid one."""
    try:
        is_time = isinstance(text, str) and datetime.fromisoformat(text).astimezone() is not None
    except (OverflowError, ValueError):
        is_time = False
    return text if isinstance(text, str) and is_time else _NEVER
