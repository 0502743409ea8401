"""Checks a project file before it is opened: creates it, migrates it after a backup or in a copy, or refuses it."""

import logging
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Literal

from sqlalchemy import NullPool, create_engine

from maskwright.errors import IN_THE_LOG, HalfMadeProjectError, ProjectError
from maskwright.project.anew import damaged
from maskwright.project.backup import SPARE_BYTES, back_up, is_sound, list_backups
from maskwright.project.connection import connect, require_own_files, require_plain_schema
from maskwright.project.database import is_unchanging, plain_words, settle_journal_mode
from maskwright.project.restoring import complete_restore, is_being_restored
from maskwright.project.versions import REVISIONS, misfit, run_migrations
from maskwright.project.whole_files import clear_unfinished

log = logging.getLogger(__name__)

_SMALL_BYTES = 16 * 2**20
"""Files up to this size are read completely in 30 ms."""

_LOST = "the project file is {}; there are earlier copies"
_ANEW = "open the image folder to create it again"
_ONCE = "open it once where it can be written"


def schema_version(file: Path) -> str | None:
    """The schema revision of the file; None for a database without one.

    Raises ProjectError if it cannot be read, DamagedProjectError if its tables do not match its revision.
    """
    try:
        connection = connect(file, "ro", is_immutable=is_unchanging(file))
        try:
            require_plain_schema(connection, file)
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            version = str(row[0]) if row is not None else None
            fault = misfit(connection, version) if version in REVISIONS else ""
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        if file.with_name(f"{file.name}-journal").exists():
            raise ProjectError("a program was interrupted while writing here", path=file, hint=_ONCE) from error
        log.warning("%s cannot be read: %s", file, error)
        raise ProjectError(f"the project cannot be read; {IN_THE_LOG}", path=file) from error
    except sqlite3.DatabaseError as error:
        log.warning("%s is damaged: %s", file, error)
        raise damaged("the project file is damaged", file) from error
    if fault:
        what = f"the project file says that it has schema {version}, but its tables are others"
        raise damaged(f"{what} ({fault})", file)
    return version


def require_known(file: Path, version: str | None) -> None:
    """Raises ProjectError if this program does not know `version`."""
    if version is not None and version not in REVISIONS:
        raise ProjectError(
            f"a newer version of Maskwright made this project (schema {version}; this version knows up to "
            f"{REVISIONS[-1]})",
            path=file.parent,
            hint="update Maskwright; the project was not changed",
        )


def require_versioned(file: Path, version: str | None) -> None:
    """Raises DamagedProjectError for a file without a version; every version of the program writes its own."""
    if version is None:
        raise damaged("the project file does not say which version made it", file)


def require_readable(file: Path) -> str:
    """The schema version of a file that must not be written. Raises ProjectError if it cannot be read that way."""
    require_there(file)
    if is_being_restored(file):
        raise ProjectError("an earlier copy is only half restored", path=file.parent, hint=_ONCE)
    version = schema_version(file)
    require_known(file, version)
    require_versioned(file, version)
    assert version is not None
    return version


def require_there(file: Path) -> None:
    """Raises DamagedProjectError if copies are left of a file that is missing or empty.

    HalfMadeProjectError if it never had content, not even the place of its images.
    """
    has_copies = bool(list_backups(file))
    if not file.exists():
        if has_copies:
            raise damaged(_LOST.format("missing"), file, has_rest=False)
        raise ProjectError("no project here", path=file.parent)
    match _content_of(file):
        case "nothing" if has_copies:
            raise damaged(_LOST.format("empty"), file, has_rest=False)
        case "nothing":
            what = "creating this project was interrupted, and it is empty"
            raise HalfMadeProjectError(what, path=file.parent, hint=_ANEW)
        case "foreign":
            raise ProjectError("this is another program's database; it was not changed", path=file)


def is_half_made(file: Path) -> bool:
    """Whether its creation was interrupted before the image folder was stored; False if it is damaged."""
    return _content_of(file) == "nothing"


def _content_of(file: Path) -> Literal["project", "nothing", "foreign", "unreadable"]:
    try:
        if not file.stat().st_size:
            return "nothing"
        with closing(connect(file, "ro", is_immutable=is_unchanging(file))) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            if not tables >= {"settings", "images", "alembic_version"}:
                return "foreign" if tables else "nothing"
            require_plain_schema(connection, file)
            said = connection.execute("SELECT 1 FROM settings WHERE key LIKE 'project.image_root%' LIMIT 1").fetchone()
            is_empty = said is None and connection.execute("SELECT 1 FROM images LIMIT 1").fetchone() is None
            return "nothing" if is_empty else "project"
    except (OSError, sqlite3.Error, ProjectError):
        return "unreadable"


def require_sound(file: Path) -> None:
    """Check a small file always, a large one if the last program did not close it properly.

    A closed project has no log beside it; a log means a crash or a power cut. Large files are checked once a day in the
    background, for their backup. Raises ProjectError if the file is damaged.
    """
    require_own_files(file)
    complete_restore(file)
    clear_unfinished(file)
    require_there(file)
    settle_journal_mode(file)
    _require_plain(file)
    journal = file.with_name(f"{file.name}-wal")
    is_suspect = journal.exists() and journal.stat().st_size > 0
    if is_suspect or file.stat().st_size <= _SMALL_BYTES:
        if not is_sound(file):
            raise damaged("the project file is damaged", file)
        _bring_classes_back(file)


def _bring_classes_back(file: Path) -> None:
    """Objects with a missing class get one with its id, so that they can be seen and given another."""
    lost = "SELECT DISTINCT category_id FROM instances WHERE category_id NOT IN (SELECT id FROM categories)"
    made = "INSERT INTO categories (id, name) VALUES (?, ?)"
    try:
        with closing(connect(file, "rw")) as connection:
            rows = [(id_, f"class {id_} (lost)") for (id_,) in connection.execute(lost) if type(id_) is int]
            if rows:
                log.warning(
                    "%s: these classes are missing and were created again: %s", file, [name for _, name in rows]
                )
                connection.executemany(made, rows)
    except sqlite3.Error as error:  # read-only, or of an earlier version: the rows are listed as damaged
        log.info("missing classes of %s could not be created again: %s", file, error)


def _require_plain(file: Path) -> None:
    """Raises ProjectError for views and so on; reading further reports anything unreadable."""
    try:
        with closing(connect(file, "rw")) as connection:
            require_plain_schema(connection, file)
    except sqlite3.Error as error:
        log.info("the schema of %s cannot be read: %s", file, error)


def bring_up_to_date(file: Path) -> None:
    """Migrate `file` to the newest schema after a backup.

    Raises ProjectError if the file is newer than this program, damaged or not writable.
    """
    version = schema_version(file)
    require_known(file, version)
    if version == REVISIONS[-1]:
        return
    require_versioned(file, version)
    kept = back_up(file, reason=f"schema-{version}")
    log.info("migrating %s from schema %s to %s; a copy is in %s", file, version, REVISIONS[-1], kept)
    make_tables(file)


def make_tables(file: Path) -> None:
    """Create the missing tables of the newest schema, in one transaction. Raises ProjectError."""
    engine = create_engine("sqlite://", creator=lambda: connect(file, "rw"), poolclass=NullPool)
    try:
        with plain_words(file), engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            run_migrations(connection)
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()


_TIMES = 2
"""The copy, and the log of the migration."""


class UpgradedCopy:
    """`file`: the copy. Closing deletes it."""

    def __init__(self, original: Path) -> None:
        """Raises ProjectError if there is no room for it, or the original is damaged."""
        self._folder = tempfile.TemporaryDirectory(prefix="maskwright-")
        self.file = Path(self._folder.name) / original.name
        try:
            size = sum(part.stat().st_size for part in original.parent.glob(f"{original.name}*") if part.is_file())
            if shutil.disk_usage(self._folder.name).free < _TIMES * size + SPARE_BYTES:
                raise OSError("there is not enough space on the disk")
            with (
                closing(connect(original, "ro", is_immutable=is_unchanging(original))) as read,
                closing(connect(self.file, "rwc")) as written,
            ):
                read.backup(written)
            make_tables(self.file)
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise ProjectError(
                f"an older version of Maskwright made this project, and it could not be copied to upgrade it: {error}",
                path=original.parent,
                hint="open it once where it can be written; it was not changed",
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete the copy."""
        self._folder.cleanup()


def readable_file(file: Path) -> UpgradedCopy | None:
    """For a file that must not be written: a migrated copy if an earlier version made it, None if it can be read
    itself.

    Raises ProjectError if it is missing, damaged, half restored or of a newer version.
    """
    version = require_readable(file)
    if version == REVISIONS[-1]:
        return None
    log.info("%s has schema %s; it is read in a copy of schema %s", file, version, REVISIONS[-1])
    return UpgradedCopy(file)
