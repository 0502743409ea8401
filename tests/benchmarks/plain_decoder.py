"""A plain full-frame decoder of YOLACT's tensors, as a careful user writes it with numpy, OpenCV and pycocotools.

One mask at a time: sigmoid of all prototypes, cut at the box, resized to the image, thresholded (the way of the
reference implementations). Then polygons on pixel edges: contours of the doubled mask (so that they run along the
edges, not through pixel centres), and the coarsest tolerance of approxPolyDP that keeps IoU 0.98, by bisection with
`STEPS` checks on the full frame by pycocotools' run lengths. Nothing is slowed down on purpose; whoever thinks of it
looks for contours only in the window that holds the mask.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.inference.select import nms_indices

Tensors = dict[str, NDArray[Any]]
Contours = list[list[NDArray[np.float64]]]
"""Parts, each its outline and its holes."""

STEPS = 7
"""Bisection from half a pixel to a tenth of the longer side: the tolerance is then known to about 4 %."""


def full_frame_masks(tensors: Tensors, size_wh: tuple[int, int]) -> Iterator[NDArray[np.bool_]]:
    """(H, W) bool of each instance above 0.05 after suppression at 0.5, best first, at most a hundred."""
    conf, boxes, proto = tensors["conf"][0], tensors["boxes"][0], tensors["proto"][0]
    anchors, classes = np.nonzero(conf[:, 1:] > 0.05)
    scores = conf[anchors, classes + 1]
    order = np.argsort(-scores, kind="stable")
    anchors, classes = anchors[order], classes[order]
    kept = nms_indices(boxes[anchors], classes, max_iou=0.5, limit=100)
    height, width = proto.shape[:2]
    columns, rows = np.arange(width), np.arange(height)[:, None]
    for anchor in anchors[kept]:
        with np.errstate(over="ignore"):
            soft = 1 / (1 + np.exp(-(proto @ tensors["mask"][0, anchor])))
        x1, y1, x2, y2 = boxes[anchor] * np.array([width, height, width, height])
        soft[~((columns >= max(x1 - 1, 0)) & (columns < x2 + 1) & (rows >= max(y1 - 1, 0)) & (rows < y2 + 1))] = 0
        mask = cv2.resize(soft, size_wh, interpolation=cv2.INTER_LINEAR) > 0.5
        if mask.any():
            yield mask


def plain_polygons(mask: NDArray[np.bool_], min_iou: float = 0.98, *, in_window: bool = False) -> Contours:
    """The parts of a (H, W) mask with their holes at the best tolerance of approxPolyDP."""
    truth = coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))
    height, width = mask.shape
    dense = _contours(mask, cv2.boundingRect(mask.view(np.uint8)) if in_window else (0, 0, width, height))
    best = dense
    low, high = 0.5, max(1.0, 0.1 * max(np.ptp(part[0], axis=0).max() for part in dense))
    for _ in range(STEPS):
        tolerance = (low * high) ** 0.5
        tried = _approximated(dense, tolerance)
        if tried and coco_mask.iou([_rle(tried, mask.shape)], [truth], [0])[0, 0] >= min_iou:
            best, low = tried, tolerance
        else:
            high = tolerance
    return best


def _contours(mask: NDArray[np.bool_], box_xywh: Sequence[int]) -> Contours:
    x, y, width, height = box_xywh
    window = mask[y : y + height, x : x + width].view(np.uint8)
    doubled = cv2.resize(window, (2 * width, 2 * height), interpolation=cv2.INTER_NEAREST)
    found, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parts: dict[int, list[NDArray[np.float64]]] = {}
    for number, (contour, (*_, parent)) in enumerate(zip(found, hierarchy[0].tolist(), strict=True)):
        ring = (contour[:, 0] + 0.5) / 2 + (x, y)
        parts.setdefault(number if parent < 0 else parent, []).insert(0 if parent < 0 else 1, ring)
    return list(parts.values())


def _approximated(parts: Contours, tolerance: float) -> Contours:
    simplified = (
        [cv2.approxPolyDP(ring.astype(np.float32), tolerance, True)[:, 0].astype(np.float64) for ring in rings]
        for rings in parts
    )
    return [[ring for ring in rings if len(ring) > 2] for rings in simplified if len(rings[0]) > 2]


def _rle(parts: Contours, shape_hw: tuple[int, ...]) -> Any:
    """Holes are walked through and back from the outline's first point: even-odd cuts them out."""
    walks = []
    for outline, *holes in parts:
        pieces = [outline]
        for hole in holes:
            pieces += [outline[:1], hole, hole[:1]]
        walks.append(np.concatenate([*pieces, outline[:1]]).ravel() if holes else outline.ravel())
    return coco_mask.merge(coco_mask.frPyObjects(walks, *shape_hw))
