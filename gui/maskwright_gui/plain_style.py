"""Fusion in which labels show their text as it is: names of files and classes are nobody's markup.

Qt takes a text that looks like HTML for HTML, and an <img> in it is loaded, from a share on the network, too. Every
label comes by here before its text is laid out: those of toasts, message boxes and tool tips. Where markup is meant,
the label says so (`setTextFormat`). Menus and dialogs come by, too, and get their letters.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QMessageBox, QProxyStyle, QWidget

from maskwright.plain_text import shown
from maskwright_gui.menu_letters import MenuLetters


class PlainStyle(QProxyStyle):
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
    """Not one of Qt for files or colours."""
    return type(dialog).__module__.startswith(__package__ or "")


def in_menu(name: str) -> str:
    """A name as the text of an action: "&" stands for itself."""
    return shown(name).replace("&", "&&")
