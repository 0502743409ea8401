"""The instances of the current image as a table model; a change updates only its own rows."""

from bisect import bisect_left
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QIcon

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.palette import category_colour
from maskwright.document.values import Category, Instance, InstanceState, Provenance
from maskwright.words import shown
from maskwright_gui.panels.state_marks import origin_text
from maskwright_gui.theme import LIGHT, Theme, swatch, themed_icon

RESET_ABOVE_ROWS = 50
"""If one change affects more rows than these, a reset is faster than updating them one by one."""

_Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """The columns of the object list."""

    CATEGORY = 0
    SCORE = 1
    ORIGIN = 2
    VISIBLE = 3


_COLUMN_COUNT = len(Column)
"""A constant, because Qt asks for it twelve times for each row of a selection."""
_TITLES = {Column.CATEGORY: "Class", Column.SCORE: "Score", Column.ORIGIN: "Origin", Column.VISIBLE: ""}


_ORIGIN_ICONS = {
    InstanceState.PROPOSED: "circle-dashed",
    InstanceState.ACCEPTED: "check",
    InstanceState.EDITED: "pencil-simple",
    InstanceState.DRAWN: "pen-nib",
}


def is_listed(instance: Instance) -> bool:
    """Whether the list shows the instance: rejected proposals stay in the document, but are not shown."""
    return instance.state is not InstanceState.REJECTED


class InstanceModel(QAbstractTableModel):
    """One row per instance, by id: a new one is last, and rows never jump during work."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: list[int] = []
        self._shown: dict[int, Instance] = {}
        """By id. Rows and their contents change together, since views ask during a change."""
        self._categories: dict[int, Category] = {}
        self._swatches: dict[int, QIcon] = {}
        self._theme = LIGHT
        self._has_words = False

    @property
    def has_words(self) -> bool:
        """Whether the origin is a word, rather than a sign whose word is in the tooltip."""
        return self._has_words

    def set_words(self, has_words: bool) -> None:
        """Use words if there is room for them."""
        self._has_words = has_words
        self._tell_all_changed()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, Column.ORIGIN, Column.ORIGIN)

    def set_theme(self, theme: Theme) -> None:
        """Draw the marks in the theme's colours."""
        self._theme = theme
        self._tell_all_changed()

    def set_categories(self, categories: Mapping[int, Category]) -> None:
        """Set names and colours of the classes."""
        self._categories = dict(categories)
        self._swatches = {id_: swatch(category_colour(category)) for id_, category in self._categories.items()}
        self._tell_all_changed()

    def set_document(self, document: Document | None) -> None:
        """Show another image; None for none."""
        self.beginResetModel()
        self._shown = {instance.id: instance for instance in document or () if is_listed(instance)}
        self._ids = sorted(self._shown)
        self.endResetModel()

    def apply_change(self, change: Change, document: Document) -> None:
        """document: the state after `change`."""
        if len(change) > RESET_ABOVE_ROWS:
            self.set_document(document)
            return
        for id_, _, after in change:
            self._apply_one(id_, after if after is not None and is_listed(after) else None)

    def id_at(self, row: int) -> int:
        """Id of a row's instance."""
        return self._ids[row]

    def row_of(self, instance_id: int) -> int | None:
        """None if the object is not listed."""
        place = bisect_left(self._ids, instance_id)
        return place if place < len(self._ids) and self._ids[place] == instance_id else None

    def instance(self, row: int) -> Instance:
        """The instance of a row."""
        return self._shown[self._ids[row]]

    def _apply_one(self, id_: int, instance: Instance | None) -> None:
        """Show the current state of an instance; None: it is gone."""
        row = self.row_of(id_)
        if row is None and instance is not None:
            place = bisect_left(self._ids, id_)
            self.beginInsertRows(QModelIndex(), place, place)
            self._shown[id_] = instance
            self._ids.insert(place, id_)
            self.endInsertRows()
        elif row is not None and instance is None:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._ids[row], self._shown[id_]
            self.endRemoveRows()
        elif row is not None and instance is not None:
            self._shown[id_] = instance
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))

    def _tell_all_changed(self) -> None:
        if self._ids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(Column) - 1))

    def _category_name(self, instance: Instance) -> str:
        category = self._categories.get(instance.category_id)
        return shown(category.name) if category is not None else f"class {instance.category_id}"

    def _display(self, instance: Instance, column: Column) -> str | None:
        match column:
            case Column.CATEGORY:
                return self._category_name(instance)
            case Column.SCORE:
                return f"{instance.score:.2f}" if instance.score is not None else "–"
            case Column.ORIGIN:
                return origin_text(instance.state) if self._has_words else None
            case Column.VISIBLE:
                return None

    def _tool_tip(self, instance: Instance) -> str:
        lines = [f"{self._category_name(instance)} · {origin_text(instance.state)} · {instance.vertex_count} vertices"]
        if instance.provenance is not None:
            lines += _provenance_lines(instance.provenance)
        if instance.edited_at:
            lines.append(f"Last changed {_local_time(instance.edited_at)}")
        if instance.is_locked:
            lines.append("Locked")
        return "\n".join(lines)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else _COLUMN_COUNT

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[Column(section)] if section != Column.ORIGIN or self._has_words else None
        if role == Qt.ItemDataRole.DecorationRole and section == Column.VISIBLE:
            return themed_icon("eye", self._theme)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        instance, column = self.instance(index.row()), Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._display(instance, column)
            case Qt.ItemDataRole.DecorationRole if column is Column.CATEGORY:
                return self._swatches.get(instance.category_id)
            case Qt.ItemDataRole.DecorationRole if column is Column.VISIBLE:
                return themed_icon("eye" if instance.is_visible else "eye-slash", self._theme)
            case Qt.ItemDataRole.DecorationRole if column is Column.ORIGIN and not self._has_words:
                return themed_icon(_ORIGIN_ICONS[instance.state], self._theme)
            case Qt.ItemDataRole.ForegroundRole if not instance.is_visible or instance.is_locked:
                return QColor(self._theme.muted)
            case Qt.ItemDataRole.ToolTipRole:
                return self._tool_tip(instance)
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.ORIGIN:
                return origin_text(instance.state)
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.VISIBLE:
                return "visible" if instance.is_visible else "hidden"
            case Qt.ItemDataRole.TextAlignmentRole if column is Column.SCORE:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


def _provenance_lines(origin: Provenance) -> list[str]:
    """Model and time, then the thresholds that are known."""
    thresholds = {
        "score": origin.score_threshold,
        "overlap": origin.nms_iou,
        "mask": origin.mask_threshold,
        "detail": origin.min_iou,
    }
    known = ", ".join(f"{name} {value:.2f}" for name, value in thresholds.items() if value is not None)
    file = f" ({origin.model_hash[:8]})" if origin.model_hash else ""
    return [f"Proposed by {origin.model_name}{file}, {_local_time(origin.created_at)}", f"with {known}"]


def _local_time(iso: str) -> str:
    """A UTC time as local time, to the minute; anything else unchanged."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return iso
