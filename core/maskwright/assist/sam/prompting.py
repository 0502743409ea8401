"""Prompts as the decoder's tokens and mask input."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.prompt import Box, MaskCrop, Prompt
from maskwright.assist.sam.layout import SquareFit

INSIDE, CORNER, OTHER_CORNER, NO_POINT = 1, 2, 3, -1
_SURE = 6.0
"""Logit of a cell that an outline covers completely; SAM's own answers reach about ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Points in the decoder's frame, (N, 2) float64, and their labels, (N,) int64."""

    points: NDArray[np.float64]
    labels: NDArray[np.int64]


class NoPoint(Enum):
    """When we have to add the padding point, exactly one, because the graph does not."""

    NEVER = "never"
    WITHOUT_BOX = "without box"
    """SAM (`SamPredictor.predict_torch`)."""
    ALWAYS = "always"
    """SAM 2, where boxes are points (`SAM2ImagePredictor._predict`)."""


def tokens(prompt: Prompt, fit: SquareFit, *, takes_mask: bool, no_point: NoPoint, most: int | None = None) -> Tokens:
    """Points first, then the corners of the box, then the padding point.

    Every decoder adds half a pixel of its frame; prompts are on pixel edges, hence `edge * scale - 0.5`. Padding to a
    fixed length would change the answer (logits by 2.7 with seven padding points instead of one). takes_mask: the
    decoder has an input for an outline; otherwise its box is given instead. most: number of points that the decoder
    reads; the box and the latest presses are kept.
    """
    box = _box(prompt, takes_mask=takes_mask)
    points, labels = prompt.points_xy, prompt.labels
    if most is not None:
        points, labels = _latest(points, labels, most - (2 if box is not None else 0))
    if box is not None:
        points = np.concatenate((points, np.reshape(box, (2, 2))))
        labels = np.concatenate((labels, [CORNER, OTHER_CORNER]))
    scaled = points * fit.scale_xy(prompt.size_wh) - 0.5
    if no_point is NoPoint.ALWAYS or (no_point is NoPoint.WITHOUT_BOX and box is None):
        scaled, labels = np.concatenate((scaled, [[0, 0]])), np.concatenate((labels, [NO_POINT]))
    return Tokens(scaled, labels)


def mask_logits(crop: MaskCrop, fit: SquareFit, cells: int, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """(cells, cells) float32 for an outline: how much of each cell it covers; outside the image they are uncovered."""
    content = [max(1, round(side * cells / fit.side)) for side in fit.content_wh(size_wh)]
    x1, y1, x2, y2 = crop.bounds_xyxy
    # Averaging needs whole cells, so take a window of cells around the crop, in image pixels.
    pitch = np.array(size_wh) / content
    low = np.floor(np.array((x1, y1)) / pitch).astype(int)
    high = np.minimum(np.ceil(np.array((x2, y2)) / pitch).astype(int), content)
    left, top, right, bottom = np.rint(np.concatenate((low * pitch, high * pitch))).astype(int).tolist()
    covered = np.zeros((cells, cells), np.float32)
    pixels = crop.inside((left, top, max(right, left + 1), max(bottom, top + 1))).astype(np.float32)
    size = max(int(high[0] - low[0]), 1), max(int(high[1] - low[1]), 1)
    covered[low[1] : low[1] + size[1], low[0] : low[0] + size[0]] = cv2.resize(
        pixels, size, interpolation=cv2.INTER_AREA if pixels.size >= size[0] * size[1] else cv2.INTER_LINEAR
    )
    return np.asarray((covered * 2 - 1) * _SURE, np.float32)


def _box(prompt: Prompt, *, takes_mask: bool) -> Box | None:
    if prompt.box_xyxy is not None or prompt.mask is None:
        return prompt.box_xyxy
    if takes_mask and len(prompt.points_xy):
        return None
    x1, y1, x2, y2 = prompt.mask.bounds_xyxy
    return float(x1), float(y1), float(x2), float(y2)


def _latest(
    points: NDArray[np.float64], labels: NDArray[np.int64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The last `most` presses, but always with the first one inside, which says what the prompt is about."""
    if len(points) <= most:
        return points, labels
    kept = list(range(len(points) - most, len(points)))
    inside = np.flatnonzero(labels == INSIDE)
    if len(inside) and not set(kept) & set(inside.tolist()):
        kept[0] = int(inside[0])
    return points[kept], labels[kept]


def best_mask(scores: Sequence[float], token_count: int) -> int:
    """Index of the decoder's mask that is the answer.

    Of three masks the one with the best score. Of four, the first is meant for unambiguous prompts: it is used from
    three tokens on, else the best of the others (`SamOnnxModel.select_masks`).
    """
    count = len(scores)
    if count == 4:
        return 0 if token_count > 2 else 1 + int(np.argmax(scores[1:]))
    return int(np.argmax(scores))
