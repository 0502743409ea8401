"""The history panel: every step on the image with a picture of what it changed; a click goes to that moment."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from maskwright.words import count_of
from maskwright_gui.history import Step
from maskwright_gui.panels.step_pictures import PICTURE
from maskwright_gui.panels.widgets import Inviting, named

_COUNT = Qt.ItemDataRole.UserRole
MOST_SHOWN = 100
"""Steps: what lies further back is in the list with times."""


class StepsPanel(QWidget):
    """The latest step is on top; what was undone stands above the marked one, dimmed."""

    wanted = Signal(int)
    """So many steps are to be done, from the first on."""
    all_requested = Signal()
    """The list with times, back to the first day."""
    today_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = named(QListWidget(self), "Steps on this image")
        self._list.setIconSize(PICTURE)
        self._list.setSpacing(1)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.itemClicked.connect(self._on_clicked)
        self._list.itemActivated.connect(self._on_clicked)
        self._stack = Inviting(self._list, "What you do on this image is listed here; a click goes back to it.", self)
        everything = named(QPushButton("With times…", self), "All steps with times")
        everything.clicked.connect(self.all_requested)
        today = named(QPushButton("Today…", self), "What changed today")
        today.clicked.connect(self.today_requested)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 6)
        row.addWidget(everything)
        row.addWidget(today)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._stack, 1)
        column.addLayout(row)

    def show_steps(self, done: Sequence[Step], undone: Sequence[Step], picture: Callable[[Step], QPixmap]) -> None:
        """done: oldest first. undone: the one that redo brings back last."""
        self._list.clear()
        steps = [*done, *reversed(undone)]
        for count in range(len(steps), max(len(steps) - MOST_SHOWN, 0), -1):
            step = steps[count - 1]
            item = self._add(
                f"{step.label}\n{count_of(len(step.change), 'object')}", count, is_undone=count > len(done)
            )
            item.setIcon(QIcon(picture(step)))
        if len(steps) <= MOST_SHOWN:
            self._add("As it was first", 0, is_undone=False)
        for row in range(self._list.count()):
            if self._list.item(row).data(_COUNT) == len(done):
                self._list.setCurrentRow(row)
        self._stack.show_content(bool(steps))

    @property
    def texts(self) -> list[str]:
        """What the rows say, from top to bottom."""
        return [self._list.item(row).text() for row in range(self._list.count())]

    def choose(self, row: int) -> None:
        """As if it had been clicked."""
        self._on_clicked(self._list.item(row))

    def _add(self, text: str, count: int, *, is_undone: bool) -> QListWidgetItem:
        item = QListWidgetItem(text, self._list)
        item.setData(_COUNT, count)
        item.setSizeHint(QSize(0, PICTURE.height() + 6 if count else 28))
        if is_undone:
            item.setForeground(self.palette().placeholderText())
            item.setToolTip("Undone; a click does it again")
        return item

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self.wanted.emit(item.data(_COUNT))
