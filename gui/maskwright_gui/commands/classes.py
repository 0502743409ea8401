"""The class table of the project: adding, renaming, recolouring."""

from PySide6.QtCore import QObject, Signal

from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright_gui.commands.editing import EditCommands
from maskwright_gui.session import Session


class ClassCommands(QObject):
    failed = Signal(str, object)
    """(what did not work, MaskwrightError)."""

    def __init__(self, session: Session, edits: EditCommands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._edits = session, edits

    def add(self, name: str) -> Category | None:
        """A new class, which is then the one to draw with; None where it was refused."""
        project = self._session.project
        if project is None:
            return None
        try:
            category = project.add_category(name)
        except MaskwrightError as error:
            self.failed.emit("The class was not added", error)
            return None
        self._session.reload_categories()
        self._session.set_current_category(category.id)
        return category

    def add_and_apply(self, name: str) -> None:
        """A new class, given to the selection."""
        if (category := self.add(name)) is not None:
            self._edits.set_category(category.id)

    def rename(self, category_id: int, name: str) -> None:
        if self._session.project is None:
            return
        try:
            self._session.project.rename_category(category_id, name)
        except MaskwrightError as error:
            self.failed.emit("The class was not renamed", error)
        self._session.reload_categories()

    def set_colour(self, category_id: int, colour: str) -> None:
        """`colour` as `#rrggbb`."""
        if self._session.project is None:
            return
        try:
            self._session.project.set_category_colour(category_id, colour)
        except MaskwrightError as error:
            self.failed.emit("The colour was not changed", error)
        self._session.reload_categories()
