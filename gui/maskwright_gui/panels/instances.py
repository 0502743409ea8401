"""The objects panel: what is on this image, the origin of each object, and what is shown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QVBoxLayout, QWidget

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Category, ImageState, Instance, InstanceState
from maskwright.words import shown
from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.instance_model import Column, InstanceModel
from maskwright_gui.panels.widgets import ElidedLabel, Inviting, named
from maskwright_gui.theme import Theme

NOTHING_PROPOSED = (
    "No proposals on this image.\n"
    "{score_down} lowers the score, {tool_polygon} draws a polygon,\n"
    "{done} marks the image as empty."
)
NOTHING = "Objects on this image appear here.\n{tool_point} outlines the object you click, {run_model} runs the model."

_LONGEST_NAME = 24
_ICON_PX, _SCORE_PX, _ORIGIN_PX = 26, 44, 72
_ROOMY_PX = 248
"""From this width on the origin is a word, below it a sign."""


class InstancesPanel(QWidget):
    """A table of the current document; the selection is shared with the canvas."""

    selection_requested = Signal(object)
    """frozenset of instance ids."""
    visibility_requested = Signal(object, bool)
    menu_requested = Signal(QPoint)
    """Position on the screen: open the menu of the selected objects."""
    category_requested = Signal()
    """The user double-clicked a class: choose another for the selection."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = InstanceModel(self)
        self._is_syncing = False
        self._is_open = True
        self._with_keys: WithKeys = str
        self._summary = ElidedLabel(self)
        self.table = self._make_table()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        self._summary.setContentsMargins(8, 0, 8, 0)
        column.addWidget(self._summary)
        self._stack = Inviting(self.table, NOTHING, self)
        column.addWidget(self._stack, 1)
        self._summarise(None)

    def set_theme(self, theme: Theme) -> None:
        """Draw the marks in the theme's colours."""
        self.model.set_theme(theme)

    def set_categories(self, categories: Sequence[Category]) -> None:
        """Set names and colours of the classes."""
        self.model.set_categories({category.id: category for category in categories})

    def set_document(self, document: Document | None) -> None:
        """Show another image; None for none."""
        self._is_syncing = True
        self.model.set_document(document)
        self._is_syncing = False
        self._summarise(document)

    def set_image_state(self, state: ImageState | None) -> None:
        """Choose the text for no objects: there are none yet, or the model found none."""
        self._is_open = state is None or state is ImageState.UNSEEN
        self._invite()

    def show_keys(self, with_keys: WithKeys) -> None:
        """Show the current keys in the text for no objects."""
        self._with_keys = with_keys
        self._invite()

    def _invite(self) -> None:
        self._stack.set_text(self._with_keys(NOTHING if self._is_open else NOTHING_PROPOSED))

    def apply_change(self, change: Change, document: Document) -> None:
        """Update only the rows that the change affects."""
        self._is_syncing = True
        self.model.apply_change(change, document)
        self._is_syncing = False
        self._summarise(document)

    def set_selection(self, ids: frozenset[int]) -> None:
        """Show the session's selection, without requesting it again."""
        if self._selected_ids() == ids:
            return
        wanted = QItemSelection()
        rows = sorted(row for id_ in ids if (row := self.model.row_of(id_)) is not None)
        for first, last in _runs(rows):
            wanted.select(self.model.index(first, 0), self.model.index(last, len(Column) - 1))
        self._is_syncing = True
        self.table.selectionModel().select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if rows:
            self.table.scrollTo(self.model.index(rows[0], 0))
        self._is_syncing = False

    @property
    def listed_ids(self) -> list[int]:
        """The objects in the order of the list."""
        return [self.model.id_at(row) for row in range(self.model.rowCount())]

    def _make_table(self) -> QTreeView:
        table = named(QTreeView(self), "Objects on this image")
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setModel(self.model)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setAllColumnsShowFocus(True)
        header = table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(Column.CATEGORY, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(_ICON_PX)
        for column in (Column.SCORE, Column.ORIGIN, Column.VISIBLE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, _SCORE_PX if column is Column.SCORE else _ICON_PX)
        table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        table.clicked.connect(self._on_clicked)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._on_menu_requested)
        table.doubleClicked.connect(self._on_double_clicked)
        return table

    def _selected_ids(self) -> frozenset[int]:
        rows = self.table.selectionModel().selectedRows()
        return frozenset(self.model.id_at(index.row()) for index in rows)

    def _summarise(self, document: Document | None) -> None:
        counts = Counter(instance.state for instance in document or ())
        rejected = counts.pop(InstanceState.REJECTED, 0)
        total, proposed = counts.total(), counts[InstanceState.PROPOSED]
        parts = [f"{total} object" + ("" if total == 1 else "s")]
        parts += [f"{proposed} proposed{_by(document or ())}"] if proposed else []
        parts += [f"{rejected} rejected"] if rejected else []
        parts += [f"{len(document.damaged)} damaged, not shown"] if document is not None and document.damaged else []
        self._summary.show_text(" · ".join(parts) if document is not None else "")
        self._stack.show_content(total > 0)
        self.table.setColumnHidden(Column.SCORE, all(instance.score is None for instance in document or ()))

    def _on_selection_changed(self) -> None:
        if not self._is_syncing:
            self.selection_requested.emit(self._selected_ids())

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.column() == Column.VISIBLE:
            instance = self.model.instance(index.row())
            self.visibility_requested.emit(instance.id, not instance.is_visible)

    def _on_menu_requested(self, at: QPoint) -> None:
        if self._selected_ids():
            self.menu_requested.emit(self.table.viewport().mapToGlobal(at))

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if index.column() == Column.CATEGORY:
            self.category_requested.emit()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_roomy = self.width() >= _ROOMY_PX
        if is_roomy != self.model.has_words:
            self.model.set_words(is_roomy)
            self.table.header().resizeSection(Column.ORIGIN, _ORIGIN_PX if is_roomy else _ICON_PX)


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive rows: Qt compares every range with every other."""
    ends = [place for place in range(1, len(rows)) if rows[place] != rows[place - 1] + 1]
    return [(rows[a], rows[b - 1]) for a, b in pairwise([0, *ends, len(rows)])] if rows else []


def _by(instances: Iterable[Instance]) -> str:
    """ " by NAME" if a single model made all open proposals; a long name is shortened."""
    origins = (instance.provenance for instance in instances if instance.state is InstanceState.PROPOSED)
    names = {origin.model_name if origin is not None else "" for origin in origins}
    name = names.pop() if len(names) == 1 else ""
    cut = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return f" by {shown(cut)}" if name else ""
