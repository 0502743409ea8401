"""How the masks of candidates are stored, and how they are reduced first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.frame import Frame
from maskwright.inference.masks import (
    NOTHING,
    BoxMasks,
    CroppedMask,
    HeatMaps,
    InputMaps,
    MaskSource,
    PrototypeMasks,
    SoftCrop,
    bounds_of,
    half,
    input_axes,
)
from maskwright.inference.sampling import sampled_values
from maskwright.inference.select import nms_indices

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates

LARGE_PROTOTYPES = 1 << 20
"""Number of values. YOLACT-550 has 0.6 million; a micrograph of a megapixel has twenty, 40 MB even in half
precision."""
_LIKE = 0.9
"""Boxes that overlap by more are duplicates; of large sets only the best is kept."""
_PER_INSTANCE = 4


@dataclass(frozen=True, slots=True, eq=False)
class CropMaps:
    """Probabilities in the window of each candidate's box, in steps of 1/255, or logits.

    windows: (N, 4) int32, x, y, width, height in cells of a grid `grid_wh` over the network's input; cells: (S,) uint8,
    float16 for logits, one window after the other, row by row, from `starts` (N,) int64. resizes_first: they are
    logits, treated as in `PrototypeMasks`.
    """

    grid_wh: tuple[int, int]
    windows: NDArray[np.int32]
    starts: NDArray[np.int64]
    cells: NDArray[np.uint8] | NDArray[np.float16]
    resizes_first: bool = False

    @classmethod
    def of(
        cls, masks: PrototypeMasks, rows: NDArray[np.integer], boxes: NDArray[np.float32], frame: Frame
    ) -> "CropMaps":
        """From these rows, whose boxes (len(rows), 4) are in image pixels."""
        height, width = masks.prototypes.shape[:2]
        windows = np.zeros((len(rows), 4), np.int32)
        parts = []
        for k, row in enumerate(rows.tolist()):
            cells, (x, y) = masks.cells(row, boxes[k], frame)
            windows[k] = x, y, cells.shape[1], cells.shape[0]
            parts.append((half(cells) if masks.resizes_first else (cells * 255 + 0.5).astype(np.uint8)).ravel())
        starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
        none = np.zeros(0, np.float16 if masks.resizes_first else np.uint8)
        return cls((width, height), windows, starts, np.concatenate([none, *parts]), masks.resizes_first)

    def crop(
        self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, threshold: float, *, clips: bool = False
    ) -> CroppedMask:
        return self.soft(row, box_xyxy, frame, clips=clips).above(threshold)

    def soft(self, row: int, box_xyxy: NDArray[np.float32], frame: Frame, *, clips: bool = False) -> SoftCrop:
        x, y, width, height = self.windows[row].tolist()
        if not width or not height:
            return NOTHING
        start = int(self.starts[row])
        cells = self.cells[start : start + width * height].reshape(height, width).astype(np.float32)
        if not self.resizes_first:
            cells /= 255
        axes = input_axes(self.grid_wh, frame)
        bounds = bounds_of(box_xyxy, clips=clips, resizes_first=self.resizes_first)
        return SoftCrop(*sampled_values(cells, (x, y), axes, bounds), self.resizes_first)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "grid_wh": np.array(self.grid_wh),
            "windows": self.windows,
            "starts": self.starts,
            "cells": self.cells,
            "resizes_first": np.array(self.resizes_first),
        }


def compacted(candidates: "Candidates") -> "Candidates":
    """Reduced for storing: large prototypes are replaced by the windows of boxes, near duplicates by the best of them.

    At the model's own thresholds the selection is the same (four micrographs: all 216 instances, mean mask IoU 0.9998);
    at low scores and an overlap of 0.7, where chains of boxes suppress each other, some differ.
    """
    masks = candidates.masks
    if not isinstance(masks, PrototypeMasks) or masks.prototypes.size <= LARGE_PROTOTYPES:
        return candidates
    limit = _PER_INSTANCE * max(candidates.defaults.max_instances, 100)
    kept = nms_indices(candidates.boxes_xyxy[candidates.rows], candidates.classes, max_iou=_LIKE, limit=limit)
    used, rows = np.unique(candidates.rows[kept], return_inverse=True)
    boxes = candidates.boxes_xyxy[used]
    return replace(
        candidates,
        boxes_xyxy=boxes,
        rows=rows.astype(np.int32),
        classes=candidates.classes[kept],
        scores=candidates.scores[kept],
        masks=CropMaps.of(masks, used, boxes, candidates.frame),
    )


def restored_masks(arrays: Mapping[str, NDArray[Any]]) -> MaskSource:
    """The inverse of `MaskSource.arrays`. Raises KeyError for arrays in no known form."""
    if "are_boxes" in arrays:
        return BoxMasks()
    if "maps" in arrays:
        return HeatMaps(arrays["maps"].astype(np.float32))
    if "input_maps" in arrays:
        return InputMaps(arrays["input_maps"].astype(np.float32), bool(arrays["are_logits"]))
    resizes_first = bool(arrays["resizes_first"])
    if "cells" in arrays:
        width, height = arrays["grid_wh"].tolist()
        return CropMaps((width, height), arrays["windows"], arrays["starts"], arrays["cells"], resizes_first)
    prototypes, coefficients = (arrays[name].astype(np.float32) for name in ("prototypes", "coefficients"))
    return PrototypeMasks(prototypes, coefficients, resizes_first)
