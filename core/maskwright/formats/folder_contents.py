"""The image files in a folder, by name, and their sizes."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cache
from pathlib import Path, PurePath

from maskwright.errors import ImageError
from maskwright.formats.naming import matched_names
from maskwright.images.header import IMAGE_SUFFIXES, probe_image


def files_below(root: Path) -> set[str]:
    """Names of all images below `root`, relative with forward slashes; unreadable folders are skipped."""
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


def names_in_folder(names: Sequence[str], here: Set[str], path: Path, root: Path, image_folder: str) -> dict[str, str]:
    """{name: the same name below `image_folder` beside the file or folder `path`}; empty unless one of them exists.

    `here`: the names that exist below `root`.
    """
    base = path if path.is_dir() else path.parent
    try:
        below = (base / image_folder).resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return {}
    found = {name: place for name in names if (place := f"{below}/{name}") in here}
    return found if image_folder and here.isdisjoint(names) else {}


class FolderSizes(Mapping[str, tuple[int, int]]):
    """Sizes of a project's images and of those in its folder, by name; files are opened only when asked for."""

    def __init__(self, known: Mapping[str, tuple[int, int]], root: Path) -> None:
        self._known, self._root = known, root
        self._names = files_below(root) | set(known)

    def __getitem__(self, name: str) -> tuple[int, int]:
        if name in self._known:
            return self._known[name]
        if name not in self._names:
            raise KeyError(name)
        try:
            return probe_image(self._root / name).size_wh
        except ImageError as error:
            raise KeyError(name) from error

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)


def sizes_of(*folders: Path) -> Callable[[str], tuple[int, int] | None]:
    """Looks up image sizes by name in these folders or their `images` subfolder, also by matching path endings."""

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
