"""What image files a folder has, by name, and how large they are."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePath

from maskwright.errors import ImageError
from maskwright.formats.naming import matched_names
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


def sizes_of(*folders: Path) -> Callable[[str], tuple[int, int] | None]:
    """Sizes of images by name in these folders or their `images`: there, or under another path of the same end."""

    @cache
    def names_below(folder: Path) -> Mapping[str, list[str]]:
        by_last: dict[str, list[str]] = defaultdict(list)
        for name in files_below(folder):
            by_last[PurePath(name).name].append(name)
        return by_last

    def places(name: str) -> Iterator[Path]:
        for folder in folders:
            yield folder / name
            yield folder / "images" / name
        for folder in folders:
            found = matched_names([name], names_below(folder).get(PurePath(name).name, ()))
            yield from (folder / file for file in found.values())

    def size_of(name: str) -> tuple[int, int] | None:
        for place in places(name):
            try:
                return probe_image(place).size_wh
            except ImageError:
                continue
        return None

    return size_of
