"""Project files that are there whole or not at all, whenever the program or the power ends.

A file is made under another name, flushed to the disk, and takes its place in one rename, which is flushed, too: until
then what was there before is there still, afterwards nothing of the try is left that anybody would read.
"""

import os
from pathlib import Path

from maskwright.regular_files import is_own

_COMPANIONS = ("", "-wal", "-shm", "-journal")


def put_in_place(made: Path, target: Path) -> None:
    """Rename a database that nobody has open; on return it is on the disk under its name. Raises OSError."""
    sync_file(made)
    for name in _COMPANIONS[1:]:  # a log that belongs to what was there before would be taken for its own
        if is_own(beside := target.with_name(target.name + name)):
            beside.unlink()
    made.replace(target)
    sync_folder(target.parent)


def clear_away(made: Path) -> None:
    """What an interrupted try has left under this name. Raises OSError."""
    for name in _COMPANIONS:
        if is_own(left := made.with_name(made.name + name)):
            left.unlink()


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
