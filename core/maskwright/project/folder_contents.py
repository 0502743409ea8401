"""What files an image folder has, by name alone."""

import os
from collections.abc import Callable
from pathlib import Path, PurePath

from maskwright.errors import ImageError
from maskwright.images.header import IMAGE_SUFFIXES, probe_image


def files_below(root: Path) -> set[str]:
    """Names of all images below `root` from there, forward slashes; folders that cannot be listed are left out."""
    found: set[str] = set()
    folders = [""]
    while folders:
        prefix = folders.pop()
        try:
            with os.scandir(root / prefix) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") and not entry.name.endswith(".maskwright"):
                            folders.append(f"{prefix}{entry.name}/")
                    elif PurePath(entry.name).suffix.lower() in IMAGE_SUFFIXES:
                        found.add(prefix + entry.name)
        except OSError:
            continue
    return found


def sizes_of(root: Path, path: Path) -> Callable[[str], tuple[int, int] | None]:
    """Sizes of images by name: in the image folder, or beside the annotation file `path`."""

    def size_of(name: str) -> tuple[int, int] | None:
        for place in (root / name, path.parent / name, path.parent / "images" / name):
            try:
                return probe_image(place).size_wh
            except ImageError:
                continue
        return None

    return size_of
