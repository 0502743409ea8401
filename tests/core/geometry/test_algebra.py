"""Polygon algebra: the pixels add up, results are valid, holes stay, slivers do not."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coco_sources import square, square_ring, square_with_hole
from geometry_masks import Mask, masks
from maskwright.geometry import algebra
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_mask

SIDE = 24


def placed(mask: Mask) -> Mask:
    frame = np.zeros((SIDE, SIDE), bool)
    frame[: mask.shape[0], : mask.shape[1]] = mask
    return frame


def polygons_of(mask: Mask) -> algebra.Polygons:
    return mask_to_polygons(mask, min_iou=None)


def raster(polygons: algebra.Polygons) -> Mask:
    return polygons_to_mask(polygons, (SIDE, SIDE))


frames = masks(max_side=4).map(placed)
# no subnormal numbers: GEOS answers rightly but leaves floating-point flags behind, which numpy turns into warnings
coordinates = st.floats(0, 20, allow_subnormal=False)
jagged = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9).map(Polygon.of)


@given(frames, frames)
@settings(deadline=None, max_examples=50)
def test_booleans_of_outlines_are_booleans_of_pixels(a: Mask, b: Mask) -> None:
    assert np.array_equal(raster(algebra.unite(polygons_of(a), polygons_of(b))), a | b)
    assert np.array_equal(raster(algebra.subtract(polygons_of(a), polygons_of(b))), a & ~b)
    assert np.array_equal(raster(algebra.intersect(polygons_of(a), polygons_of(b))), a & b)


@given(jagged, jagged)
@settings(deadline=None, max_examples=50)
def test_results_are_valid_even_after_rounding(a: Polygon, b: Polygon) -> None:
    for result in (
        algebra.unite([a], [b]),
        algebra.subtract([a], [b]),
        algebra.intersect([a], [b]),
        algebra.smooth([a]),
        algebra.grow([a], 1.5),
        algebra.grow([a], -0.5),
        algebra.simplify([a], 1),
    ):
        assert algebra.are_valid(result)
        assert all(np.array_equal(np.round(ring, 2), ring) for polygon in result for ring in polygon.rings)


@given(jagged)
@settings(deadline=None, max_examples=50)
def test_invalid_rings_are_made_valid(polygon: Polygon) -> None:
    assert algebra.are_valid(algebra.make_valid([polygon]))
    assert algebra.are_valid(algebra.clip_to_image(algebra.make_valid([polygon]), (10, 10)))


@given(jagged)
@settings(deadline=None, max_examples=50)
def test_making_valid_keeps_the_area(polygon: Polygon) -> None:
    before = shapely.make_valid(shapely.Polygon(polygon.exterior)).area
    assert algebra.area_of(algebra.make_valid([polygon])) == pytest.approx(before, abs=1.0)


def test_subtracting_the_middle_leaves_a_hole() -> None:
    (ring,) = algebra.subtract([square(0, 0, 9)], [square(3, 3, 3)])
    assert len(ring.holes) == 1


def test_uniting_keeps_holes() -> None:
    (polygon,) = algebra.unite([square_with_hole(0, 0)], [square(8, 0, 4)])
    assert len(polygon.holes) == 1


def test_a_sliver_is_dropped() -> None:
    almost = Polygon.of([(0, 0), (8, 0), (8, 8.004), (0, 8.004)])
    assert algebra.subtract([almost], [square(0, 0, 8)]) == ()


def test_a_line_through_a_ring_makes_two_pieces() -> None:
    pieces = algebra.split_by_line([square_with_hole(0, 0)], np.array([(4.5, -1), (4.5, 10)]))
    assert [algebra.area_of(piece) for piece in pieces] == [36, 36]


def test_parts_that_a_line_misses_stay_with_the_largest_piece() -> None:
    pieces = algebra.split_by_line([square(0, 0, 6), square(10, 0, 2)], np.array([(2, -1), (2, 7)]))
    assert [len(piece) for piece in pieces] == [2, 1]


def test_a_line_that_misses_all_gives_one_piece() -> None:
    assert algebra.split_by_line([square(0, 0)], np.array([(9, 0), (9, 9)])) == ((square(0, 0),),)


def test_clipping_leaves_what_is_inside_untouched() -> None:
    inside = square(1.234567, 1)
    assert algebra.clip_to_image([inside], (9, 9))[0] is inside


def test_growing_and_shrinking() -> None:
    assert algebra.area_of(algebra.grow([square(5, 5, 4)], 1)) == pytest.approx(16 + 16 + 3.14, abs=0.5)
    assert algebra.grow([square(5, 5, 4)], -3) == ()


def test_smoothing_stays_inside_convex_corners() -> None:
    assert 12 < algebra.area_of(algebra.smooth([square(0, 0, 4)])) < 16


def test_small_holes_are_filled_and_large_ones_kept() -> None:
    polygon = Polygon.of(square_ring(0, 0, 20), [square_ring(1, 1, 1), square_ring(5, 5, 10)])
    (filled,) = algebra.fill_holes([polygon], max_area=4)
    assert len(filled.holes) == 1
    assert algebra.fill_holes([polygon])[0].holes == ()


def test_an_island_in_a_filled_hole_becomes_one_with_it() -> None:
    around = Polygon.of(square_ring(0, 0, 20), [square_ring(5, 5, 10)])
    (filled,) = algebra.fill_holes([around, square(8, 8, 3)])
    assert (algebra.area_of([filled]), filled.holes) == (400, ())


def test_bow_ties_become_two_triangles() -> None:
    assert len(algebra.make_valid([Polygon.of([(0, 0), (4, 4), (4, 0), (0, 4)])])) == 2
