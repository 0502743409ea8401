"""One result of a Label Studio annotation as an object: polygon, rectangle, ellipse or brush mask."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.formats.boxes import rectangle
from maskwright.formats.brush_rle import brush_to_mask
from maskwright.formats.building import Described
from maskwright.formats.sizes import is_number, is_share, whole_size
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import rounded

_ELLIPSE_VERTICES = 64


def result_to_object(result: Mapping[str, Any], labels: Mapping[str, Any] | None, *, is_prediction: bool) -> Described:
    """`labels`: the result that names the class where shape and class are apart. Raises ValueError for what has no
    area or no class.
    """
    value = result.get("value")
    if not isinstance(value, Mapping):
        raise ValueError("expected a value")
    kind = next((name for name in _GEOMETRY if _is_of(name, result, value)), None)
    if kind is None:
        raise ValueError(f"{result.get('type', 'this')!s} has no area")
    if result.get("image_rotation"):
        raise ValueError("was drawn on a rotated image, whose coordinates are not told")
    size_wh = whole_size(result.get("original_width"), result.get("original_height"))
    polygons, is_box = _GEOMETRY[kind](value, size_wh)
    if not polygons:
        raise ValueError("covers no pixel")
    score = result.get("score")
    return Described(
        _label(kind, value, labels), polygons, is_box, float(score) if is_share(score) else None,
        is_proposal=is_prediction,
    )  # fmt: skip


def _is_of(name: str, result: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    return result.get("type") in (name, f"{name}labels") or f"{name}labels" in value


def _label(kind: str, value: Mapping[str, Any], labels: Mapping[str, Any] | None) -> str:
    apart = labels.get("value") if labels is not None else None
    places = [value.get(f"{kind}labels"), value.get("labels"), apart.get("labels") if isinstance(apart, dict) else None]
    found = next((names for names in places if isinstance(names, list) and names), None)
    if found is None or not isinstance(found[0], str) or not found[0].strip():
        raise ValueError("has no class")
    if len(found) > 1:
        raise ValueError(f"has {len(found)} classes at once")
    return found[0].strip()


def _polygon(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    points = np.array(value.get("points"), np.float64)
    if value.get("closed") is False or points.ndim != 2 or points.shape[1:] != (2,) or not _is_in_reach(points):
        raise ValueError("expected a closed polygon of points in percent")
    return ring_to_polygons(Polygon.of(rounded(_pixels(points, size_wh))).exterior), False


def _rectangle(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    x, y, w, h = _numbers(value, "x", "y", "width", "height")
    corners = rounded(_pixels(np.array([[x, y], [x + w, y + h]]), size_wh))
    box = rectangle(*corners.ravel().tolist())
    turn = value.get("rotation") or 0
    return (box, True) if not turn else (_turned(box, corners[0], turn), False)


def _ellipse(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    x, y, rx, ry = _numbers(value, "x", "y", "radiusX", "radiusY")
    (centre, radii) = _pixels(np.array([[x, y], [rx, ry]]), size_wh)
    if radii.min() <= 0:
        raise ValueError("expected an ellipse with an area")
    angle = np.linspace(0, 2 * math.pi, _ELLIPSE_VERTICES, endpoint=False)
    ring = centre + radii * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return _turned((Polygon.of(ring),), centre, value.get("rotation") or 0), False


def _brush(value: Mapping[str, Any], size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool]:
    data = value.get("rle")
    if not isinstance(data, list):
        raise ValueError("expected a brush mask of bytes")
    return mask_to_polygons(brush_to_mask(data, size_wh), min_iou=None), False


_GEOMETRY = {"polygon": _polygon, "rectangle": _rectangle, "ellipse": _ellipse, "brush": _brush}


def _pixels(points: NDArray[np.float64], size_wh: tuple[int, int]) -> NDArray[np.float64]:
    return points * (np.array(size_wh) / 100)


def _is_in_reach(points: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(points).all() and np.abs(points).max(initial=0) <= 1000)


def _numbers(value: Mapping[str, Any], *keys: str) -> list[float]:
    numbers = [value.get(key) for key in keys]
    found = [float(number) for number in numbers if is_number(number) and abs(number) <= 1000]
    if len(found) < len(keys):
        raise ValueError(f"expected {', '.join(keys)} in percent")
    return found


def _turned(polygons: tuple[Polygon, ...], pivot: NDArray[np.float64], degrees: Any) -> tuple[Polygon, ...]:
    """Clockwise on the screen, in pixels."""
    if not is_number(degrees):
        raise ValueError("expected a rotation in degrees")
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return tuple(Polygon.of(rounded((polygon.exterior - pivot) @ turn + pivot)) for polygon in polygons)
