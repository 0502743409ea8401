"""Exact tracing: the rings are the mask, whatever it looks like."""

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings

from geometry_masks import NAMED_MASKS, Mask, masks
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_mask


def raster(polygons: tuple[Polygon, ...], mask: Mask) -> Mask:
    return polygons_to_mask(polygons, (mask.shape[1], mask.shape[0]))


def shapes_of(polygons: tuple[Polygon, ...]) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([(polygon.exterior, polygon.holes) for polygon in polygons])


@pytest.mark.parametrize("mask", NAMED_MASKS.values(), ids=NAMED_MASKS.keys())
def test_exact_outline_rasterises_to_the_same_mask(mask: Mask) -> None:
    assert np.array_equal(raster(mask_to_polygons(mask, min_iou=None), mask), mask)


@pytest.mark.parametrize("mask", NAMED_MASKS.values(), ids=NAMED_MASKS.keys())
def test_exact_outline_is_valid(mask: Mask) -> None:
    assert shapes_of(mask_to_polygons(mask, min_iou=None)).is_valid


@given(masks())
@settings(max_examples=300, deadline=None)
def test_any_mask_traces_exactly_and_validly(mask: Mask) -> None:
    polygons = mask_to_polygons(mask, min_iou=None)
    assert np.array_equal(raster(polygons, mask), mask)
    assert shapes_of(polygons).is_valid


@given(masks())
@settings(max_examples=100, deadline=None)
def test_parts_are_the_four_connected_components(mask: Mask) -> None:
    count, _ = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    assert len(mask_to_polygons(mask, min_iou=None)) == count - 1


def test_every_three_by_three_mask_traces_exactly() -> None:
    for bits in range(512):
        mask = np.array([bits >> i & 1 for i in range(9)], bool).reshape(3, 3)
        assert np.array_equal(raster(mask_to_polygons(mask, min_iou=None), mask), mask), mask


def test_one_pixel_is_the_square_around_it() -> None:
    mask = np.zeros((4, 6), bool)
    mask[1, 2] = True
    (polygon,) = mask_to_polygons(mask, min_iou=None)
    assert polygon.bounds_xyxy == (2, 1, 3, 2)
    assert len(polygon.exterior) == 4


def test_offset_moves_a_crop_into_its_image() -> None:
    mask = np.ones((3, 2), bool)
    (polygon,) = mask_to_polygons(mask, offset_xy=(10, 20))
    assert polygon.bounds_xyxy == (10, 20, 12, 23)


def test_empty_mask_has_no_polygons() -> None:
    assert mask_to_polygons(np.zeros((5, 5), bool)) == ()
    assert mask_to_polygons(np.zeros((0, 5), bool)) == ()


def test_small_parts_are_left_out_on_request() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:12, 2:12] = True
    mask[15, 15] = True
    assert len(mask_to_polygons(mask, min_iou=None, min_area=2)) == 1


def test_foreground_of_255_counts_as_foreground() -> None:
    mask = np.full((4, 4), 255, np.uint8)
    assert mask_to_polygons(mask) == mask_to_polygons(mask != 0)


def test_a_view_that_is_not_contiguous_traces_like_its_copy() -> None:
    mask = NAMED_MASKS["island in a hole"][::-1, ::2]
    assert mask_to_polygons(mask, min_iou=None) == mask_to_polygons(mask.copy(), min_iou=None)


@pytest.mark.parametrize("shape", [(3,), (3, 3, 1)], ids=str)
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        mask_to_polygons(np.zeros(shape, bool))
