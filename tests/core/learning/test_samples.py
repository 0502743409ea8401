"""Images and labels at the size they are learned at, and crops of them; needs no PyTorch."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright.errors import ImageError
from maskwright.geometry.raster import mask_to_rle
from maskwright.learning.crops import random_crop
from maskwright.learning.job import Example, LearningJob, Patch
from maskwright.learning.recipe import Recipe
from maskwright.learning.samples import IGNORED, SampleStore, read_sample
from maskwright.training.augment import Crop

RECIPE = Recipe(input_size=96, crop=96, colour=0.0, paste_share=0.0)


def patch(x1: int, y1: int, x2: int, y2: int, category: int) -> Patch:
    whole = mask_to_rle(np.ones((y2 - y1, x2 - x1), np.uint8))
    return Patch(x1, y1, x2 - x1, y2 - y1, whole["counts"].decode(), category)


Box = tuple[int, int, int, int]


def example(
    folder: Path, *boxes: Box, size_wh: tuple[int, int] = (96, 64), ignored: tuple[Box, ...] = (), name: str = "a.png"
) -> Example:
    """White boxes (xyxy) on black, written to a file; `ignored` boxes are grey."""
    pixels = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    for value, places in ((90, ignored), (255, boxes)):
        for x1, y1, x2, y2 in places:
            pixels[y1:y2, x1:x2] = value
    Image.fromarray(np.repeat(pixels[..., None], 3, 2)).save(folder / name)
    objects, open_ones = (tuple(patch(*place, 0) for place in places) for places in (boxes, ignored))
    return Example(str(folder / name), *size_wh, objects, open_ones)


def crops(one: Example, *, count: int = 12, recipe: Recipe = RECIPE) -> list[Crop]:
    sample = read_sample(one, input_size=recipe.input_size)
    return [random_crop(sample, np.random.default_rng(seed), recipe) for seed in range(count)]


def test_pixels_and_labels_move_together(tmp_path: Path) -> None:
    for crop in crops(example(tmp_path, (10, 10, 40, 30), (60, 20, 90, 60))):
        assert ((crop.image[..., 0] > 127) != (crop.labels != 0)).mean() < 0.03


def test_boxes_enclose_their_labels_exactly(tmp_path: Path) -> None:
    for crop in crops(example(tmp_path, (10, 10, 40, 30), (60, 20, 90, 60))):
        for number, box in enumerate(crop.boxes, start=1):
            y, x = np.nonzero(crop.labels == number)
            assert box.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


def test_ignored_places_stay_ignored(tmp_path: Path) -> None:
    seen = False
    for crop in crops(example(tmp_path, (60, 20, 90, 60), ignored=((10, 10, 40, 40),))):
        grey = np.abs(crop.image[..., 0].astype(int) - 90) < 4
        seen |= bool(grey.any())
        assert (crop.labels[grey] == IGNORED).mean() > 0.95 if grey.sum() > 20 else True
    assert seen


def test_object_at_the_border_is_kept(tmp_path: Path) -> None:
    sample = read_sample(example(tmp_path, (0, 0, 20, 20), (80, 50, 96, 64)), input_size=96)

    assert set(np.unique(sample.labels)) == {0, 1, 2}
    assert np.array_equal(sample.labels > 0, sample.image[..., 0] > 127)


def test_smaller_object_on_a_larger_one_is_kept_whole(tmp_path: Path) -> None:
    sample = read_sample(example(tmp_path, (20, 20, 30, 30), (0, 0, 96, 64)), input_size=96)

    assert (sample.labels == 1).sum() == 100


def test_five_thousand_objects_on_one_image(tmp_path: Path) -> None:
    boxes = [(8 * k % 800, 8 * k // 800 * 8, 8 * k % 800 + 6, 8 * k // 800 * 8 + 6) for k in range(5000)]

    sample = read_sample(example(tmp_path, *boxes, size_wh=(800, 400)), input_size=800)
    crop = random_crop(sample, np.random.default_rng(0), Recipe(input_size=800, crop=256, paste_share=0))

    assert sample.labels.max() == 5000
    assert len(crop.boxes) > 100


@pytest.mark.parametrize("size_wh", [(8, 8), (3000, 40), (40, 3000)], ids=["tiny", "wide", "tall"])
def test_images_of_any_shape_give_crops(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    for crop in crops(example(tmp_path, (1, 1, 7, 7), size_wh=size_wh), count=4):
        assert crop.image.shape == (96, 96, 3)


def test_pasted_objects_are_whole_and_marked(tmp_path: Path) -> None:
    empty = read_sample(example(tmp_path, name="empty.png"), input_size=96)
    donor = read_sample(example(tmp_path, (40, 20, 60, 44)), input_size=96)

    found = [random_crop(empty, np.random.default_rng(seed), RECIPE, donor=donor) for seed in range(12)]

    assert any(len(crop.boxes) == 1 for crop in found)
    for crop in found:
        assert ((crop.image[..., 0] > 127) != (crop.labels > 0)).mean() < 0.03


def test_image_of_another_size_than_before_is_refused(tmp_path: Path) -> None:
    one = example(tmp_path, (10, 10, 40, 30))
    Image.new("RGB", (50, 50)).save(one.file)

    with pytest.raises(ImageError, match="50x50"):
        read_sample(one, input_size=96)


def test_shelf_stays_within_its_memory_and_tells_of_what_is_gone(tmp_path: Path) -> None:
    there = [example(tmp_path, (10, 10, 40, 30), name=f"{k}.png") for k in range(4)]
    (tmp_path / "3.png").unlink()
    store = SampleStore(tuple(there), input_size=96, budget_bytes=100_000)

    samples = [store.sample(k) for k in (0, 1, 2, 3, 0)]

    assert [sample is None for sample in samples] == [False, False, False, True, False]
    assert store.byte_count <= 100_000
    assert list(store.unreadable) == [3]


def test_job_survives_being_written(tmp_path: Path) -> None:
    job = LearningJob((example(tmp_path, (1, 1, 9, 9), ignored=((20, 20, 30, 30),)),), ("cell",), (7,), RECIPE, "name")

    job.write(tmp_path)

    assert LearningJob.read(tmp_path) == job
