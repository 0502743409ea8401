"""Rings that cross themselves: even-odd as shapely's make_valid, in a bounded time."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from maskwright.errors import InputError
from maskwright.geometry.algebra import GRID_PX, make_valid, to_shapely, untangled
from maskwright.geometry.polygon import Polygon

points = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=14, unique=True)


@given(points)
def test_it_is_what_shapely_makes_of_it(ring: list[tuple[int, int]]) -> None:
    vertices = np.array(ring, float)
    expected = shapely.make_valid(shapely.Polygon(vertices))
    found = untangled([vertices], GRID_PX)
    assert found.is_valid
    assert shapely.symmetric_difference(found, expected).area <= 0.3  # corners of crossings are on the grid


@given(points, points)
def test_holes_that_cross_the_outside_are_read_even_odd(
    outside: list[tuple[int, int]], hole: list[tuple[int, int]]
) -> None:
    rings = [np.array(ring, float) for ring in (outside, hole)]
    one, other = (untangled([ring], GRID_PX) for ring in rings)
    found = untangled(rings, GRID_PX)
    assert shapely.symmetric_difference(found, shapely.symmetric_difference(one, other)).area <= 0.6


def scribble(count: int) -> Polygon:
    return Polygon.of(np.random.default_rng(0).random((count, 2)) * 500)


def test_a_scribble_is_mended_without_what_takes_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(shapely, "make_valid")
    (first, *_) = make_valid([scribble(250)])
    assert first.rings


@pytest.mark.parametrize("ring", [scribble(5000), Polygon.of([(i % 60, (i + 1) % 60) for i in range(20_000)])])
def test_one_that_would_take_for_ever_is_refused_at_once(ring: Polygon) -> None:
    with pytest.raises(InputError, match="crosses itself too often"):
        to_shapely([ring])


def test_a_long_outline_with_few_crossings_is_mended() -> None:
    angle = np.linspace(0, 4 * np.pi, 20_000, endpoint=False)
    spiral = Polygon.of(
        np.stack([np.cos(angle), np.sin(angle)], axis=1) * (100 + 10 * np.sin(1.5 * angle))[:, None] + 200
    )
    assert to_shapely([spiral]).is_valid
