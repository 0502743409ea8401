"""The connection to a project's SQLite file: transactions, durability, plain error messages.

Journal mode WAL, so that readers never wait for the writer. A user's edit is committed with synchronous=FULL: in WAL
mode NORMAL keeps the file consistent but may lose the last commits in a power cut, and an acknowledged edit must not be
lost. Repeatable work (a batch) commits with NORMAL, which saves a flush per image; the next FULL commit makes it
durable, too, because there is only one log.

On a network share (see `shares`) it uses a rollback journal instead, always with FULL: nothing else is safe there if
another computer reads the project, at the price of some round trips per edit."""

import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError

from maskwright.errors import IN_THE_LOG, ProjectError, UnfitEditError
from maskwright.project.connection import Mode, connect

_NETWORK = frozenset({
    "9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs", "gfs2", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "vboxsf",
    "vmhgfs", "webdav",
})  # fmt: skip
_MOUNTS = Path("/proc/self/mountinfo")


def share_type(path: Path) -> str | None:
    """The kind of network share that `path` lies on, such as "nfs4" or "fuse.sshfs"; None for a local disk.

    Read from the system's mount table, which works even while the share does not answer. On Windows only drives and UNC
    paths are told apart; without a mount table (macOS) the answer is None.
    """
    if sys.platform == "win32":
        return _windows_share(path)
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    kind = mount_type(mounts, path)
    return kind if kind is not None and is_network(kind) else None


def is_network(kind: str) -> bool:
    """`kind` as in the mount table; all user-space file systems count except those on a local block device."""
    return kind in _NETWORK or kind.startswith("fuse.")


def mount_type(mounts: str, path: Path) -> str | None:
    """The file system type of the mount that holds `path`, from the text of /proc/self/mountinfo (see proc(5))."""
    best, found = "", None
    place = os.path.realpath(path)
    for line in mounts.splitlines():
        mounted, _, source = line.partition(" - ")
        fields = mounted.split()
        if len(fields) < 5 or not source:
            continue
        point = _unescaped(fields[4])
        is_above = point == "/" or place == point or place.startswith(f"{point}/")
        if is_above and len(point) >= len(best):  # of two mounts in one place the later one is on top
            best, found = point, source.split()[0]
    return found


def _unescaped(text: str) -> str:
    """The table has spaces and backslashes as octal numbers."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        text = text.replace(code, chr(int(code[1:], 8)))
    return text


def _windows_share(path: Path) -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes

    drive = path.absolute().drive
    remote = 4  # DRIVE_REMOTE
    is_remote = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == remote
    return "smb" if is_remote else None


log = logging.getLogger(__name__)

_WAL_HEADER = b"\2\2"
"""Bytes 18 and 19 of the file: the versions required for writing and reading (sqlite.org/fileformat2, section
1.3.3)."""
BUSY_TIMEOUT_S = 20.0
"""How long a write waits for another program's write."""

JournalMode = Literal["WAL", "DELETE"]

_NEVER = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""Errors that waiting does not resolve; all others are the environment's."""
_GONE = "put the folder back where it was"
_DURABLE = {"maskwright_synchronous": "FULL"}
_REPEATABLE = {"maskwright_synchronous": "NORMAL"}
_ALONE = {"maskwright_synchronous": "FULL", "maskwright_lock": "EXCLUSIVE"}
_PAGE_BYTES = 8192
"""In bytes. SQLite's usual 4096 seldom holds more than eight outlines; a million load a tenth faster with this."""


class Database:
    """One SQLite file, usable from any thread: each transaction takes a connection from the pool."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.is_read_only = read_only
        self.revision = 0
        """How often something was written here: what was read at the same number is as it was read."""
        self._write_lock = threading.Lock()
        self._is_closed = False
        self._place = _place(path)
        self._is_on_share = share_type(path.parent) is not None
        self._engine = _engine(path, read_only=read_only)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the data. Raises ProjectError if the file cannot be read."""
        with plain_words(self.path), self._borrowed() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, is_repeatable: bool = False, is_seen: bool = True) -> Iterator[Connection]:
        """One transaction, all or nothing; on return it is on disk (see above for `is_repeatable`).

        is_seen=False: nothing that anyone reads changes, so `revision` stays. Raises ProjectError if the project is
        read-only, the disk is full or another program is in the way.
        """
        options = _REPEATABLE if is_repeatable and not self._is_on_share else _DURABLE
        with self._transaction(options, is_seen=is_seen) as connection:
            yield connection

    @contextmanager
    def write_alone(self) -> Iterator[Connection]:
        """Like `write`, for loading much more than is already there, while nobody else uses the file.

        In WAL mode each page is written to the log and then to the file. With a rollback journal new pages are written
        once, and only the few old ones that change are saved; if the program is killed, whoever opens the file next
        rolls everything back (see `settle_journal_mode`). A file that someone else has open stays in WAL mode.
        """
        self._require_writable()
        self._engine.dispose()
        set_journal_mode(self.path, "DELETE")
        try:
            with self._transaction(_ALONE) as connection:
                yield connection
        finally:
            self._engine.dispose()
            settle_journal_mode(self.path)

    def close(self) -> None:
        """Close the connections; the last one merges the log into the file."""
        self._is_closed = True
        self._engine.dispose()

    @contextmanager
    def _borrowed(self) -> Iterator[Connection]:
        """A connection of the pool. A thread that still uses one when the pool is dropped closes it itself."""
        if self.is_read_only:
            self._follow_file()
        pool = self._engine.pool
        with self._engine.connect() as connection:
            try:
                yield connection
            finally:
                if self._is_closed or self._engine.pool is not pool:
                    connection.invalidate()

    @contextmanager
    def _transaction(self, options: Mapping[str, str], *, is_seen: bool = True) -> Iterator[Connection]:
        self._require_writable()
        try:
            with plain_words(self.path), self._write_lock, self._borrowed() as connection:
                connection.execution_options(**options)
                try:
                    with connection.begin():
                        yield connection
                finally:
                    self.revision += is_seen
        except ProjectError:
            # A file handle of a share that was disconnected stays useless: the next attempt opens the file again.
            self._engine.dispose()
            raise

    def _follow_file(self) -> None:
        """If another program has replaced the file by an earlier copy, read that from now on, with every connection."""
        place = _place(self.path)
        if place is not None and place != self._place:
            self._place = place
            self.revision += 1
            self._engine.dispose()

    def _require_writable(self) -> None:
        if self.is_read_only:
            raise ProjectError("the project is open read-only", path=self.path.parent)
        if _place(self.path) != self._place:
            # The system would let us write to a deleted file that nobody will ever find again.
            raise ProjectError("the project file is missing or was replaced by another one", path=self.path, hint=_GONE)


def _place(path: Path) -> tuple[int, int] | None:
    """Identifies a file whatever its name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _engine(path: Path, *, read_only: bool) -> Engine:
    is_immutable = read_only and is_unchanging(path)

    def connected() -> sqlite3.Connection:
        # In autocommit mode: SQLAlchemy's transactions are started explicitly below, not guessed by the driver.
        mode: Mode = "ro" if read_only else "rw"
        connection = connect(path, mode, timeout=BUSY_TIMEOUT_S, is_immutable=is_immutable)
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA cache_size=-16000")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connected, poolclass=QueuePool, pool_size=4, max_overflow=60)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        synchronous = options.get("maskwright_synchronous")
        if synchronous is None:
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
        # Immediately: upgrading a read lock later could fail half-way.
        connection.exec_driver_sql(f"BEGIN {options.get('maskwright_lock', 'IMMEDIATE')}")

    return engine


def is_unchanging(path: Path) -> bool:
    """SQLite creates an index beside a file in WAL mode; where it cannot, the file cannot change either."""
    has_log = any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal"))
    return not has_log and not os.access(path.parent, os.W_OK)


def create_file(path: Path) -> None:
    """An empty database in its folder's journal mode. Raises ProjectError if the folder cannot be written."""
    try:
        connection = connect(path, "rwc")
        try:
            connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
            connection.execute(f"PRAGMA journal_mode={journal_mode_for(path)}")
            connection.execute("PRAGMA user_version=0")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ProjectError(_reason(error), path=path, hint="choose a folder that you can write to") from error


def journal_mode_for(path: Path) -> JournalMode:
    """The journal mode for a file in this place."""
    return "WAL" if share_type(path.parent) is None else "DELETE"


def set_journal_mode(path: Path, mode: JournalMode) -> bool:
    """Returns whether the file is in this mode now; it is not changed while someone else has it open.

    Anything that a killed program left half written in a rollback journal is rolled back first.
    """
    connection = connect(path, "rw", timeout=0)
    try:
        connection.execute("PRAGMA schema_version")  # rolls back what is in a journal
        return str(connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]).upper() == mode
    except sqlite3.DatabaseError as error:  # in use, or damaged, which reading it will report
        log.info("%s stays in its journal mode: %s", path, error)
        return False
    finally:
        connection.close()


def settle_journal_mode(path: Path) -> None:
    """Switch to the mode that the file's folder needs: after `Database.write_alone`, or when it was moved to a share.

    Rolls back what a killed program left half written. Only for the one program that may write.
    """
    try:
        with path.open("rb") as file:
            is_wal = file.read(20)[18:] == _WAL_HEADER
    except OSError:  # deleted meanwhile; the next write reports it
        return
    mode = journal_mode_for(path)
    if is_wal is not (mode == "WAL") or path.with_name(f"{path.name}-journal").exists():
        set_journal_mode(path, mode)


@contextmanager
def plain_words(path: Path) -> Iterator[None]:
    """Turns SQLite's errors about the file at `path` into ProjectError."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error.orig, _NEVER):
            log.exception("the project does not take this")
            raise UnfitEditError(_misfit(error.orig), path=path.parent) from error
        raise ProjectError(_reason(error.orig), path=path) from error


def _misfit(error: BaseException) -> str:
    if "UNIQUE" in str(error):
        return "its id or name is already in use"
    if "FOREIGN KEY" in str(error):
        return "it belongs to an image or a class that is no longer there"
    return "it does not fit this project"


def _reason(error: BaseException | None) -> str:
    text = str(error)
    if "disk is full" in text:
        return "the disk is full: free some space; this change was not saved, everything before it was"
    if "readonly" in text:
        return "the project cannot be written: the file or its folder is read-only"
    if "locked" in text:
        return "another program has been writing to this project for too long"
    if "malformed" in text or "not a database" in text:
        return "the project file is damaged; maskwright restore brings back an earlier copy"
    if "disk I/O" in text:
        return "the disk or network share reports an error; this change was not saved"
    if "unable to open" in text:
        return "the project file cannot be opened: it is missing or access is denied"
    log.error("unexpected: %s", text)
    return f"the project file cannot be used; {IN_THE_LOG}"
