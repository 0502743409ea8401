"""Takes what SQLite can still read out of a damaged project file, and makes a project of it.

Rows are read from both ends of each table up to the damage, and what lies between them one by one, by the ids that the
table's indexes still know. A file whose first page is gone does not say what it holds: nothing can be taken out of it.
"""

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from maskwright.errors import ImageError, LostProjectError, ProjectError
from maskwright.file_names import file_name_fault
from maskwright.project.anew import ANEW
from maskwright.project.backup import is_sound
from maskwright.project.connection import connect
from maskwright.project.database import create_file
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.plain_schema import require_plain_schema
from maskwright.project.relocate import ROOT, ROOT_ABSOLUTE, root_settings
from maskwright.project.restoring import restore
from maskwright.project.rows import MOST_SIDE_PX
from maskwright.project.whole_files import clear_away
from maskwright.regular_files import is_own

log = logging.getLogger(__name__)

_MADE = ".salvaged"
_MOST_GUESSED = 100_000
"""Ids that are tried one by one where no index knows them."""
_TABLES_FIRST = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'index'"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was taken out, and where the damaged file is kept."""

    images: int
    objects: int
    steps: int
    kept: Path


def salvage(file: Path) -> Salvaged:
    """Put what can be read of `file` in its place; the damaged file is kept beside the copies.

    Raises LostProjectError where nothing can be read, ProjectError for a file that is whole, where the project is open
    and where its folder cannot be written.
    """
    lock = ProjectLock.acquire(file.parent)
    if isinstance(lock, Holder):
        raise ProjectError(f"the project is open elsewhere: {lock}", path=file.parent, hint="close it there first")
    made = file.with_name(f"{file.name}{_MADE}")
    try:
        if is_own(file) and is_sound(file):
            raise ProjectError("the project file is whole; it stays", path=file)
        clear_away(made)
        create_file(made)
        counts = _copied(file, made)
        return Salvaged(*counts, restore(file, made))
    except (OSError, ValueError, sqlite3.Error) as error:
        if "full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC:
            raise ProjectError("the disk is full: nothing was taken out, and nothing changed", path=file) from error
        log.warning("nothing can be taken out of %s: %s", file, error)
        raise LostProjectError("nothing can be taken out of the project file", path=file, hint=ANEW) from error
    finally:
        with suppress(OSError):
            clear_away(made)
        lock.release()


def _copied(file: Path, made: Path) -> tuple[int, int, int]:
    """Numbers of images, objects and steps. Raises sqlite3.Error where not even the tables are known."""
    with closing(connect(file, "ro")) as damaged, closing(connect(made, "rw")) as written:
        require_plain_schema(damaged, file)
        listed = damaged.execute(_TABLES_FIRST).fetchall()
        written.execute("PRAGMA foreign_keys=OFF")
        written.execute("BEGIN")
        for kind, name, sql in listed:
            written.execute(sql)
            if kind == "table":
                _copy_rows(damaged, written, name)
        _complete(written, file)
        _name_images(damaged, written, _image_root(written, file))
        written.execute("COMMIT")
        counts = [written.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _COUNTED]
        if not any(counts):
            raise sqlite3.DatabaseError("no row can be read")
        return counts[0], counts[1], counts[2]


_COUNTED = ("images", "instances", "history")


def _copy_rows(damaged: sqlite3.Connection, written: sqlite3.Connection, name: str) -> None:
    columns = [row[1] for row in written.execute(f'PRAGMA table_info("{name}")')]
    places = ", ".join("?" * len(columns))
    for row in _rows(damaged, name):
        with suppress(sqlite3.IntegrityError):  # found twice, or a value is missing that has to be there
            written.execute(f'INSERT OR IGNORE INTO "{name}" VALUES ({places})', row)


def _rows(damaged: sqlite3.Connection, name: str) -> Iterator[tuple[Any, ...]]:
    """All that can be read, each once or more."""
    try:
        damaged.execute(f'SELECT rowid FROM "{name}" LIMIT 0')
    except sqlite3.OperationalError:  # it has no numbers
        yield from _up_to_damage(damaged, f'SELECT * FROM "{name}"')
        return
    seen: set[int] = set()
    last = 0
    for order in ("ASC", "DESC"):
        try:
            for id_, *row in damaged.execute(f'SELECT rowid, * FROM "{name}" ORDER BY rowid {order}'):
                if id_ in seen:  # where the other end has come to
                    return
                seen.add(id_)
                yield tuple(row)
            return
        except sqlite3.DatabaseError as error:
            log.info("%s breaks off after %d rows: %s", name, len(seen), error)
            last = last or max(seen, default=0)
    known = _indexed_ids(damaged, name) or range(last + 1, last + _MOST_GUESSED)
    for id_ in known:
        if id_ not in seen:
            yield from (tuple(row) for row in _up_to_damage(damaged, f'SELECT * FROM "{name}" WHERE rowid = {id_}'))


def _up_to_damage(damaged: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from damaged.execute(query)
    except sqlite3.DatabaseError as error:
        log.debug("%s breaks off: %s", query, error)


def _indexed_ids(damaged: sqlite3.Connection, name: str) -> list[int]:
    """What the indexes that cover all rows know."""
    found: set[int] = set()
    for _, index, _, _, is_partial in damaged.execute(f'PRAGMA index_list("{name}")').fetchall():
        if not is_partial:
            for order in ("ASC", "DESC"):
                first = damaged.execute(f'PRAGMA index_info("{index}")').fetchone()[2]
                query = f'SELECT rowid FROM "{name}" INDEXED BY "{index}" ORDER BY "{first}" {order}'
                found.update(row[0] for row in _up_to_damage(damaged, query))
    return sorted(found)


def _name_images(damaged: sqlite3.Connection, written: sqlite3.Connection, root: Path) -> None:
    """Images whose rows are lost: the index of their names still knows them, and their files say how large they are.

    One whose file is not there is as large as can be: no object of it is cut, and the check tells of it.
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


def _complete(written: sqlite3.Connection, file: Path) -> None:
    """What a project cannot be opened without."""
    from maskwright.project.upgrade import REVISIONS

    if written.execute("SELECT 1 FROM alembic_version").fetchone() is None:
        written.execute("INSERT INTO alembic_version VALUES (?)", (REVISIONS[-1],))
    query = "SELECT 1 FROM settings WHERE key IN (?, ?)"
    if written.execute(query, (ROOT, ROOT_ABSOLUTE)).fetchone() is None:
        for key, value in root_settings(file.parent, file.parent.parent).items():
            written.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, orjson.dumps(value).decode()))
