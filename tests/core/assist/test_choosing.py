"""Of answers in growing windows the one that holds the whole object is taken."""

import numpy as np

from maskwright.assist.bundled.choosing import best_of
from maskwright.assist.placing import PlacedAxis, SoftMask
from maskwright.assist.window import Window

IMAGE = 400
SMALL, LARGE = Window(150, 150, 100, 100), Window(100, 100, 200, 200)


def answer(window: Window, rows: slice, *, score: float) -> SoftMask:
    logits = np.full((20, 20), -5, np.float32)
    logits[rows, 8:12] = 5
    axes = (
        PlacedAxis.stretched(20, window.x, window.width, IMAGE),
        PlacedAxis.stretched(20, window.y, window.height, IMAGE),
    )
    return SoftMask(logits, axes, score)


def test_one_that_goes_on_beyond_its_window_gives_way() -> None:
    softs = [answer(SMALL, slice(0, 12), score=0.9), answer(LARGE, slice(5, 12), score=0.8)]
    assert best_of(softs, [SMALL, LARGE]) == 1


def test_one_that_ends_with_the_image_is_whole() -> None:
    top = Window(150, 0, 100, 100)
    softs = [answer(top, slice(0, 12), score=0.9), answer(LARGE, slice(5, 12), score=0.8)]
    assert best_of(softs, [top, LARGE]) == 0


def test_a_much_surer_answer_wins_all_the_same() -> None:
    softs = [answer(SMALL, slice(0, 12), score=0.9), answer(LARGE, slice(5, 12), score=0.5)]
    assert best_of(softs, [SMALL, LARGE]) == 0
