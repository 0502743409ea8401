"""Excludes images from the data set, removes them, and brings them back.

Excluded images stay in the list; removed ones are hidden from it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from maskwright.document.values import ImageRecord, ImageStanding, InstanceState
from maskwright.errors import MaskwrightError
from maskwright.words import count_of, shown
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import UNDO_TEXT, Message

if TYPE_CHECKING:
    from maskwright.project.store import Project

LISTED, EXCLUDED, REMOVED = ImageStanding
_TOLD = {
    LISTED: ("is part of the data set again", ""),
    EXCLUDED: ("is excluded", "Models skip it, and it is neither counted nor exported. Its objects are kept."),
    REMOVED: ("is removed", "Its file and objects are kept. Choose “Removed” in the image list to see it."),
}


class ImageStandingFeature(Feature):
    """Excludes, removes or includes the image on screen, or any rows of the list."""

    def __init__(self, context: Context, images: ImagesFeature) -> None:
        super().__init__(context)
        self._images = images
        self._declare(
            Action(
                "exclude_image",
                "Exclude from the data set, or include again",
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
        """Exclude the image on screen or all selected rows; if all of them are out of the set already, include them."""
        if (image := self._session.image) is not None:
            chosen = self._chosen(image.id)
            is_listed = image.standing is LISTED if len(chosen) == 1 else self._has_listed(chosen)
            self.ask_for(chosen, EXCLUDED if is_listed else LISTED)

    def remove(self) -> None:
        """Remove the image on screen or all selected rows."""
        if (image := self._session.image) is not None:
            self.ask_for(self._chosen(image.id), REMOVED)

    def _chosen(self, shown_id: int) -> list[int]:
        selected = self._images.panel.selected_ids
        return selected if len(selected) > 1 and shown_id in selected else [shown_id]

    def _has_listed(self, image_ids: Sequence[int]) -> bool:
        project = self._session.project
        return project is not None and any(
            image.standing is LISTED for image in project.ask(lambda stored: stored.images.records(image_ids))
        )

    def ask_for(self, image_ids: Sequence[int], standing: ImageStanding) -> QMessageBox | None:
        """Change the standing of images; asks first if that would hide the user's work."""
        project = self._session.project
        if project is None or not may_edit(self._session):
            return None
        self._session.save()
        try:
            images = project.ask(lambda stored: stored.images.records(image_ids))
            count = project.ask(partial(_worked_on, image_ids=image_ids)) if standing is REMOVED else 0
        except MaskwrightError as error:
            self._tell_error("The images stay as they are", error)
            return None
        if not count:
            self._change(images, standing)
            return None
        return self._ask_to_remove(images, count)

    def _ask_to_remove(self, images: Sequence[ImageRecord], worked_on: int) -> QMessageBox:
        box = QMessageBox(QMessageBox.Icon.Question, "Remove images", f"Remove {_names(images)} from the project?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setParent(self._window, box.windowFlags())
        which = "You have worked on it" if len(images) == 1 else f"You have worked on {worked_on:,} of them"
        box.setInformativeText(
            f"{which}: those objects will no longer be counted or exported. Files and objects stay: “Removed” in the "
            "list of images has them, and undo brings them back."
        )
        box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole).clicked.connect(
            partial(self._change, images, REMOVED)
        )
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _change(self, images: Sequence[ImageRecord], standing: ImageStanding, _is_checked: bool = False) -> None:
        shown_id = self._session.image.id if self._session.image is not None else None
        is_on_screen = any(image.id == shown_id for image in images)
        beside = self._beside(images) if is_on_screen and standing is REMOVED else None
        if not self._set({standing: [image.id for image in images]}):
            return
        text, detail = _TOLD[standing]
        undo = partial(self._take_back, images, shown_id if is_on_screen else None)
        if beside is not None:
            self._session.show_image(beside)
        verb = f"are{text.removeprefix('is')}" if len(images) != 1 else text
        self.told.emit(Message(f"{_names(images)} {verb}", _of_several(detail, images), "info", UNDO_TEXT, undo))

    def _beside(self, images: Sequence[ImageRecord]) -> int | None:
        """The image to show once these are hidden: the nearest other one in the list."""
        if len(images) == 1:
            return self._images.beside(images[0].id)
        ids, gone = self._images.rows.ids.tolist(), {image.id for image in images}
        at = max((place for place, id_ in enumerate(ids) if id_ in gone), default=-1)
        following = next((id_ for id_ in ids[at + 1 :] if id_ not in gone), None)
        return following if following is not None else next((id_ for id_ in reversed(ids) if id_ not in gone), None)

    def _take_back(self, images: Sequence[ImageRecord], shown_id: int | None) -> None:
        before: dict[ImageStanding, list[int]] = {}
        for image in images:
            before.setdefault(image.standing, []).append(image.id)
        if self._set(before) and shown_id is not None:
            self._session.show_image(shown_id)

    def _set(self, wanted: Mapping[ImageStanding, Sequence[int]]) -> bool:
        project = self._session.project
        if project is None:
            return False
        try:
            for standing, ids in wanted.items():
                project.ask(partial(_stand, ids=ids, standing=standing))
        except MaskwrightError as error:
            self._tell_error("The images stay as they are", error)
            return False
        self._session.refresh()
        self._images.refilter()
        return True


def _stand(project: "Project", *, ids: Sequence[int], standing: ImageStanding) -> None:
    project.images.set_standing(ids, standing)


def _worked_on(project: "Project", *, image_ids: Sequence[int]) -> int:
    """How many of the images have an object that is not just a proposal."""
    from maskwright.project.images import InstanceSearch

    states = tuple(state for state in InstanceState if state.is_exported)
    having = project.images.ids(having=InstanceSearch(states=states), standings=tuple(ImageStanding))
    return int(np.isin(having, list(image_ids)).sum())


def _names(images: Sequence[ImageRecord]) -> str:
    if len(images) == 1:
        return shown(images[0].file_name.rpartition("/")[2])
    return count_of(len(images), "image")


def _of_several(detail: str, images: Sequence[ImageRecord]) -> str:
    """The message text for one image, in the plural."""
    if len(images) == 1:
        return detail
    for one, several in (
        (" on it, and it is neither", " on them, and they are neither"),
        ("Its objects", "Their objects"),
        ("Its file and its objects stay", "Their files and objects stay"),
        ("finds it under", "finds them under"),
    ):
        detail = detail.replace(one, several)
    return detail
