"""Correcting by pointing: an outline changes only near the points; its far side stays the same, vertex for vertex.

A network answers with a whole new outline, whose edge differs slightly everywhere. A point inside may only add the
piece that it lies in, a point outside may only remove one. A morphological opening separates these pieces from the thin
seam of disagreement around the object."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskwright.assist.prompt import MaskCrop, mask_crop
from maskwright.errors import PromptError
from maskwright.geometry.algebra import Polygons, subtract, to_shapely, unite
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon, Ring
from maskwright.geometry.raster import DECIMALS

_SEAM = 0.01
"""Half the width of disagreement that counts as a seam, as a fraction of the object's diagonal: about one cell of a
network that divides the object into a hundred."""
_MOST_SEAM_PX = 12
_FREE = 0.1
"""How far a piece as thin as the seam itself extends from a point, as a fraction of the diagonal."""
_LEAST_FREE_PX = 6.0
_OVERLAP_PX = 2
"""How far a piece extends into the old outline, in pixels: a simplified outline is off by about one."""
_BORDER_PX = 4


def changed_pieces(
    before: NDArray[np.bool_], after: NDArray[np.bool_], points_xy: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(H, W) bool masks of the pixels that may be added and of those that may be removed.

    points_xy: (N, 2) in the masks' own pixels; labels: (N,), 1 only adds, 0 only removes.
    """
    wanted, unwanted = after & ~before, before & ~after
    added, removed = np.zeros_like(before), np.zeros_like(before)
    diagonal = _diagonal(before | after)
    for point, label in zip(points_xy, labels.tolist(), strict=True):
        difference, piece = (wanted, added) if label else (unwanted, removed)
        piece |= _piece(difference, point, diagonal)
    seam = _seam(diagonal)
    added |= _crumbs(~(before | added), added, wanted, seam)
    removed |= _crumbs(before & ~removed, removed, unwanted, seam, least_area=(2 * seam + 1) ** 2)
    return added, removed


def corrected(
    polygons: Sequence[Polygon],
    before: MaskCrop,
    after: MaskCrop,
    points_xy: NDArray[np.float64],
    labels: NDArray[np.int64],
    *,
    min_iou: float | None = 0.98,
) -> Polygons:
    """`polygons` with the changes that the points ask for taken over from `after`.

    before: the pixels of `polygons`. Parts away from the change are returned as they are, and so are all vertices away
    from it. min_iou: of the new stretches with their pixels. The result may be empty.
    """
    left, top, right, bottom = _around(before, after)
    window = (left, top, right, bottom)
    shifted = points_xy - (left, top)
    old = before.inside(window)
    added, removed = changed_pieces(old, after.inside(window), shifted, labels)
    result = tuple(polygons)
    if added.any():
        grown = _traced(added | (_dilated(added, _OVERLAP_PX) & old), (left, top), min_iou)
        result = _near(result, grown, lambda touched: unite([*touched, *grown]))
    if removed.any():
        outside = _dilated(removed, _OVERLAP_PX) & ~(old | added)
        cut = _traced(removed | outside, (left, top), min_iou)
        result = _near(result, cut, lambda touched: subtract(touched, cut))
        result = _without_slivers(result, polygons, removed | outside, (left, top))
    return _with_old_vertices(result, polygons)


def corrected_crop(polygons: Polygons, size_wh: tuple[int, int]) -> MaskCrop:
    """The pixels of the remaining polygons; an empty crop if none are left."""
    try:
        return mask_crop(polygons, size_wh)
    except PromptError:
        return MaskCrop(np.zeros((0, 0), np.bool_), (0, 0))


def _piece(difference: NDArray[np.bool_], point: NDArray[np.float64], diagonal: float) -> NDArray[np.bool_]:
    """The piece of a difference that contains a point, without the seam attached to it."""
    seam = _seam(diagonal)
    at = _nearest(difference, point, reach_px=seam + 1)
    if at is None:
        return np.zeros_like(difference)
    opened = _dilated(_eroded(difference, seam), seam)
    if opened[at]:
        core = _component(opened, at)
        near = _dilated(core, seam + 1)
    else:
        near = _disc(difference.shape, at, max(_FREE * diagonal, _LEAST_FREE_PX))
    return _component(difference & near, at)


def _crumbs(
    left: NDArray[np.bool_], change: NDArray[np.bool_], difference: NDArray[np.bool_], seam: int, *, least_area: int = 0
) -> NDArray[np.bool_]:
    """Thin pieces of `left` that the change has cut off, if the answer changes them, too, or they are tiny.

    For example the tip of a spike that was removed, or the slit between an object and what was added to it.
    """
    found = np.zeros_like(left)
    if not change.any():
        return found
    _, labels = cv2.connectedComponents(left.view(np.uint8), connectivity=8)
    for number in np.unique(labels[_dilated(change, 1) & left]).tolist():
        piece = labels == number
        area = np.count_nonzero(piece)
        is_meant = 2 * np.count_nonzero(piece & difference) > area or area <= least_area
        if is_meant and not _eroded(piece, seam).any():
            found |= piece
    return found


def _without_slivers(
    polygons: Polygons, old: Sequence[Polygon], removed: NDArray[np.bool_], corner_xy: tuple[int, int]
) -> Polygons:
    """Without the slivers that a cut leaves because its outline is simplified."""
    known = {id(polygon) for polygon in old}
    size_wh = corner_xy[0] + removed.shape[1], corner_xy[1] + removed.shape[0]
    gone = MaskCrop(removed, corner_xy)

    def is_sliver(polygon: Polygon) -> bool:
        seen = corrected_crop((polygon,), size_wh)
        count = np.count_nonzero(seen.pixels)
        return bool(2 * np.count_nonzero(seen.pixels & gone.inside(seen.bounds_xyxy)) >= count)

    return tuple(polygon for polygon in polygons if id(polygon) in known or not is_sliver(polygon))


def _seam(diagonal: float) -> int:
    return min(max(round(_SEAM * diagonal), 1), _MOST_SEAM_PX)


def _nearest(mask: NDArray[np.bool_], point: NDArray[np.float64], *, reach_px: int) -> tuple[int, int] | None:
    """(row, column) of the nearest true pixel, if it is within reach."""
    column, row = np.floor(point).astype(int).tolist()
    top, left = max(row - reach_px, 0), max(column - reach_px, 0)
    rows, columns = np.nonzero(mask[top : max(row + reach_px + 1, 0), left : max(column + reach_px + 1, 0)])
    if not len(rows):
        return None
    distances = np.hypot(rows + top + 0.5 - point[1], columns + left + 0.5 - point[0])
    best = int(distances.argmin())
    return (int(rows[best]) + top, int(columns[best]) + left) if distances[best] <= reach_px + 1 else None


def _component(mask: NDArray[np.bool_], at: tuple[int, int]) -> NDArray[np.bool_]:
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    return np.asarray((labels == labels[at]) & mask)


def _disc(shape: tuple[int, ...], at: tuple[int, int], radius: float) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((rows - at[0]) ** 2 + (columns - at[1]) ** 2 <= radius**2)


def _kernel(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _dilated(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask.view(np.uint8), _kernel(radius))).view(np.bool_)


def _eroded(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    return np.asarray(cv2.erode(mask.view(np.uint8), _kernel(radius))).view(np.bool_)


def _diagonal(mask: NDArray[np.bool_]) -> float:
    return math.hypot(*cv2.boundingRect(mask.view(np.uint8))[2:])


def _around(before: MaskCrop, after: MaskCrop) -> tuple[int, int, int, int]:
    """Bounds of both crops, with room for morphology at the edges."""
    bounds = np.array([crop.bounds_xyxy for crop in (before, after) if crop.pixels.size])
    low, high = bounds[:, :2].min(axis=0) - _BORDER_PX, bounds[:, 2:].max(axis=0) + _BORDER_PX
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _traced(mask: NDArray[np.bool_], corner_xy: tuple[int, int], min_iou: float | None) -> Polygons:
    return mask_to_polygons(mask, min_iou=min_iou, offset_xy=corner_xy)


def _near(polygons: Polygons, piece: Polygons, change: Callable[[Polygons], Polygons]) -> Polygons:
    """Apply `change` to the parts that a piece touches; the others are returned as the same objects."""
    shape = to_shapely(piece)
    meets = [bool(shape.intersects(to_shapely([polygon]))) for polygon in polygons]
    untouched = [polygon for polygon, is_met in zip(polygons, meets, strict=True) if not is_met]
    return (*untouched, *change(tuple(polygon for polygon, is_met in zip(polygons, meets, strict=True) if is_met)))


def _with_old_vertices(polygons: Polygons, old: Sequence[Polygon]) -> Polygons:
    """Boolean operations round to the grid of files; this gives earlier vertices their exact coordinates back."""
    known: dict[tuple[float, ...], list[float]] = {}
    for polygon in old:
        for ring in polygon.rings:
            known |= {tuple(np.round(vertex, DECIMALS).tolist()): vertex.tolist() for vertex in ring}
    unchanged = {id(polygon) for polygon in old}
    return tuple(
        polygon
        if id(polygon) in unchanged
        else Polygon.of(*_each_ring(polygon, lambda ring: [known.get(tuple(v), v) for v in ring.tolist()]))
        for polygon in polygons
    )


def _each_ring(polygon: Polygon, change: Callable[[Ring], ArrayLike]) -> tuple[ArrayLike, list[ArrayLike]]:
    return change(polygon.exterior), [change(hole) for hole in polygon.holes]
