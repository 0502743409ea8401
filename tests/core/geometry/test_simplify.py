"""The promise of few vertices: at least the asked IoU in pycocotools' raster, valid, for every mask."""

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry_masks import NAMED_MASKS, Mask, masks, masks_to_polygons, masks_to_traced
from maskwright.geometry.checking import are_valid, uncrossed
from maskwright.geometry.convert import (
    LastPrepared,
    mask_to_polygons,
    traced_to_polygons,
)
from maskwright.geometry.raster import mask_iou, polygons_to_mask


def iou_of(polygons: tuple, mask: Mask) -> float:  # type: ignore[type-arg]
    return mask_iou(polygons_to_mask(polygons, (mask.shape[1], mask.shape[0])), mask)


@pytest.mark.parametrize("min_iou", [0.5, 0.9, 0.98, 0.995])
@pytest.mark.parametrize("mask", NAMED_MASKS.values(), ids=NAMED_MASKS.keys())
def test_named_masks_keep_the_promise(mask: Mask, min_iou: float) -> None:
    polygons = mask_to_polygons(mask, min_iou=min_iou)
    assert iou_of(polygons, mask) >= min_iou


@given(masks(max_side=24), st.sampled_from([0.3, 0.8, 0.95, 0.98, 0.999]))
@settings(max_examples=300, deadline=None)
def test_any_mask_keeps_the_promise_with_valid_polygons(mask: Mask, min_iou: float) -> None:
    polygons = mask_to_polygons(mask, min_iou=min_iou)
    assert iou_of(polygons, mask) >= min_iou
    assert all(shapely.Polygon(polygon.exterior, polygon.holes).is_valid for polygon in polygons)


@given(st.lists(masks(max_side=16), max_size=6), st.sampled_from([None, 0.8, 0.98]))
@settings(max_examples=100, deadline=None)
def test_masks_together_become_what_each_becomes_alone(several: list[Mask], min_iou: float | None) -> None:
    offsets = [(7 * number, 3) for number in range(len(several))]
    alone = [mask_to_polygons(m, min_iou=min_iou, offset_xy=xy) for m, xy in zip(several, offsets, strict=True)]
    assert masks_to_polygons(several, min_iou=min_iou, offsets_xy=offsets) == alone


@given(st.lists(masks(max_side=16), min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_masks_made_ready_once_keep_every_promise_as_if_fresh(several: list[Mask]) -> None:
    traced, last = masks_to_traced(several), LastPrepared()
    for min_iou in (0.8, 0.98, 0.8):
        assert traced_to_polygons(traced, min_iou, last) == traced_to_polygons(traced, min_iou)


def test_more_masks_than_fit_into_one_call_keep_their_order() -> None:
    several = [np.ones((3, width), bool) for width in range(1, 300)]
    assert masks_to_polygons(several) == [mask_to_polygons(mask) for mask in several]


def test_no_masks_have_no_polygons() -> None:
    assert masks_to_polygons([]) == []


def test_a_large_disc_needs_few_vertices() -> None:
    y, x = np.mgrid[:400, :400] - 199.5
    (polygon,) = mask_to_polygons(np.hypot(x, y) < 190)
    assert polygon.vertex_count <= 16


def test_a_large_hole_stays() -> None:
    (polygon,) = mask_to_polygons(NAMED_MASKS["ring"])
    assert len(polygon.holes) == 1


def test_a_lower_promise_never_costs_vertices() -> None:
    counts = [sum(p.vertex_count for p in mask_to_polygons(NAMED_MASKS["ring"], min_iou=q)) for q in (0.8, 0.95, 0.99)]
    assert counts == sorted(counts)


def test_strokes_that_cross_do_not_fall_back_to_every_pixel() -> None:
    """At 0.85 every outline that kept the promise crossed itself; the exact one has ten times the vertices."""
    random, mask = np.random.default_rng(19), np.zeros((120, 120), np.uint8)
    for _ in range(random.integers(3, 14)):
        start = random.integers(5, 115, 2)
        end = start + random.integers(-60, 60, 2)
        cv2.line(mask, start.tolist(), end.tolist(), 1, int(random.integers(1, 7)))
    loose, tight = (sum(p.vertex_count for p in mask_to_polygons(mask, min_iou=q)) for q in (0.85, 0.9))
    assert loose <= 1.1 * tight


def test_rings_that_cross_are_taken_apart_on_the_grid() -> None:
    bow_tie = [[np.array([(0.0, 0.0), (10.0, 7.0), (10.0, 0.0), (0.0, 7.0)])]]
    apart = uncrossed(bow_tie)
    assert are_valid([apart]) == [True]
    assert sum(shapely.Polygon(rings[0]).area for rings in apart) == pytest.approx(35, abs=1)


@pytest.mark.parametrize("min_iou", [0, -1, 1.5, float("nan")])
def test_an_impossible_promise_is_refused(min_iou: float) -> None:
    with pytest.raises(ValueError, match="min_iou"):
        mask_to_polygons(np.ones((3, 3), bool), min_iou=min_iou)
