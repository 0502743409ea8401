"""Where the cells of a soft mask lie in its image; pixels are computed only around the object.

Bilinear resizing is linear and separable, so any chain of resizings is a sparse matrix per axis: the pixels of a strip
are `rows @ cells @ columns.T`. A full frame of floats, 48 MB per mask at 12 megapixels, is never made."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.sampling import trimmed

_SURE = np.float32(1e6)
"""Infinite logits count as this much: times a weight of zero they would be NaN, and so would networks that get them."""
_STRIP = 64
"""Rows computed at a time."""
_NOTHING = np.zeros((0, 0), np.bool_)


@dataclass(frozen=True, slots=True)
class AxisResizing:
    """One bilinear resizing along an axis: target pixel p reads source cell (p + 0.5 - start) / pitch - 0.5.

    `cells`: length of the source; edge cells repeat from their centres to the source's edge, where it ends. `start`,
    `pitch`: in target pixels.
    """

    cells: int
    start: float
    pitch: float

    def reach(self, first: int, last: int, length: int) -> tuple[int, int]:
        """Target pixels [start, stop) of `length` that source cells first..last-1 can contribute to."""
        low, high = (self.start + (cell * self.pitch) - 0.5 for cell in (first - 0.5, last + 0.5))
        # A pixel belongs to the source if its centre lies on it.
        start = math.floor(low) if first > 0 else math.ceil(self.start - 0.5)
        stop = math.ceil(high) if last < self.cells else math.ceil(self.start + self.cells * self.pitch - 0.5)
        start = min(max(start, 0), length)
        return start, min(max(stop, start), length)

    def sources(self, pixels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """For each pixel the first of the two neighbouring cells it reads, and the weight of the second."""
        position = np.clip((pixels + 0.5 - self.start) / self.pitch - 0.5, 0, self.cells - 1)
        first = np.minimum(position.astype(np.int64), max(self.cells - 2, 0))
        return first, position - first


@dataclass(frozen=True, slots=True)
class PlacedAxis:
    """Maps the cells of a grid to the pixels of an image axis of length `limit`, through one or more resizings."""

    steps: tuple[AxisResizing, ...]
    limit: int

    @classmethod
    def stretched(cls, cells: int, start: float, length: float, limit: int) -> "PlacedAxis":
        """A grid of `cells` stretched over image pixels start..start+length."""
        return cls((AxisResizing(cells, start, length / cells),), limit)

    def reach(self, first: int, last: int) -> tuple[int, int]:
        """Image pixels [start, stop) that cells first..last-1 can contribute to."""
        lengths = [step.cells for step in self.steps[1:]] + [self.limit]
        for step, length in zip(self.steps, lengths, strict=True):
            first, last = step.reach(first, last, length)
        return first, last

    def weights(self, start: int, stop: int) -> tuple[NDArray[np.float32], int]:
        """(stop - start, K) float32 weights of K cells for each pixel, and the index of the first of these cells."""
        pixels = np.arange(start, stop, dtype=np.int64)
        matrix, lowest = np.eye(0), start
        for step in reversed(self.steps):
            first, part = step.sources(pixels)
            second = np.minimum(first + 1, step.cells - 1)
            lowest = int(first.min())
            rows, one = np.arange(len(pixels)), np.zeros((len(pixels), int(second.max()) - lowest + 1))
            one[rows, first - lowest] = 1 - part
            one[rows, second - lowest] += part
            matrix = matrix @ one if matrix.size else one
            pixels = np.arange(lowest, lowest + one.shape[1])
        return matrix.astype(np.float32), lowest


@dataclass(frozen=True, slots=True, eq=False)
class SoftMask:
    """A backend's answer: logits on a grid, where they lie, and the expected quality.

    logits: (h, w) float32, above 0 inside the object; axes: of x, of y. score: predicted IoU, 0..1. others: other
    candidates for the same prompt, smallest first, such as a part and the whole of what was clicked. descriptor: (C,)
    float32 features of the object for comparing it with others; None if the network has none. Raises ModelError for
    logits that are NaN; infinite ones become finite.
    """

    logits: NDArray[np.float32]
    axes: tuple[PlacedAxis, PlacedAxis]
    score: float
    others: tuple["SoftMask", ...] = ()
    descriptor: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if np.isnan(self.logits).any():
            raise ModelError("the network returned NaN instead of a mask")
        if np.isinf(self.logits).any():
            object.__setattr__(self, "logits", np.clip(self.logits, -_SURE, _SURE))

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size of the image."""
        return self.axes[0].limit, self.axes[1].limit

    def mask(self, threshold: float = 0.0) -> tuple[NDArray[np.bool_], tuple[int, int]]:
        """(h, w) bool, the pixels above `threshold` in the smallest window around them, and its corner (x, y)."""
        above = (self.logits > threshold).view(np.uint8)
        x, y, width, height = cv2.boundingRect(above) if above.size else (0, 0, 0, 0)
        if not width:
            return _NOTHING, (0, 0)
        (left, right), (top, bottom) = self.axes[0].reach(x, x + width), self.axes[1].reach(y, y + height)
        if left >= right or top >= bottom:
            return _NOTHING, (0, 0)
        found = np.empty((bottom - top, right - left), np.bool_)
        columns, first_column = self.axes[0].weights(left, right)
        cells = self.logits[:, first_column : first_column + columns.shape[1]]
        for strip in range(top, bottom, _STRIP):
            end = min(strip + _STRIP, bottom)
            rows, first_row = self.axes[1].weights(strip, end)
            values = rows @ (cells[first_row : first_row + rows.shape[1]] @ columns.T)
            np.greater(values, threshold, out=found[strip - top : end - top])
        return trimmed(found, (left, top))
