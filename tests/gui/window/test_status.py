"""The status bar follows the mouse without laying out the window again."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from maskwright_gui.panels.status import StatusBar


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
