"""Finds or creates the project of a folder and adds the folder's images."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.errors import HalfMadeProjectError, ProjectError
from maskwright.monitor import SILENT, Monitor, OperationCancelledError
from maskwright.operations.relocating import Located, find_moved

if TYPE_CHECKING:
    from maskwright.project.rescue import Rescue
    from maskwright.project.scan import ScannedImage
    from maskwright.project.store import Project

log = logging.getLogger(__name__)

FIRST_BLOCK = 48
"""Number of images read before the window shows the project; the others follow in the background."""
BLOCK = 500
PROJECT_SUFFIX = ".maskwright"


@dataclass(slots=True)
class Opening:
    """An open project, and which of its folder's files still have to be added."""

    project: "Project"
    rest: Iterator["ScannedImage"]
    is_known: bool = False
    """The project existed already."""
    failures: list["ScannedImage"] = field(default_factory=list)
    added: int = 0
    backup_failure: ProjectError | None = None
    show: str | None = None
    """Name of the image file that was given instead of its folder."""
    rescues: "list[Rescue]" = field(default_factory=list)
    """Edits that could not be written to this project in an earlier session."""
    located: Located | None = None
    """Which of the project's images were found where; None for a new project."""


def open_project(path: Path, monitor: Monitor = SILENT, *, known: Path | None = None) -> Opening:
    """The project at `path`, or the one in or for the image folder there; an image stands for its folder.

    known: the project that was last open for this image folder. Raises ProjectError if there is neither a project nor
    an image, or several projects could be meant.
    """
    monitor.report(0, None, f"Opening {path.name}")
    is_image = path.suffix != ".db" and path.is_file()
    opening = _open(path.parent if is_image else path, known)
    opening.show = path.name if is_image else None
    return _unless_cancelled(opening, monitor)


def make_project(folder: Path, place: Path, monitor: Monitor) -> Opening:
    """A new project at `place` for the images in `folder`. Raises ProjectError if there is one already, no image in
    the folder can be read, or the place cannot be written.
    """
    place = place if place.suffix == PROJECT_SUFFIX else place.with_name(f"{place.name}{PROJECT_SUFFIX}")
    monitor.report(0, None, f"Creating {place.name}")
    return _unless_cancelled(_new(folder, place), monitor)


def _unless_cancelled(opening: Opening, monitor: Monitor) -> Opening:
    try:
        monitor.check()
    except OperationCancelledError:
        opening.project.close()
        raise
    return opening


def _open(path: Path, known: Path | None) -> Opening:
    from maskwright.project.rescue import find_rescues
    from maskwright.project.scan import scan_folder
    from maskwright.project.store import Project, find_project

    place = _existing_place(path, known)
    if find_project(place) is not None:
        try:
            project = Project.open(place)
        except HalfMadeProjectError:
            if not path.is_dir():
                raise
            return _new(path)
        is_complete = project.is_read_only or not project.image_root.is_dir()
        rest = iter(()) if is_complete else scan_folder(project.image_root, recursive=True)
        rescues = [] if project.is_read_only else find_rescues(project.path, project.mark)
        return Opening(project, rest, is_known=True, rescues=rescues)
    return _new(path)


def _new(path: Path, place: Path | None = None) -> Opening:
    """place: where to create the project; None for inside the folder, or where it can be written."""
    from maskwright.project.scan import scan_folder

    if not path.is_dir():
        raise ProjectError("neither a folder of images nor a project", path=path)
    found = scan_folder(path, recursive=True)
    first = _first_readable(found)
    if not any(image.failure is None for image in first):
        raise ProjectError("no image in this folder can be read", path=path, hint=_first_reason(first))
    opening = Opening(_create(path, place), found)
    _add(opening, first)
    return opening


def add_rest(opening: Opening, monitor: Monitor = SILENT) -> Opening:
    """Make today's backup, then add the remaining images, block by block."""
    try:
        opening.project.back_up_daily()
    except ProjectError as error:
        log.warning("no backup today: %s", error)
        opening.backup_failure = error
    if opening.is_known and not opening.project.is_read_only:  # first, or files that were moved would count as new
        opening.located = find_moved(opening.project, monitor)
    while block := list(islice(opening.rest, BLOCK)):
        _add(opening, block)
        monitor.report(opening.added, None, f"Reading the folder: {opening.added} new images")
    try:
        opening.project.back_up_daily()
    except ProjectError as error:
        log.warning("%s", error)
    return opening


def _existing_place(path: Path, known: Path | None) -> Path:
    """The project of a folder, wherever it is; the folder itself if it has none."""
    from maskwright.project.store import find_project

    if find_project(path) is not None:
        return path
    inside = [place for place in sorted(path.glob(f"*{PROJECT_SUFFIX}")) if find_project(place) is not None]
    if known in inside or len(inside) == 1:
        return known if known is not None and known in inside else inside[0]
    if inside:
        names = ", ".join(place.name for place in inside)
        raise ProjectError(f"this folder contains several projects: {names}", path=path, hint="open one of them")
    beside = path.with_name(f"{path.name}{PROJECT_SUFFIX}")
    others = [place for place in (known, beside) if place is not None and _is_of(place, path)]
    return next((place for place in [*others, _outside_place(path)] if find_project(place) is not None), path)


def _is_of(place: Path, images: Path) -> bool:
    """Whether there is a project here whose images are in this folder."""
    from maskwright.project.store import Project, find_project

    if find_project(place) is None:
        return False
    try:
        with Project.open(place, read_only=True) as project:
            return project.image_root == images
    except ProjectError as error:
        log.info("%s", error)
        return False


def _create(folder: Path, place: Path | None) -> "Project":
    """Inside the image folder; among the user's application data if that folder cannot be written."""
    from maskwright.project.store import INSIDE_IMAGES, Project

    if place is not None:
        return Project.create(place, image_root=folder)
    try:
        return Project.create(folder / INSIDE_IMAGES, image_root=folder)
    except ProjectError as error:
        log.info("%s; the project goes to the data folder", error)
        return Project.create(_outside_place(folder), image_root=folder, name=folder.name)


def _outside_place(folder: Path) -> Path:
    from platformdirs import user_data_path

    mark = hashlib.sha256(str(folder.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:10]
    return user_data_path("maskwright") / "projects" / f"{folder.name}-{mark}.maskwright"


def _add(opening: Opening, block: list["ScannedImage"]) -> None:
    opening.added += opening.project.images.add(image for image in block if image.failure is None)
    opening.failures += [image for image in block if image.failure is not None]


def _first_readable(found: Iterator["ScannedImage"]) -> list["ScannedImage"]:
    """Blocks until one of them has a readable image, or all blocks."""
    images: list[ScannedImage] = []
    while block := list(islice(found, FIRST_BLOCK)):
        images += block
        if any(image.failure is None for image in block):
            break
    return images


def _first_reason(images: list["ScannedImage"]) -> str:
    reason = next((str(image.failure) for image in images if image.failure is not None), None)
    return reason or "no file has an image extension"
