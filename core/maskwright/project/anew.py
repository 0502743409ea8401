"""Sets an unreadable project file aside, so that its image folder can become a project again."""

import os
from datetime import UTC, datetime
from pathlib import Path

from maskwright.errors import DamagedProjectError, LostProjectError, ProjectError
from maskwright.project.backup import FOLDER, list_backups
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.versions import is_usable
from maskwright.project.whole_files import sync_folder
from maskwright.regular_files import is_own

_RESTORE = "maskwright restore brings back an earlier copy"
_AND_SALVAGE = ", restore --salvage takes out what can be read"
ANEW = "maskwright restore --salvage recovers what can be read, --anew sets the project aside; nothing is deleted"
_ANEW_ONLY = "maskwright restore --anew sets the project aside; nothing is deleted"
_LOGS_FIRST = ("-wal", "-journal", "-shm", "")
"""While this file exists the project counts as damaged, so that setting aside is tried again."""


def damaged(what: str, file: Path, *, has_rest: bool = True) -> DamagedProjectError:
    """The error for a damaged project file, with what its user can do; without a rest only a copy can help."""
    if list_backups(file):
        error = DamagedProjectError(what, path=file, hint=f"{_RESTORE}{_AND_SALVAGE if has_rest else ''}")
    else:
        error = LostProjectError(what, path=file, hint=ANEW if has_rest else _ANEW_ONLY)
    error.has_rest = has_rest
    return error


def set_aside(file: Path) -> Path:
    """Rename a damaged project file and its damaged copies; returns the new path.

    Raises ProjectError for an intact file, if there is an intact copy that `restore` can use, if the project is open,
    or if its folder cannot be written.
    """
    lock = ProjectLock.acquire(file.parent)
    if isinstance(lock, Holder):
        raise ProjectError(f"the project is open elsewhere: {lock}", path=file.parent, hint="close it there first")
    try:
        _require_lost(file)
        mark = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
        if (file.parent / FOLDER).is_dir():
            (file.parent / FOLDER).rename(file.parent / f"{FOLDER}{mark}")
        kept = file.with_name(f"{file.name}{mark}")
        for suffix in _LOGS_FIRST:
            if is_own(there := file.with_name(file.name + suffix)):
                there.rename(kept.with_name(kept.name + suffix))
        sync_folder(file.parent)
    except OSError as error:
        raise ProjectError(f"it cannot be set aside: {os.strerror(error.errno or 0)}", path=file) from error
    finally:
        lock.release()
    return kept


def _require_lost(file: Path) -> None:
    copy = next(filter(is_usable, list_backups(file)), None)
    if copy is not None:
        raise ProjectError(f"there is an intact earlier copy, {copy.name}", path=file.parent, hint=_RESTORE)
    if is_own(file) and file.stat().st_size and is_usable(file):
        raise ProjectError("the project file is not damaged; nothing was changed", path=file)
