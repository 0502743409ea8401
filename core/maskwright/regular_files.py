"""Files in folders that others may have filled: only regular ones are opened, and opening never blocks.

Opening a FIFO without a writer blocks for ever, opening a device may trigger something, and a link under a name that
the program uses itself would make it write to, or delete, someone else's file."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

from maskwright.errors import ProjectError

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotAFileError(OSError):
    """The name belongs to something other than a file; `strerror` says what."""

    def __init__(self, mode: int, path: Path, expected: str = "a file") -> None:
        super().__init__(None, f"{path.name} is {kind_of(mode)}, not {expected}", str(path))


def kind_of(mode: int) -> str:
    """The type of a file with this `st_mode`, in a word or two."""
    return next((text for is_one, text in _KINDS if is_one(mode)), "a file")


def open_regular(path: Path) -> IO[bytes]:
    """Open for reading; follows a link to a regular file. Raises OSError, NotAFileError for anything else."""
    # Checked first, because opening a device may already trigger something.
    _require_regular(path.stat().st_mode, path)
    return open(path, "rb", opener=lambda _name, _flags: _opened(path, os.O_RDONLY))  # keeps the name


def read_regular(path: Path, *, most_bytes: int | None = None) -> bytes:
    """The content of a file. Raises OSError as `open_regular` does, and for more than `most_bytes`."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if most_bytes is not None and size > most_bytes:
            raise OSError(f"{size} bytes exceed the limit of {most_bytes} for such a file")
        return file.read(-1 if most_bytes is None else most_bytes)


def open_own(path: Path) -> int:
    """A descriptor to read and write a file that this program named itself, created if missing.

    Raises NotAFileError for a link or anything but a regular file, else OSError.
    """
    found = _lstat(path)
    if found is not None:
        _require_regular(found.st_mode, path)
    return _opened(path, os.O_RDWR | os.O_CREAT | _NOT_THROUGH_LINKS)


def is_own(path: Path) -> bool:
    """Whether this is a regular file and not a link to one."""
    found = _lstat(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_own_folder(root: Path, *names: str) -> bool:
    """Whether ROOT/NAME/NAME... are folders and not links; `root` itself may be a link."""
    found = [_lstat(root.joinpath(*names[:count])) for count in range(1, len(names) + 1)]
    return all(each is not None and stat.S_ISDIR(each.st_mode) for each in found)


def own_folder(root: Path, *names: str) -> Path:
    """ROOT/NAME/NAME..., created if missing. Raises NotAFileError if one of the names is a link, else OSError."""
    folder = root
    for name in names:
        folder = folder / name
        found = _lstat(folder)
        if found is None:
            folder.mkdir(exist_ok=True)
        elif not stat.S_ISDIR(found.st_mode):
            raise NotAFileError(found.st_mode, folder, "a folder of this project")
    return folder


def require_own(path: Path) -> None:
    """Raises ProjectError if a file that a project names itself exists but is not a regular file, such as a link."""
    found = _lstat(path)
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise ProjectError(
            f"{path.name} is {kind_of(found.st_mode)}, not a file of this project",
            path=path.parent,
            hint="it was not changed; remove it if you know where it comes from",
        )


def _opened(path: Path, flags: int) -> int:
    """Also raises NotAFileError if something else takes the name meanwhile."""
    handle = os.open(path, flags | _AT_ONCE, 0o666)
    try:
        _require_regular(os.fstat(handle).st_mode, path)
        if hasattr(os, "set_blocking"):
            os.set_blocking(handle, True)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _require_regular(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise NotAFileError(mode, path)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
