"""A step of the tour, at the lower edge of the canvas; it takes neither the keys nor the place where one works."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright_gui.panels.widgets import leave_focus, muted_label, named

WIDTH_PX, MARGIN_PX = 460, 16


class TourCard(QFrame):
    ended = Signal()
    skipped = Signal()
    """Only this step."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.setObjectName("startCard")
        self.setAccessibleName("Tour")
        self._host = host
        self._count = muted_label("", self, wraps=False)
        self._title = QLabel(self)
        self._title.setProperty("strong", True)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._skip = named(QPushButton("Skip this step", self), "Skip this step of the tour")
        self._skip.clicked.connect(self.skipped)
        self._end = named(QPushButton("End the tour", self), "End the tour")
        self._end.clicked.connect(self.ended)
        row = QHBoxLayout()
        row.addWidget(self._count, 1)
        row.addWidget(self._skip)
        row.addWidget(self._end)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(6)
        for widget in (self._title, self._text):
            column.addWidget(widget)
        column.addLayout(row)
        leave_focus(self)
        host.installEventFilter(self)

    def show_step(self, number: int, total: int, title: str, text: str) -> None:
        """`number` from 1; one above `total`: the end."""
        is_last = number > total
        self._count.setText("" if is_last else f"Step {number} of {total}")
        self._title.setText(title)
        self._text.setText(text)
        self._skip.setVisible(not is_last)
        self._end.setText("Finish" if is_last else "End the tour")
        self._place()
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.setFixedWidth(min(WIDTH_PX, max(280, self._host.width() - 2 * MARGIN_PX)))
        self.adjustSize()
        left = (self._host.width() - self.width()) // 2
        self.move(max(left, 0), max(self._host.height() - self.height() - MARGIN_PX, 0))
