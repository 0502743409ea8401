"""The compact forms in which networks return masks, each evaluated only inside the requested box."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.inference.frame import Frame
from maskwright.inference.sampling import Axis, common, sampled_values, trimmed

CroppedMask = tuple[NDArray[np.bool_], tuple[int, int]]
"""A mask (H, W) bool trimmed to its true pixels, and the corner (x, y) of that window in the image; (0, 0) if
empty."""


_LEAST_LOGIT = np.float32(-80)
"""Below this, exp overflows in float32; the probability is zero either way."""
_NEAR_ZERO = 1e-12
_FIRM, _LOOSE = 0.7, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class SoftCrop:
    """(H, W) float32 at image resolution, probabilities or logits, with the corner at `corner_xy` in the image."""

    values: NDArray[np.float32]
    corner_xy: tuple[int, int]
    are_logits: bool = False

    def above(self, threshold: float) -> CroppedMask:
        """The mask at a probability threshold."""
        return trimmed(self._passing(threshold), self.corner_xy)

    def looseness(self) -> float:
        """See `looseness`."""
        firm, loose = (int(np.count_nonzero(self._passing(threshold))) for threshold in (_FIRM, _LOOSE))
        return 1 - firm / loose if loose else 0.0

    def clipped(self, box_xyxy: NDArray[np.float32]) -> "SoftCrop":
        """The part that `MaskSource.soft` gives with `clips`; logits, masks resized first, are cut already."""
        if self.are_logits:
            return self
        (x, y), (height, width) = self.corner_xy, self.values.shape
        left, top, right, bottom = whole_box(box_xyxy)
        (x1, x2), (y1, y2) = common((x, x + width), left, right), common((y, y + height), top, bottom)
        return SoftCrop(self.values[y1 - y : y2 - y, x1 - x : x2 - x], (x1, y1))

    def _passing(self, threshold: float) -> NDArray[np.bool_]:
        return self.values > (logit(threshold) if self.are_logits else threshold)


NOTHING = SoftCrop(np.zeros((0, 0), np.float32), (0, 0))


def looseness(masks: "MaskSource", row: int, box_xyxy: NDArray[np.float32], frame: Frame) -> float:
    """1 - IoU of the mask at a high and a low threshold: one contains the other, so areas suffice."""
    soft = masks.soft(row, box_xyxy, frame)  # resizing it takes longer than both thresholds
    if soft is not None:
        return soft.looseness()
    firm, loose = (int(np.count_nonzero(masks.crop(row, box_xyxy, frame, cut)[0])) for cut in (_FIRM, _LOOSE))
    return 1 - firm / loose if loose else 0.0


class MaskSource(Protocol):
    """Masks of N candidates, not yet at image resolution."""

    def soft(self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, *, clips: bool = False) -> SoftCrop | None:
        """The values that `crop` compares with its threshold; None if they depend on the threshold."""
        ...

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        """The mask of candidate `row`, whose box is in image pixels; true where the probability is above `threshold`.

        clips: nothing outside the box, rounded to whole pixels.
        """
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that `restored_masks` needs, with half-precision floats."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PrototypeMasks:
    """YOLACT: mask = sigmoid(prototypes @ coefficients), cropped to the box grown by one prototype cell.

    prototypes: (h, w, K) float32 over the whole network input; coefficients: (N, K) float32.
    Crop bounds as in the YOLACT paper's implementation (`layers/box_utils.py`, crop with padding=1): cell j is kept
    where x1 * w - 1 <= j < x2 * w + 1 and likewise in y. Cropping comes before resizing, and probabilities, not
    logits, are interpolated.
    """

    prototypes: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    resizes_first: bool = False
    """For families whose reference resizes the logits, thresholds them, and then crops to the box: Ultralytics
    (`utils/ops.py`, process_mask; identical masks if the image has the input's size).
    """

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        return self.soft(row, box_xyxy, frame, clips=clips).above(threshold)

    def soft(self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, *, clips: bool = False) -> SoftCrop:
        cells, first_xy = self.cells(row, box_xyxy, frame)
        if not cells.size:
            return NOTHING
        height, width = self.prototypes.shape[:2]
        axes = input_axes((width, height), frame)
        bounds = bounds_of(box_xyxy, clips=clips, resizes_first=self.resizes_first)
        return SoftCrop(*sampled_values(cells, first_xy, axes, bounds), self.resizes_first)

    def cells(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame
    ) -> tuple[NDArray[np.float32], tuple[int, int]]:
        """Probabilities in the window of the box, or logits if these are resized first, (h, w) float32.

        Also the grid position (x, y) of the window's first cell.
        """
        height, width = self.prototypes.shape[:2]
        x_axis, y_axis = input_axes((width, height), frame)
        left, top, right, bottom = _box_from_corners(box_xyxy) if self.resizes_first else box_xyxy.tolist()
        margin = 2 if self.resizes_first else 1  # no pixel of the box reads beyond its second cell
        x1, x2 = _cells(x_axis, left, right, margin)
        y1, y2 = _cells(y_axis, top, bottom, margin)
        if x1 >= x2 or y1 >= y2:
            return np.zeros((0, 0), np.float32), (0, 0)
        logits = self.prototypes[y1:y2, x1:x2] @ self.coefficients[row]
        return logits if self.resizes_first else 1 / (1 + np.exp(-np.maximum(logits, _LEAST_LOGIT))), (x1, y1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {
            "prototypes": half(self.prototypes),
            "coefficients": half(self.coefficients),
            "resizes_first": np.array(self.resizes_first),
        }
        return found


@dataclass(frozen=True, slots=True, eq=False)
class HeatMaps:
    """Mask R-CNN: one small map of probabilities per candidate, (N, h, w) float32, stretched over its box.

    Sampled at half-pixel centres, u = (x + 0.5 - x1) / (x2 - x1) * w - 0.5, with zero around the map (as detectron2's
    paste does). The accuracy checker of Open Model Zoo instead rounds the box to whole pixels after padding the map,
    which moves edges by up to a pixel: kept out, because polygons on pixel edges then carry that error.
    """

    maps: NDArray[np.float32]

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        return self.soft(row, box_xyxy, frame, clips=clips).above(threshold)

    def soft(self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, *, clips: bool = False) -> SoftCrop:
        height, width = self.maps.shape[1:]
        x1, y1, x2, y2 = (float(edge) for edge in box_xyxy)
        axes = (
            Axis(x1, (x2 - x1) / width, width, frame.size_wh[0], repeats_edge=False),
            Axis(y1, (y2 - y1) / height, height, frame.size_wh[1], repeats_edge=False),
        )
        return SoftCrop(*sampled_values(self.maps[row], (0, 0), axes, whole_box(box_xyxy) if clips else None))

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"maps": half(self.maps)}


@dataclass(frozen=True, slots=True, eq=False)
class InputMaps:
    """One map of probabilities per candidate over the whole network input, (N, h, w) float32; not limited by boxes."""

    maps: NDArray[np.float32]
    are_logits: bool = False
    """Logits instead of probabilities, for families whose reference resizes before thresholding: RF-DETR."""

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        height, width = self.maps.shape[1:]
        # A pixel lies between cells, so it can pass the threshold only next to a cell that does.
        level = logit(threshold) if self.are_logits else np.float32(threshold)
        x, y, columns, rows = cv2.boundingRect((self.maps[row] > level).view(np.uint8))
        if not columns:
            return np.zeros((0, 0), np.bool_), (0, 0)
        x1, x2, y1, y2 = max(x - 1, 0), min(x + columns + 1, width), max(y - 1, 0), min(y + rows + 1, height)
        bounds = whole_box(box_xyxy) if clips else None
        axes = input_axes((width, height), frame)
        cells = self.maps[row, y1:y2, x1:x2] - level  # so that zero, outside the window, is not above
        return SoftCrop(*sampled_values(cells, (x1, y1), axes, bounds)).above(0)

    def soft(self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, *, clips: bool = False) -> None:
        return None

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"input_maps": half(self.maps), "are_logits": np.array(self.are_logits)}


@dataclass(frozen=True, slots=True, eq=False)
class BoxMasks:
    """For networks without masks: the whole box."""

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        x1, y1, x2, y2 = whole_box(box_xyxy)
        left, top = max(x1, 0), max(y1, 0)
        width, height = min(x2, frame.size_wh[0]) - left, min(y2, frame.size_wh[1]) - top
        if width <= 0 or height <= 0:
            return np.zeros((0, 0), np.bool_), (0, 0)
        return np.broadcast_to(np.True_, (height, width)), (left, top)  # takes no memory

    def soft(self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, *, clips: bool = False) -> None:
        return None

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"are_boxes": np.array(True)}


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities of logits of any shape."""
    return np.asarray(1 / (1 + np.exp(-np.maximum(logits.astype(np.float32), _LEAST_LOGIT))), np.float32)


def logit(probability: float) -> np.float32:
    """Finite for 0 and 1, too."""
    inside = min(max(probability, _NEAR_ZERO), 1 - _NEAR_ZERO)
    return np.float32(math.log(inside / (1 - inside)))


@lru_cache(maxsize=8)
def input_axes(cells_wh: tuple[int, int], frame: Frame) -> tuple[Axis, Axis]:
    """How image pixels map to a grid that covers the whole network input."""
    x_axis, y_axis = (
        Axis(frame.start_xy[k], frame.extent_wh[k] / cells_wh[k], cells_wh[k], frame.size_wh[k], repeats_edge=True)
        for k in range(2)
    )
    return x_axis, y_axis


def _cells(axis: Axis, low: float, high: float, margin: int) -> tuple[int, int]:
    """Whole cells j with low - margin <= j < high + margin within the axis, for a box in image pixels."""
    first = max((low - axis.start) / axis.pitch - margin, 0.0)
    last = min((high - axis.start) / axis.pitch + margin, float(axis.cells))
    return math.ceil(first), math.ceil(last)


def whole_box(box_xyxy: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """The box rounded to pixels, at least one wide and high."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in box_xyxy)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def bounds_of(box_xyxy: NDArray[np.float32], *, clips: bool, resizes_first: bool) -> tuple[int, int, int, int] | None:
    """The rectangle that a mask is cut to, None for none; masks resized first are always cut, as in their reference."""
    if resizes_first:
        return _box_from_corners(box_xyxy)
    return whole_box(box_xyxy) if clips else None


def _box_from_corners(box_xyxy: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """The pixels whose upper left corner lies in the box, at least one (Ultralytics, `utils/ops.py`, crop_mask)."""
    x1, y1, x2, y2 = (math.ceil(round(float(edge), 3)) for edge in box_xyxy)  # so that rounding errors add no pixel
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    """In half precision; larger values are clipped to its maximum."""
    limit = np.finfo(np.float16).max
    return np.clip(values, -limit, limit).astype(np.float16)
