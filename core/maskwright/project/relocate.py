"""Images that are no longer where the project expects them: found again by name and size, never by guess."""

from collections import defaultdict
from pathlib import PurePosixPath

from sqlalchemy import update

from maskwright.document.values import ImageRecord
from maskwright.errors import ProjectError
from maskwright.images.pages import page_source
from maskwright.project.database import Database
from maskwright.project.images import ImageShelf
from maskwright.project.scan import scan_folder
from maskwright.project.schema import images


class RelocationShelf(ImageShelf):
    """Missing images of a project. Raises ProjectError as `Database` does."""

    _database: Database

    def missing_images(self) -> list[ImageRecord]:
        """Those whose file is not in the image folder."""
        return [image for image in self.images() if not page_source(self.image_path(image))[0].is_file()]

    def find_moved(self, missing: list[ImageRecord]) -> dict[int, str]:
        """{image id: new file name} for those that exactly one unknown file in the image folder can be.

        A file can be an image when it has the same name, in whatever folder, and the same size in pixels.
        """
        known = {image.file_name for image in self.images()}
        places: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        for found in scan_folder(self.image_root, recursive=True):
            if found.failure is None and found.file_name not in known:
                places[PurePosixPath(found.file_name).name, found.width, found.height].append(found.file_name)
        wanted: dict[tuple[str, int, int], list[int]] = defaultdict(list)
        for image in missing:
            wanted[PurePosixPath(image.file_name).name, image.width, image.height].append(image.id)
        return {ids[0]: places[key][0] for key, ids in wanted.items() if len(ids) == 1 and len(places[key]) == 1}

    def relocate(self, places: dict[int, str]) -> None:
        """Give images new file names, all or none. Raises ProjectError for a name that another image has."""
        with self._database.write() as connection:
            names = {row.file_name: row.id for row in connection.execute(images.select())}
            for image_id, file_name in places.items():
                if names.get(file_name, image_id) != image_id:
                    raise ProjectError(f"{file_name} is another image of this project", path=self.image_root)
                connection.execute(update(images).where(images.c.id == image_id).values(file_name=file_name))
