"""Replaces a project file by an earlier copy.

The copy is first made beside the file. Once it is complete and has its name, it is the project: the remaining steps are
done at once or, if the program or the power ends, when the project is opened next."""

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
from maskwright.project.connection import connect, require_plain_schema
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.versions import is_usable
from maskwright.project.whole_files import COPYING, clear_away, put_in_place, sync_file, sync_folder
from maskwright.regular_files import is_own, own_folder

log = logging.getLogger(__name__)

_MADE = ".restored"
_LOGS = ("-wal", "-journal")
"""Files that belong to one database file; it may be damaged, so they are kept with it as they are."""


def restore(file: Path, backup: Path) -> Path:
    """Replace `file`, which must not be open, by `backup`; returns where the old one is kept.

    Ids assigned since then stay used. Raises ProjectError if `backup` is damaged or the place cannot be written; the
    project is then unchanged.
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
    """Replace `file`, which nobody may have open, by the newest intact copy; returns that copy.

    The old file is kept beside the copies. Files that an earlier restore replaced count only if there is nothing else.
    Raises LostProjectError if there is no intact copy, and as `restore` does.
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
    """Whether `complete_restore` has work to do before the file can be read."""
    return is_own(_whole(file))


def complete_restore(file: Path) -> None:
    """Finish an interrupted restore; only for the program that may write. Raises ProjectError."""
    if not is_being_restored(file):
        return
    try:
        own_folder(file.parent, FOLDER)
        _finish(file, _whole(file))
    except OSError as error:
        raise ProjectError(f"an earlier copy is only half restored ({_why(error)})", path=file.parent) from error


def _finish(file: Path, whole: Path) -> Path:
    """Any of these steps may have been done already."""
    kept = _place_for_old(file, whole)
    for suffix in (*_LOGS, ""):  # the file last: a copy that is listed has its log beside it
        _link(file.with_name(file.name + suffix), kept.with_name(kept.name + suffix))
    sync_folder(kept.parent)
    try:
        put_in_place(whole, file)
    except OSError as error:
        if is_own(whole):
            raise
        log.warning("%s was restored, but the disk reports errors: %s", file, error)  # done again after a power cut
    return kept


def _place_for_old(file: Path, whole: Path) -> Path:
    """A free name, or the one that it already has."""
    at = datetime.fromtimestamp(whole.stat().st_mtime, UTC)
    while True:
        kept = file.parent / FOLDER / copy_name(at, BEFORE_RESTORE)
        if not kept.exists() or (file.exists() and kept.samefile(file)):
            return kept
        at += timedelta(seconds=1)


def _take_back(file: Path, making: Path, whole: Path) -> None:
    """Undo; if even that is impossible, opening the project next time completes the restore."""
    try:
        clear_away(making)
        if not is_own(whole):
            return
        kept = _place_for_old(file, whole)
        for suffix in _LOGS:  # first, because the file cannot be used without them
            _link(kept.with_name(kept.name + suffix), file.with_name(file.name + suffix))
        sync_folder(file.parent)
        clear_away(whole)
        clear_away(kept)  # it is the project itself, under another name
    except OSError as error:
        log.warning("leftovers of a restore in %s cannot be removed: %s", file.parent, error)


def _link(source: Path, target: Path) -> None:
    """A second name for the same file; a copy if the file system has no hard links."""
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
    """Ids assigned after the copy was taken are never assigned again: a rescue copy may refer to them."""
    try:
        with closing(connect(file, "ro")) as there:
            require_plain_schema(there, file)
            given = dict(there.execute("SELECT name, next FROM counters"))
            highest = there.execute("SELECT max(id) FROM images").fetchone()[0]
    except (sqlite3.Error, ProjectError, TypeError, ValueError):
        return  # damaged, so its ids are unknown
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
