"""The model's candidates of each image on disk, so that thresholds can be moved later without inference.

Only a cache: what cannot be written or read is as if it had never been there. It lives in the project folder, one
folder per model, and knows an image's file by its content; what was written first goes first (see `entry_folder`). An
entry is the length of a JSON header, the header and `Candidates.to_bytes`.
"""

import json
import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.entry_folder import RESERVE_BYTES, EntryFolder
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
        return cls(folder, "cache", "candidates")

    def __init__(self, root: Path, *names: str, max_bytes: int = MAX_BYTES, reserve_bytes: int = RESERVE_BYTES) -> None:
        """In the folder ROOT/NAME/NAME..."""
        self._entries = EntryFolder(
            root,
            *names,
            suffix=_SUFFIX,
            max_bytes=max_bytes,
            reserve_bytes=reserve_bytes,
            old_suffixes=(_OLD_SUFFIX,),  # they did not know of which file they are
        )

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
        self._entries.put(model.content_hash[:16], str(image_id), content)

    def get(self, image_id: int, path: Path) -> "tuple[ModelMark, Candidates] | None":
        """The newest candidates of the image at `path`; None where there are none of this very file.

        What is damaged, or of another file or preprocessing, is dropped.
        """
        from maskwright.inference.candidates import Candidates

        newest = self._entries.find(str(image_id))
        content = self._entries.read(newest) if newest is not None else None
        if newest is None or content is None:
            return None
        try:
            length = _LENGTH.unpack_from(content)[0]
            mark = json.loads(content[_LENGTH.size : _LENGTH.size + length])
            if _is_of(mark, path):
                return (
                    ModelMark(mark["model_name"], mark["model_hash"]),
                    Candidates.from_bytes(content[_LENGTH.size + length :]),
                )
        except (ValueError, KeyError, TypeError, struct.error, FormatError) as error:
            log.info("candidates of image %s cannot be used: %s", image_id, error)
        if path.exists():
            self._entries.drop(newest)
        return None

    def image_ids(self) -> list[int]:
        """Images with candidates, in ascending order."""
        names = (entry.path.stem for entry in self._entries.entries())
        return sorted({int(name) for name in names if name.isdecimal()})


def _is_of(mark: dict[str, Any], path: Path) -> bool:
    """Whether candidates were made of the file at `path` as it is now, by the preprocessing of this version."""
    from maskwright.images.identity import SeenFile
    from maskwright.inference.candidates import PREPROCESSING_VERSION

    now = SeenFile.now(path)
    if mark["preprocessing"] != PREPROCESSING_VERSION or mark["image_size"] != now.size:
        return False
    return bool(mark["image_mtime_ns"] == now.mtime_ns or mark["image_digest"] == now.digest())
