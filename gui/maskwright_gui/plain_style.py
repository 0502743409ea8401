"""Fusion in which labels show their text as it is: names of files and classes are nobody's markup.

Qt takes a text that looks like HTML for HTML, and an <img> in it is loaded, from a share on the network, too. Every
label comes by here before its text is laid out: those of toasts, message boxes and tool tips. Where markup is meant,
the label says so (`setTextFormat`). Menus come by, too, and get their letters: a letter goes to the row that begins
with it, and does it where there is only one such row.
"""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QProxyStyle, QWidget

from maskwright.plain_text import shown


class MenuLetters(QObject):
    """Watches menus; a menu whose rows have letters of their own (with "&") goes by those."""

    def watch(self, menu: QMenu) -> None:
        """Once is enough: watching it again changes nothing."""
        menu.removeEventFilter(self)
        menu.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(watched, QMenu) or event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        letter = event.text().casefold()
        if held or not letter.isalnum():
            return False
        fitting = [action for action in watched.actions() if _can_be_chosen(action) and _letter_of(action) == letter]
        if not fitting:
            return False
        active = watched.activeAction()
        following = fitting[(fitting.index(active) + 1) % len(fitting)] if active in fitting else fitting[0]
        watched.setActiveAction(following)  # a row with a menu of its own opens it
        if len(fitting) == 1 and following.menu() is None:
            _close_all(watched)
            following.trigger()
        return True


def _can_be_chosen(action: QAction) -> bool:
    return action.isVisible() and action.isEnabled() and not action.isSeparator()


def _letter_of(action: QAction) -> str:
    """What follows its "&", else its first letter or digit."""
    text = action.text().replace("&&", " ")
    marked = text.partition("&")[2][:1]
    return (marked or next((sign for sign in text if sign.isalnum()), "")).casefold()


def _close_all(menu: QMenu) -> None:
    """Also the menus that it came out of."""
    parent: QObject | None = menu
    while isinstance(parent, QMenu):
        parent.close()
        parent = parent.parent()


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


def in_menu(name: str) -> str:
    """A name as the text of an action: "&" stands for itself."""
    return shown(name).replace("&", "&&")
