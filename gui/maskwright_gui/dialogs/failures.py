"""Lists the images that failed and why; a double click opens the image."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskwright.words import shown, shown_lines
from maskwright_gui.panels.widgets import named
from maskwright_gui.workers.requests import Failure

_ID = Qt.ItemDataRole.UserRole


class FailuresDialog(QDialog):
    """Stays open during work; not modal."""

    image_chosen = Signal(object)
    retry_requested = Signal()

    def __init__(self, failures: Sequence[Failure], *, title: str, can_retry: bool, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 360)
        self._failures = tuple(failures)
        count = len(self._failures)
        summary = QLabel(
            f"{count} image" + (" was" if count == 1 else "s were") + " left out. All others were processed.", self
        )
        self._table = self._make_table()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = QPushButton("Copy list", self)
        copy.clicked.connect(self._on_copy)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        if can_retry:
            retry = QPushButton("Try again", self)
            retry.clicked.connect(self.retry_requested)
            retry.clicked.connect(self.close)
            buttons.addButton(retry, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(summary)
        column.addWidget(self._table, 1)
        column.addWidget(buttons)

    def _make_table(self) -> QTreeWidget:
        table = named(QTreeWidget(self), "Images that failed")
        table.setRootIsDecorated(False)
        table.setHeaderLabels(["Image", "Reason"])
        table.setAlternatingRowColors(True)
        table.setWordWrap(True)
        for failure in self._failures:
            item = QTreeWidgetItem([shown(failure.file_name), shown(failure.reason)])
            item.setData(0, _ID, failure.image_id)
            item.setToolTip(1, shown_lines(failure.reason))
            table.addTopLevelItem(item)
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        table.header().resizeSection(0, 220)
        table.itemActivated.connect(self._on_activated)
        return table

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        if (image_id := item.data(0, _ID)) is not None and image_id > 0:
            self.image_chosen.emit(image_id)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(f"{f.file_name}\t{f.reason}" for f in self._failures))
