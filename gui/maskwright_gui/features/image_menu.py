"""The context menu of the image list, also for images that are not on screen."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import MaskwrightError
from maskwright.images.pages import page_source
from maskwright.words import count_of
from maskwright_gui.actions import may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.image_standing import ImageStandingFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.model.feature import ModelFeature
from maskwright_gui.messages import Message


class ImageMenuFeature(Feature):
    """The context menu of one or several rows of the image list."""

    def __init__(
        self, context: Context, images: ImagesFeature, model: ModelFeature, standing: ImageStandingFeature
    ) -> None:
        super().__init__(context)
        self._model, self._standing = model, standing
        images.panel.menu_requested.connect(self.open)

    def open(self, image_ids: Sequence[int], at: QPoint) -> None:
        """Open the menu of these images at a position on the screen."""
        menu = self.make(image_ids[0]) if len(image_ids) == 1 else self.make_for_several(image_ids)
        if menu is not None:
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(at)

    def make(self, image_id: int) -> QMenu | None:
        """The menu of one image; None if the project does not know it."""
        project = self._session.project
        if project is None:
            return None
        try:
            record = project.record(image_id)
        except MaskwrightError as error:
            self._tell_error("The image cannot be found", error)
            return None
        path = page_source(project.image_path(record))[0]
        menu = QMenu(self._window)
        menu.addAction("Show this image").triggered.connect(partial(self._show, image_id))
        run = menu.addAction("Run model on this image")
        run.setEnabled(may_edit(self._session) and record.standing is ImageStanding.LISTED)
        run.triggered.connect(partial(self._run, [image_id]))
        menu.addSeparator()
        self._add_standings(menu, [record])
        menu.addSeparator()
        menu.addAction("Copy file name").triggered.connect(partial(self._copy, record.file_name))
        menu.addAction("Copy file path").triggered.connect(partial(self._copy, str(path)))
        menu.addAction("Show in folder").triggered.connect(partial(self._show_folder, path.parent))
        return menu

    def make_for_several(self, image_ids: Sequence[int]) -> QMenu | None:
        """The menu of several images; None if the project does not know them."""
        project = self._session.project
        if project is None:
            return None
        try:
            records = project.ask(lambda stored: stored.images.records(image_ids))
        except MaskwrightError as error:
            self._tell_error("The images cannot be looked up", error)
            return None
        menu = QMenu(self._window)
        listed = [record.id for record in records if record.standing is ImageStanding.LISTED]
        run = menu.addAction(f"Run model on {count_of(len(listed), 'image')}")
        run.setEnabled(may_edit(self._session) and bool(listed))
        run.triggered.connect(partial(self._run, listed))
        menu.addSeparator()
        self._add_standings(menu, records)
        menu.addSeparator()
        names = "\n".join(record.file_name for record in records)
        menu.addAction("Copy file names").triggered.connect(partial(self._copy, names))
        return menu

    def _add_standings(self, menu: QMenu, records: Sequence[ImageRecord]) -> None:
        wanted = {
            ImageStanding.LISTED: "Include in the data set again",
            ImageStanding.EXCLUDED: "Exclude from the data set",
            ImageStanding.REMOVED: "Remove from the project",
        }
        for standing, text in wanted.items():
            ids = [record.id for record in records if record.standing is not standing]
            if ids:
                action = menu.addAction(text if len(records) == 1 else f"{text} ({len(ids):,})")
                action.setEnabled(may_edit(self._session))
                action.triggered.connect(partial(self._stand, ids, standing))

    def _stand(self, image_ids: Sequence[int], standing: ImageStanding, _is_checked: bool = False) -> None:
        self._standing.ask_for(image_ids, standing)

    def _show(self, image_id: int, _is_checked: bool = False) -> None:
        self._session.show_image(image_id)

    def _run(self, image_ids: Sequence[int], _is_checked: bool = False) -> None:
        self._model.run_on_images(image_ids)

    def _copy(self, text: str, _is_checked: bool = False) -> None:
        QGuiApplication.clipboard().setText(text)

    def _show_folder(self, folder: Path, _is_checked: bool = False) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.told.emit(Message("No file manager could be opened", str(folder), "warning"))
