import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from maskwright_gui.canvas import pyramid as pyramid_module
from maskwright_gui.canvas.image_layer import ImageLayer
from maskwright_gui.canvas.pyramid import ImagePyramid, image_pixels
from maskwright_gui.canvas.viewport import Viewport


def gradient(width: int, height: int) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.ascontiguousarray(np.stack((x, y, 255 - x), axis=-1).astype(np.uint8))


def shown(pyramid: ImagePyramid, scale: float) -> np.ndarray:
    viewport = Viewport(pyramid.size_wh, (300, 200)).centred((400, 300), scale)
    layer = ImageLayer()
    layer.set_pyramid(pyramid)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    layer.draw(painter, viewport, 1.0)
    painter.end()
    return image_pixels(image)[..., :3].astype(int)


def test_levels_halve_down_to_a_small_one() -> None:
    pyramid = ImagePyramid.of_bgr(gradient(2000, 1200))
    assert [(level.width(), level.height()) for level in pyramid.levels] == [(2000, 1200), (1000, 600), (500, 300)]


def test_a_view_never_takes_a_level_coarser_than_the_screen() -> None:
    pyramid = ImagePyramid.of_bgr(gradient(2000, 1200))
    assert pyramid.level_for(0.5).width() == 1000
    assert pyramid.level_for(0.51).width() == 2000
    assert pyramid.level_for(0.01).width() == 500


@pytest.mark.parametrize("height", [600, 601], ids=["even", "odd"])
@pytest.mark.parametrize("scale", [0.3, 0.8, 3.0])
def test_large_images_look_the_same_in_three_bytes_per_pixel(
    qapp, monkeypatch: pytest.MonkeyPatch, scale: float, height: int
) -> None:
    pixels = gradient(800, height)
    usual = shown(ImagePyramid.of_bgr(pixels), scale)
    monkeypatch.setattr(pyramid_module, "_LARGE_PIXELS", 1000)
    monkeypatch.setattr(pyramid_module, "_BAND_ROWS", 64)
    large = ImagePyramid.of_bgr(pixels)
    assert large.levels[0].format() == QImage.Format.Format_BGR888
    assert np.abs(shown(large, scale) - usual).max() <= 2
    assert large.value_at(100, 100) == ImagePyramid.of_bgr(pixels.copy()).value_at(100, 100)


def test_shrunk_pixels_are_where_they_belong(qapp) -> None:
    image = np.zeros((600, 800, 3), np.uint8)
    image[300:, 400:] = 255
    picture = shown(ImagePyramid.of_bgr(image), 0.5)
    assert picture[105, 155].min() == 255
    assert picture[95, 145].max() == 0
    assert picture[105, 145].max() == 0


def test_a_preview_stands_for_the_whole_image(qapp) -> None:
    preview = ImagePyramid.of_bgr(gradient(400, 300), (800, 600))
    whole = shown(ImagePyramid.of_bgr(gradient(800, 600)), 1.0)
    assert np.abs(shown(preview, 1.0) - whole).mean() < 3


def test_transparent_images_are_shown_on_white() -> None:
    image = QImage(4, 4, QImage.Format.Format_ARGB32)
    image.fill(0)
    assert ImagePyramid.of(image).value_at(1, 1) == (255, 255, 255)


def test_a_preview_has_no_values_of_the_image() -> None:
    preview = ImagePyramid.of_bgr(np.full((30, 40, 3), 90, np.uint8), (400, 300))
    assert preview.value_at(100, 100) == ()
    assert preview.value_at(400, 100) is None
