"""Which image folders the user of this computer has said yes to.

A project says itself where its images are. Someone else's may name any folder, and what is in there would be shown,
and copied into the set that goes back. So a folder that is not beside the project is used only when the project was
made or moved here, or the user was asked.
"""

import hashlib
import logging
import os
from functools import partial
from pathlib import Path

from maskwright.errors import ForeignImagesError

log = logging.getLogger(__name__)


def is_foreign(project: Path, image_root: Path) -> bool:
    """Whether the folder lies elsewhere than beside the project's folder, or around it."""
    return not Path(os.path.realpath(image_root)).is_relative_to(Path(os.path.realpath(project)).parent)


def require_trusted(project: Path, mark: str, image_root: Path) -> None:
    """Raises ForeignImagesError for a folder elsewhere that this project has not been allowed; none there: no harm."""
    if image_root.is_dir() and is_foreign(project, image_root) and not _place(project, mark, image_root).exists():
        raise ForeignImagesError(project, image_root, partial(trust, project, mark, image_root))


def trust(project: Path, mark: str, image_root: Path) -> None:
    """From now on the project may read images from there; where that cannot be noted the user is asked again."""
    if not is_foreign(project, image_root):
        return
    place = _place(project, mark, image_root)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    except OSError as error:
        log.warning("the permission to read images in %s could not be stored: %s", image_root, error)


def _place(project: Path, mark: str, image_root: Path) -> Path:
    """By the mark of the project, which goes with it wherever it is moved; those of earlier versions have none."""
    from platformdirs import user_data_path

    said = f"{mark or os.path.realpath(project)}\n{os.path.realpath(image_root)}".encode("utf-8", "surrogateescape")
    return user_data_path("maskwright") / "image folders" / hashlib.sha256(said).hexdigest()
