"""Menus are used by letters: from the bar, and those of rows."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)


@pytest.fixture
def menu(opened: Workbench, qtbot: QtBot) -> QMenu:
    menu = QMenu(opened.window)
    for text in ("Show", "Delete…", "Save as", "Dis&card"):
        menu.addAction(text)
    menu.addAction("Remove").setEnabled(False)
    menu.popup(opened.window.mapToGlobal(opened.window.rect().center()))
    qtbot.waitExposed(menu)
    return menu


def test_a_letter_that_one_row_begins_with_does_it(menu: QMenu, qtbot: QtBot) -> None:
    with qtbot.waitSignal(menu.actions()[1].triggered):
        qtbot.keyClick(menu, Qt.Key.Key_D)
    assert not menu.isVisible()


def test_of_several_rows_a_letter_goes_to_the_next(opened: Workbench, qtbot: QtBot) -> None:
    menu = QMenu(opened.window)
    rows = [menu.addAction(text) for text in ("S", "S", "S")]  # one has it, and the others have no other
    menu.popup(opened.window.mapToGlobal(opened.window.rect().center()))
    qtbot.waitExposed(menu)
    for row in (*rows, rows[0]):
        qtbot.keyClick(menu, Qt.Key.Key_S)
        assert menu.activeAction() is row
    assert menu.isVisible()


def test_a_letter_of_its_own_counts_before_the_first(menu: QMenu, qtbot: QtBot) -> None:
    with qtbot.waitSignal(menu.actions()[3].triggered):
        qtbot.keyClick(menu, Qt.Key.Key_C)


def test_what_cannot_be_chosen_is_passed_over(menu: QMenu, qtbot: QtBot) -> None:
    qtbot.keyClick(menu, Qt.Key.Key_R)
    assert menu.isVisible()
    assert menu.activeAction() is None
