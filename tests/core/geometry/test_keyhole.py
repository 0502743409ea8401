"""Keyholes: one ring that fills the same pixels, and the way back to the same rings."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from pycocotools import mask as coco_mask

from geometry_masks import NAMED_MASKS, Mask, masks
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import cut_keyholes, join_keyholes, polygons_to_ring, ring_to_polygons
from maskwright.geometry.polygon import Polygon, Ring
from maskwright.geometry.raster import polygons_to_mask


def canonical(ring: Ring) -> tuple[tuple[float, float], ...]:
    """The ring from its smallest vertex, in the direction of the smaller neighbour."""
    points = [tuple(point) for point in ring.tolist()]
    start = points.index(min(points))
    forward = points[start:] + points[:start]
    return tuple(min(forward, [forward[0], *forward[:0:-1]]))


def same_rings(a: Polygon, b: Polygon) -> bool:
    return canonical(a.exterior) == canonical(b.exterior) and sorted(map(canonical, a.holes)) == sorted(
        map(canonical, b.holes)
    )


def filled(ring: Ring, shape_hw: tuple[int, int]) -> Mask:
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects([ring.ravel().tolist()], *shape_hw))) != 0


@pytest.mark.parametrize("mask", NAMED_MASKS.values(), ids=NAMED_MASKS.keys())
def test_keyhole_ring_fills_the_same_pixels(mask: Mask) -> None:
    for polygon in mask_to_polygons(mask, min_iou=None):
        expected = polygons_to_mask([polygon], (mask.shape[1], mask.shape[0]))
        assert np.array_equal(filled(cut_keyholes(polygon), mask.shape), expected)


@given(masks(max_side=20))
@settings(max_examples=200, deadline=None)
def test_cutting_and_joining_gives_the_same_rings(mask: Mask) -> None:
    for polygon in mask_to_polygons(mask, min_iou=None):
        ring = cut_keyholes(polygon)
        expected = polygons_to_mask([polygon], (mask.shape[1], mask.shape[0]))
        assert np.array_equal(filled(ring, mask.shape), expected)
        assert same_rings(join_keyholes(ring), polygon)


@given(masks(max_side=20))
@settings(max_examples=100, deadline=None)
def test_bridges_stay_inside_the_polygon(mask: Mask) -> None:
    for polygon in mask_to_polygons(mask, min_iou=None):
        walk = shapely.LinearRing(cut_keyholes(polygon))
        assert shapely.Polygon(polygon.exterior, polygon.holes).buffer(1e-9).covers(walk)


def test_keyhole_area_by_shoelace_is_the_area_without_the_hole() -> None:
    (polygon,) = mask_to_polygons(NAMED_MASKS["hole"], min_iou=None)
    assert abs(shapely.Polygon(cut_keyholes(polygon)).area) == NAMED_MASKS["hole"].sum()


def test_a_ring_without_bridges_comes_back_as_it_is() -> None:
    triangle = Polygon.of([(0, 0), (4, 0), (0, 4)])
    assert join_keyholes(triangle.exterior) == triangle


def test_a_bow_tie_through_one_vertex_is_left_whole() -> None:
    bow_tie = Polygon.of([(2, 2), (0, 0), (0, 4), (2, 2), (4, 0), (4, 4)])
    assert join_keyholes(bow_tie.exterior) == bow_tie


@given(masks(max_side=12))
@settings(max_examples=100, deadline=None)
def test_all_parts_as_one_walk_and_back(mask: Mask) -> None:
    polygons = mask_to_polygons(mask, min_iou=None)
    if not polygons:
        return
    ring = polygons_to_ring(polygons)
    assert np.array_equal(filled(ring, mask.shape), mask)
    assert np.array_equal(polygons_to_mask(ring_to_polygons(ring), (mask.shape[1], mask.shape[0])), mask)


def test_a_sieve_is_opened_again() -> None:
    mask = np.ones((41, 41), bool)
    mask[1::2, 1::2] = False
    (polygon,) = mask_to_polygons(mask, min_iou=None)
    (again,) = ring_to_polygons(cut_keyholes(polygon))
    assert same_rings(again, polygon)


def test_bridges_to_points_on_long_edges_open_too() -> None:
    ring = Polygon.of(
        [(0, 0), (10, 0), (10, 5), (7, 5), (7, 3), (3, 3), (3, 7), (7, 7), (7, 5), (10, 5), (10, 10), (0, 10)]
    )
    assert len(join_keyholes(ring.exterior).holes) == 1
