"""Only what changed is painted again: what is on screen must still be what painting everything would show."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from canvas_support import document_of, ring_with_hole, square
from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright_gui.canvas.pyramid import image_pixels
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.features.tools.feature import OWN_TOOLS, ToolEntry

ROUNDING = 8
"""Of antialiased edges that a clip cuts through."""


@pytest.fixture
def view(qtbot) -> CanvasView:
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(508, 388)
    view.set_style(CanvasStyle(shows_crosshair=True))
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 255, (150, 200, 4), np.uint8)
    view.renderer.set_image(QImage(noise.data, 200, 150, QImage.Format.Format_RGB32).copy())
    proposal = square(2, at=(70, 30), side=50, state=InstanceState.PROPOSED, score=0.9)
    view.set_document(document_of(square(1, at=(20, 30), side=50), proposal, ring_with_hole(3, at=(120, 60), side=60)))
    ids = iter(range(100, 200))
    view.context.allocate_id = lambda: next(ids)
    view.set_category(2)
    view.selection_requested.connect(view.set_selection)

    def apply(change: Change, _label: str) -> None:
        view.apply_change(change, view.context.document.apply(change))

    view.change_requested.connect(apply)
    view.show()
    qtbot.waitExposed(view)
    return view


def on_screen(view: CanvasView) -> np.ndarray:
    """The backing store as partial updates left it."""
    QApplication.processEvents()
    return pixels_of(view.screen().grabWindow(view.winId()))


def pixels_of(picture: QPixmap) -> np.ndarray:
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    return image_pixels(image)[..., :3].astype(int)


def stale_count(view: CanvasView) -> int:
    """Pixels that painting everything would show otherwise."""
    return int((np.abs(on_screen(view) - pixels_of(view.grab())).max(axis=2) > ROUNDING).sum())


@pytest.mark.parametrize("tool", OWN_TOOLS, ids=lambda tool: tool.id)
def test_partial_updates_leave_nothing_stale(view: CanvasView, qtbot, tool: ToolEntry) -> None:
    view.set_selection(frozenset({1}))
    view.set_tool(tool.make(view.context))
    qtbot.wait(90)
    for path in ([(20, 30), (16, 26), (10, 40)], [(45, 55), (60, 70), (75, 60)], [(140, 70), (150, 66), (130, 100)]):
        points = [QPoint(*map(round, view.navigator.viewport.to_screen(*place))) for place in path]
        QTest.mouseMove(view, points[0])
        QApplication.processEvents()
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=points[0])
        for point in points[1:]:
            QTest.mouseMove(view, point)
            QApplication.processEvents()
            assert stale_count(view) == 0, "during the drag"
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=points[-1])
        QTest.keyClick(view, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not view.renderer._settle_timer.isActive())
        assert stale_count(view) == 0, "after the drag"


@pytest.mark.parametrize("size_wh", [(520, 400), (518, 393), (431, 377)])
def test_enlarged_pixels_stay_in_place_in_partial_updates(view: CanvasView, qtbot, size_wh: tuple[int, int]) -> None:
    """The crosshair leaves strips in both directions to paint, at places that are no whole pixels of the image."""
    view.resize(*size_wh)
    qtbot.waitUntil(lambda: not view.renderer._settle_timer.isActive())
    view.renderer.show_objects(False)
    for place in [(20, 30), (60, 70), (75.5, 60.2), (150, 66)]:
        QTest.mouseMove(view, QPoint(*map(round, view.navigator.viewport.to_screen(*place))))
        assert stale_count(view) == 0
