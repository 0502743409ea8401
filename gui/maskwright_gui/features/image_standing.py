"""Images taken out of the set, and back: excluded ones stay in the list, removed ones go out of sight."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import MaskwrightError
from maskwright.plain_text import shown
from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import UNDO_TEXT, Message

LISTED, EXCLUDED, REMOVED = ImageStanding
_TOLD = {
    LISTED: ("is part of the set again", ""),
    EXCLUDED: ("is excluded", "No model runs on it, and it is neither counted nor exported. Its objects stay."),
    REMOVED: ("is removed", "Its file and its objects stay. The list of images finds it under “Removed”."),
}


class ImageStandingFeature(Feature):
    """Excludes the image on screen, removes it, takes it back; the same for any row of the list."""

    def __init__(self, context: Context, images: ImagesFeature) -> None:
        super().__init__(context)
        self._images = images
        self._declare(
            Action(
                "exclude_image",
                "Exclude from the set, or include again",
                Menu.IMAGE,
                1,
                self.toggle_excluded,
                keys=("Ctrl+Shift+X",),
                words="skip ignore leave out discard bad blurred",
                needs=may_edit,
            ),
            Action(
                "remove_image",
                "Remove from the project",
                Menu.IMAGE,
                1,
                self.remove,
                words="delete forget discard",
                needs=may_edit,
            ),
        )

    def toggle_excluded(self) -> None:
        """The image on screen."""
        if (image := self._session.image) is not None:
            self.ask_for(image.id, EXCLUDED if image.standing is LISTED else LISTED)

    def remove(self) -> None:
        """The image on screen."""
        if (image := self._session.image) is not None:
            self.ask_for(image.id, REMOVED)

    def ask_for(self, image_id: int, standing: ImageStanding) -> QMessageBox | None:
        """Let an image stand otherwise; asks first where work would go out of sight."""
        project = self._session.project
        if project is None or not may_edit(self._session):
            return None
        self._session.save()
        try:
            image = project.ask(lambda stored: stored.images.record(image_id))
            own = sum(
                instance.state.is_exported for instance in project.ask(lambda stored: stored.instances.of(image_id))
            )
        except MaskwrightError as error:
            self._tell_error("The image stays as it is", error)
            return None
        if standing is not REMOVED or not own:
            self._change(image, standing)
            return None
        name = shown(image.file_name.rpartition("/")[2])
        box = QMessageBox(QMessageBox.Icon.Question, "Remove an image", f"Remove {name} from the project?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setParent(self._window, box.windowFlags())
        box.setInformativeText(
            f"{count_of(own, 'object')} on it will no longer be counted or exported. The file and the objects stay: "
            "“Removed” in the list of images has them, and undo brings them back."
        )
        box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole).clicked.connect(
            partial(self._change, image, standing)
        )
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _change(self, image: ImageRecord, standing: ImageStanding, _is_checked: bool = False) -> None:
        is_on_screen = self._session.image is not None and self._session.image.id == image.id
        beside = self._images.beside(image.id) if is_on_screen and standing is REMOVED else None
        if not self._set(image.id, standing):
            return
        text, detail = _TOLD[standing]
        undo = partial(self._take_back, image, is_shown=is_on_screen)
        name = shown(image.file_name.rpartition("/")[2])
        if beside is not None:
            self._session.show_image(beside)
        self.told.emit(Message(f"{name} {text}", detail, "info", UNDO_TEXT, undo))

    def _take_back(self, image: ImageRecord, *, is_shown: bool) -> None:
        if self._set(image.id, image.standing) and is_shown:
            self._session.show_image(image.id)

    def _set(self, image_id: int, standing: ImageStanding) -> bool:
        project = self._session.project
        if project is None:
            return False
        try:
            project.ask(lambda stored: stored.images.set_standing([image_id], standing))
        except MaskwrightError as error:
            self._tell_error("The image stays as it is", error)
            return False
        self._session.refresh_document(image_id)
        self._images.refilter()
        return True
