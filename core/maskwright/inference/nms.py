"""Greedy non-maximum suppression over score-sorted boxes, vectorised in blocks."""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256


def nms_indices(
    boxes_xyxy: NDArray[np.float32],
    classes: NDArray[np.integer] | None,
    *,
    max_iou: float,
    limit: int,
) -> NDArray[np.intp]:
    """Indices that survive, in the given order, at most `limit`.

    boxes_xyxy: (N, 4), best score first. A box goes if its IoU with a kept one is above `max_iou`; with `classes` (N,)
    only boxes of one class compete. Done block by block against everything kept so far, so several thousand boxes of
    one class take milliseconds; it stops as soon as `limit` boxes are kept, which cannot change those kept.
    """
    kept: list[NDArray[np.intp]] = []
    count = 0
    for start in range(0, len(boxes_xyxy), _BLOCK):
        if count >= limit:
            break
        block = np.arange(start, min(start + _BLOCK, len(boxes_xyxy)))
        if kept:
            block = block[~_overlaps(boxes_xyxy, classes, block, np.concatenate(kept), max_iou).any(axis=1)]
        survivors = block[_greedy(_overlaps(boxes_xyxy, classes, block, block, max_iou))]
        kept.append(survivors)
        count += len(survivors)
    return np.concatenate(kept)[:limit] if kept else np.zeros(0, np.intp)


def _overlaps(
    boxes: NDArray[np.float32],
    classes: NDArray[np.integer] | None,
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    max_iou: float,
) -> NDArray[np.bool_]:
    """(len(left), len(right)) bool: which pairs are too alike to both stay."""
    a, b = boxes[left][:, None], boxes[right][None]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    alike: NDArray[np.bool_] = shared > max_iou * (area_a + area_b - shared)
    if classes is not None:
        alike &= classes[left][:, None] == classes[right][None]
    return alike


def _greedy(alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which members of one block stay, given which pairs exclude each other."""
    keep = np.ones(len(alike), np.bool_)
    rivals = np.triu(alike, 1)
    for k in np.flatnonzero(rivals.any(axis=1)):
        if keep[k]:
            keep &= ~rivals[k]
    return keep
