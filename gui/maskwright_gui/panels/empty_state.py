"""Shown in the middle of the window without a project: an invitation to drop a folder."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.recent_projects import RecentProject
from maskwright_gui.theme import DARK, themed_icon

MOST_RECENT = 5
RECENT_PX = 380
"""Width of a path shown beside its project's name."""


class EmptyState(QWidget):
    """Three ways to begin; the window handles dropping."""

    folder_requested = Signal()
    samples_requested = Signal()
    model_requested = Signal()
    recent_requested = Signal(str)
    """Path of a project."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("emptyState")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._is_hovered = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("No project is open")
        self._open = self._button("Open a folder…", self.folder_requested)
        self._open.setProperty("primary", True)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(1)
        icon = QLabel(self)
        icon.setPixmap(themed_icon("image", DARK).pixmap(QSize(56, 56)))
        column.addWidget(icon, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._title("Drop a folder of images here"), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._explanation(), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self._buttons())
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column.addLayout(self._recent)
        column.addStretch(1)

    def show_keys(self, with_keys: WithKeys) -> None:
        """Show the current keys in the button texts."""
        self._open.setToolTip(with_keys("{open_folder}"))

    def set_recent(self, listed: Sequence[RecentProject]) -> None:
        """List recent projects, the latest first."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for known in listed[:MOST_RECENT]:
            button = named(QPushButton(self), f"Continue with {known.name}", tip=known.path)
            room = button.fontMetrics()
            where = room.elidedText(known.path, Qt.TextElideMode.ElideMiddle, RECENT_PX)
            button.setText(f"{known.name}   {where}".replace("&", "&&"))
            button.setProperty("recent", True)
            button.clicked.connect(partial(self._on_recent, known.path))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
            button.show()
        self.update()

    def _on_recent(self, path: str, _is_checked: bool = False) -> None:
        self.recent_requested.emit(path)

    def set_drop_hover(self, is_hovered: bool) -> None:
        """Highlight the frame while something that can be opened is dragged over the window."""
        self._is_hovered = is_hovered
        self.update()

    def _title(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("title", True)
        return label

    def _explanation(self) -> QLabel:
        text = "A model proposes outlines, you correct them and export a COCO file.\nYour images are never changed."
        return muted_label(text, self, is_centred=True, wraps=False)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self._open)
        row.addWidget(self._button("Open the samples", self.samples_requested, "Twelve synthetic micrographs to try"))
        row.addWidget(self._button("Get a model…", self.model_requested, "See available models and add your own"))
        row.addStretch(1)
        return row

    def _button(self, text: str, clicked: SignalInstance, tip: str = "") -> QPushButton:
        button = named(QPushButton(text, self), text, tip=tip)
        button.clicked.connect(clicked)
        return button

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(DARK.accent if self._is_hovered else "#6b7078")
        painter.setPen(QPen(colour, 2, Qt.PenStyle.DashLine))
        more = self._recent.sizeHint().height()
        width, height = min(self.width() - 48, 640), min(self.height() - 48, 340 + more)
        painter.drawRoundedRect((self.width() - width) // 2, (self.height() - height) // 2, width, height, 12, 12)
