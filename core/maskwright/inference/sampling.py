"""Soft masks on a coarse grid, evaluated at full-resolution pixels but only inside their box.

Bilinear resizing is linear and separable, so any window of the full-size result is `rows @ cells @ columns.T` with two
sparse matrices. The sampling coordinates are those of the full frame: the window has exactly the pixels that resizing
everything would have given, at the cost of the window."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_MOST_KEPT = 1 << 20
"""Cached weights of an axis, 4 MB."""


@dataclass(frozen=True, slots=True)
class Axis:
    """How pixels of an image axis read the cells of a grid: pixel p reads cell (p + 0.5 - start) / pitch - 0.5.

    `start` and `pitch` are in image pixels; `cells` is the grid's length; `limit` the image's. Beyond the outermost
    cell centres, pixels read that cell if `repeats_edge`, else they fade to zero.
    """

    start: float
    pitch: float
    cells: int
    limit: int
    repeats_edge: bool

    def window(self, first: int, last: int) -> tuple[int, int]:
        """Pixels [start, stop) that cells first..last-1 can contribute to."""
        low = self.start + (first - 0.5) * self.pitch - 0.5
        high = self.start + (last + 0.5) * self.pitch - 0.5
        if self.repeats_edge:
            low = 0.0 if first <= 0 else low
            high = float(self.limit) if last >= self.cells else high
        start = min(max(math.floor(low), 0), self.limit)
        return start, max(min(max(math.ceil(high), 0), self.limit), start)

    def weights(self, window: tuple[int, int], first: int, last: int) -> NDArray[np.float32]:
        """(pixels, cells) float32: the weight of each of the cells first..last-1 for each pixel of the window.

        A cell has full weight at its centre and fades linearly to zero at the centres of its neighbours.
        """
        if self.repeats_edge and self.limit * self.cells <= _MOST_KEPT:
            return _all_weights(self)[window[0] : window[1], first:last]
        return self._weights(window, first, last)

    def _weights(self, window: tuple[int, int], first: int, last: int) -> NDArray[np.float32]:
        position = np.arange(window[0], window[1], dtype=np.float64)
        position += 0.5 - self.start
        position /= self.pitch
        position -= 0.5
        if self.repeats_edge:
            np.maximum(position, 0, out=position)
            np.minimum(position, self.cells - 1, out=position)
        position -= first
        matrix = np.subtract(position.astype(np.float32)[:, None], np.arange(last - first, dtype=np.float32))
        np.abs(matrix, out=matrix)
        np.subtract(1, matrix, out=matrix)
        return np.maximum(matrix, 0, out=matrix)


@lru_cache(maxsize=4)
def _all_weights(axis: Axis) -> NDArray[np.float32]:
    """(limit, cells) float32. All masks over a network's input share two axes and slice the same weights."""
    return axis._weights((0, axis.limit), 0, axis.cells)


def sampled_values(
    cells: NDArray[np.float32],
    first_xy: tuple[int, int],
    axes: tuple[Axis, Axis],
    bounds_xyxy: tuple[int, int, int, int] | None = None,
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """A crop of a soft mask at image resolution.

    cells: (h, w) float32, a crop whose upper left cell is `first_xy` of the grid; cells outside count as zero. axes: of
    x, of y. bounds_xyxy: pixels outside are ignored. Returns (H, W) float32 and the corner of it in the image.
    """
    (x_axis, y_axis), (x_first, y_first) = axes, first_xy
    height, width = cells.shape
    x_window = x_axis.window(x_first, x_first + width)
    y_window = y_axis.window(y_first, y_first + height)
    if bounds_xyxy is not None:
        x_window = common(x_window, bounds_xyxy[0], bounds_xyxy[2])
        y_window = common(y_window, bounds_xyxy[1], bounds_xyxy[3])
    columns = x_axis.weights(x_window, x_first, x_first + width)
    rows = y_axis.weights(y_window, y_first, y_first + height)
    return rows @ (cells @ columns.T), (x_window[0], y_window[0])


def largest_component(mask: NDArray[np.bool_], corner_xy: tuple[int, int]) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """The largest 4-connected group of pixels, trimmed; the mask itself if there is only one."""
    if not mask.size:
        return mask, corner_xy
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    if count <= 2:  # the background counts, too
        return mask, corner_xy
    return trimmed(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), corner_xy)


def common(window: tuple[int, int], start: int, stop: int) -> tuple[int, int]:
    """The pixels of a window that are among start..stop-1, (start, stop); empty if there are none."""
    low = max(window[0], start)
    return low, max(min(window[1], stop), low)


def trimmed(mask: NDArray[np.bool_], corner_xy: tuple[int, int]) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """The smallest window around the true pixels, and its corner."""
    if not mask.size:
        return np.zeros((0, 0), np.bool_), corner_xy
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    window = np.ascontiguousarray(mask[y : y + height, x : x + width])
    return window, (corner_xy[0] + x, corner_xy[1] + y)
