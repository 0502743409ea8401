"""A small window for one quick choice by typing: it goes when the user looks elsewhere.

Not a Qt popup: while one is open, the main window's shortcuts still get the keys that are typed into it.
"""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QDialog, QWidget


class QuickDialog(QDialog):
    """A field to type in over a list that gets shorter; Enter takes the marked row."""

    def __init__(self, size: QSize, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("popup", True)
        self.setFixedSize(size)

    def pop_up(self) -> None:
        """Show it and take the keys."""
        self.show()
        self.activateWindow()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self.close()
        return super().event(event)
