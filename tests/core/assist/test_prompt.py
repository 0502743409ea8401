"""Prompts are checked before any network sees them."""

import numpy as np
import pytest

from fake_assistant import FakeBackend, fake_assistant
from maskwright import Polygon
from maskwright.assist.prompt import Prompt
from maskwright.errors import PromptError

SIZE = (40, 30)


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        pytest.param({"points_xy": [(41, 5)]}, "outside the image", id="point outside"),
        pytest.param({"points_xy": [(-0.1, 5)]}, "outside the image", id="point left of it"),
        pytest.param({"points_xy": [(float("nan"), 5)]}, "not numbers", id="nan point"),
        pytest.param({"points_xy": [(1, 2, 3)]}, "expected", id="three coordinates"),
        pytest.param({"points_xy": [(1, 2)], "labels": [1, 0]}, "a label for each", id="labels too many"),
        pytest.param({"points_xy": [(1, 2)], "labels": [2]}, "a label is", id="unknown label"),
        pytest.param({"points_xy": [(1, 2)], "labels": [0]}, "needs a point inside", id="only outside"),
        pytest.param({}, "needs a point inside", id="nothing"),
        pytest.param({"points_xy": np.ones((1001, 2))}, "at most 1000", id="too many points"),
        pytest.param({"box_xyxy": (5, 5, 5, 9)}, "no area", id="empty box"),
        pytest.param({"box_xyxy": (9, 9, 5, 5)}, "no area", id="box turned inside out"),
        pytest.param({"box_xyxy": (50, 5, 60, 9)}, "no area", id="box beside the image"),
        pytest.param({"box_xyxy": (1, 2, float("inf"), 4)}, "expected a box", id="infinite box"),
        pytest.param({"mask": np.ones((40, 30), bool)}, "is 30 x 40", id="mask of another size"),
        pytest.param({"mask": np.zeros((30, 40), bool)}, "no pixel", id="empty mask"),
        pytest.param({"mask": ()}, "no pixel", id="no polygons"),
        pytest.param({"mask": (Polygon.of([(50, 0), (60, 0), (60, 9)]),)}, "no pixel", id="outline beside the image"),
    ],
)
def test_a_prompt_that_cannot_be_answered_is_refused_with_its_reason(shown: dict[str, object], reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        Prompt.of(SIZE, **shown)  # type: ignore[arg-type]


def test_a_box_is_clipped_to_the_image() -> None:
    assert Prompt.of(SIZE, box_xyxy=(-5, -5, 20, 99)).box_xyxy == (0, 0, 20, 30)


def test_two_hundred_points_are_answered() -> None:
    backend = FakeBackend()
    points = np.random.default_rng(0).uniform(0, 30, (200, 2))
    fake_assistant(backend).open(np.zeros((30, 40, 3), np.uint8)).outline(points)
    assert len(backend.prompts[0].points_xy) == 200


def test_an_outline_to_correct_is_rasterised_in_its_own_window() -> None:
    crop = Prompt.of((12_000, 9_000), mask=(Polygon.of([(7000, 8000), (7004, 8000), (7004, 8003), (7000, 8003)]),)).mask
    assert crop is not None
    assert (crop.corner_xy, crop.pixels.shape) == ((7000, 8000), (3, 4))


def test_the_extent_is_around_all_that_belongs_to_the_object() -> None:
    prompt = Prompt.of(SIZE, [(30, 5), (1, 1)], [1, 0], box_xyxy=(10, 10, 20, 20))
    assert prompt.extent_xyxy == (10, 5, 30, 20)
