"""How often the kind of an image, and of a folder, is told right.

python tests/benchmarks/bench_image_kind.py micrograph=FOLDER photograph=FOLDER [...]
"""

import random
import sys
import time
from pathlib import Path

from maskwright.errors import ImageError
from maskwright.images import IMAGE_SUFFIXES, read_thumbnail
from maskwright.images.kind import SAMPLED, ImageKind, kind_of_files, micrograph_odds

FOLDERS = 50


def main(arguments: list[str]) -> None:
    """One row a folder: single images, and random folders of a dozen of them."""
    for argument in arguments:
        name, _, folder = argument.partition("=")
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
        kind, generator, start = ImageKind(name), random.Random(0), time.process_time()
        right = sum((odds > 0) == (kind is ImageKind.MICROGRAPH) for odds in map(odds_of, paths) if odds is not None)
        spent_ms = 1e3 * (time.process_time() - start) / len(paths)
        sets = [generator.sample(paths, min(SAMPLED, len(paths))) for _ in range(FOLDERS)]
        folders = sum(kind_of_files(each) is kind for each in sets)
        print(f"{folder}: {right} of {len(paths)} images, {folders} of {FOLDERS} folders; {spent_ms:.1f} ms an image")


def odds_of(path: Path) -> float | None:
    try:
        return micrograph_odds(read_thumbnail(path, max_side_px=128))
    except ImageError:
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
