"""Drawing along edges in the real window, on a bright square."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from maskwright.geometry.raster import mask_iou, polygons_to_mask
from maskwright_gui.app import Workbench
from window_support import bright_square


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bright_square(tmp_path / "images", (40, 30, 110, 90))


def test_two_clicks_on_a_square_and_enter_follow_its_edges(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("square")
    opened.tools.use("wire")
    canvas = opened.window.canvas
    for x, y in ((40, 30), (110, 30), (110, 90), (40, 90)):
        place = QPoint(*map(round, canvas.navigator.viewport.to_screen(x, y)))
        qtbot.mouseMove(canvas, place)
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
        anchor = canvas.tool._points[-1]
        qtbot.waitUntil(lambda anchor=anchor: opened.wire.way(anchor, (75, 60)) is not None, timeout=20_000)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    (made,) = opened.session.document or ()
    truth = np.zeros((120, 160), bool)
    truth[30:90, 40:110] = True
    assert mask_iou(polygons_to_mask(made.polygons, (160, 120)), truth) > 0.93


def test_another_project_forgets_the_ways(opened: Workbench) -> None:
    opened.wire.prepare((40.0, 30.0), 100.0)
    opened.session.close_project()
    assert opened.wire.way((40.0, 30.0), (75.0, 60.0)) is None
