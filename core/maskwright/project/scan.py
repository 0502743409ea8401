"""Lists the images in a folder, one by one, without decoding any."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from maskwright.errors import ImageError, ProjectError
from maskwright.file_names import file_name_fault
from maskwright.images.header import IMAGE_SUFFIXES, MAX_PIXELS, probe_pages

_NUMBER = re.compile("([0-9]+)")


@dataclass(frozen=True, slots=True)
class ScannedImage:
    """A file that looks like an image; one with a `failure` has no size and cannot be added to a project."""

    file_name: str
    """Relative to the scanned folder, with forward slashes."""
    width: int
    height: int
    failure: ImageError | None = None


def scan_folder(root: Path, recursive: bool = False, *, max_pixels: int = MAX_PIXELS) -> Iterator[ScannedImage]:
    """Each file with an image suffix in `root`, by name (9 before 10); files precede subfolders.

    Further pages of a TIFF follow it as separate images, named as in `maskwright.images.pages`. Hidden folders, project
    folders and links to folders are skipped. Unreadable images and subfolders are yielded with their failure. Raises
    ProjectError if `root` itself is missing or cannot be listed.
    """
    if not root.is_dir():
        raise ProjectError("the image folder does not exist", path=root)
    yield from _scan(root, "", recursive, max_pixels)


def scan_files(root: Path, file_names: Iterable[str], *, max_pixels: int = MAX_PIXELS) -> Iterator[ScannedImage]:
    """Like `scan_folder` for known files below `root`, in their order."""
    for name in file_names:
        yield from _probe(root, name, max_pixels)


def _scan(root: Path, prefix: str, recursive: bool, max_pixels: int) -> Iterator[ScannedImage]:
    folder = root / prefix
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: _as_people_count(entry.name))
    except OSError as error:
        reason = f"the folder cannot be listed: {error.strerror or error}"
        if not prefix:
            raise ProjectError(reason, path=folder) from error
        yield ScannedImage(prefix.rstrip("/"), 0, 0, ImageError(reason, path=folder))
        return
    folders: list[str] = []
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith(".") and not entry.name.endswith(".maskwright"):
                folders.append(entry.name)
        elif PurePath(entry.name).suffix.lower() in IMAGE_SUFFIXES and not entry.name.startswith("._"):
            yield from _probe(root, prefix + entry.name, max_pixels)
    if recursive:
        for name in folders:
            yield from _scan(root, f"{prefix}{name}/", recursive, max_pixels)


def _as_people_count(name: str) -> tuple[list[str | int], str]:
    """Sorts numbers within names by value; texts and numbers alternate, so that only like is compared with like."""
    parts = _NUMBER.split(name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _probe(root: Path, file_name: str, max_pixels: int) -> Iterator[ScannedImage]:
    try:
        file_name.encode("utf-8")
    except UnicodeEncodeError:
        shown = file_name.encode("utf-8", "replace").decode()
        yield ScannedImage(shown, 0, 0, ImageError("the file name is not valid Unicode; rename it", path=shown))
        return
    if (fault := file_name_fault(file_name)) is not None:
        yield ScannedImage(file_name, 0, 0, ImageError(f"invalid file name: {fault}", path=file_name))
        return
    folder = file_name.rpartition("/")[0]
    for path, header in probe_pages(root / file_name, max_pixels=max_pixels):
        name = f"{folder}/{path.name}" if folder else path.name
        if isinstance(header, ImageError):
            yield ScannedImage(name, 0, 0, header)
        else:
            yield ScannedImage(name, header.width, header.height)
