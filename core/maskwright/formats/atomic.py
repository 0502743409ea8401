"""Files that appear whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from maskwright.errors import FormatError

_BUFFER_BYTES = 1 << 20


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well; else `path` stays as it was.

    The bytes go to a temporary file in the same folder, which is flushed to the disk before it is renamed and
    removed if anything goes wrong. Raises FormatError for a full disk, a missing or a read-only folder.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb", buffering=_BUFFER_BYTES) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_permissions(path))
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno is None:  # not the system's: whoever fills the file has given up
            raise
        raise write_error(error, path) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_error(error: OSError, path: Path) -> FormatError:
    """What an operating system error at writing means, for the person who asked for the file."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return FormatError(
                "the disk is full; nothing was written", path=path, hint="free some space or choose another folder"
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return FormatError("no permission to write here", path=path, hint="choose another folder")
        case errno.ENOENT | errno.ENOTDIR:
            return FormatError("the folder does not exist", path=path, hint="create it or choose another one")
        case errno.EISDIR:
            return FormatError("a folder has this name", path=path, hint="choose another name")
        case _:
            return FormatError(f"cannot be written: {error.strerror or error}", path=path)


def _permissions(path: Path) -> int:
    """Those of the file to replace, else what a plain new file would get (mkstemp makes private ones)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the platform can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
