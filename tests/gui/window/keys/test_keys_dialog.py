from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench
from maskwright_gui.canvas.events import ToolKeys
from maskwright_gui.dialogs.key_sheet import sections_of
from maskwright_gui.dialogs.keys import KeysDialog


def opened_dialog(bench: Workbench) -> KeysDialog:
    bench.help.open_keys()
    (dialog,) = bench.window.findChildren(KeysDialog)
    return dialog


def test_a_preset_takes_effect_and_is_remembered(bench: Workbench) -> None:
    dialog = opened_dialog(bench)
    dialog.presets.setCurrentText("CVAT")
    dialog.accepted_keys.emit(dialog.preset, {})
    assert bench.window.actions_table["next_image"].shortcut() == QKeySequence("F")
    assert bench.settings.value("keys/preset") == "CVAT"


def test_a_taken_key_is_warned_about_and_moves_when_assigned(bench: Workbench) -> None:
    dialog = opened_dialog(bench)
    dialog.select("merge")
    dialog.edit.setKeySequence(QKeySequence("F"))
    assert "Fit image" in dialog.warning.text()
    dialog.assign.click()
    assert dialog.keys["merge"] == ("F",)
    assert "F" not in dialog.keys["fit"]
    dialog.restore.click()
    assert "M" in dialog.keys["merge"]


def test_a_key_of_the_tools_is_warned_about_and_can_be_given_away(bench: Workbench) -> None:
    dialog = opened_dialog(bench)
    dialog.select("merge")
    dialog.edit.setKeySequence(QKeySequence("["))
    assert "brush" in dialog.warning.text()
    dialog.assign.click()
    assert dialog.keys["less"] == ()


def test_the_pointer_keys_can_be_others(bench: Workbench) -> None:
    dialog = opened_dialog(bench)
    dialog.select("pointer_click")
    dialog.edit.setKeySequence(QKeySequence("F"))
    assert "Fit image" in dialog.warning.text()
    dialog.assign.click()
    dialog.accepted_keys.emit(dialog.preset, {"pointer_click": ("F",), "fit": ()})
    assert bench.window.canvas.shown_keys["Insert"] == "F"
    assert bench.window.actions_table["fit"].shortcut().isEmpty()


def test_a_pointer_key_has_no_modifiers(bench: Workbench) -> None:
    dialog = opened_dialog(bench)
    dialog.select("pointer_hold")
    dialog.edit.setKeySequence(QKeySequence("Ctrl+J"))
    assert "without Ctrl" in dialog.warning.text()
    assert not dialog.assign.isEnabled()


def test_the_key_sheet_shows_the_keys_in_force() -> None:
    shown = ToolKeys({"pointer_click": ("F8",)}).shown
    assert ("F8", "Click at the pointer (Shift, Ctrl, Alt as with the mouse)") in sections_of([], shown)[
        "On the canvas"
    ]


def test_escape_leaves_the_dialog_from_the_key_field_too(qtbot: QtBot, bench: Workbench) -> None:
    dialog = opened_dialog(bench)
    with qtbot.waitSignal(dialog.rejected):
        QTest.keyClick(dialog.edit, Qt.Key.Key_Escape)


def test_damaged_settings_fall_back_to_our_own_keys(bench: Workbench) -> None:
    bench.settings.setValue("keys/preset", "nonsense")
    bench.settings.setValue("keys/own", "[1, 2")
    bench.help.restore_keys()
    assert bench.window.actions_table["fit"].shortcut() == QKeySequence("F")


def test_texts_name_the_keys_in_force(bench: Workbench) -> None:
    bench.help.use_keys("CVAT", {"accept_above": ("F4",), "toggle_locked": ()})
    tips = {button.toolTip() for button in bench.thresholds.strip.findChildren(QPushButton)}
    assert "Accept all proposals of this image that score 0.50 or more (F4)" in tips
    canvas = bench.window.canvas
    assert (canvas.shown_keys["class_1"], canvas.shown_keys["toggle_locked"]) == ("Ctrl+1", "“Lock or unlock”")


def test_no_text_of_the_window_holds_a_key_in_braces(bench: Workbench) -> None:
    widgets = bench.window.findChildren(QWidget)
    texts = [widget.toolTip() for widget in widgets] + [label.text() for label in bench.window.findChildren(QLabel)]
    assert [text for text in (*texts, bench.window.canvas.hint) if "{" in text] == []


def test_tool_tips_name_the_key_in_force(bench: Workbench) -> None:
    bench.help.use_keys("ISAT", {})
    assert "(C)" in bench.window.actions_table["tool_polygon"].toolTip()
