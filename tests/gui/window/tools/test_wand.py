"""The wand in the real window, on a bright square."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench
from window_support import bright_square


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bright_square(tmp_path / "images", (40, 40, 60, 60))


def test_a_click_takes_the_square_it_is_on(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("square")
    opened.tools.use("wand")
    canvas = opened.window.canvas
    place = QPoint(*map(round, canvas.navigator.viewport.to_screen(50, 50)))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: len(opened.session.document or ()) == 1, timeout=20_000)
    (made,) = opened.session.document or ()
    assert made.bounds_xyxy == pytest.approx((40, 40, 60, 60), abs=1.5)
    assert opened.session.history.undo() == "Wand"
