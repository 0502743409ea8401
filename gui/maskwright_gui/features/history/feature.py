"""What was done on the image on screen, any step of which can be gone back to."""

from functools import partial

from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature


class HistoryFeature(Feature):
    """The history of the image, and going back to a moment in it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._declare(
            Action(
                "history",
                "History of this image…",
                Menu.IMAGE,
                2,
                self.open,
                keys=("Ctrl+H",),
                words="log versions changes",
            ),
        )

    def open(self) -> None:
        """The steps on the image on screen, any of which can be gone back to."""
        from maskwright_gui.dialogs.history import HistoryDialog

        project, image = self._session.project, self._session.image
        if project is None or image is None:
            return
        self._session.save()
        dialog = HistoryDialog(project.ask(lambda stored: stored.history.of(image.id)), self._window)
        dialog.return_requested.connect(partial(self.go_back, image.id))
        dialog.show()

    def go_back(self, image_id: int, when: str) -> None:
        """Make the image what it was at `when` (ISO 8601, UTC), as one step."""
        if self._session.project is not None:
            change = self._session.project.ask(lambda stored: stored.history.change_back_to(image_id, when))
            self._session.edit_image(image_id, change, "Go back")
