"""The projects opened recently, and the image at which each was left; stored in the window's settings."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PySide6.QtCore import QSettings

MOST = 10
_KEY = "projects/recent"


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project as the settings store it."""

    path: str
    """Path of the project's folder."""
    name: str
    images: str
    """Its image folder."""
    left_at: str = ""
    """File name of the last image on screen."""


class RecentProjects:
    """The latest project is first. Nothing here accesses the file system: a share that hangs must not block the
    window.
    """

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings
        self._listed = _read(settings.value(_KEY, "[]"))

    @property
    def listed(self) -> tuple[RecentProject, ...]:
        """The projects, latest first."""
        return self._listed

    def get(self, path: Path) -> RecentProject | None:
        """The project at a path; None if it is not listed."""
        return next((known for known in self._listed if known.path == str(path)), None)

    def of_images(self, folder: Path) -> Path | None:
        """The project last opened for a folder of images."""
        return next((Path(known.path) for known in self._listed if known.images == str(folder)), None)

    def note_open(self, path: Path, name: str, images: Path) -> None:
        """A project was opened: it becomes the latest."""
        known = self.get(path)
        entry = RecentProject(str(path), name, str(images), known.left_at if known is not None else "")
        self._keep((entry, *self._without(path)))

    def note_image(self, path: Path, file_name: str) -> None:
        """Note the current image of a listed project."""
        self._keep(
            tuple(replace(known, left_at=file_name) if known.path == str(path) else known for known in self._listed)
        )

    def forget(self, path: Path) -> None:
        """Remove a project from the list."""
        self._keep(self._without(path))

    def _without(self, path: Path) -> tuple[RecentProject, ...]:
        return tuple(known for known in self._listed if known.path != str(path))

    def _keep(self, listed: tuple[RecentProject, ...]) -> None:
        self._listed = listed[:MOST]
        self._settings.setValue(_KEY, json.dumps([asdict(known) for known in self._listed]))


def _read(stored: object) -> tuple[RecentProject, ...]:
    """The entries in the settings; invalid ones are left out."""
    try:
        entries = json.loads(str(stored))
    except ValueError:
        return ()
    names = RecentProject.__slots__
    whole = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    texts = [{name: entry.get(name, "") for name in names} for entry in whole]
    known = [RecentProject(**text) for text in texts if all(isinstance(value, str) for value in text.values())]
    return tuple(entry for entry in known if entry.path)[:MOST]
