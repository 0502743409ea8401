"""A project that is closed leaves nothing of itself on screen; nor does one that is gone."""

import shutil
from pathlib import Path

from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench


def test_a_closed_project_leaves_no_class_no_count_and_no_zoom(opened: Workbench) -> None:
    opened.classes.add("cell")
    opened.projects.close_project()
    states = opened.images.panel.findChild(QComboBox)
    assert opened.classes.panel._tree.items == []
    assert states.itemText(0) == "All images"
    assert not opened.window.status._zoom.isVisible()


def test_a_project_that_is_gone_is_told_once(opened: Workbench, qtbot: QtBot, folder: Path) -> None:
    opened.projects.close_project()
    place = folder / ".maskwright"
    shutil.rmtree(place)
    shutil.rmtree(folder)
    with qtbot.waitSignal(opened.projects.not_opened):
        opened.projects.open_path(place)
    (message,) = opened.window.toasts.messages
    assert message.action_text == "Remove from the list"


def test_hidden_objects_are_said_to_be_hidden(opened: Workbench) -> None:
    before = opened.window.status.hint
    opened.window.actions_table["toggle_objects"].trigger()
    assert opened.window.status.hint.startswith("Objects are hidden · T shows them")
    opened.window.actions_table["toggle_objects"].trigger()
    assert opened.window.status.hint == before
