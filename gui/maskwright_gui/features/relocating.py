"""Images that are not where the project expects them: reports them, and helps to find them."""

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from maskwright.errors import MaskwrightError
from maskwright.monitor import Monitor
from maskwright.operations.relocating import Located, find_moved, locate_in
from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.exchange import ExchangeFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.messages import NEXT_TEXT, Message
from maskwright_gui.operation import Work
from maskwright_gui.workers.executor import answer_soon

if TYPE_CHECKING:
    from maskwright.project.store import Project

log = logging.getLogger(__name__)


class RelocatingFeature(Feature):
    """Finds missing images."""

    located = Signal()
    """Some missing files have been found."""

    def __init__(
        self, context: Context, projects: ProjectsFeature, images: ImagesFeature, exchange: ExchangeFeature
    ) -> None:
        super().__init__(context)
        self._images = images
        self._declare(
            Action(
                "locate",
                "Locate missing images…",
                Menu.FILE,
                1,
                self.locate,
                words="moved relocate path",
                needs=may_edit,
            ),
        )
        self._session.project_changed.connect(self.stop)
        projects.images_missing.connect(self.tell_missing)
        projects.located.connect(lambda located: images.missing.set_ids(located.missing_ids))
        exchange.imported.connect(self.find_missing)
        images.failed.connect(self.tell_failure)
        self.located.connect(images.read_files_again)

    def tell_missing(self, count: int) -> None:
        """The opened project has missing images."""
        project = self._session.project
        if project is None:
            return
        are = "1 image is" if count == 1 else f"{count} images are"
        what = f"{are} missing" if answer_soon(project.image_root.is_dir, True) else "The image folder is gone"
        detail = f"{project.image_root}. All annotations are safe; choose the folder where the images are now."
        self.told.emit(Message(what, detail, "error", "Locate folder…", self.locate))

    def find_missing(self) -> None:
        """Find out which images have no file: an import can list such images."""
        if (project := self._session.project) is not None:
            stored, show = project.stored, self._images.missing.set_ids
            work = partial(_missing_ids, stored)
            self._run_beside(work, show, lambda error: log.info("missing images were not counted: %s", error))

    def tell_failure(self, what: str, error: MaskwrightError) -> None:
        """An image cannot be shown; if its file is gone, offer to search for it."""
        project = self._session.project
        if project is None or error.path is None or answer_soon(partial(_is_there, error.path), True):
            self.told.emit(Message(what, str(error), "error", NEXT_TEXT, self._images.next_image))
        elif not answer_soon(project.image_root.is_dir, True):
            detail = f"{project.image_root}. All annotations are safe; choose the folder where the images are now."
            self.told.emit(Message("The image folder is gone", detail, "error", "Locate folder…", self.locate))
        else:
            detail = f"{error.path}. It may have been moved to another folder."
            self.told.emit(Message("The image is missing", detail, "error", "Search for it", self.look))

    def locate(self) -> None:
        """Ask for the folder that now holds the images."""
        project = self._session.project
        if project is None:
            return
        parents = project.image_root.parents
        near = answer_soon(lambda: next((place for place in parents if place.is_dir()), Path.home()), Path.home())
        name = QFileDialog.getExistingDirectory(self._window, "Where are the images now?", str(near))
        if name:
            self.locate_in(Path(name))

    def locate_in(self, folder: Path) -> None:
        """Use this folder as the image folder."""
        if self._session.project is not None:
            self._run(partial(locate_in, self._session.project.stored, folder))

    def look(self) -> None:
        """Search the whole image folder for missing images, by name and size."""
        if self._session.project is not None:
            self._run(partial(find_moved, self._session.project.stored))

    def _run(self, work: Work) -> None:
        self._run_beside(work, self._on_located, "The search for the images failed")

    def _on_located(self, found: Located) -> None:
        self.located.emit()
        self._images.missing.set_ids(found.missing_ids)
        if not found.missing:
            moved = f"{found.moved} of them are in a different folder than before." if found.moved else ""
            self.told.emit(Message(f"{count_of(found.present, 'image')} found", moved))
            return
        detail = f"{found.missing} of {found.present + found.missing} are still missing."
        place = ("Choose another folder…", self.locate)
        self.told.emit(Message("Some images were not found", detail, "warning", *place))


def _missing_ids(project: "Project", _monitor: Monitor) -> list[int]:
    return [record.id for record in project.image_folder.missing()]


def _is_there(path: Path) -> bool:
    """Whether the file of an image exists; for a page, its TIFF."""
    from maskwright.images.pages import page_source

    return page_source(path)[0].exists()
