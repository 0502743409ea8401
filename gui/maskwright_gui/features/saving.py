"""Says when folders do not answer and edits cannot be saved, and resumes work when they answer again."""

from pathlib import Path

from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import Message
from maskwright_gui.saving import Saving, SavingWatch
from maskwright_gui.session import NOT_SAVED, NOT_SHOWN

HANGS = "The project's folder does not answer"
IMAGES_HANG = "The image folder does not answer"
OTHER_HANGS = "A folder does not answer"


class SavingFeature(Feature):
    """Shows in the header and in messages that edits cannot be saved."""

    def __init__(self, context: Context, watch: SavingWatch, images: ImagesFeature) -> None:
        super().__init__(context)
        self._watch, self._images = watch, images
        watch.changed.connect(self._on_changed)
        watch.hung.connect(self._on_hung)
        watch.answered.connect(self._on_answered)
        watch.saved.connect(self._on_saved)
        self._session.image_changed.connect(lambda _image: self._window.toasts.withdraw(NOT_SHOWN))
        self._window.header.warning_clicked.connect(self._on_clicked)

    def _on_changed(self, state: Saving) -> None:
        self._window.header.show_warning(state.short, state.detail)

    def _on_hung(self, folder: Path) -> None:
        project = self._session.project
        if project is None:
            return  # the opening reports it itself
        if folder == project.path:
            detail = f"{folder}. Keep working: your edits are kept and written as soon as it answers."
            message = Message(HANGS, detail, "warning")
        elif folder == project.image_root:
            if self._watch.state.is_unresponsive:
                return  # one message for both
            detail = f"{folder}. You can work on images that are already loaded; the others follow when it answers."
            message = Message(IMAGES_HANG, detail, "warning")
        else:
            message = Message(OTHER_HANGS, f"{folder}. Whatever needs it waits.", "warning")
        self.told.emit(message)

    def _on_answered(self, folder: Path) -> None:
        self._window.toasts.withdraw(HANGS, IMAGES_HANG, OTHER_HANGS, NOT_SHOWN)
        project = self._session.project
        if project is None or folder not in (project.path, project.image_root):
            return
        if not self._session.unsaved.edits:
            self.told.emit(Message("The folder answers again", f"{folder}."))
        self._session.go_on()
        self._images.panel.refilter()
        self._images.go_on()

    def _on_saved(self) -> None:
        self._window.toasts.withdraw(NOT_SAVED, HANGS)
        self.told.emit(Message("All edits are saved again"))

    def _on_clicked(self) -> None:
        """Try again at once, and show the details."""
        self._session.unsaved.try_again()
        state = self._watch.state
        self.told.emit(Message(state.short, state.detail, "warning"))
