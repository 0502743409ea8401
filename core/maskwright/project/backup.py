"""Copies of a project file, taken while it may be in use."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from maskwright.errors import ProjectError

FOLDER = "backups"


def back_up(file: Path, *, reason: str) -> Path:
    """A consistent copy of `file` in the folder `backups` beside it, named by time and `reason`.

    Raises ProjectError when the copy cannot be written; nothing half-written stays behind.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    target = file.parent / FOLDER / f"{stamp}-{reason}.db"
    partial = target.with_suffix(".partial")
    try:
        target.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise ProjectError(f"no backup could be made ({error})", path=target.parent) from error
    return target
