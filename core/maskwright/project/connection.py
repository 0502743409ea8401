"""The only access to SQLite: nothing in a stranger's project or beside it can make it touch other files.

Names: SQLite follows links, and a rollback journal may name a "super-journal" that is deleted on rollback
(sqlite.org/fileformat2, section 3; sqlite.org/atomiccommit, section 5.4), which no transaction of ours creates.
Content: views, triggers and functions in a schema would run when a table is read."""

import os
import sqlite3
import sys
from pathlib import Path
from typing import Literal

from maskwright.errors import ProjectError
from maskwright.regular_files import require_own

MOST_VALUE_BYTES = 256 * 2**20
"""Limit for one text or blob; a thousand outlines of a thousand vertices take 16 MB."""
_BESIDE = ("", "-wal", "-shm", "-journal")
_SUPER_JOURNAL_MARK = bytes.fromhex("d9d505f920a163d7")
"""Last bytes of a journal that names another file."""

Mode = Literal["ro", "rw", "rwc"]


def connect(file: Path, mode: Mode, *, timeout: float = 5.0, is_immutable: bool = False) -> sqlite3.Connection:
    """A connection for any thread, in autocommit mode; `rwc` creates a missing file.

    Raises ProjectError if a link or the like has one of the file's names, else sqlite3.Error.
    """
    require_own_files(file)
    uri = f"{file.resolve().as_uri()}?mode={mode}{'&immutable=1' if is_immutable else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
    connection.text_factory = _text
    try:
        _harden(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str | bytes:
    """Invalid text stays bytes: it is damage of its row, not of everything read with it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def require_own_files(file: Path) -> None:
    """Raises ProjectError if a name that SQLite would open is a link, or its journal names a file elsewhere."""
    for suffix in _BESIDE:
        require_own(file.with_name(file.name + suffix))
    journal = file.with_name(f"{file.name}-journal")
    try:
        with journal.open("rb") as stream:
            stream.seek(-min(len(_SUPER_JOURNAL_MARK), stream.seek(0, os.SEEK_END)), os.SEEK_END)
            is_foreign = stream.read() == _SUPER_JOURNAL_MARK
    except OSError:  # missing, or deleted meanwhile
        return
    if is_foreign:
        raise ProjectError(
            f"{journal.name} refers to another file, which journals of this program never do",
            path=file.parent,
            hint="it was not changed; remove it if you know where it comes from",
        )


def _harden(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
