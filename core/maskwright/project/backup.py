"""Copies of a project file, taken while it may be in use, and limited in number and size."""

import logging
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maskwright.errors import IN_THE_LOG, ProjectError
from maskwright.project.connection import Mode, connect, require_plain_schema
from maskwright.project.database import journal_mode_for
from maskwright.project.whole_files import clear_away, put_in_place, sync_folder
from maskwright.regular_files import is_own, is_own_folder, own_folder

log = logging.getLogger(__name__)

FOLDER = "backups"
DAILY, BEFORE_RESTORE = "daily", "before-restore"
KEPT_DAYS = 7
KEPT_WEEKS = 4
KEPT_OTHERS = 5
"""Number of copies made before a migration or a restore."""
MAX_BYTES = 8 * 2**30
"""Bytes of all copies together; the newest daily one stays whatever its size. A million instances take about 1
GB."""
SPARE_BYTES = 200 * 2**20
"""Disk space that a copy must leave free: edits are worth more."""
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z-(daily|before-restore|schema-[0-9]{4})\.db")
_UNFINISHED = re.compile(_NAME.pattern.removesuffix(r"\.db") + r"(\.partial|\.db\.partial)(-wal|-shm|-journal)?")
_STAMP = "%Y-%m-%dT%H%M%SZ"


def back_up(file: Path, *, reason: str) -> Path:
    """A consistent copy of `file` in the folder `backups` beside it, named by time and `reason`.

    The program may keep writing meanwhile. Raises ProjectError if the copy cannot be written or the project is damaged;
    no partial copy is left, and no intact copy is replaced by a damaged one.
    """
    target = file.parent / FOLDER / copy_name(datetime.now(UTC), reason)
    partial = target.with_suffix(".partial")
    try:
        own_folder(file.parent, FOLDER)
    except OSError as error:
        raise ProjectError(f"no backup could be made ({error.strerror or error})", path=file.parent) from error
    try:
        if shutil.disk_usage(target.parent).free < _size(file) + SPARE_BYTES:
            raise OSError("there is not enough space on the disk")
        for left in filter(_is_unfinished, target.parent.iterdir()):
            left.unlink()
        copy_database(file, partial)
        put_in_place(partial, target)
        sync_folder(file.parent)  # it may have got the folder of copies only now
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            clear_away(partial)
        log.warning("no backup in %s: %s", target.parent, error)
        raise ProjectError(f"no backup could be made: {_why(error)}", path=target.parent) from error
    return target


def list_backups(file: Path) -> list[Path]:
    """Newest first. Other files in the folder, and files behind links, are not ours."""
    if not is_own_folder(file.parent, FOLDER):
        return []
    return sorted(filter(_is_copy, (file.parent / FOLDER).iterdir()), reverse=True)


def copy_name(at: datetime, reason: str) -> str:
    """The file name of a copy."""
    return f"{at.astimezone(UTC).strftime(_STAMP)}-{reason}.db"


def _is_unfinished(path: Path) -> bool:
    """Whether this is a copy whose creation was interrupted."""
    return _UNFINISHED.fullmatch(path.name) is not None and is_own(path)


def _is_copy(path: Path) -> bool:
    if not _NAME.fullmatch(path.name) or not is_own(path):
        return False
    try:
        taken_at(path)
    except ValueError:
        return False
    return True


def back_up_daily(file: Path) -> Path | None:
    """Today's copy, unless there is one; outdated copies are deleted. Raises ProjectError as `back_up` does."""
    today = datetime.now(UTC)
    daily = [path for path in list_backups(file) if path.stem.endswith(DAILY)]
    if any(taken_at(path).date() == today.date() for path in daily):
        return None
    made = back_up(file, reason=DAILY)
    for path in _outdated([made, *daily], today):
        _remove(path)
    keep_within_bounds(file)
    return made


def keep_within_bounds(file: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Delete the oldest copies until all together are within the limit; the newest daily one stays."""
    copies = list_backups(file)
    daily = [path for path in copies if path.stem.endswith(DAILY)]
    for path in [path for path in copies if path not in daily][KEPT_OTHERS:]:
        _remove(path)
    used = 0
    for path in [*daily[:1], *(path for path in list_backups(file) if path not in daily[:1])]:
        used += _size(path)
        if used > max_bytes and path not in daily[:1]:
            _remove(path)


def taken_at(backup: Path) -> datetime:
    """When a copy was made, by its name."""
    return datetime.strptime(backup.name[: len("2026-01-01T000000Z")], _STAMP).replace(tzinfo=UTC)


def is_sound(file: Path) -> bool:
    """Whether SQLite's quick check passes; reads the whole file. For single rows there is `damaged_rows`."""
    try:
        # Only a program that may write can roll back a journal that a killed one left behind.
        mode: Mode = "rw" if file.with_name(f"{file.name}-journal").exists() else "ro"
        with closing(connect(file, mode)) as connection:
            require_plain_schema(connection, file)
            is_whole: bool = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            return is_whole
    except (sqlite3.DatabaseError, ProjectError):
        return False


def _size(file: Path) -> int:
    """Including the log that belongs to it."""
    parts = (file, file.with_name(f"{file.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _remove(backup: Path) -> None:
    clear_away(backup)


def copy_database(source: Path, target: Path) -> None:
    """Make `target`, replaced if it exists, a copy of `source` as it is now. Raises OSError and sqlite3.Error."""
    clear_away(target)
    with closing(connect(source, "rw")) as read, closing(connect(target, "rwc")) as written:
        read.backup(written)  # one step: a snapshot that neither waits for writers nor disturbs them
        if written.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the project file is damaged; you can restore an earlier copy")
        written.execute(f"PRAGMA journal_mode={journal_mode_for(target)}")


def _outdated(daily: list[Path], today: datetime) -> list[Path]:
    """All but the copies of the last seven days and one for each of the four weeks before; newest first."""
    kept_weeks: set[tuple[int, int]] = set()
    outdated: list[Path] = []
    for path in daily:
        at = taken_at(path)
        if today - at < timedelta(days=KEPT_DAYS):
            continue
        week = at.isocalendar()[:2]
        if week in kept_weeks or len(kept_weeks) >= KEPT_WEEKS:
            outdated.append(path)
        kept_weeks.add(week)
    return outdated


def _why(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "the project file is damaged; you can restore an earlier copy" if _says_damaged(error) else IN_THE_LOG


def _says_damaged(error: sqlite3.Error) -> bool:
    return any(word in str(error) for word in ("damaged", "malformed", "not a database"))
