"""The schema versions of project files, and whether a file's tables match its version."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.exc import DatabaseError

from maskwright.errors import ProjectError
from maskwright.project.backup import is_sound
from maskwright.project.connection import connect
from maskwright.project.schema import metadata

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""All schema versions, oldest first; a test compares them with the migration scripts."""

_COLUMNS = "SELECT m.name, p.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS p WHERE m.type = 'table'"
_STATEMENTS = (
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
    "ORDER BY type = 'index'"
)
_NEWEST = tuple((table.name, column.name) for table in metadata.sorted_tables for column in table.columns)
_MOST_NAMED = 3


def is_usable(file: Path) -> bool:
    """Whether a project file, or a copy of one, is usable: intact, with the tables of its version."""
    if not is_sound(file):
        return False
    try:
        with closing(connect(file, "ro")) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return row is not None and not (row[0] in REVISIONS and misfit(connection, row[0]))
    except (sqlite3.Error, ProjectError):
        return False


def misfit(connection: sqlite3.Connection, version: str) -> str:
    """Why the tables do not match `version`; empty if they do. Tests them on empty tables of the same structure.

    Finds only what none of our versions leaves: a version or a table changed by hand, or by damage. Raises
    sqlite3.Error.
    """
    if version == REVISIONS[-1]:
        return _what_is_missing(connection.execute(_COLUMNS))
    statements = [row[0] for row in connection.execute(_STATEMENTS)]
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as like:
            for statement in statements:
                like.exec_driver_sql(statement)
            like.exec_driver_sql("DELETE FROM alembic_version")
            like.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (version,))
            run_migrations(like)
            return _what_is_missing(like.exec_driver_sql(_COLUMNS))
    except DatabaseError as error:
        return str(error.orig)
    finally:
        engine.dispose()


def _what_is_missing(listed: Iterable[Sequence[str]]) -> str:
    """Which tables or columns of the newest schema are missing."""
    found = {tuple(row) for row in listed}
    missing = [f"{table}.{column}" for table, column in _NEWEST if (table, column) not in found]
    rest = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return f"without {', '.join(missing[:_MOST_NAMED])}{rest}" if missing else ""


def run_migrations(connection: Connection) -> None:
    """Run the migrations that the database lacks."""
    # Importing it would take half of the time to the first window, and hardly any start needs it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    location = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(location).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
