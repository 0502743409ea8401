"""Puts an earlier copy in the place of a project file.

The copy is made beside the file first. From the moment it is whole and has its name, the project is the restored one:
what is left to do is done at once or, where the program or the power ends, when the project is opened next.
"""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maskwright.errors import LostProjectError, ProjectError
from maskwright.project.anew import ANEW
from maskwright.project.backup import BEFORE_RESTORE, FOLDER, copy_database, copy_name, list_backups
from maskwright.project.connection import connect
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.plain_schema import require_plain_schema
from maskwright.project.versions import is_usable
from maskwright.project.whole_files import COPYING, clear_away, put_in_place, sync_file, sync_folder
from maskwright.regular_files import is_own, own_folder

log = logging.getLogger(__name__)

_MADE = ".restored"
_LOGS = ("-wal", "-journal")
"""What belongs to a file and to nothing else; a file may be damaged, so it is kept with them as it is."""


def restore(file: Path, backup: Path) -> Path:
    """Put `backup` in the place of `file`, which must not be open; returns where what was there is kept.

    Ids that were given since stay given. Raises ProjectError when `backup` is damaged or the place cannot be written;
    the project is then as it was.
    """
    if not backup.is_file() or not is_usable(backup):
        raise ProjectError("this backup is missing or damaged", path=backup)
    complete_restore(file)
    making, whole = file.with_name(f"{file.name}{COPYING}"), _whole(file)
    try:
        clear_away(making)
        own_folder(file.parent, FOLDER)
        copy_database(backup, making)
        _keep_given_ids(making, file)
        sync_file(making)
        making.replace(whole)
        sync_folder(file.parent)
        return _finish(file, whole)
    except (OSError, sqlite3.Error) as error:
        _take_back(file, making, whole)
        raise ProjectError(f"the backup could not be restored ({_why(error)})", path=file) from error


def restore_newest(file: Path) -> Path:
    """Put the newest copy that is sound in the place of `file`, which nobody may have open; returns that copy.

    What was there is kept beside the copies. What an earlier restore replaced counts only where there is nothing else.
    Raises LostProjectError when there is no such copy, and as `restore` does.
    """
    lock = ProjectLock.acquire(file.parent)
    if isinstance(lock, Holder):
        raise ProjectError(f"the project is open elsewhere: {lock}", path=file.parent, hint="close it there first")
    try:
        copies = list_backups(file)
        for copy in sorted(copies, key=lambda path: path.stem.endswith(BEFORE_RESTORE)):
            if is_usable(copy):
                restore(file, copy)
                return copy
    finally:
        lock.release()
    raise LostProjectError("there is no intact earlier copy", path=file, hint=ANEW)


def is_being_restored(file: Path) -> bool:
    """Whether `complete_restore` has something to do before the file is read."""
    return is_own(_whole(file))


def complete_restore(file: Path) -> None:
    """Do what is left of a restore that was interrupted; for who has the right to write. Raises ProjectError."""
    if not is_being_restored(file):
        return
    try:
        own_folder(file.parent, FOLDER)
        _finish(file, _whole(file))
    except OSError as error:
        raise ProjectError(f"an earlier copy is only half restored ({_why(error)})", path=file.parent) from error


def _finish(file: Path, whole: Path) -> Path:
    """Each step may have been done already."""
    kept = _place_for_old(file, whole)
    for suffix in (*_LOGS, ""):  # the file last: a copy that is listed has its log beside it
        _link(file.with_name(file.name + suffix), kept.with_name(kept.name + suffix))
    sync_folder(kept.parent)
    try:
        put_in_place(whole, file)
    except OSError as error:
        if is_own(whole):
            raise
        log.warning(
            "%s was restored, but the disk reports errors: %s", file, error
        )  # after a power cut it is done again
    return kept


def _place_for_old(file: Path, whole: Path) -> Path:
    """A name that is free, or has been given to it already."""
    at = datetime.fromtimestamp(whole.stat().st_mtime, UTC)
    while True:
        kept = file.parent / FOLDER / copy_name(at, BEFORE_RESTORE)
        if not kept.exists() or (file.exists() and kept.samefile(file)):
            return kept
        at += timedelta(seconds=1)


def _take_back(file: Path, making: Path, whole: Path) -> None:
    """The project is as it was; where not even that can be done, the next opening completes the restore."""
    try:
        clear_away(making)
        if not is_own(whole):
            return
        kept = _place_for_old(file, whole)
        for suffix in _LOGS:  # they go before the file is replaced, without which they are wanted
            _link(kept.with_name(kept.name + suffix), file.with_name(file.name + suffix))
        sync_folder(file.parent)
        clear_away(whole)
        clear_away(kept)  # it is the project itself, under another name
    except OSError as error:
        log.warning("leftovers of a restore in %s cannot be removed: %s", file.parent, error)


def _link(source: Path, target: Path) -> None:
    """The same file under another name too; a copy where the file system has no such thing."""
    if not is_own(source) or target.exists():
        return
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        partial = target.with_name(f"{target.name}.partial")
        shutil.copyfile(source, partial)
        sync_file(partial)
        partial.replace(target)


def _keep_given_ids(made: Path, file: Path) -> None:
    """What was given after the copy was taken is never given again: a rescue copy may speak of it."""
    try:
        with closing(connect(file, "ro")) as there:
            require_plain_schema(there, file)
            given = dict(there.execute("SELECT name, next FROM counters"))
            highest = there.execute("SELECT max(id) FROM images").fetchone()[0]
    except (sqlite3.Error, ProjectError, TypeError, ValueError):
        return  # damaged: what it gave is not known
    given["image_id"] = max(given.get("image_id", 1), (highest or 0) + 1)
    with closing(connect(made, "rw")) as restored:
        for name, following in given.items():
            restored.execute(
                "INSERT INTO counters (name, next) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET next = max(next, excluded.next)",
                (name, following),
            )


def _whole(file: Path) -> Path:
    return file.with_name(f"{file.name}{_MADE}")


def _why(error: OSError | sqlite3.Error) -> str:
    return error.strerror or "it cannot be written" if isinstance(error, OSError) else "a file cannot be written"
