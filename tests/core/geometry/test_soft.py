"""Soft masks: the outline lies between the pixels, the promise towards the pixels is kept."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskwright.geometry.algebra import are_valid, area_of, to_shapely
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import mask_iou, polygons_to_mask
from maskwright.geometry.soft import soft_mask_to_polygons


def soft_disc(radius: float, size: int = 40) -> np.ndarray:
    """1 inside, 0 outside, a slope of four pixels between; 0.5 at the radius."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return np.clip((radius - np.hypot(x, y)) / 4 + 0.5, 0, 1).astype(np.float32)


def missed_area(polygons: tuple[Polygon, ...], radius: float) -> float:
    """Square pixels between the outline and the true circle."""
    return float(shapely.symmetric_difference(to_shapely(polygons), shapely.Point(20, 20).buffer(radius, 64)).area)


def test_the_outline_is_nearer_to_the_truth_than_that_of_the_pixels() -> None:
    soft = hard = 0.0
    for radius in np.arange(10, 14, 0.3):
        heat = soft_disc(radius)
        soft += missed_area(soft_mask_to_polygons(heat), radius)
        hard += missed_area(mask_to_polygons(heat > 0.5), radius)
    assert soft < 0.85 * hard


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(0, 1, width=32)),
    st.sampled_from([0.5, 0.9, 0.98]),
)
@settings(deadline=None, max_examples=60)
def test_the_promise_is_kept_for_any_heat_map(heat: np.ndarray, min_iou: float) -> None:
    polygons = soft_mask_to_polygons(heat, min_iou=min_iou)
    assert mask_iou(polygons_to_mask(polygons, (heat.shape[1], heat.shape[0])), heat > 0.5) >= min_iou
    assert are_valid(polygons)


def test_the_threshold_moves_the_outline() -> None:
    areas = [area_of(soft_mask_to_polygons(soft_disc(12), threshold=threshold)) for threshold in (0.3, 0.5, 0.7)]
    assert areas == sorted(areas, reverse=True)


def test_an_offset_moves_the_outline() -> None:
    (here,), (there,) = (soft_mask_to_polygons(soft_disc(12), offset_xy=offset) for offset in ((0, 0), (5, 7)))
    assert np.array_equal(there.exterior, here.exterior + np.array((5, 7)))


def test_a_cold_map_has_no_outline() -> None:
    assert soft_mask_to_polygons(np.zeros((5, 5), np.float32)) == ()
