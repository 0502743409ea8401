"""Identifies model files by content."""

import hashlib
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
