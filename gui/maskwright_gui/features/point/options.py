"""The bar over the canvas while the Point tool is active: the assistant, and how long it takes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QWidget

from maskwright.words import shown
from maskwright_gui.features.point.assistants import BUNDLED, FALLBACK
from maskwright_gui.panels.widgets import leave_focus, muted_label, named

if TYPE_CHECKING:
    from maskwright.inference.installed import Installed

_MARGIN_PX = 8
_OTHER, _FILE = "\0other", "\0file"
_SLOW_MS = 1000.0
_BUNDLED_CARD = "assist"
_TITLES = {BUNDLED: "Bundled network", FALLBACK: "GrabCut (no network)"}
AssistantNames = Callable[[], Sequence[str]]
"""Names of the installed assistants."""


class PointBar(QFrame):
    """Floats in the upper left corner of the canvas."""

    chosen = Signal(str)
    """Name or path of an assistant."""
    browse_requested = Signal()
    others_requested = Signal()

    def __init__(self, host: QWidget, installed: AssistantNames) -> None:
        super().__init__(host)
        self._installed = installed
        self.setObjectName("toolOptions")
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._list = named(QComboBox(self), "Assistant", tip="Assistant that outlines the object under the pointer")
        self._list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._list.activated.connect(self._on_activated)
        self._note = muted_label("", self, wraps=False)
        self._note.hide()
        self._current = BUNDLED
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 4, 4)
        row.setSpacing(8)
        row.addWidget(self._list)
        row.addWidget(self._note)
        leave_focus(self)
        host.installEventFilter(self)
        self.hide()

    @property
    def listed(self) -> list[str]:
        """The entries, as shown to the user."""
        return [self._list.itemText(row) for row in range(self._list.count())]

    @property
    def note(self) -> str:
        """The note about the chosen assistant."""
        return self._note.text()

    def show_for(self, current: str) -> None:
        """current: name or path of the chosen assistant."""
        self._current = current
        values = list(dict.fromkeys([BUNDLED, FALLBACK, *self._installed(), current]))
        with QSignalBlocker(self._list):
            self._list.clear()
            for value in values:
                self._list.addItem(title_of(value), value)
                self._list.setItemData(self._list.count() - 1, shown(value), Qt.ItemDataRole.ToolTipRole)
            self._list.addItem("Get others…", _OTHER)
            self._list.addItem("Open a network file…", _FILE)
            self._list.setCurrentIndex(values.index(current))
        self.show()
        self._place()

    def show_note(self, text: str) -> None:
        """Show that it is loading, how long it takes, or that it cannot be used."""
        if text != self._note.text():
            self._note.setText(text)
            self._note.setVisible(bool(text))
            self._place()

    def show_speed(self, press_ms: float) -> None:
        """Show how long a press takes, if that is slow."""
        seconds = f"about {press_ms / 1000:.0f} s per click" if press_ms >= _SLOW_MS else ""
        self.show_note(seconds)

    def _on_activated(self, row: int) -> None:
        value = str(self._list.itemData(row))
        with QSignalBlocker(self._list):  # after the choice has been made
            self._list.setCurrentIndex(max(self._list.findData(self._current), 0))
        if value == _OTHER:
            self.others_requested.emit()
        elif value == _FILE:
            self.browse_requested.emit()
        else:
            self.chosen.emit(value)

    def _place(self) -> None:
        self.adjustSize()
        self.move(_MARGIN_PX, _MARGIN_PX)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)


def title_of(assistant: str) -> str:
    """The title in the list: a name, or for a file its own and its folder's name."""
    path = Path(assistant)
    known = f"{path.stem} ({path.parent.name})" if path.suffix else assistant
    return shown(_TITLES.get(assistant, known), 40)


def installed_assistants() -> list[str]:
    """Installed networks that can outline what the user points at."""
    return [model.name for model in _installed()]


def name_of(chosen: str) -> str:
    """How an assistant is stored: bundled and installed ones by name, wherever their files are."""
    known = {str(model.path): model.name for model in _installed()}
    return BUNDLED if chosen == _BUNDLED_CARD else known.get(chosen, chosen)


def _installed() -> "list[Installed]":
    from maskwright.inference.installed import installed_models
    from maskwright.models.catalog import ASSISTANTS

    return [model for model in installed_models() if model.family in ASSISTANTS]
