"""The status bar follows the mouse without laying out the window again."""

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from maskwright_gui.panels.status import HintLine, StatusBar, fitting


class CountingBar(StatusBar):
    """Counts the layouts that it is asked for."""

    layouts = 0

    def event(self, event: QEvent) -> bool:
        self.layouts += event.type() == QEvent.Type.LayoutRequest
        return super().event(event)


def test_numbers_that_follow_the_mouse_change_no_layout(qtbot: QtBot) -> None:
    status = CountingBar()
    qtbot.addWidget(status)
    status.resize(900, 30)
    status.show()
    qtbot.waitExposed(status)
    QApplication.processEvents()
    before = status.grab().toImage()
    status.layouts = 0

    status.show_pointer("123, 456  7 8 9")
    status.show_zoom(2.5)
    QApplication.processEvents()

    assert status.layouts == 0
    assert status.grab().toImage() != before


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (99, "Drag paints · Ctrl erases · wheel size · Esc ends"),
        (40, "Drag paints · Ctrl erases · … · Esc ends"),
        (30, "Drag paints · … · Esc ends"),
        (5, "Drag paints · … · Esc ends"),
    ],
)
def test_a_hint_loses_its_middle_parts_first(room: int, shown: str) -> None:
    whole = "Drag paints · Ctrl erases · wheel size · Esc ends"
    assert fitting(whole, lambda text: len(text) <= room) == shown


def test_a_hint_is_whole_in_its_tool_tip(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    status.resize(420, 30)
    status.show()
    text = "Drag paints · Ctrl erases · wheel or [ ] size · Esc deselects"
    status.show_hint(text)
    line = status.findChild(HintLine)
    assert line.toolTip() == text
    assert line.text().endswith("…")


def test_of_several_at_work_the_one_that_goes_on_is_told(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    status.show_task("opening", "Opening a folder", 0, None)
    status.show_task("images", "Decoding 108 megapixels", 0, None)
    status.show_task("opening", "", 0, None)
    told = [button.text() for button in status.findChildren(QToolButton) if not button.isHidden()]
    assert "Decoding 108 megapixels" in told
