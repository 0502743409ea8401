"""How classes are listed: in the order the user dragged them into, without those that are hidden or unused."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from maskwright.words import shown
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.classes.feature import ClassesFeature
from maskwright_gui.messages import Message
from maskwright_gui.panels.categories import MOST_WHOLE

if TYPE_CHECKING:
    from maskwright.project.store import Project


class ClassListFeature(Feature):
    """Order, hiding, and which classes have objects."""

    def __init__(self, context: Context, classes: ClassesFeature) -> None:
        super().__init__(context)
        self._panel = classes.panel
        self._panel.order_requested.connect(self.reorder)
        self._panel.hide_requested.connect(self.hide)
        self._session.project_changed.connect(self._on_project_changed)
        self._session.classes.changed.connect(self.count_used)
        classes.merged.connect(self.count_used)

    def reorder(self, ids: tuple[int, ...]) -> None:
        """Change the order; the digits stay with their classes."""
        classes = self._session.classes
        before = [each.id for each in classes.listed]
        moved = [id_ for id_ in ids if _without(id_, ids) == _without(id_, before)]  # two, where neighbours swap
        classes.list_as(classes.listing.reordered(ids), arranged=moved)

    def hide(self, category_id: int, is_hidden: bool) -> None:
        """Hide a class from lists and choices, or show it again. Its objects stay as they are."""
        listing = self._session.classes.listing
        name = next((each.name for each in self._session.classes.listed if each.id == category_id), None)
        if name is None:
            return
        self._session.classes.list_as(listing.with_hidden(category_id, is_hidden), arranged=[category_id])
        if is_hidden:
            self._session.classes.leave_hidden()
            undo = partial(self.hide, category_id, False)
            self.told.emit(
                Message(f"“{shown(name)}” is hidden from the list", "Its objects are kept.", "info", "Undo", undo)
            )

    def count_used(self) -> None:
        """Find out in the background which classes have objects, if there are many classes."""
        project = self._session.project
        if project is None or len(self._session.classes.listed) <= MOST_WHOLE:
            self.stop()
            self._panel.set_used(None)
            return
        stored = project.stored
        self._run_beside(
            lambda _monitor: stored.categories.used_ids(),
            self._panel.set_used,
            lambda _error: None,
        )

    def _on_project_changed(self, _project: "Project | None") -> None:
        self.stop()
        self._panel.forget()


def _without(id_: int, ids: Sequence[int]) -> list[int]:
    return [each for each in ids if each != id_]
