"""Deep samples become what is shown: every pixel in its place, whatever the number type."""

import numpy as np

from maskwright.windowing import DisplayWindow, windowed

WINDOW = DisplayWindow(1000.0, 5000.0)


def test_whole_numbers_are_shown_as_floating_point_numbers_are() -> None:
    samples = np.random.default_rng(0).integers(0, 6000, (40, 30, 3), np.uint16)
    assert np.array_equal(windowed(samples, WINDOW), windowed(samples.astype(np.float64), WINDOW))


def test_the_window_is_black_to_white_and_cut_beyond() -> None:
    samples = np.array([[0, 1000], [3000, 5000], [6000, 65535]], np.uint16)
    assert windowed(samples, WINDOW).tolist() == [[0, 0], [128, 255], [255, 255]]


def test_what_is_no_number_is_black() -> None:
    samples = np.array([[np.nan, -np.inf, np.inf]], np.float32)
    assert windowed(samples, WINDOW).tolist() == [[0, 0, 255]]
