"""Files that appear completely or not at all, whether the target is a file, a link, a pipe or standard output.

Also asks before an export replaces anything."""

import errno
import os
import secrets
import select
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

from maskwright.errors import FormatError
from maskwright.words import count_of

_BUFFER_BYTES = 1 << 20
PIPE_WAIT_S = 10.0
"""How long to wait for a writer of a named pipe."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_MOST_NAME = 60
"""Length of the name's beginning that the temporary name keeps; a name may be as long as the file system allows."""
_STANDARD_OUTPUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that replaces `path` when the block succeeds; otherwise `path` stays as it was.

    The bytes go to a temporary file in the same folder, which is flushed to disk before it is renamed and removed on
    failure. For a link, the file that it points to is replaced. A pipe and standard output receive the bytes once all
    are there. Raises FormatError for a full disk, a missing or read-only folder, and for a target that cannot be a file
    (a device, a folder, a socket).
    """
    if is_stream(path):
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            _pour(file, path)
        return
    temporary: Path | None = None
    try:
        place = _regular_place(path)
        mode = place.stat().st_mode & 0o777 if place.exists() else None
        temporary = place.with_name(f".{place.name[:_MOST_NAME]}.{secrets.token_hex(6)}.part")
        handle = os.open(temporary, _NEW, 0o600 if mode is not None else 0o666)  # cut by the umask, as for any new file
        with os.fdopen(handle, "wb", buffering=_BUFFER_BYTES) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(place)
        _sync_folder(place.parent)
    except OSError as error:
        if error.errno is None:  # not from the system: the code that fills the file gave up
            raise
        raise write_error(error, path) from error
    finally:
        if temporary is not None:
            with suppress(OSError):  # already gone, or the disk fails: the first error matters
                temporary.unlink()


@contextmanager
def readable_place(path: Path) -> Iterator[Path]:
    """Where to write if the result has to be read again before it is handed on.

    `path` itself, or, for a pipe and standard output, a temporary file that is copied there when the block succeeds.
    Raises FormatError as `atomic_writer` does.
    """
    if not is_stream(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "stream"
        yield place
        if not place.is_file():
            raise FormatError("a pipe needs a single file", path=path, hint="name a folder instead")
        with place.open("rb") as file:
            _pour(file, path)


@contextmanager
def written_place(path: Path, *, is_trial: bool) -> Iterator[Path]:
    """Like `readable_place`; for a trial a temporary place of the same name."""
    if not is_trial:
        with readable_place(path) as place:
            yield place
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / (path.name or "set")


@contextmanager
def readable_source(path: Path) -> Iterator[Path]:
    """A file or folder to read; input from a pipe or standard input (`-`) is copied to a temporary file."""
    is_standard = str(path) in ("-", "/dev/stdin")
    if not is_standard and not is_stream(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "standard input.json"
        try:
            with place.open("wb") as file:
                if is_standard:
                    shutil.copyfileobj(sys.stdin.buffer, file, _BUFFER_BYTES)
                else:
                    with _opened_pipe(path) as pipe:
                        shutil.copyfileobj(pipe, file, _BUFFER_BYTES)
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror or error}", path=path) from error
        if _is_xml(place):
            place = place.rename(place.with_suffix(".xml"))
        yield place


def _has_writer(handle: int) -> bool:
    """Whether a non-blocking pipe has data, or a writer that may still send some."""
    if select.select([handle], [], [], PIPE_WAIT_S)[0]:
        return True
    try:
        return os.read(handle, 1) != b""  # never True: it was empty just now
    except BlockingIOError:
        return True


def _opened_pipe(path: Path) -> IO[bytes]:
    """Opened for reading to its end, however long the writer takes; raises for a pipe without a writer."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if stat.S_ISFIFO(os.fstat(handle).st_mode) and not _has_writer(handle):
            raise OSError(f"nothing has been written to this named pipe for {PIPE_WAIT_S:.0f} seconds")
        os.set_blocking(handle, True)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _is_xml(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def is_standard_output(path: Path) -> bool:
    """Whether the path is `-` or one of the system's names for standard output."""
    return str(path) in _STANDARD_OUTPUT


def is_stream(path: Path) -> bool:
    """Whether the path is a stream (standard output or a pipe): nothing to replace, nothing to read again."""
    if is_standard_output(path):
        return True
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def write_error(error: OSError, path: Path) -> FormatError:
    """An operating system error at writing, explained to the user who asked for the file."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return FormatError(
                "the disk is full; nothing was written", path=path, hint="free some space or choose another folder"
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return FormatError("no permission to write here", path=path, hint="choose another folder")
        case errno.ENOENT | errno.ENOTDIR:
            return FormatError("the folder does not exist", path=path, hint="create it or choose another folder")
        case errno.EISDIR:
            return FormatError("this is a folder", path=path, hint="choose another name")
        case errno.EPIPE:
            return FormatError("the reading program closed the pipe", path=path)
        case errno.ELOOP:
            return FormatError("its symbolic links form a loop", path=path)
        case _:
            return FormatError(f"cannot be written: {error.strerror or error}", path=path)


def _regular_place(path: Path) -> Path:
    """The file to replace or create, behind any links. Raises FormatError if it is not a regular file."""
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return place
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise FormatError("this is a device or a socket, not a file", path=path, hint="`-` writes to standard output")
    return place


def _pour(file: IO[bytes], path: Path) -> None:
    try:
        if is_standard_output(path):
            sys.stdout.flush()
            shutil.copyfileobj(file, sys.stdout.buffer, _BUFFER_BYTES)
            sys.stdout.buffer.flush()
            return
        with path.open("wb") as pipe:
            shutil.copyfileobj(file, pipe, _BUFFER_BYTES)
    except OSError as error:
        raise write_error(error, path) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the platform can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_MOST_NAMED = 3
_MOST_COUNTED = 10_000


def what_is_there(path: Path) -> str | None:
    """What is there already, in words; None for nothing, an empty file or folder, a pipe and standard output."""
    if is_stream(path):
        return None
    try:
        found = path.stat()
        if path.is_dir():
            return _of_folder(path)
    except (OSError, ValueError):
        return None  # writing reports what is wrong with the place
    if not path.is_file() or not found.st_size:
        return None
    when = datetime.fromtimestamp(found.st_mtime).astimezone().strftime("%Y-%m-%d %H:%M")
    return f"a file of {_size(found.st_size)}, last changed {when}"


def require_nothing_there(path: Path, *, may_replace: bool) -> None:
    """Raises FormatError if there is something and the user has not allowed replacing it."""
    found = None if may_replace else what_is_there(path)
    if found is not None:
        raise FormatError(f"already exists: {found}; nothing was written", path=path, hint="use --force to replace it")


def mark_of(path: Path) -> str:
    """A mark that changes whenever the file does; empty if it is not a single file."""
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
