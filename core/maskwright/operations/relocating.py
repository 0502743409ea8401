"""Finds images that are no longer where the project expects them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.errors import ProjectError
from maskwright.monitor import SILENT, Monitor

if TYPE_CHECKING:
    from maskwright.project.store import Project

_STEP = 500


@dataclass(frozen=True, slots=True)
class Located:
    """Number of images that are where the project expects them now."""

    present: int
    moved: int
    """How many of the present ones were found under another folder or name."""
    missing: int
    missing_ids: tuple[int, ...] = ()


def locate_in(project: "Project", folder: Path, monitor: Monitor = SILENT) -> Located:
    """Use `folder` as the image folder from now on.

    Raises ProjectError, with nothing changed, if it contains none of the images.
    """
    monitor.report(0, None, f"Searching for the images in {folder.name}")
    if not folder.is_dir():
        raise ProjectError("the image folder does not exist", path=folder)
    located = find_moved(project, monitor, folder)
    if located.present == 0 and located.missing:
        first = next(iter(project.images.all())).file_name
        raise ProjectError(
            "none of this project's images is in this folder",
            path=folder,
            hint=f"choose the folder that contains {first}",
        )
    return located


def find_moved(project: "Project", monitor: Monitor = SILENT, folder: Path | None = None) -> Located:
    """Find images elsewhere in the image folder, or in `folder` as the new one, and update their names.

    All in one step, or nothing if no image is in `folder`. Raises ProjectError.
    """
    from maskwright.document.values import ImageStanding
    from maskwright.images.pages import page_source
    from maskwright.project.relocate import SHOWN

    root = folder or project.image_root
    missing = []
    total = len(project.images.ids(standings=SHOWN))
    for done, record in enumerate(project.images.all(standings=SHOWN)):
        if done % _STEP == 0:
            monitor.report(done, total, "Searching for the images")
        if not page_source(root / record.file_name)[0].is_file():
            missing.append(record)
    is_sought = missing or project.images.ids(standings=(ImageStanding.REMOVED,)).size
    moved = project.image_folder.find_moved(missing, root) if is_sought and root.is_dir() else {}
    found = sum(record.id in moved for record in missing)  # removed images are not missed
    gone = tuple(record.id for record in missing if record.id not in moved)
    located = Located(total - len(gone), found, len(gone), gone)
    if moved or (folder is not None and (located.present or not located.missing)):
        project.image_folder.relocate(moved, folder)
    return located
