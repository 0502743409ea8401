"""Dense outlines: exact both ways, small, movable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.dense import (
    MAX_BYTES,
    dense_moved,
    dense_to_polygons,
    mask_to_dense,
    polygons_to_dense,
)
from maskwright.geometry.polygon import Polygon


def disc(radius: int) -> np.ndarray:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(0, 50), st.integers(0, 50))
def test_a_mask_comes_back_as_its_exact_outline(mask: np.ndarray, x: int, y: int) -> None:
    assert dense_to_polygons(mask_to_dense(mask, (x, y))) == mask_to_polygons(mask, min_iou=None, offset_xy=(x, y))


def test_any_outline_comes_back_vertex_by_vertex() -> None:
    outline = (
        Polygon.of([(0.1, 0), (9.7, 0), (9, 9)], [[(2, 1), (4, 1), (4, 2.3)]]),
        Polygon.of([(20, 20), (30, 20), (30, 31)]),
    )

    assert dense_to_polygons(polygons_to_dense(outline)) == outline


def test_a_model_sized_mask_takes_a_few_hundred_bytes() -> None:
    assert len(mask_to_dense(disc(150), (0, 0))) < 800


@pytest.mark.parametrize(
    "dense",
    [mask_to_dense(disc(5), (3, 4)), polygons_to_dense([Polygon.of([(0, 0), (5, 0), (5, 5)])])],
    ids=["mask", "outline"],
)
def test_it_moves_with_its_object(dense: bytes) -> None:
    moved = dense_to_polygons(dense_moved(dense, 2.5, -1.0))

    assert np.array_equal(moved[0].exterior, dense_to_polygons(dense)[0].exterior + np.array((2.5, -1.0)))


def test_what_would_be_too_large_is_not_kept() -> None:
    ring = np.random.default_rng(0).random((MAX_BYTES // 8, 2))

    assert polygons_to_dense([Polygon.of(ring)]) is None


@pytest.mark.parametrize(
    "damaged", [b"", b"\x00" * 20, mask_to_dense(disc(5), (0, 0))[:-3]], ids=["empty", "zeros", "cut"]
)
def test_damaged_bytes_are_told(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="dense"):
        dense_to_polygons(damaged)
