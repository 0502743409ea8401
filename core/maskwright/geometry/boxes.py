"""Bounding boxes: (N, 4) float64, image pixels on pixel edges, `xyxy` (corners) or `xywh` (corner and size)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def box_areas(boxes_xyxy: ArrayLike) -> NDArray[np.float64]:
    """Square pixels; zero for boxes without width or height."""
    boxes = np.asarray(boxes_xyxy, dtype=np.float64)
    return np.asarray(np.prod((boxes[..., 2:] - boxes[..., :2]).clip(0), axis=-1))


def box_ious(a_xyxy: ArrayLike, b_xyxy: ArrayLike) -> NDArray[np.float64]:
    """(N, M) IoU of (N, 4) with (M, 4) boxes; 0 where both are empty."""
    a = np.asarray(a_xyxy, dtype=np.float64).reshape(-1, 1, 4)
    b = np.asarray(b_xyxy, dtype=np.float64).reshape(1, -1, 4)
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod((high - low).clip(0), axis=-1)
    union = box_areas(a) + box_areas(b) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(union), where=union > 0))
