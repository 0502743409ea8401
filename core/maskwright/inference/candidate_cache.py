"""The model's candidates of each image on disk, so that thresholds can be moved later without inference.

Only a cache: what cannot be written or read is as if it had never been there. It lives in the project folder, one
folder per model, knows an image's file by its content, and is kept below a number of bytes by dropping what was
written first. An entry is the length of a JSON header, the header and `Candidates.to_bytes`.
"""

import json
import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

from maskwright.errors import FormatError

if TYPE_CHECKING:
    from maskwright.images.identity import SeenFile
    from maskwright.inference.candidates import Candidates
    from maskwright.inference.model import Model

log = logging.getLogger(__name__)

MAX_BYTES = 4 * 2**30
"""About 3,000 images of YOLACT (1.3 MB each)."""
_LENGTH = struct.Struct("<I")
_SUFFIX, _OLD_SUFFIX = ".candidates", ".npz"


@dataclass(frozen=True, slots=True)
class ModelMark:
    """Which model the candidates come from."""

    name: str
    content_hash: str


class CandidateCache:
    """All methods may be called from any thread."""

    @classmethod
    def of_project(cls, folder: Path) -> "CandidateCache":
        """`folder`: the project's."""
        return cls(folder / "cache" / "candidates")

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._used: int | None = None

    def put(self, model: "Model", image_id: int, candidates: "Candidates", seen: "SeenFile") -> None:
        """`seen`: the image's file before it was read; where it has changed since, nothing is kept."""
        from maskwright.inference.candidates import PREPROCESSING_VERSION

        digest = seen.digest()
        if digest is None:
            return
        mark = {"model_name": model.name, "model_hash": model.content_hash, "preprocessing": PREPROCESSING_VERSION}
        mark |= {"image_size": seen.size, "image_mtime_ns": seen.mtime_ns, "image_digest": digest}
        head = json.dumps(mark).encode()
        content = _LENGTH.pack(len(head)) + head + candidates.to_bytes()
        place = self._folder / model.content_hash[:16] / f"{image_id}{_SUFFIX}"
        partial = place.with_suffix(f".{get_ident()}")
        self._take_stock()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(place)
        except OSError as error:
            partial.unlink(missing_ok=True)
            log.warning("candidates are not kept: %s", error)
            return
        self._make_room(len(content))

    def get(self, image_id: int, path: Path) -> "tuple[ModelMark, Candidates] | None":
        """The newest candidates of the image at `path`; None where there are none of this very file.

        What is damaged, or of another file or preprocessing, is dropped.
        """
        from maskwright.inference.candidates import Candidates

        files = self._folder.glob(f"*/{image_id}{_SUFFIX}")
        newest = max(files, key=lambda found: found.stat().st_mtime_ns, default=None)
        if newest is None:
            return None
        try:
            content = newest.read_bytes()
            length = _LENGTH.unpack_from(content)[0]
            mark = json.loads(content[_LENGTH.size : _LENGTH.size + length])
            if _is_of(mark, path):
                return (
                    ModelMark(mark["model_name"], mark["model_hash"]),
                    Candidates.from_bytes(content[_LENGTH.size + length :]),
                )
        except (OSError, ValueError, KeyError, TypeError, struct.error, FormatError) as error:
            log.info("candidates of image %s cannot be used: %s", image_id, error)
        if path.exists():
            newest.unlink(missing_ok=True)
        return None

    def image_ids(self) -> list[int]:
        """Images with candidates, in ascending order."""
        return sorted({int(path.stem) for path in self._files()})

    def _files(self) -> Iterator[Path]:
        return (path for path in self._folder.glob(f"*/*{_SUFFIX}") if path.stem.isdecimal())

    def _take_stock(self) -> None:
        """Once, before anything is written: half a file of now would look like one that a crash left."""
        with self._lock:
            if self._used is None:
                self._drop_old()
                self._used = sum(path.stat().st_size for path in self._files())

    def _make_room(self, added: int) -> None:
        with self._lock:
            self._used = (self._used or 0) + added
            if self._used <= self._max_bytes:
                return
            for path in sorted(self._files(), key=lambda path: path.stat().st_mtime_ns):
                self._used -= path.stat().st_size
                path.unlink(missing_ok=True)
                if self._used <= 0.9 * self._max_bytes:
                    return

    def _drop_old(self) -> None:
        """Earlier versions did not know of which file their candidates are; a crash leaves half a file."""
        for path in self._folder.glob("*/*"):
            if path.suffix == _OLD_SUFFIX or path.suffix[1:].isdecimal():
                path.unlink(missing_ok=True)


def _is_of(mark: dict[str, Any], path: Path) -> bool:
    """Whether candidates were made of the file at `path` as it is now, by the preprocessing of this version."""
    from maskwright.images.identity import SeenFile
    from maskwright.inference.candidates import PREPROCESSING_VERSION

    now = SeenFile.now(path)
    if mark["preprocessing"] != PREPROCESSING_VERSION or mark["image_size"] != now.size:
        return False
    return bool(mark["image_mtime_ns"] == now.mtime_ns or mark["image_digest"] == now.digest())
