"""The context menu of the canvas and of the object list."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from maskwright.document.palette import category_colour
from maskwright.document.values import InstanceState
from maskwright_gui.actions import Under, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.classes.feature import ClassesFeature
from maskwright_gui.features.editing import EditingFeature
from maskwright_gui.features.objects import ObjectsFeature
from maskwright_gui.features.proposals import ProposalsFeature
from maskwright_gui.plain_style import in_menu
from maskwright_gui.theme import swatch

MOST_CLASSES = 5


class CanvasMenuFeature(Feature):
    """The context menu, made of the actions that declare a place in it."""

    def __init__(
        self,
        context: Context,
        proposals: ProposalsFeature,
        objects: ObjectsFeature,
        classes: ClassesFeature,
        editing: EditingFeature,
    ) -> None:
        super().__init__(context)
        self._proposals, self._classes, self._editing = proposals, classes, editing
        objects.panel.menu_requested.connect(lambda at: self.open(at, sorted(self._session.selection)))
        self._canvas.context_menu_requested.connect(self.open)

    def open(self, at: QPoint, under: Sequence[int]) -> None:
        """Open the menu at this position on the screen."""
        menu = self.make(under)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def make(self, under: Sequence[int]) -> QMenu:
        """under: ids of the objects under the pointer, topmost first. The topmost is selected if none of them is."""
        if under and not self._session.selection & set(under):
            self._session.select(frozenset(under[:1]))
        menu = QMenu(self._window)
        if under and may_edit(self._session):
            self._add_likely_classes(menu)
        groups = self._actions.in_canvas_menu(Under.OBJECT if under else Under.NOTHING)
        if under and len(self._session.selection) > 1:
            groups = self._actions.in_canvas_menu(Under.SEVERAL) + groups
        for group in groups:
            menu.addActions(group)
            menu.addSeparator()
        if under:
            self._add_class_rows(menu)
        return menu

    def _add_likely_classes(self, menu: QMenu) -> None:
        """Offer the likely classes directly; all others are behind “Change class…”."""
        own = {instance.category_id for instance in self._session.selected_instances()}
        named = {category.id: category for category in self._session.classes.listed}
        likely = [named[id_] for id_ in self._classes.likely.ids() if own != {id_}][:MOST_CLASSES]
        for category in likely:
            action = menu.addAction(swatch(category_colour(category)), in_menu(category.name))
            action.triggered.connect(partial(self._give_class, category.id))
        if likely:
            menu.addSeparator()

    def _give_class(self, category_id: int, _is_checked: bool = False) -> None:
        self._editing.set_category(category_id)

    def _add_class_rows(self, menu: QMenu) -> None:
        """Offer to answer all proposals of the selected object's class on this image."""
        (category_id, *_) = selected = [each.category_id for each in self._session.selected_instances()] or [0]
        document = self._session.document or ()
        count = sum(i.category_id == category_id and i.state is InstanceState.PROPOSED for i in document)
        name = next((c.name for c in self._session.classes.listed if c.id == category_id), "")
        if count > 1:
            accept = menu.addAction(f"Accept all {count} proposals of “{in_menu(name)}”")
            accept.triggered.connect(partial(self._proposals.accept_category, category_id))
            reject = menu.addAction(f"Reject all {count} proposals of “{in_menu(name)}”")
            reject.triggered.connect(partial(self._proposals.reject_category, category_id))
        if name and len(set(selected)) == 1:
            menu.addSeparator()
            rename = menu.addAction(f"Rename the class “{in_menu(name)}”…")
            rename.setEnabled(may_edit(self._session))
            rename.triggered.connect(lambda: self._classes.rename_in_list(category_id))
            copy = menu.addAction("Copy the class name")
            copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(name))
