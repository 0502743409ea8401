"""A letter in an open menu goes to the row that begins with it, and does it where there is only one such row."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QMenu


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
