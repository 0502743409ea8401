"""The list of objects on the image, which shares its selection with the canvas."""

from PySide6.QtCore import Qt

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Category
from maskwright.words import count_of
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.editing import EditingFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.messages import Message
from maskwright_gui.panels.instances import InstancesPanel

_LATER = "objects"
KEPT_ONE = "It stays in the project as it is, and exports leave it out."
KEPT = "They stay in the project as they are, and exports leave them out."


class ObjectsFeature(Feature):
    """Shows the object list. After a step to another image the list is updated once that image is painted."""

    def __init__(self, context: Context, images: ImagesFeature, editing: EditingFeature) -> None:
        super().__init__(context)
        self.panel = panel = InstancesPanel(self._window)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        self._window.add_dock("Objects", panel, area, size_px=280, key_lists=[panel.table])
        self._session.document_replaced.connect(lambda _document: self._window.later.put(_LATER, self._show))
        self._session.document_changed.connect(self._on_document_changed)
        self._session.selection_changed.connect(self._on_selection_changed)
        self._session.classes.changed.connect(self._on_categories_changed)
        images.records_changed.connect(self._on_records_changed)
        self._follow_keys(panel.show_keys)
        self._window.theme_changed.connect(panel.set_theme)
        panel.selection_requested.connect(self._session.select)
        panel.selection_requested.connect(self._canvas.show_instances)
        panel.visibility_requested.connect(editing.set_visible)
        editing.listed_ids = lambda: panel.listed_ids if panel.table.hasFocus() else None

    def _show(self) -> None:
        self.panel.set_document(self._session.document)
        self._tell_damage()
        self.panel.set_image_state(self._session.image.state if self._session.image is not None else None)
        self.panel.set_selection(self._session.selection)

    def _tell_damage(self) -> None:
        damaged = self._session.document.damaged if self._session.document is not None else {}
        if damaged:
            first = next(iter(damaged.values()))
            more = f"; so {'are' if len(damaged) > 2 else 'is'} {len(damaged) - 1} more" if len(damaged) > 1 else ""
            kept = KEPT_ONE if len(damaged) == 1 else KEPT
            what, detail = f"{count_of(len(damaged), 'object')} here cannot be shown", f"{first}{more}. {kept}"
            check = self._actions["check"].trigger
            self.told.emit(Message(what, f"{detail[0].upper()}{detail[1:]}", "warning", "Check all images", check))

    def _on_categories_changed(self, categories: tuple[Category, ...]) -> None:
        self.panel.set_categories((*categories, *self._session.classes.unlisted))

    def _on_document_changed(self, change: Change, document: Document) -> None:
        self._window.later.flush()  # the lists must show the image that the change applies to
        self.panel.apply_change(change, document)

    def _on_records_changed(self, image_ids: frozenset[int]) -> None:
        image = self._session.image
        if image is not None and image.id in image_ids and not self._window.later.waits(_LATER):
            self.panel.set_image_state(image.state)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        if not self._window.later.waits(_LATER):
            self.panel.set_selection(ids)
