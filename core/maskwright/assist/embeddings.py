"""What encoders made of images, on disk as sixteen-bit floats, so that an image looked at yesterday answers at once.

Only a cache: what cannot be written or read is as if it had never been there. It lies beside the candidates in the
project's folder, one folder per network, is kept below a number of bytes by dropping what was not used for longest, and
leaves a reserve of free disk. An entry is a magic word, the length of a JSON header, the header, a checksum over all of
that and of the arrays, and the arrays. SAM's embedding takes 2.1 MB, SAM 2's 8.4 MB.
"""

import hashlib
import json
import logging
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

import numpy as np

from maskwright.assist.features import FeatureKey
from maskwright.assist.protocol import Features
from maskwright.images.identity import SeenFile
from maskwright.images.pages import page_source

log = logging.getLogger(__name__)

MAX_BYTES = 2 * 2**30
"""A thousand images of SAM."""
RESERVE_BYTES = 2**30
"""Of free disk: annotations are worth more than a second's wait."""
_VERSION = 1
"""Of the way images become an encoder's input; older entries are of no use."""
_MAGIC = b"mwembed\n"
_HEAD = struct.Struct("<II")
_SUFFIX = ".embedding"
_SIXTEEN_BITS = float(np.finfo(np.float16).max)


def file_identity(path: Path) -> str | None:
    """What tells an image's file, or the page of one, from all others, by its content; None where it cannot be read."""
    digest = SeenFile.now(path).digest()
    page = page_source(path)[1]
    return None if digest is None else f"{digest}#{page}"


class EmbeddingStore:
    """See `features.FeatureShelf`. All methods may be called from any thread."""

    @classmethod
    def of_project(cls, folder: Path) -> "EmbeddingStore":
        """`folder`: the project's."""
        return cls(folder / "cache" / "embeddings")

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._folder, self._max_bytes, self._reserve_bytes = folder, max_bytes, reserve_bytes
        self._lock = Lock()
        self._used: int | None = None

    def get(self, key: FeatureKey) -> Features | None:
        """As float32; None where there are none. What is damaged or of another version is dropped."""
        place = self._place(key)
        try:
            content = place.read_bytes()
        except OSError:
            return None
        try:
            arrays = _unpacked(content, _mark(key))
        except (ValueError, KeyError, TypeError, struct.error) as error:
            log.info("an embedding cannot be used: %s", error)
            self._drop(place)
            return None
        with suppress(OSError):
            os.utime(place)  # what is used stays
        return Features(key.window, arrays)

    def put(self, key: FeatureKey, features: Features) -> None:
        """Nothing is kept of what sixteen bits cannot hold, or where the disk is nearly full."""
        if any(not _fits(array) for array in features.arrays.values()):
            log.info("an embedding is not kept: it does not fit into sixteen bits")
            return
        content = _packed(features.arrays, _mark(key))
        place = self._place(key)
        partial = place.with_suffix(f".{os.getpid()}-{get_ident()}.part")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._take_stock()
            if (
                len(content) > self._max_bytes
                or shutil.disk_usage(place.parent).free < len(content) + self._reserve_bytes
            ):
                return
            partial.write_bytes(content)
            before = place.stat().st_size if place.exists() else 0
            partial.replace(place)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            log.warning("embeddings are not kept: %s", error)
            return
        self._make_room(len(content) - before)

    @property
    def used_bytes(self) -> int:
        self._take_stock()
        return self._used or 0

    def _place(self, key: FeatureKey) -> Path:
        name = hashlib.sha256(_mark(key).encode()).hexdigest()[:32]
        return self._folder / key.content_hash[:16] / f"{name}{_SUFFIX}"

    def _files(self) -> Iterator[tuple[int, int, Path]]:
        """Last use, size and path of each entry."""
        for path in self._folder.glob(f"*/*{_SUFFIX}"):
            with suppress(OSError):
                found = path.stat()
                yield found.st_mtime_ns, found.st_size, path

    def _take_stock(self) -> None:
        """Once, before anything is written: half a file of now would look like one that a crash left."""
        with self._lock:
            if self._used is None:
                for left in self._folder.glob("*/*.part"):
                    with suppress(OSError):
                        left.unlink()
                self._used = sum(size for _, size, _ in self._files())

    def _make_room(self, added: int) -> None:
        with self._lock:
            self._used = (self._used or 0) + added
            if self._used <= self._max_bytes:
                return
            entries = sorted(self._files(), key=lambda entry: entry[0])
            self._used = sum(size for _, size, _ in entries)  # another process may have been here
            for _, size, path in entries:
                if self._used <= 0.9 * self._max_bytes:
                    return
                with suppress(OSError):
                    path.unlink()
                    self._used -= size

    def _drop(self, place: Path) -> None:
        with self._lock, suppress(OSError):
            size = place.stat().st_size
            place.unlink()
            self._used = None if self._used is None else max(self._used - size, 0)


def _mark(key: FeatureKey) -> str:
    window = key.window
    return json.dumps([_VERSION, key.content_hash, str(key.identity), window.x, window.y, window.width, window.height])


def _fits(array: np.ndarray[Any, Any]) -> bool:
    return bool(array.dtype.kind == "f" and np.isfinite(array).all() and np.abs(array).max(initial=0) <= _SIXTEEN_BITS)


def _packed(arrays: Any, mark: str) -> bytes:
    head = json.dumps({"mark": mark, "arrays": {name: list(array.shape) for name, array in arrays.items()}}).encode()
    body = b"".join(np.ascontiguousarray(array, "<f2").tobytes() for array in arrays.values())
    return _MAGIC + _HEAD.pack(len(head), zlib.crc32(body, zlib.crc32(head))) + head + body


def _unpacked(content: bytes, mark: str) -> dict[str, np.ndarray[Any, Any]]:
    """Raises ValueError, KeyError, TypeError or struct.error for what is not whole or of another key."""
    if not content.startswith(_MAGIC):
        raise ValueError("not an embedding")
    length, checksum = _HEAD.unpack_from(content, len(_MAGIC))
    start = len(_MAGIC) + _HEAD.size
    head, body = content[start : start + length], content[start + length :]
    if zlib.crc32(body, zlib.crc32(head)) != checksum:
        raise ValueError("damaged")
    described = json.loads(head)
    if described["mark"] != mark:
        raise ValueError("of another image or network")
    arrays, at = {}, 0
    for name, shape in described["arrays"].items():
        count = int(np.prod(shape))
        array = np.frombuffer(body, "<f2", count, at).reshape(shape).astype(np.float32)
        array.flags.writeable = False
        arrays[name] = array
        at += 2 * count
    return arrays
