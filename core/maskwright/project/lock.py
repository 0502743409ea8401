"""Decides who may write to a project: one program at a time; a second one is told who and opens it read-only.

Two windows that both write would invalidate each other's documents and undo steps, and a user works in one window at a
time, so the simpler rule is enough. The lock is the operating system's, on an open file: it ends with the program,
however that ends. Within one program a project may be opened several times."""

import getpass
import json
import logging
import os
import platform
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from maskwright.errors import ProjectError
from maskwright.project.rows import now
from maskwright.regular_files import NotAFileError, open_own

log = logging.getLogger(__name__)

FILE_NAME = "lock"
_START = b'{"user"'
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """The program that has a project open for writing."""

    user: str
    host: str
    pid: int
    since: str
    """ISO 8601, UTC."""

    def __str__(self) -> str:
        where = "" if self.host == platform.node() else f" on {self.host}"
        return f"{self.user}{where}, process {self.pid}, since {self.since[:16].replace('T', ' ')} UTC"


class ProjectLock:
    """The right to write to one project folder, until `release` or the program's end."""

    _held: dict[Path, tuple[int, int]] = {}  # noqa: RUF012  (folder: file descriptor and number of uses, per process)
    _guard = threading.Lock()

    def __init__(self, folder: Path) -> None:
        """Use `acquire`."""
        self._folder = folder

    @classmethod
    def acquire(cls, folder: Path) -> "ProjectLock | Holder":
        """The lock, or its holder. A file system without locks gives the lock to everybody, and a warning is logged.

        Raises ProjectError if the lock file cannot be created, or something else has its name.
        """
        folder = folder.resolve()
        with cls._guard:
            handle, uses = cls._held.get(folder, (-1, 0))
            if not uses:
                handle = _opened(folder / FILE_NAME)
                try:
                    if not _lock(handle):
                        holder = _read(handle)
                        os.close(handle)
                        return holder
                    _write(handle, folder)
                except ProjectError:
                    os.close(handle)
                    raise
            cls._held[folder] = (handle, uses + 1)
        return cls(folder)

    @classmethod
    def holder(cls, folder: Path) -> Holder | None:
        """The other program that has the lock; None if nobody has it or this program does. Writes nothing."""
        folder = folder.resolve()
        with cls._guard:
            if folder in cls._held:
                return None
            try:
                handle = os.open(folder / FILE_NAME, os.O_RDWR)
            except OSError:
                return None
            try:
                return None if _lock(handle) else _read(handle)
            finally:
                os.close(handle)

    def release(self) -> None:
        """Release the lock; may be called repeatedly."""
        with self._guard:
            handle, uses = self._held.pop(self._folder, (-1, 0))
            if uses > 1:
                self._held[self._folder] = (handle, uses - 1)
            elif uses == 1:
                os.close(handle)
        self._folder = Path()


def _lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond the text, which others must be able to read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        log.warning(
            "this file system does not support locks (%s), so a second window on the project cannot be detected", error
        )
    return True


def _opened(path: Path) -> int:
    try:
        return open_own(path)
    except NotAFileError as error:
        raise _foreign(str(error.strerror), path.parent) from error
    except OSError as error:
        raise ProjectError(f"the project cannot be locked: {error.strerror or error}", path=path.parent) from error


def _foreign(what: str, folder: Path) -> ProjectError:
    hint = "it was not changed; remove it if you know where it comes from"
    return ProjectError(what, path=folder, hint=hint)


def _write(handle: int, folder: Path) -> None:
    """Raises ProjectError if the file does not look like a lock: it may be someone's file."""
    os.lseek(handle, 0, os.SEEK_SET)
    found = os.read(handle, _MOST_BYTES + 1)
    if len(found) > _MOST_BYTES or not (found.startswith(_START) or not found.strip(b"\0")):  # zeros: a power cut
        raise _foreign(f"{FILE_NAME} is not a lock file of this program", folder)
    content = {"user": _user(), "host": platform.node(), "pid": os.getpid(), "since": now()}
    try:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(content).encode())
    except OSError as error:  # a full disk: the lock holds, but its holder cannot be named
        log.warning("%s cannot be written: %s", FILE_NAME, error)


def _read(handle: int) -> Holder:
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        content = json.loads(os.read(handle, _MOST_BYTES))
        return Holder(str(content["user"]), str(content["host"]), int(content["pid"]), str(content["since"]))
    except (ValueError, KeyError, TypeError):  # read between truncation and writing
        return Holder("somebody", platform.node(), 0, now())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without a name, as in containers
        return str(getattr(os, "getuid", lambda: "somebody")())
