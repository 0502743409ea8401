import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from canvas_support import document_of
from maskwright_gui.canvas.deep import DisplayAdjust
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.view import CanvasView


@pytest.fixture
def view(qtbot) -> CanvasView:
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(800, 600)
    image = QImage(1000, 800, QImage.Format.Format_RGB32)
    image.fill(0xFF406080)
    view.renderer.set_image(image)
    view.set_document(document_of(size_wh=(1000, 800)))
    view.show()
    qtbot.waitExposed(view)
    return view


def test_minimap_appears_when_part_of_the_image_is_out_of_view(view: CanvasView) -> None:
    assert not view.minimap.isVisible()
    view.navigator.zoom_to_box((0, 0, 200, 200))
    assert view.minimap.isVisible()
    view.navigator.zoom_to_fit()
    assert not view.minimap.isVisible()


def test_pressing_the_minimap_moves_the_view(view: CanvasView) -> None:
    view.navigator.zoom_to_box((0, 0, 200, 200))
    middle = QPoint(view.minimap.width() // 2, view.minimap.height() // 2)
    QTest.mousePress(view.minimap, Qt.MouseButton.LeftButton, pos=middle)
    assert view.navigator.viewport.to_image(400, 300) == pytest.approx((500, 400), abs=8)


def test_minimap_can_be_switched_off(view: CanvasView) -> None:
    view.minimap.set_wanted(False)
    view.navigator.zoom_to_box((0, 0, 200, 200))
    assert not view.minimap.isVisible()


@pytest.mark.parametrize("scale", [0.5, 4.0], ids=["shrunk", "enlarged"])
def test_brightness_changes_what_is_shown_but_not_the_values(view: CanvasView, scale: float) -> None:
    view.navigator.show(view.navigator.viewport.centred((500, 400), scale))
    view.renderer.set_display_adjust(DisplayAdjust(brightness=0.5))
    view.renderer.finish()
    shown = view.grab().toImage().pixelColor(400, 300)
    assert shown.red() == pytest.approx(0x40 + 128, abs=2)
    assert view.renderer.value_at(500, 400) == (0x40, 0x60, 0x80)


def test_neutral_adjustment_keeps_every_value() -> None:
    assert DisplayAdjust().table().tolist() == list(range(256))


def test_crosshair_runs_through_the_pointer(view: CanvasView) -> None:
    view.set_style(CanvasStyle(shows_crosshair=True))
    view.renderer.finish()
    QTest.mouseMove(view, QPoint(300, 200))
    image = view.grab().toImage()
    background = image.pixelColor(310, 210)
    assert all(image.pixelColor(x, 200) != background for x in (100, 500, 700))
    assert all(image.pixelColor(300, y) != background for y in (50, 400, 550))
