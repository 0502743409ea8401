"""Parses the `segmentation` of a COCO annotation into polygons, in all variants of the format."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from maskwright.formats.sizes import is_number
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon, as_ring
from maskwright.geometry.rle import counts_to_mask, rle_counts
from maskwright.plain_words import in_plain_words, kind_of

MAX_COORDINATE = 1e6


def segmentation_to_polygons(segmentation: Any, size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], list[str]]:
    """The parts, and descriptions of what was left out. Keyholes become holes, run lengths become exact outlines.

    Raises ValueError if nothing is left, or for a type that COCO does not have.
    """
    if isinstance(segmentation, dict):
        return _run_lengths_to_polygons(segmentation, size_wh), []
    if not isinstance(segmentation, list):
        raise ValueError(f"expected a list of rings or run lengths, got {kind_of(segmentation)}")
    if segmentation and all(map(is_number, segmentation)):
        raise ValueError("expected a list of rings, got a single ring")
    polygons: list[Polygon] = []
    left_out: list[str] = []
    for i, flat in enumerate(segmentation):
        try:
            polygons += _flat_to_polygons(flat)
        except ValueError as error:
            left_out.append(f"ring {i}: {in_plain_words(error)}")
    if not polygons:
        raise ValueError("; ".join(left_out) or "no rings")
    return tuple(polygons), left_out


def bbox_to_polygon(bbox: Any) -> Polygon:
    """The rectangle of an `xywh` box. Raises ValueError for anything else and for boxes without area."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(is_number, bbox)):
        raise ValueError("expected a bbox of four numbers")
    x, y, w, h = map(float, bbox)
    if w <= 0 or h <= 0 or max(map(abs, (x, y, w, h))) > MAX_COORDINATE:
        raise ValueError(f"expected a bbox with an area, got {w} x {h}")
    return Polygon.of([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])


def _flat_to_polygons(flat: Any) -> tuple[Polygon, ...]:
    if not isinstance(flat, list):
        raise ValueError(f"expected a list of numbers, got {kind_of(flat)}")
    if len(flat) < 6 or len(flat) % 2:
        raise ValueError(f"expected an even number of at least 6 values, got {len(flat)}")
    if not all(type(value) in (int, float) for value in flat):
        raise ValueError("expected numbers only")
    if max(flat) > MAX_COORDINATE or min(flat) < -MAX_COORDINATE or any(map(math.isnan, flat)):
        raise ValueError(f"expected coordinates within {MAX_COORDINATE:.0f} pixels")
    points = np.array(flat, np.float64).reshape(-1, 2)
    if not _repeats_a_point(flat):
        return (Polygon(as_ring(points)),)
    return ring_to_polygons(as_ring(points))


def _repeats_a_point(flat: Sequence[float]) -> bool:
    points = set(zip(flat[::2], flat[1::2], strict=True))
    is_closed = flat[:2] == flat[-2:]
    return len(points) < len(flat) // 2 - is_closed


def _run_lengths_to_polygons(rle: dict[str, Any], size_wh: tuple[int, int]) -> tuple[Polygon, ...]:
    size, counts = rle.get("size"), rle.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int for side in size):
        raise ValueError("expected run lengths with a size of [height, width]")
    if (size[1], size[0]) != size_wh:
        raise ValueError(
            f"the run lengths are for {size[1]} x {size[0]}, but the image has {size_wh[0]} x {size_wh[1]}"
        )
    polygons = mask_to_polygons(counts_to_mask(rle_counts(counts), (size[0], size[1])), min_iou=None)
    if not polygons:
        raise ValueError("the run lengths are empty")
    return polygons
