"""The only access to SQLite: nothing in a stranger's project or beside it can make it touch other files or compute.

Names: SQLite follows links, and a rollback journal may name a "super-journal" that is deleted on rollback
(sqlite.org/fileformat2, section 3; sqlite.org/atomiccommit, section 5.4), which no transaction of ours creates.
Content: a project consists of tables and indexes only. A view in place of a table, a trigger, a virtual or generated
column or an index on an expression would run a stranger's code, and a recursive query may never end."""

import os
import re
import sqlite3
import sys
from pathlib import Path
from typing import Literal

from maskwright.errors import ProjectError
from maskwright.project.schema import metadata
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


_MOST_OBJECTS = 500
_COMPUTES = re.compile(r"\b(virtual|generated|check|as)\b", re.IGNORECASE)
"""Words that no `CREATE TABLE` of a migration contains."""
_PLAIN_TABLE = re.compile(r'create table "?(?P<name>\w+)"? \(.*\)(?P<rest>[^)]*)', re.IGNORECASE)
_NUMBERED_TABLE = re.compile(
    r'create table "?\w+"? \(\s*id integer (primary key,.*|not null,.*\bprimary key \(id\).*)\)', re.IGNORECASE
)
_NUMBERED = frozenset(name for name, table in metadata.tables.items() if table.primary_key.columns.keys() == ["id"])
"""Tables whose ids SQLite assigns, so they are unique integers and the table can be read in blocks of ids."""
_PLAIN_INDEX = re.compile(
    r'create (unique )?index "?\w+"? on "?\w+"? \(\s*[\w", ]+\)( where "?\w+"? is not null)?', re.IGNORECASE
)


def require_plain_schema(connection: sqlite3.Connection, file: Path) -> None:
    """Raises ProjectError for a database with more than tables and indexes; sqlite3.Error as any read."""
    listed = connection.execute(f"SELECT type, name, sql FROM sqlite_master LIMIT {_MOST_OBJECTS + 1}").fetchall()
    if len(listed) > _MOST_OBJECTS:
        raise _refused(f"more than {_MOST_OBJECTS} tables and indexes", file)
    for kind, name, sql in listed:
        if not _is_plain(kind, name, sql):
            raise _refused(f"the {kind} {str(name)[:60]!r}, which does not belong in a project", file)


def _is_plain(kind: object, name: object, sql: object) -> bool:
    if sql is None:  # the index of a PRIMARY KEY or UNIQUE
        return kind == "index"
    if not isinstance(sql, str):
        return False
    words = " ".join(sql.split())
    if kind == "index":
        return _PLAIN_INDEX.fullmatch(words) is not None
    # SQLite executes the statement, whatever the `type` column beside it claims.
    table = _PLAIN_TABLE.fullmatch(words)
    if kind != "table" or table is None or table["name"] != name or _COMPUTES.search(words):
        return False
    return name not in _NUMBERED or _NUMBERED_TABLE.fullmatch(words) is not None


def _refused(what: str, file: Path) -> ProjectError:
    return ProjectError(f"the project's database contains {what}", path=file.parent, hint="it was not changed")
