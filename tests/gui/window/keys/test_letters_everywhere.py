"""Each menu and each dialog can be used by letters, and none means two things."""

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.export import ExportDialog
from maskwright_gui.menu_letters import with_letters

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
MOST = 20
"""Rows that get a letter in a long menu, whose words do not have all 26."""


def letter(text: str) -> str:
    return text.replace("&&", "").partition("&")[2][:1].casefold()


def letters_of(menu: QMenu) -> list[str]:
    menu.ensurePolished()
    menu.aboutToShow.emit()
    return [letter(row.text()) for row in menu.actions() if row.isVisible() and not row.isSeparator()]


def all_menus(bench: Workbench) -> list[QMenu]:
    bar = bench.window.header.menus
    return [found for action in bar.actions() if isinstance(found := action.menu(), QMenu)]


def test_rows_prefer_their_first_letter_then_that_of_another_word() -> None:
    assert with_letters(["Save", "Save as", "Show all", "Sa"]) == ["&Save", "Save &as", "S&how all", "Sa"]


def test_a_letter_that_is_given_stays_unless_another_row_has_it() -> None:
    assert with_letters(["Copy", "&Cut", "&Clear", "R&&D"]) == ["C&opy", "&Cut", "C&lear", "&R&&D"]


def test_a_key_behind_a_tab_is_no_letter() -> None:
    assert with_letters(["Up\tCtrl+Up", "U\tX"]) == ["&Up\tCtrl+Up", "U\tX"]


def test_each_row_of_each_menu_of_the_bar_has_a_letter_of_its_own(opened: Workbench) -> None:
    menus = all_menus(opened)
    assert len(menus) > 6
    bar = Counter(letter(action.text()) for action in opened.window.header.menus.actions())
    assert "" not in bar
    assert max(bar.values()) == 1
    for menu in menus:
        found = letters_of(menu)
        counted = Counter(each for each in found if each)
        assert max(counted.values()) == 1, menu.title()
        assert len(counted) >= min(len(found), MOST), menu.title()


def test_an_action_in_two_menus_has_a_letter_that_is_free_in_each(opened: Workbench) -> None:
    shared = opened.window.actions_table["fit"]
    others = [QAction(text, opened.window) for text in ("First", "Ivy", "Tall")]
    one, two = QMenu(opened.window), QMenu(opened.window)
    one.addActions([*others, shared])
    two.addActions([shared])
    for menu in (one, two, one):
        assert max(Counter(letters_of(menu)).values()) == 1
    assert letters_of(two) == ["f"]
    assert opened.window.actions_table.specs["fit"].text == "Fit image"


def test_the_export_dialog_is_answered_by_alt_and_a_letter(opened: Workbench, qtbot: QtBot) -> None:
    opened.window.actions_table["export"].trigger()
    (dialog,) = opened.window.findChildren(ExportDialog)
    qtbot.waitExposed(dialog)
    found = control_letters(dialog)
    assert max(Counter(found).values()) == 1
    assert len(found) >= 3
    cancel = next(each for each in dialog.findChildren(QAbstractButton) if each.text().replace("&", "") == "Cancel")
    qtbot.keyClick(dialog, getattr(Qt.Key, f"Key_{letter(cancel.text()).upper()}"), Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: not dialog.isVisible())


def test_a_question_has_letters_also_for_buttons_with_words_of_their_own(opened: Workbench, qtbot: QtBot) -> None:
    box = QMessageBox(QMessageBox.Icon.Question, "Delete", "Delete it?", parent=opened.window)
    box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton("Delete with objects", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.open()
    qtbot.waitExposed(box)
    assert sorted(control_letters(box)) == ["c", "d", "w"]
    box.close()


def control_letters(dialog: QDialog) -> list[str]:
    QApplication.processEvents()
    buttons = [each for each in dialog.findChildren(QAbstractButton) if each.isVisibleTo(dialog)]
    return [found for each in buttons if (found := letter(each.text()))]
