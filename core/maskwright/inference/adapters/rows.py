"""From rows of boxes, labels, scores and heat maps to candidates; shared by families that detect per instance."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.candidates import SCORE_FLOOR, Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.labels import ModelCategory
from maskwright.inference.masks import HeatMaps, MaskSource
from maskwright.inference.thresholds import Defaults

_FARTHEST_PX = 1e9
"""Boxes that extend further are as meaningless as infinite ones: their areas overflow float32."""


def touching(boxes_xyxy: NDArray[np.float32], frame: Frame) -> NDArray[np.bool_]:
    """(N,) bool: boxes (N, 4) in image pixels that are finite, not inverted, and overlap the image."""
    x1, y1, x2, y2 = boxes_xyxy.T
    width, height = frame.size_wh
    inside = (x2 > x1) & (y2 > y1) & (x1 < width) & (y1 < height) & (x2 > 0) & (y2 > 0)
    return np.asarray(inside & (np.abs(boxes_xyxy) < _FARTHEST_PX).all(axis=1))


def row_candidates(
    frame: Frame,
    categories: tuple[ModelCategory, ...],
    boxes_xyxy: NDArray[np.float32],
    labels: NDArray[np.floating],
    scores: NDArray[np.floating],
    maps: NDArray[np.floating],
    defaults: Defaults,
    *,
    masks_of: Callable[[NDArray[np.float32]], MaskSource] = HeatMaps,
) -> Candidates:
    """Candidates of N instances; invalid rows are left out.

    boxes_xyxy: (N, 4) image pixels; labels: (N,) from 0; scores: (N,). maps: (N, h, w) probabilities over the box, or
    (N, C, h, w) with one map per class. masks_of: what the chosen maps cover: `HeatMaps` the box, `InputMaps` the
    input.
    """
    count = min(len(boxes_xyxy), len(labels), len(scores), len(maps))
    boxes_xyxy, labels = boxes_xyxy[:count].astype(np.float32), labels[:count]
    scores = scores[:count].astype(np.float32)
    known = (labels > -0.5) & (labels < len(categories) - 0.5)
    # A probability above 1 is invalid: infinite or foreign values must not become perfect scores.
    likely = (scores > SCORE_FLOOR) & (scores <= 1.001)
    sound = np.flatnonzero(known & likely & touching(boxes_xyxy, frame))
    sound = sound[np.argsort(-scores[sound], kind="stable")]
    classes = np.rint(labels[sound]).astype(np.int32)
    chosen = maps[sound, classes] if maps.ndim == 4 else maps[sound]
    return Candidates(
        frame,
        categories,
        boxes_xyxy[sound],
        np.arange(len(sound), dtype=np.int32),
        classes,
        np.minimum(scores[sound], 1),
        masks_of(np.nan_to_num(chosen.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)),
        defaults,
    )


def no_candidates(frame: Frame, categories: tuple[ModelCategory, ...], defaults: Defaults) -> Candidates:
    """The candidates of a network that found nothing."""
    empty = np.zeros(0, np.float32)
    return row_candidates(
        frame, categories, np.zeros((0, 4), np.float32), empty, empty, np.zeros((0, 1, 1), np.float32), defaults
    )
