"""Many masks traced in one go: laid one below the other on a sheet, because small masks cost mostly calls."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.trace import LatticePart, trace_mask

_MOST_PIXELS = 1 << 20
"""Of a sheet: tracing takes nine bytes for each."""
_MOST_PIXELS_EACH = 1 << 17
"""A larger mask is traced by itself: there the calls cost less than the pixels."""


def trace_masks(masks: Sequence[NDArray[np.bool_ | np.uint8]]) -> list[tuple[LatticePart, ...]]:
    """What `trace_mask` gives for each (h, w) mask. Raises ValueError as it does."""
    traced: list[tuple[LatticePart, ...]] = [()] * len(masks)
    for numbers in _sheets([mask.shape for mask in masks]):
        if len(numbers) == 1:
            traced[numbers[0]] = trace_mask(masks[numbers[0]])
        else:
            for number, parts in zip(numbers, _traced_together([masks[i] for i in numbers]), strict=True):
                traced[number] = tuple(parts)
    return traced


def _sheets(shapes: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Numbers of masks for one sheet each, of like widths, so that little of it is empty."""
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
        tops.append(tops[-1] + mask.shape[0] + 1)  # an empty row between keeps neighbours apart
    sheet = np.zeros((tops[-1], max(mask.shape[1] for mask in masks)), np.bool_)
    for top, mask in zip(tops, masks, strict=False):
        sheet[top : top + mask.shape[0], : mask.shape[1]] = mask
    traced: list[list[LatticePart]] = [[] for _ in masks]
    for part in trace_mask(sheet, tops=tops[:-1]):
        number = bisect_right(tops, int(part.exterior[0, 1])) - 1
        traced[number].append(_moved_up(part, tops[number]))
    return traced


def _moved_up(part: LatticePart, rows: int) -> LatticePart:
    """In place: the rings are views of arrays that nobody else has."""
    if rows:
        for ring in part.rings:
            ring[:, 1] -= rows
    return part
