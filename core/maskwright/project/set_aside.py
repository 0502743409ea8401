"""Edits that can never be applied: stored in the project, so that they are seen and do not block later ones.

They can be written as a COCO file, to view or to import again."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Row, delete, insert, select

from maskwright.document.change import Change
from maskwright.document.values import Category, ImageRecord, ImageState, Instance
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.repository import Repository
from maskwright.project.rows import now
from maskwright.project.schema import edits_set_aside, images

if TYPE_CHECKING:
    from maskwright.project.store import Project

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


def write_set_aside(project: "Project", edits: Sequence[EditSetAside], path: Path) -> int:
    """Write the objects of `edits` to `path`, in their latest form; returns their number.

    Raises FormatError if the file cannot be written.
    """
    from maskwright.formats.coco import CocoExportOptions, export_coco

    options = CocoExportOptions(include_proposals=True, include_unreviewed=True, include_provenance=True)
    return export_coco(_Aside(project, edits), path, options).instance_count


class _Aside:
    """The objects of edits, in images and classes that may no longer exist."""

    def __init__(self, project: "Project", edits: Sequence[EditSetAside]) -> None:
        self._found: dict[int, dict[int, Instance]] = {}
        for edit in edits:
            for id_, _, after in edit.change or ():
                on_image = self._found.setdefault(edit.image_id, {})
                if after is not None:
                    on_image[id_] = after
        names = {edit.image_id: edit.file_name for edit in edits}
        known = {record.id: record for record in project.images.records(list(self._found))}
        self._images = [known.get(id_) or self._lost(id_, names[id_]) for id_ in sorted(self._found)]
        classes = {category.id: category for category in project.categories.listed()}
        used = {each.category_id for on_image in self._found.values() for each in on_image.values()}
        self._categories = [classes.get(id_) or Category(id_, f"class {id_}") for id_ in sorted(used)]

    def categories(self) -> Sequence[Category]:
        return self._categories

    def images(self) -> Iterator[ImageRecord]:
        return iter(self._images)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return list(self._found.get(image_id, {}).values())

    def _lost(self, image_id: int, file_name: str) -> ImageRecord:
        """Stands for an image that the project no longer has; as large as its objects."""
        corners = [each.bounds_xyxy for each in self._found[image_id].values() if each.polygons]
        width = max([1.0, *(corner[2] for corner in corners)])
        height = max([1.0, *(corner[3] for corner in corners)])
        name = file_name or f"image-{image_id}"
        return ImageRecord(image_id, name, int(width) + 1, int(height) + 1, ImageState.IN_PROGRESS)
