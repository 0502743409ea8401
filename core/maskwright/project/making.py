"""Creates a project file in one step: complete and under its name, or not at all."""

import sqlite3
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskwright.errors import ProjectError
from maskwright.project.anew import damaged
from maskwright.project.backup import list_backups
from maskwright.project.database import Database, create_file
from maskwright.project.lock import FILE_NAME as LOCK_NAME
from maskwright.project.rows import write_settings
from maskwright.project.upgrade import make_tables
from maskwright.project.whole_files import NEW, clear_away, put_in_place, sync_folder

MARK = "project.mark"
"""Setting that identifies a project wherever it is moved."""


def make_file(file: Path, settings: Mapping[str, Any]) -> None:
    """Create a project without images at `file`, replacing one whose creation was interrupted.

    Only for the holder of the folder's lock. Raises ProjectError if the place cannot be written, DamagedProjectError if
    there are copies of an earlier project.
    """
    if list_backups(file):
        raise damaged("the project file is missing; there are earlier copies", file, has_rest=False)
    made = file.with_name(f"{file.name}{NEW}")
    try:
        clear_away(made)
        create_file(made)
        make_tables(made)
        database = Database(made, read_only=False)
        try:
            with database.write() as connection:
                write_settings(connection, {MARK: uuid.uuid4().hex, **settings})
        finally:
            database.close()
        put_in_place(made, file)
        sync_folder(file.parent.parent)  # the project's folder itself may be new
    except OSError as error:
        raise ProjectError(f"the project cannot be created: {error.strerror or error}", path=file.parent) from error
    except sqlite3.Error as error:
        raise ProjectError("the project cannot be created: its file cannot be written", path=file.parent) from error


def is_left_over(place: Path) -> bool:
    """Whether a folder holds only leftovers of a program interrupted before its project had a file."""
    names = {path.name for path in place.iterdir()} if place.is_dir() else set()
    return LOCK_NAME in names and all(name == LOCK_NAME or f"{NEW}-" in f"{name}-" for name in names)
