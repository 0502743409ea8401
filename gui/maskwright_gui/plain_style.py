"""The Fusion style, with labels as plain text: names of files and classes are never markup.

Qt interprets text that looks like HTML, and would load an <img> in it, even from a network share. This style sees every
label before its text is laid out: those of toasts, message boxes and tooltips. A label that is meant to have markup
says so by `setTextFormat`. It also sees menus and dialogs, which get their letters here.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QMessageBox, QProxyStyle, QWidget

from maskwright.words import shown
from maskwright_gui.menu_letters import MenuLetters


class PlainStyle(QProxyStyle):
    """Fusion without markup in labels; see the module docstring."""

    def __init__(self) -> None:
        super().__init__("fusion")
        self._letters = MenuLetters(self)

    def polish(self, polished: QWidget | QApplication | QPalette) -> None:  # type: ignore[override]  # three in Qt
        super().polish(polished)
        if isinstance(polished, QLabel) and polished.textFormat() == Qt.TextFormat.AutoText:
            polished.setTextFormat(Qt.TextFormat.PlainText)
        if isinstance(polished, QMenu):
            self._letters.watch(polished)
        if isinstance(polished, QMessageBox) or (isinstance(polished, QDialog) and _is_ours(polished)):
            self._letters.watch_dialog(polished)


def _is_ours(dialog: QDialog) -> bool:
    """Not one of Qt's own dialogs for files or colours."""
    return type(dialog).__module__.startswith(__package__ or "")


def in_menu(name: str) -> str:
    """A name as the text of an action, with "&" doubled."""
    return shown(name).replace("&", "&&")
