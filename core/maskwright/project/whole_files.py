"""Replaces project files atomically, whenever the program or the power ends.

A file is made under another name, flushed to disk, and put in place by one rename, which is flushed, too: before it,
the old file is still there; after it, no leftovers exist that anything would read."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from maskwright.regular_files import is_own

NEW, COPYING, SALVAGED = ".new", ".restoring", ".salvaged"
"""Suffixes of a project file while it is made from nothing, from a copy, and from a damaged file."""
_COMPANIONS = ("", "-wal", "-shm", "-journal")


def put_in_place(made: Path, target: Path) -> None:
    """Rename a closed database; on return the new name is on disk. Raises OSError."""
    for log in (made.with_name(made.name + "-wal"), made.with_name(made.name + "-journal")):
        if is_own(log) and log.stat().st_size:  # SQLite could not merge it, and does not report that
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(log))
    sync_file(made)
    logs = [log for name in _COMPANIONS[1:] if is_own(log := target.with_name(target.name + name))]
    for log in logs:  # a log of the old file would be taken for the new one's
        log.unlink()
    if logs:  # they must not come back beside the new file in a power cut
        sync_folder(target.parent)
    made.replace(target)
    with suppress(OSError):
        clear_away(made)
    sync_folder(target.parent)


def clear_away(made: Path) -> None:
    """Delete what an interrupted attempt left under this name. Raises OSError."""
    for name in _COMPANIONS:
        if is_own(left := made.with_name(made.name + name)):
            left.unlink()


def clear_unfinished(file: Path) -> None:
    """Delete what interrupted attempts to make `file` left, if possible; only for the program that may write."""
    for suffix in (NEW, COPYING, SALVAGED):
        with suppress(OSError):
            clear_away(file.with_name(file.name + suffix))


def sync_file(path: Path) -> None:
    """Flush a file's content to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder, whose content is the names of its files. Windows has nothing like it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents; on return their names are on disk. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)
