"""Which step of a slider comes next."""

from dataclasses import replace

import pytest

from maskwright.inference.thresholds import Thresholds
from maskwright_gui.workers.preview import next_thresholds

NOW = Thresholds(score=0.3, nms_iou=0.5, mask_threshold=0.57, min_iou=1.0)


def test_a_slider_that_was_stepped_goes_on_the_same_way() -> None:
    ahead = next_thresholds(replace(NOW, mask_threshold=0.56), NOW)
    assert ahead == [replace(NOW, mask_threshold=value) for value in (58 / 100, 59 / 100)]


def test_fidelity_ends_at_exact_outlines() -> None:
    before, now = (replace(NOW, min_iou=value) for value in (0.98, 0.99))
    assert next_thresholds(before, now) == [replace(NOW, min_iou=1.0)]


@pytest.mark.parametrize(
    "before",
    [
        NOW,
        replace(NOW, mask_threshold=0.3),
        replace(NOW, score=0.29),
        replace(NOW, mask_threshold=0.56, score=0.2),
        replace(NOW, mask_threshold=0.56, min_iou=0.98),
    ],
    ids=["nothing", "a jump", "the score", "two at once", "fitting, too"],
)
def test_other_moves_say_nothing(before: Thresholds) -> None:
    assert next_thresholds(before, NOW) == []
