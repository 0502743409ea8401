"""Damages small images of every kind and reads them in every way, each slice in a process of its own under a limit.

python tests/benchmarks/fuzz_images.py [--mutants 10000] [--seed 0] [--memory-gb 3] [--warnings-are-errors]

Counts what was read, refused (ImageError), leaked another exception, hung (over 10 s of CPU), ended the process, or was
read wrongly: of another size than its header says, otherwise after a change that is none (padding, a comment).
"""

import logging
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fuzz_slices

from image_fuzzing import mutated, neutral_changes, seeds, suffix_of
from maskwright.errors import ImageError
from maskwright.images import decode, probe_pages, read_image, read_preview, read_thumbnail


def main() -> int:
    parser = fuzz_slices.parser(__doc__)
    parser.add_argument("--warnings-are-errors", action="store_true")
    arguments = parser.parse_args()
    if arguments.warnings_are_errors:
        warnings.simplefilter("error")
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    return fuzz_slices.run(arguments, _cases)


def _cases(chance: random.Random) -> Iterator[fuzz_slices.Case]:
    files = seeds()
    names = sorted(files)
    with tempfile.TemporaryDirectory() as folder:
        while True:
            name = chance.choice(names)
            path = Path(folder) / f"x{suffix_of(name)}"
            is_neutral = chance.random() < fuzz_slices.NEUTRAL_SHARE
            change = chance.choice(neutral_changes(name)) if is_neutral else mutated
            path.write_bytes(files[name])
            decode.LARGE_PIXELS = chance.choice([1, 40_000_000])  # also piece by piece, as large files are read
            whole = read_image(path).bgr_u8 if is_neutral else None
            data = change(files[name], chance)
            path.write_bytes(data)
            what = f"{name}{', neutral' if is_neutral else ''}: {data[:200].hex()} ({len(data)} bytes)"
            yield what, partial(_look, path, whole)


def _look(path: Path, whole: np.ndarray | None) -> str:
    """Every reader is tried, also after another has refused the file."""
    header, seen, *others = [
        _tried(read)
        for read in (
            lambda: next(iter(probe_pages(path)))[1],
            lambda: read_image(path).bgr_u8,
            lambda: list(probe_pages(path)),
            lambda: read_thumbnail(path, max_side_px=24),
            lambda: read_preview(path, max_side_px=24),
        )
    ]
    is_read = not isinstance(seen, ImageError)
    if whole is not None and not (is_read and np.array_equal(whole, seen)):
        return "wrong"
    if is_read and not isinstance(header, ImageError) and seen.shape[:2] != (header.height, header.width):
        return "wrong"
    return "refused" if any(isinstance(found, ImageError) for found in (header, seen, *others)) else "read"


def _tried(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ImageError as error:
        return error


if __name__ == "__main__":
    sys.exit(main())
