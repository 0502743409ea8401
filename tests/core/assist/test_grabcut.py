"""GrabCut as a fallback assistant."""

import numpy as np
import pytest

import maskwright as mw
from maskwright.geometry.raster import mask_iou


def scene(height: int = 120, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A red ellipse on green, a little noise."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / (width / 4)) ** 2 + ((y - height / 2) / (height / 4)) ** 2 < 1
    image = np.where(inside[..., None], (30, 30, 200), (40, 160, 40))
    return (image + np.random.default_rng(0).integers(-8, 8, image.shape)).astype(np.uint8), inside


def test_a_box_gives_the_object_in_it() -> None:
    image, truth = scene()
    outline = mw.load_assistant("grabcut").open(image).outline(box_xyxy=(35, 25, 125, 95))
    assert mask_iou(outline.mask, truth) > 0.95


def test_a_large_object_is_worked_on_at_reduced_size() -> None:
    image, truth = scene(900, 1200)
    outline = mw.load_assistant("grabcut").open(image).outline(box_xyxy=(280, 210, 920, 690))
    assert outline.soft is not None
    assert max(outline.soft.logits.shape) <= 480
    assert mask_iou(outline.mask, truth) > 0.97


def test_a_click_gives_an_object_of_one_colour() -> None:
    image, truth = scene()
    outline = mw.load_assistant("grabcut").open(image).outline([(80, 60)])
    assert mask_iou(outline.mask, truth) > 0.7


def test_the_same_press_gives_the_same_outline() -> None:
    image, _ = scene()
    view = mw.load_assistant("grabcut").open(image)
    masks = [view.outline(box_xyxy=(35, 25, 125, 95)).mask for _ in range(2)]
    assert np.array_equal(*masks)


def test_a_point_outside_takes_away() -> None:
    image, _ = scene()
    image[50:70, 5:30] = (30, 30, 200)
    view = mw.load_assistant("grabcut").open(image)
    outline = view.outline([(80, 60), (15, 60)], [1, 0], box_xyxy=(1, 25, 125, 95))
    assert not outline.mask[60, 15]
    assert outline.mask[60, 80]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_images_of_a_few_pixels_are_answered(size: int) -> None:
    view = mw.load_assistant("grabcut").open(np.zeros((size, size, 3), np.uint8))
    for shown in ({"box_xyxy": (0, 0, size, size)}, {"points_xy": [(0.5, 0.5)]}):
        assert view.outline(**shown).mask.shape == (size, size)  # type: ignore[arg-type]
