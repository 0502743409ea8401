"""Edges follow the colours of a finer picture, near the outline alone."""

import cv2
import numpy as np
import pytest

import maskwright as mw
from maskwright.assist.edges import along_colours
from maskwright.geometry.raster import mask_iou

SIDE = 256


def disc(radius: float, side: int = SIDE) -> np.ndarray:
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    return np.asarray(np.hypot(x, y) < radius)


def picture(mask: np.ndarray, *, noise: int = 12) -> np.ndarray:
    pixels = np.where(mask[..., None], (60, 120, 200), (140, 110, 60)).astype(np.int16)
    return (pixels + np.random.default_rng(0).integers(-noise, noise, pixels.shape)).clip(0, 255).astype(np.uint8)


def coarse(mask: np.ndarray, cells: int = 64) -> np.ndarray:
    """Logits of a network that sees few cells and is a little off."""
    share = cv2.resize(mask.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray((cv2.GaussianBlur(share, (0, 0), 1) - 0.5) * 8, np.float32)


def star(radius: float) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
    return np.asarray(np.hypot(x, y) < radius * (1 + 0.12 * np.cos(17 * np.arctan2(y, x))))


def test_an_edge_that_the_grid_cannot_hold_is_found_in_the_picture() -> None:
    truth = star(80)
    before = cv2.resize(coarse(truth), (SIDE, SIDE)) > 0
    after = along_colours(coarse(truth), picture(truth)) > 0
    assert 1 - mask_iou(after, truth) < 0.6 * (1 - mask_iou(before, truth))


def test_what_is_far_from_the_outline_stays() -> None:
    truth = disc(80)
    logits = coarse(disc(80))
    spotted = picture(truth)
    spotted[120:136, 120:136] = (140, 110, 60)  # the background's colour in the middle of the object
    spotted[:16, :16] = (60, 120, 200)
    after = along_colours(logits, spotted) > 0
    assert after[110:146, 110:146].all()
    assert not after[:20, :20].any()


@pytest.mark.parametrize("value", [0, 127, 255])
def test_without_colours_the_answer_stays_where_it_was(value: int) -> None:
    truth = disc(80)
    before = cv2.resize(coarse(truth), (SIDE, SIDE)) > 0
    after = along_colours(coarse(truth), np.full((SIDE, SIDE, 3), value, np.uint8)) > 0
    assert mask_iou(after, before) > 0.98


def test_grey_pictures_are_as_good_a_guide() -> None:
    truth = star(80)
    grey = np.repeat(cv2.cvtColor(picture(truth), cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    after = along_colours(coarse(truth), grey)
    assert np.isfinite(after).all()
    assert mask_iou(after > 0, truth) > mask_iou(cv2.resize(coarse(truth), (SIDE, SIDE)) > 0, truth)


def test_large_objects_get_finer_cells_and_the_next_press_the_network_s_own() -> None:
    image = np.full((900, 900, 3), (140, 110, 60), np.uint8)
    truth = disc(300, 900)
    image[truth] = (60, 120, 200)
    view = mw.load_assistant("bundled", precision="f32").open(image)
    outline = view.outline(box_xyxy=(150, 150, 750, 750))
    assert outline.soft is not None
    assert outline.soft.logits.shape == (128, 128)
    assert mask_iou(outline.mask, truth) > 0.99
    small = view.outline(box_xyxy=(150, 150, 200, 200))
    assert small.soft is not None
    assert np.array_equal(small.crop_mask, small.soft.mask()[0])
