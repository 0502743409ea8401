"""Finds images that are no longer where the project expects them, by name and size, never by guessing."""

import os
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import update

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import ProjectError
from maskwright.images.pages import page_source
from maskwright.project.database import Database
from maskwright.project.image_folders import trust
from maskwright.project.images import ImageRepository
from maskwright.project.repository import Repository
from maskwright.project.rows import write_settings
from maskwright.project.scan import scan_folder
from maskwright.project.schema import images

SHOWN = (ImageStanding.LISTED, ImageStanding.EXCLUDED)
ROOT, ROOT_ABSOLUTE = "project.image_root", "project.image_root_absolute"
"""Settings with the image folder: relative to the project's folder, if possible, and absolute."""


class ImageFolder(Repository):
    """Where a project's images are, and which are missing."""

    def __init__(self, database: Database, images: ImageRepository, *, path: Path, mark: str) -> None:
        """`path`: the project's folder; `mark`: identifies the project wherever it is moved."""
        super().__init__(database)
        self._images, self._path, self._mark = images, path, mark

    def move_to(self, root: Path) -> None:
        """Use another image folder from now on. Raises ProjectError if it does not exist."""
        if not root.is_dir():
            raise ProjectError("the image folder does not exist", path=root)
        self.expect_at(root)

    def expect_at(self, root: Path) -> None:
        """The same for a folder that need not exist at the moment."""
        trust(self._path, self._mark, root.absolute())
        with self._database.write() as connection:
            write_settings(connection, root_settings(self._path, root.absolute()))
        self._images.root = root.absolute()

    def missing(self) -> list[ImageRecord]:
        """Images whose file is not in the image folder."""
        known = self._images.all(standings=SHOWN)
        return [image for image in known if not page_source(self._images.path(image))[0].is_file()]

    def find_moved(self, missing: list[ImageRecord], root: Path | None = None) -> dict[int, str]:
        """{image id: new file name} for images matched by exactly one unknown file in the image folder, or `root`.

        A file matches an image of the same name, in any folder, and the same size in pixels. Files that match none of
        `missing` are matched with removed images, which would otherwise come back as new ones.
        """
        known = {image.file_name for image in self._images.all(standings=tuple(ImageStanding))}
        places: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        for found in scan_folder(root or self._images.root, recursive=True):
            if found.failure is None and found.file_name not in known:
                places[PurePosixPath(found.file_name).name, found.width, found.height].append(found.file_name)
        gone = self._images.all(standings=(ImageStanding.REMOVED,))
        removed = [one for one in gone if not page_source((root or self._images.root) / one.file_name)[0].is_file()]
        return _matched(missing, places) | _matched(removed, places)

    def relocate(self, places: dict[int, str], root: Path | None = None) -> None:
        """Rename images, and move them all to another folder if one is given: everything or nothing.

        Raises ProjectError for a name that another image has.
        """
        if root is not None:
            trust(self._path, self._mark, root.absolute())
        with self._database.write() as connection:
            if root is not None:
                write_settings(connection, root_settings(self._path, root.absolute()))
            names = {row.file_name: row.id for row in connection.execute(images.select())}
            for image_id, file_name in places.items():
                if names.get(file_name, image_id) != image_id:
                    raise ProjectError(f"{file_name} is another image of this project", path=self._images.root)
                connection.execute(update(images).where(images.c.id == image_id).values(file_name=file_name))
        if root is not None:
            self._images.root = root.absolute()


def _matched(missing: list[ImageRecord], places: dict[tuple[str, int, int], list[str]]) -> dict[int, str]:
    """{image id: file name} where one of each matches; these `places` are removed."""
    wanted: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for image in missing:
        wanted[PurePosixPath(image.file_name).name, image.width, image.height].append(image.id)
    fitting = [(key, ids[0]) for key, ids in wanted.items() if len(ids) == 1 and len(places.get(key, ())) == 1]
    return {image_id: places.pop(key)[0] for key, image_id in fitting}


def root_settings(path: Path, image_root: Path) -> dict[str, Any]:
    """The settings for an image folder."""
    try:
        relative: str | None = Path(os.path.relpath(image_root, path)).as_posix()
    except ValueError:  # on another drive
        relative = None
    return {ROOT: relative, ROOT_ABSOLUTE: str(image_root)}
