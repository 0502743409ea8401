"""Objects that are a box without an outline, told apart from rectangles that someone drew.

An imported box is shown and edited as a rectangle. Until someone moves a corner it counts as a box, and is written as
one if the format has boxes."""

from collections.abc import Mapping, Sequence
from typing import Any

from maskwright.document.values import Instance
from maskwright.formats.coco import original
from maskwright.geometry.polygon import Polygon, polygons_bounds_xyxy


def is_box(instance: Instance) -> bool:
    """Whether the source file had a box without an outline, and nobody has changed it."""
    geometry = original.untouched_geometry(instance.extra, instance.polygons)
    return geometry is not None and bool(geometry.get("bbox")) and not geometry.get("segmentation")


def box_extra(polygons: Sequence[Polygon]) -> Mapping[str, Any]:
    """The `Instance.extra` by which `is_box` recognises a box; `polygons`: its rectangle."""
    x1, y1, x2, y2 = polygons_bounds_xyxy(polygons)
    record = {"segmentation": [], "area": (x2 - x1) * (y2 - y1), "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0}
    return original.remember(record, original.GEOMETRY_KEYS, polygons)


def rectangle(x1: float, y1: float, x2: float, y2: float) -> tuple[Polygon, ...]:
    """The polygon of a box. Raises ValueError if it has no area."""
    if not (x2 > x1 and y2 > y1 and max(abs(x1), abs(y1), abs(x2), abs(y2)) <= 1e6):
        raise ValueError("expected a box with an area")
    return (Polygon.of([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]),)
