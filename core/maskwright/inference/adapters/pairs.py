"""From a table of class probabilities per anchor to the best (anchor, class) pairs; shared by dense detectors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.adapters.rows import touching
from maskwright.inference.candidates import SCORE_FLOOR, Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.labels import ModelCategory
from maskwright.inference.masks import MaskSource
from maskwright.inference.thresholds import Defaults

_PAIRS_PER_INSTANCE = 20
"""Pairs kept per instance that the model may return. The best are kept, so NMS, which works in the same order, finds
the same instances as with all."""

LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Best first; `rows` are indices into `used`, the anchors that occur."""

    used: NDArray[np.intp]
    rows: NDArray[np.intp]
    classes: NDArray[np.intp]
    scores: NDArray[np.float32]


def scored_pairs(scores: NDArray[np.floating], defaults: Defaults, *, skips_first: bool = False) -> Pairs:
    """Pairs above the floor from (A, C) probabilities; `skips_first`: column 0 is background, class 0 is column 1."""
    passes = scores > SCORE_FLOOR
    if skips_first:
        passes[:, 0] = False  # before listing pairs, because nearly every anchor is background
    anchors, columns = np.divmod(_few_true(passes), scores.shape[1])
    found = scores[anchors, columns].astype(np.float32)
    # A probability above 1 is invalid: infinite or foreign values must not become perfect scores.
    wanted = found <= 1.001
    anchors, columns, found = anchors[wanted], columns[wanted] - skips_first, found[wanted]
    order = np.argsort(-found, kind="stable")[: _PAIRS_PER_INSTANCE * max(defaults.max_instances, 100)]
    used, rows = np.unique(anchors[order], return_inverse=True)
    return Pairs(used, rows, columns[order], np.minimum(found[order], 1))


def _few_true(flags: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Like `np.flatnonzero`, but eight flags at a time: four times as fast on YOLACT's 1.5 million, few of
    them true.
    """
    flat = np.ascontiguousarray(flags).reshape(-1)
    whole = len(flat) // 8 * 8
    words = np.flatnonzero(flat[:whole].view(np.uint64) != 0)  # NumPy counts flags ten times as fast as numbers
    places = (words[:, None] * 8 + np.arange(8)).reshape(-1)
    return np.concatenate([places[flat[places]], whole + np.flatnonzero(flat[whole:])])


def pair_candidates(
    frame: Frame,
    categories: tuple[ModelCategory, ...],
    boxes_xyxy: NDArray[np.float32],
    sound: NDArray[np.bool_],
    pairs: Pairs,
    masks: MaskSource,
    defaults: Defaults,
) -> Candidates:
    """Candidates of the pairs; boxes (U, 4) in image pixels, `sound` (U,) and masks belong to `pairs.used`."""
    kept = (touching(boxes_xyxy, frame) & sound)[pairs.rows]
    return Candidates(
        frame,
        categories,
        boxes_xyxy,
        pairs.rows[kept].astype(np.int32),
        pairs.classes[kept].astype(np.int32),
        pairs.scores[kept],
        masks,
        defaults,
    )


def finite(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """A float32 copy with NaN and infinity replaced by zero, so that they spoil one cell instead of a whole mask.

    The rest is clipped to the range of half precision, in which `MaskSource.arrays` stores it, so that no product
    overflows.
    """
    copy = np.array(values, np.float32)
    if copy.size and not (copy.max() <= LARGEST and copy.min() >= -LARGEST):  # a NaN makes both comparisons false
        np.nan_to_num(copy, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(copy, -LARGEST, LARGEST, out=copy)
    return copy


def sound_rows(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) bool: rows of (N, K) whose numbers are all finite and within the range of half precision."""
    return np.asarray((np.abs(values) <= LARGEST).all(axis=1))
