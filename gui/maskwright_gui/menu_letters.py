"""Mnemonics: gives each row of a menu and each control of a dialog its own underlined letter.

Letters are assigned whenever a menu or dialog appears, so that they are unique among its current contents. In an open
menu the letter triggers the row; in a dialog, Alt and the letter. A row without a letter, because all of its own are
taken, is reached by its first letter.
"""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QMenu, QTabBar


class MenuLetters(QObject):
    """Assigns letters in menus and dialogs."""

    def watch(self, menu: QMenu) -> None:
        """Watch a menu; watching it again changes nothing."""
        if menu.property(_WATCHED):
            return
        menu.setProperty(_WATCHED, True)
        menu.installEventFilter(self)
        menu.aboutToShow.connect(partial(_letter_rows, menu))

    def watch_dialog(self, dialog: QDialog) -> None:
        """Watch a dialog of the program; Qt's own dialogs have letters."""
        dialog.removeEventFilter(self)
        dialog.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.Show, QEvent.Type.LayoutRequest) and isinstance(watched, QDialog):
            _letter_controls(watched)
        if kind == QEvent.Type.KeyPress and isinstance(watched, QMenu) and isinstance(event, QKeyEvent):
            return _press(watched, event)
        return False


_WATCHED = "maskwright.letters"


def with_letters(texts: Sequence[str]) -> list[str]:
    """The texts with "&" before a letter that is unique among them.

    A text keeps its own letter unless that is taken. Otherwise the first letter is preferred, then that of another
    word, then any. Text behind a tab is a key and gets none.
    """
    plain = [text.partition("\t") for text in texts]
    places: list[int | None] = [None] * len(texts)
    taken: set[str] = set()
    for row, (text, _, _) in enumerate(plain):
        letter = _marked(text)
        if letter and letter not in taken:
            taken.add(letter)
            places[row] = -1
    for choices in (_first, _of_words, _all):
        for row, (text, _, _) in enumerate(plain):
            if places[row] is None:
                places[row] = next((at for at in choices(_bare(text)) if _bare(text)[at].casefold() not in taken), None)
                if (at := places[row]) is not None:
                    taken.add(_bare(text)[at].casefold())
    return [_with_mark(text, at) + tab + key for (text, tab, key), at in zip(plain, places, strict=True)]


_TWO = "\0"
"""Stands for "&&", a literal ampersand."""


def bare(text: str) -> str:
    """The text as shown, without the mark of a letter."""
    return _bare(text).replace(_TWO, "&")


def _bare(text: str) -> str:
    return text.replace("&&", _TWO).replace("&", "")


def _with_mark(text: str, at: int | None) -> str:
    """The text with the mark at a position; -1: it has one already."""
    if at == -1:
        return text
    bare = _bare(text)
    return (bare if at is None else f"{bare[:at]}&{bare[at:]}").replace(_TWO, "&&")


def _marked(text: str) -> str:
    return text.replace("&&", _TWO).partition("&")[2][:1].casefold()


def _can_be_typed(sign: str) -> bool:
    """Whether every keyboard has the letter: class names may be in any script."""
    return sign.isascii() and sign.isalnum()


def _all(text: str) -> list[int]:
    return [at for at, sign in enumerate(text) if _can_be_typed(sign)]


def _of_words(text: str) -> list[int]:
    return [at for at in _all(text) if at == 0 or not text[at - 1].isalnum()]


def _first(text: str) -> list[int]:
    return _all(text)[:1]


def _letter_rows(menu: QMenu) -> None:
    rows = [action for action in menu.actions() if action.isVisible() and not action.isSeparator() and action.text()]
    _give(rows)


def _letter_controls(dialog: QDialog) -> None:
    """Give letters to visible buttons, switches, tabs and field titles. If all have theirs, the layout stays
    untouched.
    """
    buttons = [
        button
        for button in dialog.findChildren(QAbstractButton)
        if button.isVisibleTo(dialog) and _has_letters(button.text()) and button.window() is dialog
    ]
    tabs = [bar for bar in dialog.findChildren(QTabBar) if bar.isVisibleTo(dialog)]
    pages = [(bar, at) for bar in tabs for at in range(bar.count())]
    titles = [label for label in dialog.findChildren(QLabel) if _leads_to_field(label) and label.isVisibleTo(dialog)]
    named: list[QAbstractButton | QLabel] = [*buttons, *titles]
    known = [each.text() for each in named] + [bar.tabText(at) for bar, at in pages]
    setters: list[Callable[[str], None]] = [each.setText for each in named]
    setters += [partial(bar.setTabText, at) for bar, at in pages]
    for give, text, lettered in zip(setters, known, with_letters(known), strict=True):
        if text != lettered:
            give(lettered)


def _leads_to_field(label: QLabel) -> bool:
    """And not to a text that stands beside it, where a letter would do nothing."""
    field = label.buddy()
    return field is not None and field.focusPolicy() != Qt.FocusPolicy.NoFocus


def _has_letters(text: str) -> bool:
    return any(map(_can_be_typed, text))


def _give(rows: Sequence[QAction]) -> None:
    """Give letters to a menu's rows; the same action gets other letters in other menus."""
    for action, text in zip(rows, with_letters([_unmarked(action) for action in rows]), strict=True):
        if action.text() != text:
            action.setText(text)


_OWN = "maskwright.own_letter"


def _unmarked(action: QAction) -> str:
    """The text with its original letter, not one given to it in another menu."""
    own = action.property(_OWN)
    text = action.text()
    if own is None or _bare(str(own)) != _bare(text):  # first seen, or its text has changed since
        own = text
        action.setProperty(_OWN, text)
    return str(own)


def _press(menu: QMenu, event: QKeyEvent) -> bool:
    """In an open menu, go to the row of the letter, and trigger it if it is the only one."""
    held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    letter = event.text().casefold()
    if held or not letter.isalnum():
        return False
    fitting = [action for action in menu.actions() if _can_be_chosen(action) and _letter_of(action) == letter]
    if not fitting:
        return False
    active = menu.activeAction()
    following = fitting[(fitting.index(active) + 1) % len(fitting)] if active in fitting else fitting[0]
    menu.setActiveAction(following)  # a row with a submenu opens it
    if len(fitting) == 1 and following.menu() is None:
        _close_all(menu)
        following.trigger()
    return True


def _can_be_chosen(action: QAction) -> bool:
    return action.isVisible() and action.isEnabled() and not action.isSeparator()


def _letter_of(action: QAction) -> str:
    """The letter after "&", else the first letter or digit."""
    text = action.text().replace("&&", " ")
    return _marked(text) or next((sign for sign in text if sign.isalnum()), "").casefold()


def _close_all(menu: QMenu) -> None:
    """Close the menu and those it was opened from."""
    parent: QObject | None = menu
    while isinstance(parent, QMenu):
        parent.close()
        parent = parent.parent()
