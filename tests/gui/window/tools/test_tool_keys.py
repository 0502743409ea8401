"""A tool's key taps the tool for good and, held for a stroke, lends it; Escape leads back to selecting."""

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from maskwright_gui.actions import LENT
from maskwright_gui.app import Workbench
from maskwright_gui.features.tools.feature import HELD_MS, LentTool
from maskwright_gui.held_key import HeldKey

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton


@pytest.fixture
def opened(opened: Workbench) -> Workbench:
    opened.classes.add("cell")
    return opened


def release(qtbot: QtBot, bench: Workbench, key: Key, *, after_ms: int) -> None:
    """Take the finger from a key, and wait until that is told from repetition."""
    held = bench.window.findChild(LentTool).findChild(HeldKey)
    event = QKeyEvent(QEvent.Type.KeyRelease, key, Qt.KeyboardModifier.NoModifier)
    event.setTimestamp(after_ms)  # events of a test are pressed at 0
    with qtbot.waitSignal(held.let_go):
        QApplication.sendEvent(bench.window.canvas, event)


def place(bench: Workbench, x: float, y: float) -> QPoint:
    return QPointF(*bench.window.canvas.navigator.viewport.to_screen(x, y)).toPoint()


def stroke(qtbot: QtBot, bench: Workbench) -> None:
    canvas = bench.window.canvas
    qtbot.mousePress(canvas, LEFT, pos=place(bench, 10, 10))
    qtbot.mouseMove(canvas, place(bench, 30, 20))
    qtbot.mouseRelease(canvas, LEFT, pos=place(bench, 40, 30))


def test_a_tool_whose_key_is_held_for_a_stroke_is_lent(qtbot: QtBot, opened: Workbench) -> None:
    qtbot.keyPress(opened.window.canvas, Key.Key_R)
    assert opened.window.canvas.tool.name == "rectangle"
    stroke(qtbot, opened)
    release(qtbot, opened, Key.Key_R, after_ms=HELD_MS)
    assert opened.window.canvas.tool.name == "select"
    assert opened.window.actions_table["tool_select"].isChecked()
    assert len(opened.session.document) == 1


def test_a_tap_changes_the_tool_for_good(qtbot: QtBot, opened: Workbench) -> None:
    qtbot.keyPress(opened.window.canvas, Key.Key_R)
    release(qtbot, opened, Key.Key_R, after_ms=HELD_MS + 500)
    stroke(qtbot, opened)
    assert opened.window.canvas.tool.name == "rectangle"


def test_a_key_let_go_just_after_the_press_of_the_mouse_was_a_tap(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyPress(canvas, Key.Key_R)
    qtbot.mousePress(canvas, LEFT, pos=place(opened, 10, 10))
    release(qtbot, opened, Key.Key_R, after_ms=HELD_MS - 1)
    qtbot.mouseRelease(canvas, LEFT, pos=place(opened, 40, 30))
    assert canvas.tool.name == "rectangle"


def test_a_line_of_clicks_that_is_not_finished_keeps_its_tool(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyPress(canvas, Key.Key_P)
    for at in ((10, 10), (40, 10)):
        qtbot.mouseClick(canvas, LEFT, pos=place(opened, *at))
    release(qtbot, opened, Key.Key_P, after_ms=HELD_MS)
    assert (canvas.tool.name, canvas.tool.is_busy) == ("polygon", True)


def test_other_keys_meanwhile_do_not_keep_a_lent_tool(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyPress(canvas, Key.Key_B)
    stroke(qtbot, opened)
    qtbot.keyClick(canvas, Key.Key_BracketRight)
    release(qtbot, opened, Key.Key_B, after_ms=HELD_MS)
    assert canvas.tool.name == "select"


def test_a_tools_key_pressed_again_keeps_what_is_being_drawn(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyClick(canvas, Key.Key_P)
    qtbot.mouseClick(canvas, LEFT, pos=place(opened, 10, 10))
    qtbot.keyClick(canvas, Key.Key_P)
    assert canvas.tool.is_busy


def test_a_stroke_that_outlasts_the_key_is_finished_first(qtbot: QtBot, opened: Workbench, monkeypatch: Any) -> None:
    canvas = opened.window.canvas
    qtbot.keyPress(canvas, Key.Key_R)
    qtbot.mousePress(canvas, LEFT, pos=place(opened, 10, 10))
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: LEFT)  # what a real mouse would say
    release(qtbot, opened, Key.Key_R, after_ms=HELD_MS)
    assert canvas.tool.name == "rectangle"
    qtbot.mouseMove(canvas, place(opened, 30, 20))
    qtbot.mouseRelease(canvas, LEFT, pos=place(opened, 40, 30))
    assert (canvas.tool.name, len(opened.session.document)) == ("select", 1)


def test_escape_without_anything_to_cancel_leads_back_to_selecting(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyClick(canvas, Key.Key_P)
    qtbot.mouseClick(canvas, LEFT, pos=place(opened, 10, 10))
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert (canvas.tool.name, canvas.tool.is_busy) == ("polygon", False)
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert canvas.tool.name == "select"


def test_a_held_key_goes_on_only_where_that_does_no_harm(opened: Workbench) -> None:
    table = opened.window.actions_table
    repeated = {id_ for id_ in table.specs if table[id_].autoRepeat()}
    assert repeated == {
        "undo", "redo", "select_next", "select_previous", "next_image", "previous_image", "next_open", "previous_open",
        "score_up", "score_down", "zoom_in", "zoom_out",
    }  # fmt: skip
    assert repeated.isdisjoint({"accept", "reject", "delete", "paste", "tool_brush"})


def test_the_tools_tips_say_so(opened: Workbench) -> None:
    assert opened.window.actions_table["tool_brush"].toolTip() == f"Brush (B)\n{LENT}"
    assert opened.window.actions_table["undo"].toolTip() == "Undo (Ctrl+Z)"
