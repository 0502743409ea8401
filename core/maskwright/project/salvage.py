"""Makes a new project from what SQLite can still read of a damaged project file.

Rows are read from both ends of each table up to the damage, and those between one by one, by the ids in the table's
indexes. If the first page is gone, nothing is known of the content and nothing can be recovered."""

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from maskwright.errors import ImageError, ProjectError
from maskwright.file_names import file_name_fault
from maskwright.monitor import SILENT, Monitor
from maskwright.project.anew import damaged
from maskwright.project.connection import connect, require_plain_schema
from maskwright.project.database import create_file
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.relocate import ROOT, ROOT_ABSOLUTE, root_settings
from maskwright.project.restoring import complete_restore, restore
from maskwright.project.rows import MOST_SIDE_PX
from maskwright.project.upgrade import make_tables, require_there
from maskwright.project.versions import REVISIONS, is_usable, misfit
from maskwright.project.whole_files import SALVAGED, clear_away

log = logging.getLogger(__name__)

_VERSION = "alembic_version"
_BLOCK = 5000
"""Rows between checks whether the user still wants this."""
_MOST_GUESSED = 100_000
"""Ids tried one by one if no index knows them."""
_TABLES_FIRST = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'index'"


Counts = tuple[int, int, int]
"""Counts of images, objects, steps."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was recovered, and where the damaged file is kept."""

    images: int
    objects: int
    steps: int
    kept: Path


def salvage(file: Path, monitor: Monitor = SILENT) -> Salvaged:
    """Replace `file` by what can be read of it; the damaged file is kept beside the copies.

    Raises DamagedProjectError if nothing can be read, HalfMadeProjectError if it was always empty, and ProjectError for
    an intact file, if the project is open or if its folder cannot be written.
    """
    lock = ProjectLock.acquire(file.parent)
    if isinstance(lock, Holder):
        raise ProjectError(f"the project is open elsewhere: {lock}", path=file.parent, hint="close it there first")
    made = file.with_name(f"{file.name}{SALVAGED}")
    try:
        complete_restore(file)
        require_there(file)
        if is_usable(file):
            raise ProjectError("the project file is not damaged; nothing was changed", path=file)
        counts = _taken_out(file, made, monitor)
        monitor.report(counts[0], None, "Putting it in place")
        return Salvaged(*counts, restore(file, made))
    except (OSError, ValueError, sqlite3.Error) as error:
        if "full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC:
            raise ProjectError("the disk is full; nothing was recovered and nothing was changed", path=file) from error
        log.warning("nothing can be recovered from %s: %s", file, error)
        raise damaged("nothing can be recovered from the project file", file, has_rest=False) from error
    finally:
        with suppress(OSError):
            clear_away(made)
        lock.release()


def _taken_out(file: Path, made: Path, monitor: Monitor) -> Counts:
    """Into tables like those of the file; if they match no version, into the newest, column by column."""
    for is_newest in (False, True):
        clear_away(made)
        create_file(made)
        if is_newest:
            make_tables(made)
        if (counts := _copied(file, made, is_newest, monitor)) is not None:
            return counts
    raise sqlite3.DatabaseError("the tables are those of no version")


def _copied(file: Path, made: Path, is_newest: bool, monitor: Monitor) -> Counts | None:
    """None if the tables match no version. Raises sqlite3.Error if not even the tables are known."""
    with closing(connect(file, "ro")) as damaged_file, closing(connect(made, "rw")) as written:
        require_plain_schema(damaged_file, file)
        listed = damaged_file.execute(_TABLES_FIRST).fetchall()
        written.execute("PRAGMA foreign_keys=OFF")
        written.execute("BEGIN")
        for _, _, sql in listed if not is_newest else ():
            written.execute(sql)
        if not is_newest and not _set_version(damaged_file, written):
            return None
        for name in [name for kind, name, _ in listed if kind == "table" and name != _VERSION]:
            monitor.report(0, None, f"Taking out what can be read: {name}")
            _copy_rows(damaged_file, written, name, monitor)
        _set_image_root(written, file)
        _name_images(damaged_file, written, _image_root(written, file))
        written.execute("COMMIT")
        counts = [written.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _COUNTED]
        if not any(counts):
            raise sqlite3.DatabaseError("no rows can be read")
        return counts[0], counts[1], counts[2]


def _set_version(damaged_file: sqlite3.Connection, written: sqlite3.Connection) -> bool:
    """Set the version that the file claims if its tables match, else the latest that matches; False if none does."""
    said = [row[0] for row in _up_to_damage(damaged_file, f"SELECT version_num FROM {_VERSION}")]
    for version in (*(each for each in said if each in REVISIONS), *reversed(REVISIONS)):
        if not misfit(written, version):
            written.execute(f"INSERT INTO {_VERSION} VALUES (?)", (version,))
            return True
    return False


_COUNTED = ("images", "instances", "history")


def _copy_rows(damaged_file: sqlite3.Connection, written: sqlite3.Connection, name: str, monitor: Monitor) -> None:
    """Copies the columns that both tables have."""
    has, wants = (_columns(connection, name) for connection in (damaged_file, written))
    both = [column for column in has if column in wants]
    if not both:
        return
    names, places = ", ".join(f'"{column}"' for column in both), ", ".join("?" * len(both))
    at = [has.index(column) for column in both]
    for count, row in enumerate(_rows(damaged_file, name)):
        if count % _BLOCK == 0:
            monitor.check()
        with suppress(sqlite3.IntegrityError):  # found twice, or a required value is missing
            written.execute(f'INSERT OR IGNORE INTO "{name}" ({names}) VALUES ({places})', [row[each] for each in at])


def _columns(connection: sqlite3.Connection, name: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]


def _rows(damaged: sqlite3.Connection, name: str) -> Iterator[tuple[Any, ...]]:
    """All readable rows, each at least once."""
    try:
        damaged.execute(f'SELECT rowid FROM "{name}" LIMIT 0')
    except sqlite3.OperationalError:  # a table without row numbers
        yield from _up_to_damage(damaged, f'SELECT * FROM "{name}"')
        return
    seen: set[int] = set()
    last = 0
    for order in ("ASC", "DESC"):
        try:
            for id_, *row in damaged.execute(f'SELECT rowid, * FROM "{name}" ORDER BY rowid {order}'):
                if id_ in seen:  # the other end has been reached
                    return
                seen.add(id_)
                yield tuple(row)
            return
        except sqlite3.DatabaseError as error:
            log.info("%s stops after %d rows: %s", name, len(seen), error)
            last = last or max(seen, default=0)
    known = _indexed_ids(damaged, name) or range(last + 1, last + _MOST_GUESSED)
    for id_ in known:
        if id_ not in seen:
            yield from (tuple(row) for row in _up_to_damage(damaged, f'SELECT * FROM "{name}" WHERE rowid = {id_}'))


def _up_to_damage(damaged: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from damaged.execute(query)
    except sqlite3.DatabaseError as error:
        log.debug("%s stops: %s", query, error)


def _indexed_ids(damaged: sqlite3.Connection, name: str) -> list[int]:
    """Ids in indexes that cover all rows."""
    found: set[int] = set()
    for _, index, _, _, is_partial in damaged.execute(f'PRAGMA index_list("{name}")').fetchall():
        if not is_partial:
            for order in ("ASC", "DESC"):
                first = damaged.execute(f'PRAGMA index_info("{index}")').fetchone()[2]
                query = f'SELECT rowid FROM "{name}" INDEXED BY "{index}" ORDER BY "{first}" {order}'
                found.update(row[0] for row in _up_to_damage(damaged, query))
    return sorted(found)


def _name_images(damaged: sqlite3.Connection, written: sqlite3.Connection, root: Path) -> None:
    """Recover images whose rows are lost: the index of names still has them, and their files give the sizes.

    An image without a file gets the largest size, so that no object is clipped; the check reports it.
    """
    lost = {
        row[0]
        for row in written.execute(
            "SELECT DISTINCT image_id FROM instances WHERE image_id NOT IN (SELECT id FROM images)"
        )
    }
    for id_, name in _up_to_damage(damaged, "SELECT id, file_name FROM images ORDER BY file_name"):
        if id_ in lost and file_name_fault(name) is None:
            row = (id_, name, *_size_of(root / name))
            with suppress(sqlite3.IntegrityError):
                written.execute("INSERT INTO images (id, file_name, width, height) VALUES (?, ?, ?, ?)", row)


def _size_of(image: Path) -> tuple[int, int]:
    from maskwright.images import probe_image

    try:
        return probe_image(image).size_wh
    except (ImageError, OSError):
        return MOST_SIDE_PX, MOST_SIDE_PX


def _image_root(written: sqlite3.Connection, file: Path) -> Path:
    stored = dict(written.execute("SELECT key, value FROM settings WHERE key IN (?, ?)", (ROOT, ROOT_ABSOLUTE)))
    places = [orjson.loads(stored[key]) for key in (ROOT_ABSOLUTE, ROOT) if key in stored]
    found = [place for each in places if isinstance(each, str) and (place := file.parent / each).is_dir()]
    return found[0] if found else file.parent.parent


def _set_image_root(written: sqlite3.Connection, file: Path) -> None:
    """A project needs an image root; if it is unknown, assume that the project is inside its image folder."""
    query = "SELECT 1 FROM settings WHERE key IN (?, ?)"
    if written.execute(query, (ROOT, ROOT_ABSOLUTE)).fetchone() is None:
        for key, value in root_settings(file.parent, file.parent.parent).items():
            written.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, orjson.dumps(value).decode()))
