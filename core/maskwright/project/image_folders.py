"""Remembers which image folders the user of this computer has allowed.

A project names its own image folder. A stranger's project may name any folder, whose content would be shown, and copied
into the set that goes back. So a folder that is not beside the project is used only if the project was created or moved
here, or the user was asked."""

import hashlib
import logging
import os
from functools import partial
from pathlib import Path

from maskwright.errors import ForeignImagesError

log = logging.getLogger(__name__)


def is_foreign(project: Path, image_root: Path) -> bool:
    """Whether the folder is neither beside the project's folder nor around it."""
    return not Path(os.path.realpath(image_root)).is_relative_to(Path(os.path.realpath(project)).parent)


def require_trusted(project: Path, mark: str, image_root: Path) -> None:
    """Raises ForeignImagesError for a folder elsewhere that this project may not use; a missing folder does no harm."""
    if image_root.is_dir() and is_foreign(project, image_root) and not _place(project, mark, image_root).exists():
        raise ForeignImagesError(project, image_root, partial(trust, project, mark, image_root))


def trust(project: Path, mark: str, image_root: Path) -> None:
    """Allow the project to read images from there from now on; if that cannot be recorded, the user is asked again."""
    if not is_foreign(project, image_root):
        return
    place = _place(project, mark, image_root)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    except OSError as error:
        log.warning("the permission to read images in %s could not be stored: %s", image_root, error)


def _place(project: Path, mark: str, image_root: Path) -> Path:
    """Named after the project's mark, which stays wherever it is moved; projects of early versions have none."""
    from platformdirs import user_data_path

    said = f"{mark or os.path.realpath(project)}\n{os.path.realpath(image_root)}".encode("utf-8", "surrogateescape")
    return user_data_path("maskwright") / "image folders" / hashlib.sha256(said).hexdigest()
