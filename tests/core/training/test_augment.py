"""Random crops: image, label map and boxes move together."""

import numpy as np
import pytest

from maskwright.training.augment import compacted, random_crop, recoloured
from maskwright.training.dataset import TrainingSample


def discs(*centres: tuple[int, int], radius: int = 9, side: int = 160) -> TrainingSample:
    """Bright discs on black; instance i is the i-th centre (x, y)."""
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.int16)
    for number, (column, row) in enumerate(centres, start=1):
        labels[(x - column) ** 2 + (y - row) ** 2 <= radius**2] = number
    image = np.repeat(np.where(labels > 0, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    return TrainingSample(image, labels, np.arange(len(centres)))


@pytest.fixture(autouse=True)
def plain_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskwright.training.augment.recoloured", lambda image, _random: image)


@pytest.mark.parametrize("seed", range(12))
def test_pixels_and_labels_warp_alike(seed: int) -> None:
    crop = random_crop(discs((30, 40), (90, 80), (130, 120)), np.random.default_rng(seed), size=96)

    differing = (crop.image[..., 0] > 127) != (crop.labels > 0)

    # Interpolation may disagree about the rim alone.
    assert differing.mean() < 0.02


@pytest.mark.parametrize("seed", range(12))
def test_boxes_enclose_their_labels_exactly(seed: int) -> None:
    crop = random_crop(discs((30, 40), (90, 80), (130, 120)), np.random.default_rng(seed), size=96)

    for number, box in enumerate(crop.boxes, start=1):
        y, x = np.nonzero(crop.labels == number)
        assert box.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]
    assert crop.labels.max() == len(crop.boxes) == len(crop.categories)


def test_compacting_keeps_the_former_position_of_each_instance() -> None:
    labels = np.zeros((8, 8), np.int16)
    labels[1:4, 2:5], labels[5:8, 0:3], labels[0, 7] = 4, 2, 3

    kept, boxes, former = compacted(labels)

    assert former.tolist() == [1, 3]
    assert boxes.tolist() == [[0, 5, 3, 8], [2, 1, 5, 4]]
    assert kept[0, 7] == 0, "a remnant of one pixel is background"


def test_crop_without_instances_is_valid() -> None:
    _, boxes, former = compacted(np.zeros((8, 8), np.int16))

    assert boxes.shape == (0, 4)
    assert len(former) == 0


def test_recolouring_keeps_shape_and_type() -> None:
    image = np.full((16, 16, 3), 90, np.uint8)

    recoloured_image = recoloured(image, np.random.default_rng(3))

    assert recoloured_image.shape == image.shape
    assert recoloured_image.dtype == np.uint8
