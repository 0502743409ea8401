"""Project files that are there whole or not at all, whenever the program or the power ends.

A file is made under another name, flushed to the disk, and takes its place in one rename, which is flushed, too: until
then what was there before is there still, afterwards nothing of the try is left that anybody would read.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

from maskwright.regular_files import is_own

NEW, COPYING, SALVAGED = ".new", ".restoring", ".salvaged"
"""What the name of a project file ends with while it is made from nothing, from a copy, and from a damaged file."""
_COMPANIONS = ("", "-wal", "-shm", "-journal")


def put_in_place(made: Path, target: Path) -> None:
    """Rename a database that nobody has open; on return it is on the disk under its name. Raises OSError."""
    for log in (made.with_name(made.name + "-wal"), made.with_name(made.name + "-journal")):
        if is_own(log) and log.stat().st_size:  # SQLite could not fold it in, and does not mention that
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(log))
    sync_file(made)
    logs = [log for name in _COMPANIONS[1:] if is_own(log := target.with_name(target.name + name))]
    for log in logs:  # one that belongs to what was there before would be taken for its own
        log.unlink()
    if logs:  # which must not come back beside the new file when the power fails
        sync_folder(target.parent)
    made.replace(target)
    with suppress(OSError):
        clear_away(made)
    sync_folder(target.parent)


def clear_away(made: Path) -> None:
    """What an interrupted try has left under this name. Raises OSError."""
    for name in _COMPANIONS:
        if is_own(left := made.with_name(made.name + name)):
            left.unlink()


def clear_unfinished(file: Path) -> None:
    """What interrupted tries to make `file` have left, where that can be removed; for who has the right to write."""
    for suffix in (NEW, COPYING, SALVAGED):
        with suppress(OSError):
            clear_away(file.with_name(file.name + suffix))


def sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Names of files are content of their folder. Windows has no such thing."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """With all above it; on return they are on the disk under their names. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)
