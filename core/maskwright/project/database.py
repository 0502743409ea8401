"""The connection to a project's SQLite file: transactions, durability, errors in plain words.

Journal mode WAL, so that readers never wait for the writer. A person's edit is committed with synchronous=FULL: in WAL
mode NORMAL keeps the file consistent but may lose the last commits when the power fails, and an edit that was
acknowledged must not be lost. Work that can be repeated (a batch) commits with NORMAL, which saves a flush per image;
the next FULL commit makes it durable too, the log being one.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError

from maskwright.errors import ProjectError

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 20.0
"""How long a write waits for another program's write before it gives up."""

_GONE = "put the folder back where it was"
_DURABLE = {"maskwright_begin": "FULL"}
_REPEATABLE = {"maskwright_begin": "NORMAL"}


class Database:
    """One SQLite file, usable from any thread: each transaction takes a connection of its own from the pool."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.is_read_only = read_only
        self._write_lock = threading.Lock()
        self._place = _place(path)
        self._engine = _engine(path, read_only=read_only)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the data. Raises ProjectError when the file cannot be read."""
        with _plain_words(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, is_repeatable: bool = False) -> Iterator[Connection]:
        """One transaction, all or nothing; on return it is on disk (see above for `is_repeatable`).

        Raises ProjectError when the project is read-only, the disk full or another program in the way.
        """
        if self.is_read_only:
            raise ProjectError("the project is open read-only", path=self.path.parent)
        if _place(self.path) != self._place:
            # The system would let us write on, into a file that nobody will ever find again.
            raise ProjectError("the project file is gone or another one is in its place", path=self.path, hint=_GONE)
        options = _REPEATABLE if is_repeatable else _DURABLE
        with _plain_words(self.path), self._write_lock, self._engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the connections back; the last one folds the log into the file."""
        self._engine.dispose()


def _place(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _engine(path: Path, *, read_only: bool) -> Engine:
    uri = path.resolve().as_uri() + (read_only_options(path) if read_only else "?mode=rw")

    def connect() -> sqlite3.Connection:
        # isolation_level=None: SQLAlchemy's transactions are begun below, not guessed at by the driver.
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA cache_size=-16000")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4, max_overflow=60)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        synchronous = connection.get_execution_options().get("maskwright_begin")
        if synchronous is None:
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a later upgrade of a read lock could fail half-way

    return engine


def read_only_options(path: Path) -> str:
    """SQLite puts an index beside a file in WAL mode; where it may not, the file cannot change meanwhile either."""
    has_log = path.with_name(f"{path.name}-wal").exists()
    return "?mode=ro" if has_log or os.access(path.parent, os.W_OK) else "?mode=ro&immutable=1"


def create_file(path: Path) -> None:
    """An empty database in WAL mode. Raises ProjectError when the folder cannot be written."""
    try:
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA user_version=0")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ProjectError(_reason(error), path=path, hint="choose a folder that you may write to") from error


@contextmanager
def _plain_words(path: Path) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.IntegrityError):
            raise  # a broken rule of ours, not of the environment
        raise ProjectError(_reason(error.orig), path=path) from error


def _reason(error: BaseException | None) -> str:
    text = str(error)
    if "disk is full" in text:
        return "the disk is full; this change was not saved, everything before it was"
    if "readonly" in text:
        return "the project cannot be written: the file or its folder is read-only"
    if "locked" in text:
        return "another program is writing to this project and does not finish"
    if "malformed" in text or "not a database" in text:
        return "the project file is damaged; maskwright restore puts an earlier copy back"
    if "disk I/O" in text:
        return "the disk or network share reports an error; this change was not saved"
    if "unable to open" in text:
        return "the project file cannot be opened: it is missing or not permitted"
    return f"the project database reports: {text}"
