"""What an export would take the place of: asked before anything is written."""

import os
from datetime import datetime
from itertools import islice
from pathlib import Path

from maskwright.errors import FormatError
from maskwright.formats.atomic import is_stream
from maskwright.words import count_of

_MOST_NAMED = 3
_MOST_COUNTED = 10_000


def what_is_there(path: Path) -> str | None:
    """In words for the user; None for nothing, an empty file or folder, a pipe and standard output."""
    if is_stream(path):
        return None
    try:
        found = path.stat()
        if path.is_dir():
            return _of_folder(path)
    except (OSError, ValueError):
        return None  # writing says what is wrong with the place
    if not path.is_file() or not found.st_size:
        return None
    when = datetime.fromtimestamp(found.st_mtime).astimezone().strftime("%Y-%m-%d %H:%M")
    return f"a file of {_size(found.st_size)}, last changed {when}"


def require_nothing_there(path: Path, *, may_replace: bool) -> None:
    """Raises FormatError where the user has something and has not said that it may be replaced."""
    found = None if may_replace else what_is_there(path)
    if found is not None:
        raise FormatError(f"there is {found}; nothing was written", path=path, hint="--force replaces it")


def mark_of(path: Path) -> str:
    """Changes when the file does; empty for what is not one file."""
    try:
        found = path.stat()
        return f"{found.st_size} {found.st_mtime_ns}" if path.is_file() else ""
    except (OSError, ValueError):
        return ""


def _of_folder(folder: Path) -> str | None:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, _MOST_COUNTED)]
    if not names:
        return None
    named, rest = sorted(names)[:_MOST_NAMED], len(names) - _MOST_NAMED
    what = count_of(len(names), "file or folder") if len(names) == 1 else f"{len(names):,} files and folders"
    return f"a folder with {what}: {', '.join(named)}" + (f" and {rest:,} more" if rest > 0 else "")


def _size(size: int) -> str:
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return count_of(size, "byte")
