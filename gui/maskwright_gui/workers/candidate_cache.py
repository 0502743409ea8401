"""The model's candidates of each image on disk, so that thresholds can be moved later without inference.

Only a cache: what cannot be written or read is as if it had never been there. It lives in the project folder, one
folder per model, and is kept below a number of bytes by dropping what was written first.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from maskwright.errors import FormatError

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates
    from maskwright.inference.model import Model

log = logging.getLogger(__name__)

MAX_BYTES = 4 * 2**30
"""About 3,000 images of YOLACT (1.3 MB each)."""
_MODEL = "model.json"


@dataclass(frozen=True, slots=True)
class ModelMark:
    """Which model the candidates come from."""

    name: str
    content_hash: str


class CandidateCache:
    """All methods may be called from any thread."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._used: int | None = None

    def put(self, model: "Model", image_id: int, candidates: "Candidates") -> None:
        content = candidates.to_bytes()
        folder = self._folder / model.content_hash[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            mark = folder / _MODEL
            if not mark.exists():
                mark.write_text(json.dumps({"name": model.name, "content_hash": model.content_hash}), "utf-8")
            (folder / f"{image_id}.npz").write_bytes(content)
        except OSError as error:
            log.warning("candidates are not kept: %s", error)
            return
        self._make_room(len(content))

    def get(self, image_id: int) -> "tuple[ModelMark, Candidates] | None":
        """The newest candidates of the image; None where there are none that can be read."""
        from maskwright.inference.candidates import Candidates

        newest = max(self._folder.glob(f"*/{image_id}.npz"), key=lambda path: path.stat().st_mtime_ns, default=None)
        if newest is None:
            return None
        try:
            mark = ModelMark(**json.loads((newest.parent / _MODEL).read_text("utf-8")))
            return mark, Candidates.from_bytes(newest.read_bytes())
        except (OSError, ValueError, TypeError, FormatError) as error:
            log.info("candidates of image %s cannot be used: %s", image_id, error)
            return None

    def image_ids(self) -> list[int]:
        """Images with candidates, in ascending order."""
        return sorted({int(path.stem) for path in self._files()})

    def _files(self) -> Iterator[Path]:
        return (path for path in self._folder.glob("*/*.npz") if path.stem.isdecimal())

    def _make_room(self, added: int) -> None:
        with self._lock:
            if self._used is None:
                self._used = sum(path.stat().st_size for path in self._files())
            else:
                self._used += added
            if self._used <= self._max_bytes:
                return
            for path in sorted(self._files(), key=lambda path: path.stat().st_mtime_ns):
                self._used -= path.stat().st_size
                path.unlink(missing_ok=True)
                if self._used <= 0.9 * self._max_bytes:
                    return
