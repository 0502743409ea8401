"""All keys on one page (F1), read from the action table."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
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

COLUMNS = 3
MOUSE = (
    ("Ctrl + wheel", "Zoom at the pointer"),
    ("Middle button, or Space and drag", "Pan"),
    ("1 … 9", "Give the class to the selection"),
    ("Shift + click", "Add to the selection"),
    ("Alt + click, Alt + drag", "Insert or delete a vertex, erase many"),
    (", and .", "Walk the vertices; arrows then move one"),
    ("Arrows, Insert", "Pointer and click without a mouse"),
    ("[ and ]", "Size of the brush, detail of an outline"),
)


class KeySheet(QDialog):
    def __init__(self, rows: Sequence[tuple[str, str, Sequence[QKeySequence]]], parent: QWidget) -> None:
        """`rows`: (menu title, text of the action, its keys)."""
        super().__init__(parent)
        self.setWindowTitle("Keyboard sheet")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1000, 640)
        sections: dict[str, list[tuple[str, str]]] = {}
        for menu, text, keys in rows:
            if keys:
                sections.setdefault(menu, []).append((keys_text(keys), text.rstrip("…")))
        sections["Mouse"] = list(MOUSE)
        page = QWidget(self)
        row = QHBoxLayout(page)
        row.setSpacing(24)
        for column in _balanced(sections, COLUMNS):
            row.addLayout(_column(column, page), 1)
        scroll = QScrollArea(self, widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        layout.addWidget(buttons)


def keys_text(keys: Sequence[QKeySequence]) -> str:
    """All keys of one action; Return and the keypad's Enter are one to a person."""
    names = (key.toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter") for key in keys)
    return ", ".join(dict.fromkeys(names))


def _balanced(sections: dict[str, list[tuple[str, str]]], count: int) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """The sections in `count` columns, each next one where there is most room."""
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[] for _ in range(count)]
    for section in sorted(sections.items(), key=lambda pair: -len(pair[1])):
        min(columns, key=lambda column: sum(len(rows) + 2 for _, rows in column)).append(section)
    return columns


def _column(sections: list[tuple[str, list[tuple[str, str]]]], parent: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    for title, rows in sections:
        heading = QLabel(f"<b>{title}</b>", parent)
        heading.setContentsMargins(0, 8, 0, 2)
        column.addWidget(heading)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for place, (keys, text) in enumerate(rows):
            label = QLabel(keys, parent, wordWrap=True)
            label.setFixedWidth(130)
            what = QLabel(text, parent, wordWrap=True)
            what.setProperty("muted", True)
            grid.addWidget(label, place, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(what, place, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(grid)
    column.addStretch(1)
    return column
