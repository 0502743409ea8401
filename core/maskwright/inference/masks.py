"""The two compact forms in which networks deliver masks, each read only inside the box that is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.frame import Frame
from maskwright.inference.sampling import Axis, sampled_mask

CroppedMask = tuple[NDArray[np.bool_], tuple[int, int]]
"""A mask (H, W) bool trimmed to its true pixels and the image position (x, y) of its corner; (0, 0) when empty."""


_LEAST_LOGIT = np.float32(-80)
"""Below, exp overflows in float32; the probability is zero either way."""


class MaskSource(Protocol):
    """Masks of N candidates, not yet at image size."""

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        """Mask of candidate `row`, whose box is in image pixels; true where the probability is above `threshold`.

        clips: nothing outside the box, rounded to whole pixels.
        """
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `restored_masks` needs, with half-precision floats."""
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

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        height, width = self.prototypes.shape[:2]
        pitch = (frame.extent_wh[0] / width, frame.extent_wh[1] / height)
        x1, x2 = _cells(float(box_xyxy[0]) / pitch[0], float(box_xyxy[2]) / pitch[0], width)
        y1, y2 = _cells(float(box_xyxy[1]) / pitch[1], float(box_xyxy[3]) / pitch[1], height)
        if x1 >= x2 or y1 >= y2:
            return np.zeros((0, 0), np.bool_), (0, 0)
        logits = self.prototypes[y1:y2, x1:x2] @ self.coefficients[row]
        cells = 1 / (1 + np.exp(-np.maximum(logits, _LEAST_LOGIT)))
        axes = (
            Axis(0.0, pitch[0], width, frame.size_wh[0], repeats_edge=True),
            Axis(0.0, pitch[1], height, frame.size_wh[1], repeats_edge=True),
        )
        return sampled_mask(cells, (x1, y1), axes, threshold, _whole(box_xyxy) if clips else None)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"prototypes": _half(self.prototypes), "coefficients": _half(self.coefficients)}


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
        height, width = self.maps.shape[1:]
        x1, y1, x2, y2 = (float(edge) for edge in box_xyxy)
        axes = (
            Axis(x1, (x2 - x1) / width, width, frame.size_wh[0], repeats_edge=False),
            Axis(y1, (y2 - y1) / height, height, frame.size_wh[1], repeats_edge=False),
        )
        return sampled_mask(self.maps[row], (0, 0), axes, threshold, _whole(box_xyxy) if clips else None)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"maps": _half(self.maps)}


def restored_masks(arrays: Mapping[str, NDArray[Any]]) -> MaskSource:
    """The inverse of `MaskSource.arrays`; raises KeyError where the arrays are of neither form."""
    if "maps" in arrays:
        return HeatMaps(arrays["maps"].astype(np.float32))
    return PrototypeMasks(arrays["prototypes"].astype(np.float32), arrays["coefficients"].astype(np.float32))


def _cells(low: float, high: float, count: int) -> tuple[int, int]:
    """Whole cells j with low - 1 <= j < high + 1 inside 0..count."""
    first, last = max(low - 1, 0.0), min(high + 1, float(count))
    return int(np.ceil(first)), int(np.ceil(last))


def _whole(box_xyxy: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """The box rounded to pixels, at least one wide and high."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in box_xyxy)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def _half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    limit = np.finfo(np.float16).max
    return np.clip(values, -limit, limit).astype(np.float16)
