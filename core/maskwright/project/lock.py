"""Who may write to a project: one program at a time; a second one is told who and opens it for reading.

Two windows that both write would each hold documents and undo steps that the other makes stale; a person has one pair
of hands, so the simpler promise is kept. The lock is the operating system's, on an open file: it ends with the
program, however that ends. Within one program a project may be opened several times.
"""

import getpass
import json
import logging
import os
import platform
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from maskwright.project.rows import now

log = logging.getLogger(__name__)

FILE_NAME = "lock"


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
    """The right to write to one project folder, until `release` or the end of the program."""

    _held: dict[Path, tuple[int, int]] = {}  # noqa: RUF012  (folder: file descriptor and number of uses, per process)
    _guard = threading.Lock()

    def __init__(self, folder: Path) -> None:
        """Use `acquire`."""
        self._folder = folder

    @classmethod
    def acquire(cls, folder: Path) -> "ProjectLock | Holder":
        """The lock, or who has it. A file system without locks gives the lock to everybody and logs it."""
        folder = folder.resolve()
        with cls._guard:
            handle, uses = cls._held.get(folder, (-1, 0))
            if not uses:
                handle = os.open(folder / FILE_NAME, os.O_RDWR | os.O_CREAT, 0o666)
                if not _lock(handle):
                    holder = _read(handle)
                    os.close(handle)
                    return holder
                _write(handle)
            cls._held[folder] = (handle, uses + 1)
        return cls(folder)

    def release(self) -> None:
        """May be called more than once."""
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

            os.lseek(handle, 1 << 30, os.SEEK_SET)  # behind the text, which others must be able to read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        log.warning("this file system has no locks (%s); a second window on the project would not be noticed", error)
    return True


def _write(handle: int) -> None:
    content = {"user": _user(), "host": platform.node(), "pid": os.getpid(), "since": now()}
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps(content).encode())


def _read(handle: int) -> Holder:
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        content = json.loads(os.read(handle, 4096))
        return Holder(str(content["user"]), str(content["host"]), int(content["pid"]), str(content["since"]))
    except (ValueError, KeyError, TypeError):  # caught between truncation and writing
        return Holder("somebody", platform.node(), 0, now())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without a name, as in containers
        return str(getattr(os, "getuid", lambda: "somebody")())
