"""Rasterising agrees with pycocotools, holes included."""

import numpy as np
import pytest
from hypothesis import given, settings

from geometry_masks import NAMED_MASKS, Mask, masks
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import (
    mask_iou,
    mask_to_rle,
    polygons_area,
    polygons_bbox_xywh,
    polygons_iou,
    polygons_to_mask,
    rle_iou,
    rle_to_mask,
)


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]


@given(masks())
@settings(deadline=None)
def test_rle_round_trip(mask: Mask) -> None:
    assert np.array_equal(rle_to_mask(mask_to_rle(mask)), mask)


def test_a_hole_is_not_filled() -> None:
    polygon = Polygon.of(square(1, 1, 8), [square(3, 3, 2)])
    assert polygons_area([polygon], (10, 10)) == 60


def test_an_island_in_a_hole_is_filled() -> None:
    around = Polygon.of(square(0, 0, 9), [square(2, 2, 5)])
    island = Polygon.of(square(4, 4, 1))
    assert polygons_to_mask([around, island], (9, 9))[4, 4]


def test_overlapping_parts_count_once() -> None:
    assert polygons_area([Polygon.of(square(0, 0, 4)), Polygon.of(square(2, 0, 4))], (8, 8)) == 24


def test_bbox_is_tight_around_the_pixels() -> None:
    assert polygons_bbox_xywh([Polygon.of(square(1.7, 2.2, 3))], (9, 9)) == (2, 2, 3, 3)


def test_no_polygons_are_an_empty_mask() -> None:
    assert not polygons_to_mask([], (4, 3)).any()
    assert polygons_bbox_xywh([], (4, 3)) == (0, 0, 0, 0)


@pytest.mark.parametrize("mask", NAMED_MASKS.values(), ids=NAMED_MASKS.keys())
def test_iou_of_masks_and_of_run_lengths_agree(mask: Mask) -> None:
    other = np.roll(mask, 1, axis=1)
    assert rle_iou(mask_to_rle(mask), mask_to_rle(other)) == pytest.approx(mask_iou(mask, other))


def test_iou_of_empty_masks_is_one() -> None:
    empty = np.zeros((3, 3), bool)
    assert mask_iou(empty, empty) == polygons_iou([], [], (3, 3)) == 1.0


def test_sizes_that_are_not_positive_are_refused() -> None:
    with pytest.raises(ValueError, match="positive size"):
        polygons_to_mask([], (0, 3))
