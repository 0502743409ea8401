"""A model's files: which belong together (an encoder and a decoder), and what identifies them by content."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path


def file_hash(path: Path) -> str:
    """SHA-256 in hex over a model's file, together with its weights file if it has one."""
    digest = hashlib.sha256()
    for part in (path, path.with_suffix(".bin")):
        if part == path or (path.suffix == ".xml" and part.exists()):
            with part.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def parts_hash(paths: Sequence[Path]) -> str:
    """`file_hash` for a network in one file; for an encoder and a decoder one hash of both, in any order."""
    hashes = sorted(map(file_hash, paths))
    return hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()


SUFFIXES = (".xml", ".onnx")
ENCODER, DECODER = "encoder", "decoder"
_PREPROCESS = "_preprocess"
"""osam's suffix for the encoder's file; the decoder has the same name without it."""


def half_of(path: Path) -> str | None:
    """Which half a file's name indicates; "decoder" first, because decoders may include a prompt encoder."""
    name = path.name.lower()
    return next((half for half in (DECODER, ENCODER) if half in name), None)


def is_half(path: Path) -> bool:
    """Whether the file is half of a pair, by its name or because the other half is beside it."""
    return path.suffix.lower() in SUFFIXES and (half_of(path) is not None or len(with_other_half(path)) == 2)


def with_other_half(path: Path) -> list[Path]:
    """The file and, if its name indicates half of a pair, the other half if it exists.

    The other half has the same name with "encoder" and "decoder" exchanged, or is the only one of its kind in the
    folder.
    """
    own = half_of(path)
    if not path.is_file():
        return [path]
    if own is None:
        return [path, *(other for other in _preprocess_names(path) if other.is_file())]
    other = ENCODER if own == DECODER else DECODER
    candidates = [file for file in _networks_beside(path) if half_of(file) == other]
    same_name = [file for file in candidates if file.stem.lower().replace(other, own) == path.stem.lower()]
    chosen = same_name or (candidates if len(candidates) == 1 else [])
    return [path, *chosen[:1]]


def _networks_beside(path: Path) -> list[Path]:
    return [file for file in sorted(path.parent.iterdir()) if file.suffix.lower() in SUFFIXES and file != path]


def _preprocess_names(path: Path) -> list[Path]:
    if path.stem.endswith(_PREPROCESS):
        return [path.with_name(path.stem.removesuffix(_PREPROCESS) + path.suffix)]
    return [path.with_name(f"{path.stem}{_PREPROCESS}{path.suffix}")]


def pair_name(path: Path) -> str:
    """The name of a pair: the file's name without the word for the half."""
    stem = path.name.removesuffix(path.suffix).removesuffix(_PREPROCESS)
    pieces = re.split(f"[-_. ]*(?:{ENCODER}|{DECODER})", stem, flags=re.IGNORECASE)
    return "".join(pieces).strip("-_. ") or path.parent.name or "assistant"
