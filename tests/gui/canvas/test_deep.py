"""Images of more than 8 bits: the window that is shown, and the true samples."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPainter

from maskwright.windowing import DisplayWindow, auto_window, windowed
from maskwright_gui.canvas import pyramid as pyramid_module
from maskwright_gui.canvas.deep import DisplayAdjust
from maskwright_gui.canvas.image_layer import ImageLayer
from maskwright_gui.canvas.pyramid import ImagePyramid, image_pixels
from maskwright_gui.canvas.viewport import Viewport


def halves(dark: float, bright: float, dtype: str) -> NDArray[np.generic]:
    """(600, 800), the left half dark."""
    samples = np.full((600, 800), dark, dtype)
    samples[:, 400:] = bright
    return samples


def seen(layer: ImageLayer, scale: float, *, is_moving: bool = False) -> NDArray[np.int64]:
    assert layer.pyramid is not None
    viewport = Viewport(layer.pyramid.size_wh, (300, 200)).centred((400, 300), scale)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    layer.draw(painter, viewport, 1.0, is_moving=is_moving)
    painter.end()
    row = image_pixels(image)[100]
    return row[[20, 280], :3].astype(int)


@pytest.mark.parametrize("is_moving", [False, True])
@pytest.mark.parametrize("scale", [0.5, 3.0], ids=["shrunk", "enlarged"])
@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_a_chosen_window_is_what_becomes_black_and_white(qapp, dtype: str, scale: float, is_moving: bool) -> None:
    layer = ImageLayer()
    layer.set_pyramid(ImagePyramid.of_samples(halves(100, 300, dtype)))
    assert seen(layer, scale, is_moving=is_moving).tolist() == [[0] * 3, [255] * 3]

    layer.set_adjust(DisplayAdjust(windows={dtype: DisplayWindow(0, 400)}))

    assert np.abs(seen(layer, scale, is_moving=is_moving) - [[64] * 3, [191] * 3]).max() <= 1


def test_a_window_is_meant_for_one_number_type(qapp) -> None:
    layer = ImageLayer()
    layer.set_pyramid(ImagePyramid.of_samples(halves(100, 300, "uint16")))
    layer.set_adjust(DisplayAdjust(windows={"float32": DisplayWindow(0, 1)}))
    assert seen(layer, 1.0).tolist() == [[0] * 3, [255] * 3]


def test_brightness_goes_on_top_of_the_window(qapp) -> None:
    layer = ImageLayer()
    layer.set_pyramid(ImagePyramid.of_samples(halves(100, 300, "uint16")))
    layer.set_adjust(DisplayAdjust(brightness=0.2, windows={"uint16": DisplayWindow(0, 400)}))
    assert np.abs(seen(layer, 1.0) - [[115] * 3, [242] * 3]).max() <= 1


def test_the_status_bar_gets_the_true_samples() -> None:
    grey = ImagePyramid.of_samples(halves(100, 300, "uint16"))
    colour = ImagePyramid.of_samples(np.dstack([halves(v, 300, "float32") for v in (0.25, 0.5, 0.75)]))
    assert grey.value_at(10.7, 5) == (100,)
    assert colour.value_at(10, 5) == (0.75, 0.5, 0.25)
    assert grey.value_at(800, 5) is None


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_the_window_counted_by_value_is_that_of_all_samples(dtype: str) -> None:
    samples = np.random.default_rng(3).gamma(2, 20, (301, 211)).astype(dtype)
    low, high = np.percentile(samples, (0.1, 99.9))
    window = auto_window(samples)
    assert window.low == pytest.approx(low) and window.high == pytest.approx(high)


def test_a_window_without_width_shows_black() -> None:
    assert windowed(np.full((4, 4), 7, np.uint16), DisplayWindow(7, 7)).max() == 0


@pytest.mark.parametrize("scale", [0.3, 0.8, 3.0])
def test_large_grey_images_look_the_same_in_one_byte(qapp, monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    usual, large = ImageLayer(), ImageLayer()
    usual.set_pyramid(ImagePyramid.of_samples(halves(100, 300, "uint16")))
    monkeypatch.setattr(pyramid_module, "_LARGE_PIXELS", 1000)
    large.set_pyramid(ImagePyramid.of_samples(halves(100, 300, "uint16")))
    assert large.pyramid is not None and large.pyramid.levels[0].format() == QImage.Format.Format_Grayscale8
    for is_moving in (False, True):
        assert seen(large, scale, is_moving=is_moving).tolist() == seen(usual, scale, is_moving=is_moving).tolist()
    large.set_adjust(DisplayAdjust(brightness=0.2))
    usual.set_adjust(DisplayAdjust(brightness=0.2))
    assert seen(large, scale).tolist() == seen(usual, scale).tolist()
