"""A card over the first image of a new project: three ways to begin, each with a sentence and a button."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.theme import Theme, themed_icon

WIDTH_PX = 620
LEAST_PX, MARGIN_PX = 360, 16
_SPARE_PX = 8
"""Rows of a grid layout come out slightly lower than their contents."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to begin."""

    name: str
    icon: str
    title: str
    sentence: str
    button: str


class StartCard(QFrame):
    """A card in the middle of `host`; Esc or "Not now" closes it."""

    chosen = Signal(str)
    """Name of a way."""
    dismissed = Signal()

    def __init__(self, subtitle: str, ways: Sequence[Way], theme: Theme, host: QWidget) -> None:
        super().__init__(host)
        self.setObjectName("startCard")
        self.setAccessibleName("How do you want to begin?")
        self._host, self._ways = host, tuple(ways)
        self._icons: list[QLabel] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(6)
        title = QLabel("How do you want to begin?", self)
        title.setProperty("title", True)
        column.addWidget(title)
        column.addWidget(muted_label(subtitle, self))
        column.addSpacing(8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(18)
        grid.setColumnStretch(1, 1)
        self.buttons = [self._add_way(grid, row, way) for row, way in enumerate(self._ways)]
        column.addLayout(grid)
        column.addSpacing(8)
        column.addLayout(self._last_row())
        self.set_theme(theme)
        host.installEventFilter(self)
        self._place()

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        for label, way in zip(self._icons, self._ways, strict=True):
            label.setPixmap(themed_icon(way.icon, theme).pixmap(QSize(28, 28)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QPushButton):
                focused.click()
        else:
            super().keyPressEvent(event)

    def _add_way(self, grid: QGridLayout, row: int, way: Way) -> QPushButton:
        icon = QLabel(self)
        self._icons.append(icon)
        title = QLabel(way.title, self)
        title.setProperty("strong", True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(muted_label(way.sentence, self))
        button = named(QPushButton(way.button, self), f"{way.title}: {way.button}")
        button.setProperty("primary", row == 0)
        button.clicked.connect(lambda: self.chosen.emit(way.name))
        grid.addWidget(icon, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(words, row, 1)
        grid.addWidget(button, row, 2, Qt.AlignmentFlag.AlignVCenter)
        return button

    def _last_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(muted_label("You can also find all of this in the toolbar and the menus.", self), 1)
        later = named(QPushButton("Not now", self), "Not now")
        later.setProperty("flat", True)
        later.clicked.connect(self.dismissed)
        row.addWidget(later)
        return row

    def _place(self) -> None:
        """Centre the card, as wide as there is room for and as high as its texts need."""
        layout, width = self.layout(), min(WIDTH_PX, max(LEAST_PX, self._host.width() - 2 * MARGIN_PX))
        assert layout is not None
        layout.activate()
        width = max(width, layout.minimumSize().width())
        height = layout.heightForWidth(width) + _SPARE_PX
        self.setFixedSize(width, max(height, layout.minimumSize().height()))
        left, top = (self._host.width() - self.width()) // 2, (self._host.height() - self.height()) // 2
        self.move(max(left, 0), max(top, 0))
