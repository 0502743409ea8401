"""Logits are read only where the object is, and give what resizing the whole frame would have given."""

import cv2
import numpy as np
import pytest

from maskwright.assist.placing import AxisResizing, PlacedAxis, SoftMask
from maskwright.errors import ModelError


def soft(logits: np.ndarray, size_wh: tuple[int, int]) -> SoftMask:
    height, width = logits.shape
    axes = (
        PlacedAxis.stretched(width, 0, size_wh[0], size_wh[0]),
        PlacedAxis.stretched(height, 0, size_wh[1], size_wh[1]),
    )
    return SoftMask(logits, axes, 1.0)


def full(mask: np.ndarray, corner_xy: tuple[int, int], size_wh: tuple[int, int]) -> np.ndarray:
    frame = np.zeros(size_wh[::-1], bool)
    frame[corner_xy[1] : corner_xy[1] + mask.shape[0], corner_xy[0] : corner_xy[0] + mask.shape[1]] = mask
    return frame


@pytest.mark.parametrize("size_wh", [(64, 48), (301, 207), (16, 12), (7, 5), (1, 1)])
def test_pixels_are_those_of_a_resized_frame(size_wh: tuple[int, int]) -> None:
    logits = np.random.default_rng(1).normal(size=(12, 16)).astype(np.float32)
    mask, corner = soft(logits, size_wh).mask()
    reference = cv2.resize(logits, size_wh, interpolation=cv2.INTER_LINEAR) > 0
    assert np.array_equal(full(mask, corner, size_wh), reference)


def test_two_resizings_give_what_one_after_the_other_gives() -> None:
    logits = np.random.default_rng(2).normal(size=(16, 16)).astype(np.float32)
    frame = cv2.resize(logits, (64, 64), interpolation=cv2.INTER_LINEAR)[:40, :52]
    reference = cv2.resize(frame, (131, 99), interpolation=cv2.INTER_LINEAR) > 0
    axes = tuple(
        PlacedAxis((AxisResizing(16, 0, 4), AxisResizing(content, 0, limit / content)), limit)
        for content, limit in ((52, 131), (40, 99))
    )
    mask, corner = SoftMask(logits, axes, 1.0).mask()  # type: ignore[arg-type]
    assert np.count_nonzero(full(mask, corner, (131, 99)) != reference) == 0


def test_only_the_region_of_the_object_is_made() -> None:
    logits = np.full((100, 100), -4, np.float32)
    logits[50:52, 20:24] = 4
    mask, corner = soft(logits, (12_000, 9_000)).mask()
    assert mask.shape[0] < 300
    assert mask.shape[1] < 600
    assert 2300 < corner[0] < 2450


def test_a_small_object_at_the_edge_keeps_its_edge_pixels() -> None:
    logits = np.full((10, 10), -1, np.float32)
    logits[0, 9] = 1
    mask, corner = soft(logits, (100, 100)).mask()
    assert mask[0, -1]
    assert (corner[0] + mask.shape[1], corner[1]) == (100, 0)


def test_a_window_s_answer_ends_where_the_window_ends() -> None:
    axes = PlacedAxis.stretched(8, 20, 40, 200), PlacedAxis.stretched(8, 30, 24, 150)
    mask, corner = SoftMask(np.ones((8, 8), np.float32), axes, 1.0).mask()
    assert (corner, mask.shape) == ((20, 30), (24, 40))
    assert mask.all()


def test_a_window_that_reaches_beyond_the_image_is_cut_at_its_edge() -> None:
    axes = PlacedAxis.stretched(8, -20, 40, 200), PlacedAxis.stretched(8, 140, 24, 150)
    mask, corner = SoftMask(np.ones((8, 8), np.float32), axes, 1.0).mask()
    assert (corner, mask.shape) == ((0, 140), (10, 20))


def test_nothing_above_the_threshold_is_an_empty_mask() -> None:
    assert soft(np.full((4, 4), -1, np.float32), (9, 9)).mask()[0].size == 0


def test_nan_logits_are_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="NaN"):
        soft(np.array([[1, np.nan]], np.float32), (4, 2))


def test_infinite_logits_are_a_mask_like_any_other() -> None:
    logits = np.where(np.arange(8) < 4, np.inf, -np.inf).astype(np.float32) * np.ones((8, 1), np.float32)
    answer = soft(logits, (32, 32))
    sure, corner = answer.mask()
    expected, expected_corner = soft(np.sign(logits), (32, 32)).mask()
    assert corner == expected_corner
    assert np.array_equal(sure, expected)
    assert np.isfinite(answer.logits).all()
