"""Find the like: on generated scenes, where every object is known."""

import numpy as np
import pytest

import maskwright as mw
from fake_assistant import FakeBackend, fake_assistant
from maskwright.assist.like import Gallery, LikeSettings, find_like, gallery_of
from maskwright.assist.view import BackendAssistant, BackendView
from maskwright.errors import ModelError, PromptError
from maskwright.geometry.raster import mask_iou


@pytest.fixture(scope="module")
def assistant() -> BackendAssistant:
    return mw.load_assistant("bundled", precision="f32")


def scene(forms: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Discs (o) that are dark in the middle and crosses (+) on a mottled ground; their masks."""
    random = np.random.default_rng(3)
    image = np.clip(random.normal(70, 6, (150, 240, 3)), 0, 255).astype(np.uint8)
    y, x = np.mgrid[:150, :240]
    masks: list[np.ndarray] = []
    for number, form in enumerate(forms):
        across, down = np.abs(x - (40 + 80 * (number % 3))), np.abs(y - (40 + 70 * (number // 3)))
        away = np.hypot(across, down)
        mask = away < 18 if form == "o" else (np.minimum(across, down) < 5) & (away < 24)
        image[mask] = (150, 190, 210)
        if form == "o":
            image[away < 9] = (60, 60, 150)
        masks.append(mask)
    return image, masks


def test_the_like_come_first_and_no_object_twice(assistant: BackendAssistant) -> None:
    image, masks = scene("o+o+o+")
    view = assistant.open(image)
    found = find_like(view, gallery_of(view, [masks[0]]), LikeSettings(pitch=0.7), known=[masks[0]])
    which = [int(np.argmax([mask_iou(one.outline.mask, mask) for mask in masks])) for one in found]
    good = [number for number, one in zip(which, found, strict=True) if mask_iou(one.outline.mask, masks[number]) > 0.7]
    assert 0 not in good
    assert set(good[:2]) == {2, 4}
    assert len(good) == len(set(good))
    assert [one.likeness for one in found] == sorted((one.likeness for one in found), reverse=True)
    assert all(-1 <= one.likeness <= 1.0001 for one in found)


def test_examples_of_one_image_find_the_like_on_another(assistant: BackendAssistant) -> None:
    image, masks = scene("o+o")
    view = assistant.open(image)
    gallery = gallery_of(view, [masks[0], masks[2]])
    assert gallery.descriptors.shape[0] == 2
    other, wanted = scene("+o+")
    found = find_like(assistant.open(other), gallery, LikeSettings(pitch=0.7))
    assert mask_iou(found[0].outline.mask, wanted[1]) > 0.7


def test_an_outline_beyond_the_image_is_no_example(assistant: BackendAssistant) -> None:
    view = assistant.open(np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(PromptError):
        gallery_of(view, [np.zeros((40, 40), np.bool_)])
    with pytest.raises(ValueError, match="at least one"):
        gallery_of(view, [])


def test_a_gallery_of_another_network_is_refused(assistant: BackendAssistant) -> None:
    image, _ = scene("o")
    gallery = Gallery(np.ones((1, 7), np.float32), np.array([1000.0]), np.array([36.0]))
    with pytest.raises(ValueError, match="another network"):
        find_like(assistant.open(image), gallery, LikeSettings(pitch=2.0))


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 200)])
def test_odd_images_are_searched(assistant: BackendAssistant, size_wh: tuple[int, int]) -> None:
    gallery = Gallery(np.ones((1, 432), np.float32), np.array([400.0]), np.array([20.0]))
    view = assistant.open(np.full((size_wh[1], size_wh[0], 3), 90, np.uint8))
    assert isinstance(find_like(view, gallery), list)


def test_an_assistant_without_descriptors_says_so() -> None:
    view = fake_assistant(FakeBackend()).open(np.zeros((40, 40, 3), np.uint8))
    assert isinstance(view, BackendView)
    gallery = Gallery(np.ones((1, 3), np.float32), np.array([100.0]), np.array([10.0]))
    with pytest.raises(ModelError, match="cannot compare"):
        find_like(view, gallery)
