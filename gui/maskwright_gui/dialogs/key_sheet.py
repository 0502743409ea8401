"""All keys on one page, built from the actions, and what the mouse does."""

import html
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.keymap import with_keys
from maskwright_gui.panels.widgets import named

SIZE = QSize(1400, 780)
COLUMNS = 4
KEYS_PX = 120
KeyRows = list[tuple[str, str]]
"""(keys, what they do)"""
MOUSE: KeyRows = [
    ("Wheel, Ctrl + wheel", "Zoom at the pointer"),
    ("Middle button, or Space and drag", "Pan"),
    ("Click again", "The object below"),
    ("Shift + click", "Add to or remove from the selection"),
    ("Drag on nothing", "Box: to the right selects what is inside, to the left what it touches"),
    ("Ctrl + drag", "Lasso; on a vertex: no snapping"),
    ("Drag an edge's middle", "A new vertex"),
    ("Alt + click", "Insert or delete a vertex"),
    ("Alt + drag", "Erase vertices (also Ctrl + Shift)"),
    ("Right button", "Cancel the drag, remove the last point"),
]
CANVAS_KEYS: KeyRows = [
    ("{,} and {.}", "Go through the vertices; arrows then move one"),
    ("Arrows", "Nudge the selection (Shift: 10 px); without one, move the pointer"),
    ("Ctrl + arrows", "Always move the pointer: small steps, with Shift large ones"),
    ("{Insert}", "Click at the pointer (Shift, Ctrl, Alt as with the mouse)"),
    ("{Home}", "Hold the button down, arrows drag; again: release"),
    ("Backspace", "Delete the vertex, or the last point"),
    ("{[} and {]}", "Brush size, outline detail"),
    ("{toggle_hidden}, nothing selected", "Show everything hidden"),
    ("A tool's key, held", "Use it for one stroke, then go back to the previous tool"),
    ("Esc", "Cancel; again: back to Select and edit"),
]
_CLASS = "Class "
_LONG = 16
"""Keys longer than this many letters wrap."""


class KeySheet(QDialog):
    """All current keys, grouped by purpose."""

    def __init__(
        self, rows: Sequence[tuple[str, str, Sequence[QKeySequence]]], shown_keys: Mapping[str, str], parent: QWidget
    ) -> None:
        """rows: (menu, text of the action, its keys). shown_keys: {action or tool key: as shown to the user}."""
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(SIZE.boundedTo(parent.screen().availableSize() * 0.9))
        page = QWidget(self)
        row = QHBoxLayout(page)
        row.setSpacing(24)
        for column in _balanced(sections_of(rows, shown_keys), COLUMNS):
            row.addLayout(_column(column, page), 1)
        scroll = named(QScrollArea(self, widgetResizable=True), "Keys")
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        layout.addWidget(buttons)


def sections_of(
    rows: Sequence[tuple[str, str, Sequence[QKeySequence]]], shown_keys: Mapping[str, str]
) -> dict[str, KeyRows]:
    """The actions with keys by menu, the nine classes as one row, then mouse and tool keys."""
    sections: dict[str, KeyRows] = {}
    classes = [(text, keys) for _, text, keys in rows if text.startswith(_CLASS) and keys]
    for menu, text, keys in rows:
        if keys and not text.startswith(_CLASS):
            sections.setdefault(menu, []).append((keys_text(keys), text.rstrip("…")))
    if classes:
        ends = f"{keys_text(classes[0][1])} … {keys_text(classes[-1][1])}"
        sections.setdefault("Edit", []).append((ends, "Class of the selection or of the next object"))
    canvas = [(with_keys(keys, shown_keys), text) for keys, text in CANVAS_KEYS]
    return sections | {"Mouse": MOUSE, "On the canvas": canvas}


def keys_text(keys: Sequence[QKeySequence]) -> str:
    """All keys of one action; Return and Enter are not told apart."""
    names = (key.toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter") for key in keys)
    return ", ".join(dict.fromkeys(names))


def _breakable(keys: str) -> str:
    """Allow line breaks in a long key such as "Ctrl+Shift+Backspace"."""
    return ", ".join(key.replace("+", "+\u200b") if len(key) > _LONG else key for key in keys.split(", "))


def _balanced(sections: dict[str, KeyRows], count: int) -> list[list[tuple[str, KeyRows]]]:
    """The sections in `count` columns, each next one put in the shortest column."""
    columns: list[list[tuple[str, KeyRows]]] = [[] for _ in range(count)]
    for section in sorted(sections.items(), key=lambda pair: -_lines(pair[1])):
        min(columns, key=lambda column: sum(_lines(rows) for _, rows in column)).append(section)
    return columns


def _lines(rows: KeyRows) -> int:
    """Roughly how many lines of text a section takes, with its heading and the gap below."""
    return 2 + sum(max(-(-len(keys) // 18), -(-len(text) // 20)) for keys, text in rows)


def _column(sections: list[tuple[str, KeyRows]], parent: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(0)
    for title, rows in sections:
        heading = QLabel(f"<b>{html.escape(title)}</b>", parent, textFormat=Qt.TextFormat.RichText)
        heading.setContentsMargins(0, 0, 0, 4)
        column.addWidget(heading)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 16)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for place, (keys, text) in enumerate(rows):
            label = QLabel(_breakable(keys), parent, wordWrap=True)
            label.setFixedWidth(KEYS_PX)
            what = QLabel(text, parent, wordWrap=True)
            what.setProperty("muted", True)
            grid.addWidget(label, place, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(what, place, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(grid)
    column.addStretch(1)
    return column
