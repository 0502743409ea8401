"""Keypoints of an imported object that was changed here: moved along with it, or left out where nobody can say.

Maskwright does not show keypoints, so that an edit cannot take them along. What the outline tells: where most of its
vertices have moved by one and the same step, the object was moved, and where most are still in place, reshaped.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.formats.coco import original
from maskwright.formats.coco.segmentation import bbox_to_polygon, segmentation_to_polygons
from maskwright.formats.sizes import is_number
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import DECIMALS

KEYPOINTS, COUNT = "keypoints", "num_keypoints"
_SHARE = 0.5
"""Of the vertices: fewer that agree are chance."""


def keypoints_of(extra: Mapping[str, Any], polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> list[float] | None:
    """The x, y, visibility triples for the outline as it is now; None where they no longer belong to it."""
    points, kept = extra.get(KEYPOINTS), extra.get(original.KEY)
    is_usable = isinstance(points, list) and len(points) % 3 == 0 and all(map(is_number, points))
    if not is_usable or not isinstance(kept, Mapping) or not polygons:
        return None
    try:
        before = _polygons_of(kept, size_wh)
    except ValueError:
        return None
    step = _common_step(before, polygons)
    if step is None:
        return None
    moved = np.array(points, np.float64).reshape(-1, 3)
    moved[moved[:, 2] > 0, :2] += step  # those that are not labelled stay 0, 0
    return [int(n) if n.is_integer() else round(n, DECIMALS) for n in moved.ravel().tolist()]


def _polygons_of(kept: Mapping[str, Any], size_wh: tuple[int, int]) -> Sequence[Polygon]:
    if kept.get("segmentation"):
        return segmentation_to_polygons(kept["segmentation"], size_wh)[0]
    return (bbox_to_polygon(kept.get("bbox")),)


def _common_step(before: Sequence[Polygon], after: Sequence[Polygon]) -> tuple[float, float] | None:
    """By what most vertices have moved, (0, 0) where most are in place; None where they do not agree.

    Vertex by vertex first: a staircase of pixels that has moved by one step still has its vertices on old places.
    """
    old, new = _vertices(before), _vertices(after)
    if len(old) == len(new) > 0:
        step, count = Counter(map(tuple, (new - old).round(DECIMALS).tolist())).most_common(1)[0]
        if count > _SHARE * len(old):
            return step[0], step[1]
    there = set(map(tuple, new.tolist()))
    return (0.0, 0.0) if sum(tuple(point) in there for point in old.tolist()) > _SHARE * len(old) else None


def _vertices(polygons: Sequence[Polygon]) -> NDArray[np.float64]:
    rings = [ring for polygon in polygons for ring in polygon.rings]
    return np.concatenate(rings).round(DECIMALS) if rings else np.empty((0, 2))
