"""Polygon algebra on shapely: results are valid, holes stay, nothing smaller than the drawing precision is made."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maskwright.geometry.polygon import Polygon


def to_shapely(polygons: Iterable[Polygon]) -> BaseGeometry:
    """The union of the polygons; rings that cross themselves are read even-odd, as the raster does."""
    shapes = [shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons]
    return shapely.union_all([shape if shape.is_valid else shapely.make_valid(shape) for shape in shapes])


def from_shapely(shape: BaseGeometry) -> tuple[Polygon, ...]:
    """The areas of any shape; its lines and points fall away."""
    parts = [part for part in shapely.get_parts(_areas(shape)).tolist() if not part.is_empty]
    return tuple(
        Polygon.of(np.asarray(part.exterior.coords), [np.asarray(hole.coords) for hole in part.interiors])
        for part in parts
    )


def clip_to_image(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> tuple[Polygon, ...]:
    """What lies on the image; polygons that do so wholly come back as they are."""
    clipped: list[Polygon] = []
    for polygon in polygons:
        x1, y1, x2, y2 = polygon.bounds_xyxy
        if x1 >= 0 and y1 >= 0 and x2 <= size_wh[0] and y2 <= size_wh[1]:
            clipped.append(polygon)
        else:
            clipped += from_shapely(shapely.intersection(to_shapely([polygon]), shapely.box(0, 0, *size_wh)))
    return tuple(clipped)


def _areas(shape: BaseGeometry) -> BaseGeometry:
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape).tolist() if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts)
