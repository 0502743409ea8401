"""The model's candidates for each image on disk, so that thresholds can be changed later without inference.

Only a cache: an entry that cannot be written or read counts as absent. It lies in the project folder, one folder per
model, and identifies an image's file by its content; the oldest entries are dropped first (see `entry_folder`). An
entry is the length of a JSON header, the header and `Candidates.to_bytes`."""

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
    """The model that candidates come from."""

    name: str
    content_hash: str


class CandidateCache:
    """Candidates by image. All methods are thread-safe."""

    @classmethod
    def of_project(cls, folder: Path) -> "CandidateCache":
        """The cache in the project folder `folder`."""
        return cls(folder, "cache", "candidates")

    def __init__(self, root: Path, *names: str, max_bytes: int = MAX_BYTES, reserve_bytes: int = RESERVE_BYTES) -> None:
        """Keep entries in the folder ROOT/NAME/NAME/..."""
        self._entries = EntryFolder(
            root,
            *names,
            suffix=_SUFFIX,
            max_bytes=max_bytes,
            reserve_bytes=reserve_bytes,
            old_suffixes=(_OLD_SUFFIX,),  # they do not record which file they belong to
        )

    def put(self, model: "Model", image_id: int, candidates: "Candidates", seen: "SeenFile") -> None:
        """`seen`: the image's file before it was read; if it has changed since, nothing is stored."""
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
        """The newest candidates for the image at `path`; None if there are none for this version of the file.

        Damaged entries, and those of another file or preprocessing, are dropped.
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
        """Ids of the images with candidates, ascending."""
        names = (entry.path.stem for entry in self._entries.entries())
        return sorted({int(name) for name in names if name.isdecimal()})


def _is_of(mark: dict[str, Any], path: Path) -> bool:
    """Whether candidates belong to the present file at `path` and to this version's preprocessing."""
    from maskwright.images.identity import SeenFile
    from maskwright.inference.candidates import PREPROCESSING_VERSION

    now = SeenFile.now(path)
    if mark["preprocessing"] != PREPROCESSING_VERSION or mark["image_size"] != now.size:
        return False
    return bool(mark["image_mtime_ns"] == now.mtime_ns or mark["image_digest"] == now.digest())
