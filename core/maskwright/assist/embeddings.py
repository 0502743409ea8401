"""Encoder outputs on disk as 16-bit floats, so that an image seen yesterday is ready at once.

Only a cache: an entry that cannot be written or read counts as absent. It lies beside the candidates in the project's
folder, one folder per network; the least recently used entries go first (see `entry_folder`). An entry is a magic word,
the length of a JSON header, the header, a checksum over header and arrays, and the arrays. An embedding of SAM takes
2.1 MB, one of SAM 2 8.4 MB."""

import hashlib
import json
import logging
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.assist.features import FeatureKey
from maskwright.assist.protocol import WindowFeatures
from maskwright.entry_folder import RESERVE_BYTES, EntryFolder
from maskwright.images.identity import SeenFile
from maskwright.images.pages import page_source

log = logging.getLogger(__name__)

MAX_BYTES = 2 * 2**30
"""A thousand images of SAM."""
_VERSION = 1
"""Version of the preprocessing; entries of older versions are ignored."""
_MAGIC = b"mwembed\n"
_HEAD = struct.Struct("<II")
_SUFFIX = ".embedding"
_SIXTEEN_BITS = float(np.finfo(np.float16).max)


def file_identity(path: Path) -> str | None:
    """A digest of the content of an image file, or of one page of it; None if it cannot be read."""
    digest = SeenFile.now(path).digest()
    page = page_source(path)[1]
    return None if digest is None else f"{digest}#{page}"


class EmbeddingStore:
    """A `features.FeatureStore` on disk. All methods are thread-safe."""

    @classmethod
    def of_project(cls, folder: Path) -> "EmbeddingStore":
        """The store in the project folder `folder`."""
        return cls(folder, "cache", "embeddings")

    def __init__(self, root: Path, *names: str, max_bytes: int = MAX_BYTES, reserve_bytes: int = RESERVE_BYTES) -> None:
        """Keep entries in the folder ROOT/NAME/NAME/..."""
        self._entries = EntryFolder(root, *names, suffix=_SUFFIX, max_bytes=max_bytes, reserve_bytes=reserve_bytes)

    def get(self, key: FeatureKey) -> WindowFeatures | None:
        """The features as float32; None if there are none. A damaged entry or one of another version is dropped."""
        group, name = _place(key)
        content = self._entries.get(group, name)
        if content is None:
            return None
        try:
            arrays = _unpacked(content, _mark(key))
        except (ValueError, KeyError, TypeError, struct.error) as error:
            log.info("an embedding cannot be used: %s", error)
            self._entries.drop(self._entries.place(group, name))
            return None
        self._entries.touch(group, name)  # keeps what is in use
        return WindowFeatures(key.window, arrays)

    def put(self, key: FeatureKey, features: WindowFeatures) -> None:
        """Store features, unless 16 bits cannot hold them or the disk is nearly full."""
        if any(not _fits(array) for array in features.arrays.values()):
            log.info("an embedding is not kept: it does not fit into sixteen bits")
            return
        self._entries.put(*_place(key), _packed(features.arrays, _mark(key)))

    @property
    def used_bytes(self) -> int:
        """Bytes on disk."""
        return self._entries.used_bytes


def _place(key: FeatureKey) -> tuple[str, str]:
    """Group and name of the entry."""
    return key.content_hash[:16], hashlib.sha256(_mark(key).encode()).hexdigest()[:32]


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
    """Raises ValueError, KeyError, TypeError or struct.error for an incomplete entry or one of another key."""
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
