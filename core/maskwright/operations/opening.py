"""Finds or makes the project of a folder and fills it with the folder's images."""

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
"""Images read before the window shows the project; the others follow while it is already in use."""
BLOCK = 500


@dataclass(slots=True)
class Opening:
    """A project that is open, and what of its folder is still to be looked through."""

    project: "Project"
    rest: Iterator["ScannedImage"]
    is_known: bool = False
    """The project was there already."""
    failures: list["ScannedImage"] = field(default_factory=list)
    added: int = 0
    backup_failure: ProjectError | None = None
    show: str | None = None
    """File name of the image that was named instead of its folder."""
    rescues: "list[Rescue]" = field(default_factory=list)
    """Edits that another time could not be written to this project."""
    located: Located | None = None
    """What became of a project's images that are not where it expects them; None for a new project."""


def open_project(path: Path, monitor: Monitor = SILENT) -> Opening:
    """The project at `path`, or the one in or for the folder of images there; an image means its folder.

    Raises ProjectError when there is neither, or the folder holds no image.
    """
    monitor.report(0, None, f"Opening {path.name}")
    is_image = path.suffix != ".db" and path.is_file()
    opening = _open(path.parent if is_image else path)
    opening.show = path.name if is_image else None
    try:
        monitor.check()
    except OperationCancelledError:
        opening.project.close()
        raise
    return opening


def _open(path: Path) -> Opening:
    from maskwright.project.rescue import find_rescues
    from maskwright.project.scan import scan_folder
    from maskwright.project.store import Project, find_project

    place = _existing_place(path)
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


def _new(path: Path) -> Opening:
    from maskwright.project.scan import scan_folder

    if not path.is_dir():
        raise ProjectError("this is neither a folder of images nor a project", path=path)
    found = scan_folder(path, recursive=True)
    first = _first_readable(found)
    if not any(image.failure is None for image in first):
        raise ProjectError("no image in this folder can be read", path=path, hint=_first_reason(first))
    opening = Opening(_create(path), found)
    _add(opening, first)
    return opening


def add_rest(opening: Opening, monitor: Monitor = SILENT) -> Opening:
    """Make today's backup copy, then add the images that were not looked at yet, block by block."""
    try:
        opening.project.back_up_daily()
    except ProjectError as error:
        log.warning("no backup today: %s", error)
        opening.backup_failure = error
    if opening.is_known and not opening.project.is_read_only:  # before files that were moved count as new ones
        opening.located = find_moved(opening.project, monitor)
    while block := list(islice(opening.rest, BLOCK)):
        _add(opening, block)
        monitor.report(opening.added, None, f"Reading the folder: {opening.added} new images")
    try:
        opening.project.back_up_daily()
    except ProjectError as error:
        log.warning("%s", error)
    return opening


def _existing_place(path: Path) -> Path:
    from maskwright.project.store import find_project

    outside = _outside_place(path)
    return outside if find_project(path) is None and find_project(outside) is not None else path


def _create(folder: Path) -> "Project":
    """Inside the image folder; beside the person's other data where that folder cannot be written."""
    from maskwright.project.store import INSIDE_IMAGES, Project

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
    opening.added += opening.project.add_images(image for image in block if image.failure is None)
    opening.failures += [image for image in block if image.failure is not None]


def _first_readable(found: Iterator["ScannedImage"]) -> list["ScannedImage"]:
    """Blocks until one of them holds an image that can be read, or all."""
    images: list[ScannedImage] = []
    while block := list(islice(found, FIRST_BLOCK)):
        images += block
        if any(image.failure is None for image in block):
            break
    return images


def _first_reason(images: list["ScannedImage"]) -> str:
    reason = next((str(image.failure) for image in images if image.failure is not None), None)
    return reason or "there is no file with an image's extension"
