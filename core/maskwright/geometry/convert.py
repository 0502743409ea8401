"""Masks to polygons, one or many; the reverse is `raster.polygons_to_mask`."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.checking import MaskOutline
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.simplify import PreparedMasks
from maskwright.geometry.trace import LatticePart, LatticeRing, trace_mask

_MOST_PIXELS = 1 << 20
"""Pixels of a sheet: tracing takes nine bytes for each."""
_MOST_PIXELS_EACH = 1 << 17
"""A larger mask is traced on its own: its pixels cost more than the calls."""


def trace_masks(masks: Sequence[NDArray[np.bool_ | np.uint8]]) -> list[tuple[LatticePart, ...]]:
    """The result of `trace_mask` for each (h, w) mask. Raises ValueError as it does."""
    traced: list[tuple[LatticePart, ...]] = [()] * len(masks)
    for numbers in _sheets([mask.shape for mask in masks]):
        if len(numbers) == 1:
            traced[numbers[0]] = trace_mask(masks[numbers[0]])
        else:
            for number, parts in zip(numbers, _traced_together([masks[i] for i in numbers]), strict=True):
                traced[number] = tuple(parts)
    return traced


def _sheets(shapes: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Numbers of the masks on each sheet, of similar widths to waste little space."""
    sheet: list[int] = []
    rows = 0
    for number in sorted(range(len(shapes)), key=lambda i: shapes[i][-1:]):
        if len(shapes[number]) != 2 or not 0 < prod(shapes[number]) <= _MOST_PIXELS_EACH:
            yield [number]
            continue
        height, width = shapes[number]
        if sheet and (rows + height + 1) * width > _MOST_PIXELS:
            yield sheet
            sheet, rows = [], 0
        sheet.append(number)
        rows += height + 1
    if sheet:
        yield sheet


def _traced_together(masks: Sequence[NDArray[np.bool_ | np.uint8]]) -> list[list[LatticePart]]:
    tops = [0]
    for mask in masks:
        tops.append(tops[-1] + mask.shape[0] + 1)  # an empty row keeps neighbours apart
    sheet = np.zeros((tops[-1], max(mask.shape[1] for mask in masks)), np.bool_)
    for top, mask in zip(tops, masks, strict=False):
        sheet[top : top + mask.shape[0], : mask.shape[1]] = mask
    traced: list[list[LatticePart]] = [[] for _ in masks]
    for part in trace_mask(sheet, tops=tops[:-1]):
        number = bisect_right(tops, int(part.exterior[0, 1])) - 1
        traced[number].append(_moved_up(part, tops[number]))
    return traced


def _moved_up(part: LatticePart, rows: int) -> LatticePart:
    """In place: the rings are views of arrays that nothing else holds."""
    if rows:
        for ring in part.rings:
            ring[:, 1] -= rows
    return part


Mask = NDArray[np.bool_ | np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class TracedMask:
    """The dense outline of one mask, from which polygons of any fidelity are made.

    size_wh: of the traced window, whose corner is at `corner_xy` in the image.
    """

    parts: tuple[LatticePart, ...]
    size_wh: tuple[int, int]
    corner_xy: tuple[int, int]


class LastPrepared:
    """Caches the preparation of the last masks: fitting the same masks with another fidelity takes a third less."""

    def __init__(self) -> None:
        self._traced: list[TracedMask] = []
        self._prepared = PreparedMasks([], [])

    def of(self, traced: list[TracedMask]) -> PreparedMasks:
        """The prepared masks, from the cache if they are the same."""
        if len(traced) != len(self._traced) or any(a is not b for a, b in zip(traced, self._traced, strict=True)):
            self._prepared = PreparedMasks([one.parts for one in traced], [one.size_wh for one in traced])
            self._traced = traced
        return self._prepared


def mask_to_polygons(
    mask: Mask, *, min_iou: float | None = 0.98, offset_xy: tuple[int, int] = (0, 0), min_area: float = 0
) -> tuple[Polygon, ...]:
    """The parts of an (H, W) mask (nonzero is foreground), with holes, on pixel edges.

    `min_iou` of None or 1 traces exactly; lower values use as few vertices as possible while pycocotools' raster of the
    result keeps at least that IoU with the mask. Parts under `min_area` pixels are dropped first, and the guarantee
    holds for the rest. `offset_xy` shifts the result, for a mask cropped from an image at that pixel. Raises ValueError
    for an array that is not two-dimensional or a `min_iou` outside 0..1.
    """
    _check_promise(min_iou)
    window, (x, y) = _window(mask)
    parts = trace_mask(window)
    if min_area > 0:
        parts = tuple(part for part in parts if part.area >= min_area)
    corner = (offset_xy[0] + x, offset_xy[1] + y)
    return traced_to_polygons([TracedMask(parts, (window.shape[1], window.shape[0]), corner)], min_iou)[0]


def trimmed_to_traced(masks: Sequence[Mask], corners_xy: Sequence[tuple[int, int]]) -> list[TracedMask]:
    """The dense outlines of (H, W) masks that are already cropped to their foreground."""
    return [
        TracedMask(parts, (mask.shape[1], mask.shape[0]), corner)
        for parts, mask, corner in zip(trace_masks(masks), masks, corners_xy, strict=True)
    ]


def traced_to_polygons(
    traced: Sequence[TracedMask], min_iou: float | None, last: LastPrepared | None = None
) -> list[tuple[Polygon, ...]]:
    """The polygons of each outline, see `mask_to_polygons`; `last` caches work for masks that may come again."""
    outlines: list[MaskOutline | list[tuple[LatticeRing, ...]]] = [[] for _ in traced]
    full = [number for number, one in enumerate(traced) if one.parts]
    if min_iou is None or min_iou == 1:
        for number in full:
            outlines[number] = [part.rings for part in traced[number].parts]
    else:
        chosen = [traced[number] for number in full]
        prepared = (last or LastPrepared()).of(chosen)
        for number, outline in zip(full, prepared.simplified(min_iou), strict=True):
            outlines[number] = outline
    return _polygons(outlines, [one.corner_xy for one in traced])


def _check_promise(min_iou: float | None) -> None:
    if min_iou is not None and not 0 < min_iou <= 1:
        raise ValueError(f"expected 0 < min_iou <= 1, got {min_iou}")


def _window(mask: Mask) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The part of a mask that holds its foreground, and the corner (x, y) of that part."""
    if mask.ndim != 2:
        raise ValueError(f"expected an (H, W) mask, got {mask.shape}")
    pixels = mask.view(np.uint8) if mask.dtype == np.bool_ else np.asarray(mask != 0).view(np.uint8)
    x, y, width, height = cv2.boundingRect(pixels) if pixels.size else (0, 0, 0, 0)
    return pixels[y : y + height, x : x + width], (x, y)


def _polygons(
    outlines: Sequence[Sequence[Sequence[NDArray[Any]]]], corners_xy: Sequence[tuple[int, int]]
) -> list[tuple[Polygon, ...]]:
    """Rings of all parts as polygons, moved by their outline's corner: in one array, because calls per ring
    cost more.
    """
    rings = [ring for outline in outlines for part in outline for ring in part]
    if not rings:
        return [() for _ in outlines]
    points = np.concatenate(rings, dtype=np.float64)
    sizes = [len(ring) for ring in rings]
    counts = [sum(len(ring) for part in outline for ring in part) for outline in outlines]
    points += np.repeat(np.array(corners_xy, np.float64), counts, axis=0)
    points.flags.writeable = False
    starts = np.concatenate(([0], np.cumsum(sizes)))
    bounds = np.hstack([extreme.reduceat(points, starts[:-1]) for extreme in (np.minimum, np.maximum)]).tolist()
    cut = [points[start:stop] for start, stop in pairwise(starts.tolist())]
    made, ring = [], 0
    for outline in outlines:
        parts = []
        for part in outline:
            parts.append(Polygon.known(cut[ring], tuple(cut[ring + 1 : ring + len(part)]), tuple(bounds[ring])))
            ring += len(part)
        made.append(tuple(parts))
    return made
