"""Which outlines of two sets overlap, and how far."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.geometry.polygon import Polygon


class Outlined(Protocol):
    """Anything with at least one polygon."""

    @property
    def polygons(self) -> tuple[Polygon, ...]: ...


def overlaps(
    left: Sequence[Outlined], right: Sequence[Outlined], *, least_iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """(rows, columns, IoU of areas) of the pairs whose IoU may reach `least_iou`, a few more among them.

    The overlap of two objects is at most that of their boxes, which rules out nearly all pairs before any geometry.
    """
    if not left or not right:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    shapes = _shapes(left), _shapes(right)
    rows, columns = shapely.STRtree(shapes[1]).query(shapes[0])
    boxes = shapely.bounds(shapes[0])[rows], shapely.bounds(shapes[1])[columns]
    areas = shapely.area(shapes[0])[rows], shapely.area(shapes[1])[columns]
    sides = np.minimum(boxes[0][:, 2:], boxes[1][:, 2:]) - np.maximum(boxes[0][:, :2], boxes[1][:, :2])
    at_most = np.minimum(sides.prod(axis=1), np.minimum(*areas))
    is_near = at_most >= least_iou * (areas[0] + areas[1] - at_most)
    rows, columns, both = rows[is_near], columns[is_near], areas[0][is_near] + areas[1][is_near]
    common = shapely.area(shapely.intersection(shapes[0][rows], shapes[1][columns]))
    return rows, columns, common / np.maximum(both - common, 1e-9)


def _shapes(items: Sequence[Outlined]) -> NDArray[np.object_]:
    """Valid shapely geometries, the plain ones (one part, no hole: nearly all) made in one call."""
    shapes = np.empty(len(items), np.object_)
    is_plain = np.array([len(item.polygons) == 1 and not item.polygons[0].holes for item in items], np.bool_)
    rings = [items[index].polygons[0].exterior for index in np.flatnonzero(is_plain).tolist()]
    if rings:
        owners = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        shapes[is_plain] = shapely.polygons(shapely.linearrings(np.concatenate(rings), indices=owners))
    for index in np.flatnonzero(~is_plain).tolist():
        shapes[index] = _compound(items[index].polygons)
    is_invalid = ~shapely.is_valid(shapes)
    shapes[is_invalid] = shapely.make_valid(shapes[is_invalid])
    return shapes


def _compound(polygons: Sequence[Polygon]) -> shapely.Geometry:
    return shapely.MultiPolygon([shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons])
