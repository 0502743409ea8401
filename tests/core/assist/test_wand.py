"""The wand takes what is of one colour and connected, inside its disc."""

import numpy as np
import pytest

from maskwright.assist.prompt import MaskCrop
from maskwright.assist.wand import wand
from maskwright.errors import PromptError
from maskwright.geometry.raster import mask_iou


def image(size: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A noisy red disc on green."""
    y, x = np.mgrid[:size, :size] + 0.5
    inside = np.hypot(x - size / 2, y - size / 2) < size * 0.3
    colours = np.where(inside[..., None], (40, 60, 220), (60, 180, 60))
    return (colours + np.random.default_rng(0).integers(-6, 7, colours.shape)).astype(np.uint8), inside


def full(crop: MaskCrop, size: int = 200) -> np.ndarray:
    return crop.inside((0, 0, size, size))


def test_it_takes_the_patch_of_one_colour() -> None:
    pixels, inside = image()
    assert mask_iou(full(wand(pixels, (100, 100), 90)), inside) > 0.95


def test_it_never_leaves_its_disc() -> None:
    pixels, _ = image()
    found = full(wand(pixels, (100, 100), 30))
    y, x = np.nonzero(found)
    assert np.hypot(x + 0.5 - 100, y + 0.5 - 100).max() <= 31
    assert found.sum() == pytest.approx(np.pi * 30**2, rel=0.05)


def test_a_patch_of_the_same_colour_that_is_not_connected_stays_out() -> None:
    pixels, _ = image()
    pixels[5:15, 5:15] = (40, 60, 220)
    assert not full(wand(pixels, (100, 100), 150))[5:15, 5:15].any()


def test_tolerance_widens_it() -> None:
    gradient = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 200, 0).repeat(3, 2)
    narrow, wide = (full(wand(gradient, (100, 100), 90, tolerance)).sum() for tolerance in (3, 12))
    assert narrow < wide


def test_a_large_disc_gives_the_same_shape() -> None:
    pixels, inside = image(1600)
    found = wand(pixels, (800, 800), 780).inside((0, 0, 1600, 1600))
    assert mask_iou(found, inside) > 0.97


def test_it_looks_at_a_window_only() -> None:
    pixels = np.broadcast_to(np.full(3, 9, np.uint8), (9000, 12_000, 3))  # 108 megapixels that take no memory
    crop = wand(pixels, (6000, 4500), 40)
    assert max(crop.pixels.shape) <= 81


@pytest.mark.parametrize("size", [1, 2, 3])
def test_images_of_a_few_pixels(size: int) -> None:
    assert wand(np.zeros((size, size, 3), np.uint8), (0.5, 0.5), 50).pixels.all()


@pytest.mark.parametrize(("point", "radius"), [((-1, 5), 9), ((5, 5), 0), ((5, 5), float("nan")), ((5, 999), 9)])
def test_what_makes_no_sense_is_refused(point: tuple[float, float], radius: float) -> None:
    with pytest.raises(PromptError):
        wand(image()[0], point, radius)
