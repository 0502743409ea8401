"""Which outlines of two sets overlap, and how much.

Valid outlines are compared by shapely. A self-intersecting one is compared as rasterised by pycocotools, on a grid that
its length limits: making a scribble of 60 vertices valid and intersecting it takes shapely 15 ms per pair."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import Rle, one_walk, rle_area, rle_iou, walks_to_rle

_LONGEST = 1000.0
"""Cells along an outline; a longer one is compared at half the resolution, or half of that, and so on."""
_GRID_WH = (1 << 15, 1 << 15)
"""Almost no image is larger; run lengths cost nothing for empty areas and count to 2**32."""


class Outlinable(Protocol):
    """Anything with at least one polygon."""

    @property
    def polygons(self) -> tuple[Polygon, ...]:
        """The outline's parts, in image pixels."""


def overlaps(
    left: Sequence[Outlinable], right: Sequence[Outlinable], *, least_iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """(rows, columns, IoU of areas) of the pairs whose IoU may reach `least_iou`, with a few others among them.

    The overlap of two objects is at most that of their boxes, which rules out nearly all pairs without geometry.
    """
    if not left or not right:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    a, b = _Side(left), _Side(right)
    rows, columns = _near(a, b, least_iou)
    is_plain = a.is_sound[rows] & b.is_sound[columns]
    ious = np.empty(len(rows))
    first, second = rows[is_plain], columns[is_plain]
    common = shapely.area(shapely.intersection(a.shapes[first], b.shapes[second]))
    ious[is_plain] = common / np.maximum(a.areas[first] + b.areas[second] - common, 1e-9)
    for at in np.flatnonzero(~is_plain).tolist():
        ious[at] = _grid_iou(a.grids, int(rows[at]), b.grids, int(columns[at]))
    return rows, columns, ious


class _Side:
    """One of the two sets: geometries, whether they are valid, areas and boxes."""

    def __init__(self, items: Sequence[Outlinable]) -> None:
        self.shapes, self.grids = _shapes(items), _Grids(items)
        self.is_sound = shapely.is_valid(self.shapes)
        self.boxes = shapely.bounds(self.shapes)
        self.areas = shapely.area(self.shapes)
        for index in np.flatnonzero(~self.is_sound).tolist():
            self.areas[index] = self.grids.area(index)


def _near(a: _Side, b: _Side, least_iou: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs whose boxes and areas allow the IoU."""
    rows, columns = shapely.STRtree(shapely.box(*b.boxes.T)).query(shapely.box(*a.boxes.T))
    boxes, areas = (a.boxes[rows], b.boxes[columns]), (a.areas[rows], b.areas[columns])
    sides = np.minimum(boxes[0][:, 2:], boxes[1][:, 2:]) - np.maximum(boxes[0][:, :2], boxes[1][:, :2])
    at_most = np.minimum(sides.prod(axis=1), np.minimum(*areas))
    is_near = at_most >= least_iou * (areas[0] + areas[1] - at_most)
    return rows[is_near], columns[is_near]


class _Grids:
    """Outlines as cells, made when needed."""

    def __init__(self, items: Sequence[Outlinable]) -> None:
        self._items = items
        self._known: dict[tuple[int, int], Rle] = {}

    def level(self, index: int) -> int:
        """How many times the resolution is halved."""
        rings = [ring for polygon in self._items[index].polygons for ring in polygon.rings]
        length = sum(float(np.abs(ring - np.roll(ring, 1, axis=0)).sum()) for ring in rings)
        return max(0, int(np.ceil(np.log2(max(length, 1.0) / _LONGEST))))

    def cells(self, index: int, level: int) -> Rle:
        if (index, level) not in self._known:
            scale = 0.5**level
            walks = [one_walk([ring * scale for ring in polygon.rings]) for polygon in self._items[index].polygons]
            self._known[index, level] = walks_to_rle([walk.ravel() for walk in walks], _GRID_WH)
        return self._known[index, level]

    def area(self, index: int) -> float:
        """In square pixels of the image."""
        level = self.level(index)
        return rle_area(self.cells(index, level)) * 4.0**level


def _grid_iou(left: _Grids, row: int, right: _Grids, column: int) -> float:
    level = max(left.level(row), right.level(column))
    return rle_iou(left.cells(row, level), right.cells(column, level))


def _shapes(items: Sequence[Outlinable]) -> NDArray[np.object_]:
    """Shapely geometries; the plain ones (one part, no hole: nearly all) are made in a single call."""
    shapes = np.empty(len(items), np.object_)
    is_plain = np.array([len(item.polygons) == 1 and not item.polygons[0].holes for item in items], np.bool_)
    rings = [items[index].polygons[0].exterior for index in np.flatnonzero(is_plain).tolist()]
    if rings:
        owners = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        shapes[is_plain] = shapely.polygons(shapely.linearrings(np.concatenate(rings), indices=owners))
    for index in np.flatnonzero(~is_plain).tolist():
        shapes[index] = _compound(items[index].polygons)
    return shapes


def _compound(polygons: Sequence[Polygon]) -> shapely.Geometry:
    return shapely.MultiPolygon([shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons])
