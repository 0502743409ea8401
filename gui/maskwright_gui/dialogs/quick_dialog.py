"""A small window for choosing by typing; it closes when it loses the focus.

Not a Qt popup: while a popup is open, the main window's shortcuts still receive the keys typed into it.
"""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QDialog, QWidget


class QuickDialog(QDialog):
    """A text field over a list that is filtered while typing; Enter takes the marked row."""

    def __init__(self, size: QSize, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("popup", True)
        self.setFixedSize(size)

    def pop_up(self) -> None:
        """Show the window and give it the keyboard focus."""
        self.show()
        self.activateWindow()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self.close()
        return super().event(event)
