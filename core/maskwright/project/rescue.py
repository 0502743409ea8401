"""Rescue copies: edits that could not be written to their project, kept on this computer until they can be.

One JSON file per program and project in the user's data folder, replaced as a whole. An edit in it that reached the
project after all does no harm: applying it again has the same result."""

import hashlib
import logging
import os
import re
import socket
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from maskwright.document.change import Change
from maskwright.document.values import ImageState
from maskwright.errors import ProjectError
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.rows import now
from maskwright.project.whole_files import make_folder, sync_folder

log = logging.getLogger(__name__)

_VERSION = 1
_SUFFIX = ".rescue.json"
_MARK = re.compile("[0-9a-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class RescuedEdit:
    """A change of an image's objects, or a new state of the image."""

    image_id: int
    label: str
    kind: Literal["edit", "undo", "redo"]
    change: Change | None
    state: ImageState | None


@dataclass(frozen=True, slots=True)
class Rescue:
    """What one program could not write to one project, oldest first."""

    file: Path
    project: Path
    """The project's folder, as that program saw it."""
    at: str
    """When the copy was last written; ISO 8601, UTC."""
    edits: tuple[RescuedEdit, ...]

    @property
    def image_count(self) -> int:
        """Number of images affected."""
        return len({edit.image_id for edit in self.edits})


def rescue_folder() -> Path:
    """The folder of all rescue copies."""
    from platformdirs import user_data_path

    return user_data_path("maskwright") / "rescue"


def rescue_file(project: Path, mark: str) -> Path:
    """Where this program keeps what it cannot write to the project with this mark (`Project.mark`)."""
    return rescue_folder() / f"{_prefix(project, mark)}-{socket.gethostname()}-{os.getpid()}{_SUFFIX}"


def edit_to_json(edit: RescuedEdit) -> dict[str, Any]:
    """An edit as JSON."""
    return {
        "image_id": edit.image_id,
        "label": edit.label,
        "kind": edit.kind,
        "change": b64encode(change_to_bytes(edit.change)).decode() if edit.change is not None else None,
        "state": edit.state.value if edit.state is not None else None,
    }


def write_rescue(file: Path, project: Path, edits: Iterable[dict[str, Any]]) -> None:
    """Write `edits` (from `edit_to_json`) to disk before returning; if there are none the file is deleted.

    Raises ProjectError if it cannot be written.
    """
    listed = list(edits)
    try:
        if not listed:
            file.unlink(missing_ok=True)
            return
        make_folder(file.parent)
        partial = file.with_suffix(".partial")
        with partial.open("wb") as stream:
            stream.write(orjson.dumps({"v": _VERSION, "project": str(project), "at": now(), "edits": listed}))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise ProjectError(f"no rescue copy can be written ({error.strerror or error})", path=file.parent) from error


def find_rescues(project: Path, mark: str) -> list[Rescue]:
    """Rescue copies for the project with this mark, oldest first; unreadable ones are logged and left alone."""
    files = sorted(rescue_folder().glob(f"{_prefix(project, mark)}-*{_SUFFIX}"))
    found = [rescue for file in files if (rescue := _read(file)) is not None]
    return sorted(found, key=lambda rescue: rescue.at)


def forget_rescues(rescues: Sequence[Rescue]) -> None:
    """Delete rescue copies."""
    for rescue in rescues:
        rescue.file.unlink(missing_ok=True)


def _prefix(project: Path, mark: str) -> str:
    """The mark is the same wherever a share is mounted; projects of early versions opened read-only have none."""
    # A stranger's project may contain anything: a path, or a pattern that matches all projects.
    if _MARK.fullmatch(mark):
        return mark
    return hashlib.sha256(str(project.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _read(file: Path) -> Rescue | None:
    try:
        content = orjson.loads(file.read_bytes())
        if content["v"] != _VERSION:
            raise ValueError(f"expected a rescue copy of version {_VERSION}, got {content['v']}")
        edits = tuple(_edit_from_json(edit) for edit in content["edits"])
        return Rescue(file, Path(content["project"]), str(content["at"]), edits)
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read: %r", file, error)
        return None


def _edit_from_json(content: dict[str, Any]) -> RescuedEdit:
    change, state = content["change"], content["state"]
    return RescuedEdit(
        int(content["image_id"]),
        str(content["label"]),
        content["kind"],
        change_from_bytes(b64decode(change)) if change is not None else None,
        ImageState(state) if state is not None else None,
    )
