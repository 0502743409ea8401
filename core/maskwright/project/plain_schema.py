"""Refuses databases that compute anything: a project consists of tables and indexes only.

A view in place of a table, a trigger, a virtual or generated column or an index on an expression would run a stranger's
code, and a recursive query may never end."""

import re
import sqlite3
from pathlib import Path

from maskwright.errors import ProjectError
from maskwright.project.schema import metadata

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
