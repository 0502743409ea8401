import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from canvas_support import document_of, ring_with_hole, square
from maskwright.document import edits
from maskwright.document.document import Document
from maskwright.document.spatial import SpatialIndex
from maskwright_gui.canvas.layer import LayerContent, StaticLayer
from maskwright_gui.canvas.raster import LayerView, OutlineStyle, rasterise
from maskwright_gui.canvas.renderer import boxes_of
from maskwright_gui.canvas.scene import Scene
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Viewport

STYLE = CanvasStyle()
VIEWPORT = Viewport((200, 150), (400, 300)).fitted()


def crowd(count: int) -> Document:
    return document_of(*(square(n, at=(n % 50 * 4.0, n // 50 * 3.0), side=3.0) for n in range(1, count + 1)))


def layer_of(document: Document, *, viewport: Viewport = VIEWPORT) -> StaticLayer:
    layer = StaticLayer()
    layer.replace_content(LayerContent(document, STYLE), SpatialIndex(document))
    layer.prepare(viewport, 1.0)
    layer.finish()
    return layer


def picture(layer: StaticLayer, viewport: Viewport = VIEWPORT) -> np.ndarray:
    image = QImage(400, 300, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    layer.draw(painter, viewport)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(300, 400, 4).copy()


def test_an_edit_patches_exactly_what_a_new_picture_would_show(qapp) -> None:
    document = document_of(square(1, at=(20, 20), side=50), ring_with_hole(2, at=(60, 40)), square(3, at=(120, 90)))
    change = edits.move(document, [2], 15, 12)
    later = document.apply(change)
    layer = layer_of(document)
    layer.update_content(LayerContent(later, STYLE), SpatialIndex(later), boxes_of(change))
    assert layer.is_sharp
    assert (picture(layer) == picture(layer_of(later))).all()


def test_what_is_painted_live_is_left_out(qapp) -> None:
    document = document_of(square(1, at=(20, 20), side=50), square(2, at=(60, 40), side=50))
    layer = layer_of(document)
    content = LayerContent(document, STYLE, frozenset({2}))
    layer.update_content(content, SpatialIndex(document), [document[2].bounds_xyxy])
    assert (picture(layer) == picture(layer_of(document_of(document[1])))).all()


def test_many_instances_are_drawn_in_the_background(qtbot) -> None:
    document = crowd(2_500)
    layer = StaticLayer()
    layer.replace_content(LayerContent(document, STYLE), SpatialIndex(document))
    with qtbot.waitSignal(layer.changed):
        layer.prepare(VIEWPORT, 1.0)
        assert not layer.is_sharp
    assert layer.is_sharp
    assert picture(layer)[..., 3].any()


def test_an_edit_during_the_background_drawing_is_not_lost(qapp) -> None:
    document = crowd(2_500)
    layer = StaticLayer()
    layer.replace_content(LayerContent(document, STYLE), SpatialIndex(document))
    layer.prepare(VIEWPORT, 1.0)
    change = edits.delete(document, range(1, 200))
    later = document.apply(change)
    layer.update_content(LayerContent(later, STYLE), SpatialIndex(later), boxes_of(change))
    layer.finish()
    layer.prepare(VIEWPORT, 1.0)
    layer.finish()
    assert layer.is_sharp
    assert (picture(layer) == picture(layer_of(later))).all()


def test_another_document_drops_the_drawing_under_way(qapp) -> None:
    layer = StaticLayer()
    layer.replace_content(LayerContent(crowd(2_500), STYLE), SpatialIndex(crowd(2_500)))
    layer.prepare(VIEWPORT, 1.0)
    empty = document_of()
    layer.replace_content(LayerContent(empty, STYLE), SpatialIndex(empty))
    layer.finish()
    layer.prepare(VIEWPORT, 1.0)
    layer.finish()
    assert not picture(layer).any()


@pytest.mark.parametrize("step", [(30.0, 0.0), (-7.0, 90.0)], ids=["within the margin", "both ways"])
def test_a_pan_blits_pixel_on_pixel(qapp, step: tuple[float, float]) -> None:
    document = document_of(square(1, at=(90, 70), side=20), ring_with_hole(2, at=(120, 60)))
    layer = layer_of(document)
    panned = VIEWPORT.panned(*step)
    layer.prepare(panned, 1.0)
    assert (picture(layer, panned) == picture(layer_of(document, viewport=panned), panned)).all()


def test_a_dense_screen_gets_a_pixel_per_device_pixel(qapp) -> None:
    document = document_of(square(1, at=(20, 20), side=50), ring_with_hole(2, at=(80, 60)))
    layer = StaticLayer()
    layer.replace_content(LayerContent(document, STYLE), SpatialIndex(document))
    layer.prepare(VIEWPORT, 2.0)
    dense = QImage(800, 600, QImage.Format.Format_ARGB32_Premultiplied)
    dense.setDevicePixelRatio(2.0)
    dense.fill(0)
    painter = QPainter(dense)
    layer.draw(painter, VIEWPORT)
    painter.end()
    direct = np.zeros((600, 800, 4), np.uint8)
    origin = (-VIEWPORT.offset_x * 2, -VIEWPORT.offset_y * 2)
    rasterise(
        Scene.of(document, STYLE), LayerView(VIEWPORT.scale * 2, *origin, 800, 600), direct, OutlineStyle(pixel=2)
    )
    assert (np.frombuffer(dense.constBits(), np.uint8).reshape(600, 800, 4) == direct).all()


def test_a_layer_may_be_destroyed_while_it_is_drawn(qtbot) -> None:
    document = crowd(2_500)
    layer = StaticLayer()
    layer.replace_content(LayerContent(document, STYLE), SpatialIndex(document))
    layer.prepare(VIEWPORT, 1.0)
    assert not layer.is_sharp
    with qtbot.waitSignal(layer.destroyed):
        layer.deleteLater()
    qtbot.wait(50)
