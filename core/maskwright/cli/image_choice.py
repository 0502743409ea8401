"""Which images `maskwright prelabel` runs on: a folder, some files, or patterns such as "photos/*.jpg"."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright.cli.output import progress_bar
from maskwright.errors import ProjectError
from maskwright.images import IMAGE_SUFFIXES
from maskwright.project import Project, ScannedImage, find_project, scan_folder
from maskwright.project.scan import scan_files


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """The images found, with names relative to `root`."""

    root: Path
    scanned: tuple[ScannedImage, ...]
    is_whole_folder: bool

    @property
    def names(self) -> frozenset[str]:
        return frozenset(image.file_name for image in self.scanned if image.failure is None)


def chosen_images(given: Sequence[Path], project: Path | None, *, is_recursive: bool) -> ImageChoice:
    """The images that the arguments mean. Raises ProjectError if none are found or several folders are given."""
    if len(given) == 1 and (given[0].is_dir() or not (_is_pattern(given[0]) or given[0].is_file())):
        return ImageChoice(given[0], _scanned(given[0], is_recursive), is_whole_folder=True)
    files = [file for each in given for file in _expanded(each)]
    root = _root(files, project)
    names = list(dict.fromkeys(file.relative_to(root).as_posix() for file in files))
    return ImageChoice(root, tuple(scan_files(root, names)), is_whole_folder=False)


def _expanded(given: Path) -> list[Path]:
    """Absolute; links to folders are not resolved."""
    if given.is_file():
        return [_absolute(given)]
    if given.is_dir():
        raise ProjectError("expected one folder, or files", path=given)
    found = sorted(glob.glob(str(given), recursive=True)) if _is_pattern(given) else []  # noqa: PTH207  (may be absolute)
    files = [_absolute(Path(name)) for name in found if Path(name).suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        raise ProjectError("no image matches this pattern" if _is_pattern(given) else "does not exist", path=given)
    return files


def _root(files: Sequence[Path], project: Path | None) -> Path:
    """The project's image root if it exists and contains all files, else their common folder."""
    if project is not None and find_project(project) is not None:
        with Project.open(project, read_only=True, trusts_images=True) as known:
            root = _absolute(known.image_root)
        if all(file.is_relative_to(root) for file in files):
            return root
    return Path(os.path.commonpath([file.parent for file in files]))


def _absolute(path: Path) -> Path:
    """Without dots; links are not resolved, because an image may link to a place elsewhere."""
    return Path(os.path.normpath(path.absolute()))


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not path.exists()


def _scanned(folder: Path, is_recursive: bool) -> tuple[ScannedImage, ...]:
    with progress_bar("scan", None) as show:
        scanned: list[ScannedImage] = []
        for image in scan_folder(folder, is_recursive):
            scanned.append(image)
            show(len(scanned), "")
    if not scanned:
        kinds = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        hint = None if is_recursive else "--recursive also searches subfolders"
        raise ProjectError(f"no images in this folder (looked for {kinds})", path=folder, hint=hint)
    return tuple(scanned)
