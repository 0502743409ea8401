"""Cache entries on disk, in one folder per network inside a project's folder, bounded in size.

Annotations are worth more than a second's wait, so some disk space is kept free: old entries are deleted first, and
nothing is added if that is not enough. A project folder may come from a stranger: what lies behind a link is neither
read nor deleted, and neither are files whose names are not ours."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident

from maskwright.regular_files import is_own, is_own_folder, own_folder, read_regular

log = logging.getLogger(__name__)

RESERVE_BYTES = 2**30
"""Disk space to keep free."""
_SLACK = 0.9
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the cache."""

    time_ns: int
    """Time of the last write, or of the last use if `touch` was called."""
    size: int
    path: Path


class EntryFolder:
    """Entries stored as GROUP/NAME.suffix below `names`. All methods are thread-safe and never raise OSError."""

    def __init__(
        self,
        root: Path,
        *names: str,
        suffix: str,
        max_bytes: int,
        reserve_bytes: int = RESERVE_BYTES,
        old_suffixes: tuple[str, ...] = (),
    ) -> None:
        """`old_suffixes`: of entries of earlier versions, which are deleted."""
        self._root, self._names = root, names
        self._suffix, self._dropped = suffix, (_PART, *old_suffixes)
        self._max_bytes, self._reserve_bytes = max_bytes, reserve_bytes
        self._lock = Lock()
        self._used: int | None = None
        self._is_told = False

    def put(self, group: str, name: str, content: bytes) -> bool:
        """Store an entry, replacing any of that name. Returns whether it was kept."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            folder = own_folder(self._root, *self._names, group)
            if not self._has_room(folder, len(content)):
                self._tell("the disk is nearly full")
                return False
            self._write(self.place(group, name), content)
        except OSError as error:
            self._tell(error.strerror or str(error))
            return False
        return True

    def get(self, group: str, name: str) -> bytes | None:
        """The content of an entry; None if there is none."""
        return self.read(self.place(group, name))

    def place(self, group: str, name: str) -> Path:
        """The path of an entry."""
        return self._top() / group / f"{name}{self._suffix}"

    def read(self, place: Path) -> bytes | None:
        """The content of an entry returned by `find`."""
        try:
            if not is_own_folder(self._root, *self._names, place.parent.name) or not is_own(place):
                return None
            return read_regular(place, most_bytes=self._max_bytes)
        except OSError:
            return None

    def touch(self, group: str, name: str) -> None:
        """Mark an entry as just used, so that it is dropped last."""
        with suppress(OSError):
            os.utime(self.place(group, name), follow_symlinks=False)

    def find(self, name: str) -> Path | None:
        """The newest entry of that name in any group."""
        places = [Path(group.path) / f"{name}{self._suffix}" for group in self._groups()]
        return max(filter(is_own, places), key=lambda place: place.lstat().st_mtime_ns, default=None)

    def drop(self, place: Path) -> None:
        """Delete an entry."""
        with self._lock, suppress(OSError):
            if is_own_folder(self._root, *self._names, place.parent.name) and is_own(place):
                size = place.stat().st_size
                place.unlink()
                self._used = None if self._used is None else max(self._used - size, 0)

    def entries(self) -> Iterator[Entry]:
        """All entries, in no particular order."""
        return (entry for entry in self._files() if entry.path.suffix == self._suffix)

    @property
    def used_bytes(self) -> int:
        """Bytes on disk."""
        with self._lock:
            return self._counted()

    def _top(self) -> Path:
        return self._root.joinpath(*self._names)

    def _groups(self) -> list[os.DirEntry[str]]:
        if not is_own_folder(self._root, *self._names):
            return []
        return [group for group in _listed(self._top()) if group.is_dir(follow_symlinks=False)]

    def _files(self) -> Iterator[Entry]:
        """Regular files in real folders; links are skipped."""
        for group in self._groups():
            for file in _listed(Path(group.path)):
                with suppress(OSError):
                    if file.is_file(follow_symlinks=False):
                        found = file.stat(follow_symlinks=False)
                        yield Entry(found.st_mtime_ns, found.st_size, Path(file.path))

    def _counted(self) -> int:
        """Counted once, before the first write: a partial file of ours would look like one left by a crash."""
        if self._used is None:
            self._used = 0
            for entry in self._files():
                if entry.path.suffix in self._dropped:
                    with suppress(OSError):
                        entry.path.unlink()
                elif entry.path.suffix == self._suffix:
                    self._used += entry.size
        return self._used

    def _has_room(self, folder: Path, count: int) -> bool:
        """Whether there is room, after dropping the oldest entries if need be."""
        if count > self._max_bytes:
            return False
        with self._lock:
            wanted = self._counted() + count - self._max_bytes
            if wanted > 0:  # drop a few more, so that not every write has to scan all entries
                self._evict(wanted + round((1 - _SLACK) * self._max_bytes))
            short = count + self._reserve_bytes - shutil.disk_usage(folder).free
            if short > 0:
                self._evict(short)
                short = count + self._reserve_bytes - shutil.disk_usage(folder).free
            return short <= 0

    def _evict(self, wanted: int) -> None:
        entries = sorted(self.entries(), key=lambda entry: entry.time_ns)
        self._used = sum(entry.size for entry in entries)  # another process may have changed the folder
        for entry in entries:
            if wanted <= 0:
                return
            with suppress(OSError):
                entry.path.unlink()
                wanted -= entry.size
                self._used -= entry.size

    def _write(self, place: Path, content: bytes) -> None:
        partial = place.with_name(f"{place.name}.{os.getpid()}-{get_ident()}{_PART}")
        try:
            with partial.open("xb") as file:  # never through an existing link
                file.write(content)
            before = place.lstat().st_size if is_own(place) else 0
            partial.replace(place)
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        with self._lock:
            self._used = self._counted() + len(content) - before

    def _tell(self, why: str) -> None:
        """Log once: a batch would repeat it for each image."""
        log.log(logging.DEBUG if self._is_told else logging.WARNING, "%s cannot be stored: %s", self._suffix[1:], why)
        self._is_told = True


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []
