"""No test leaves a mouse button held down for the next one: Qt keeps them for the whole application."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget


@pytest.fixture(autouse=True)
def released_buttons() -> Iterator[None]:
    yield
    if QApplication.instance() is None or QApplication.mouseButtons() is Qt.MouseButton.NoButton:
        return
    anywhere = QWidget()
    anywhere.show()
    for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton):
        QTest.mouseRelease(anywhere, button)
    anywhere.close()
    assert QApplication.mouseButtons() is Qt.MouseButton.NoButton
