"""Task-aligned assignment (Feng et al. 2021, TOOD): which anchors learn which instance.

Candidates are the few cells around an instance's centre, so the cost does not grow with image size times instances.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from maskwright.training.boxes import paired_iou
from maskwright.training.layout import NUCLEI_LAYOUT, Layout

WINDOW_CELLS = 7
TOP_ANCHORS = 8
SCORE_POWER = 0.5
IOU_POWER = 5.0


class Assignment(NamedTuple):
    """P positive anchors of a batch."""

    image: Tensor  # (P,) int64, index into the batch
    anchor: Tensor  # (P,) int64, index into the image's anchors
    instance: Tensor  # (P,) int64, row of the boxes
    target: Tensor  # (P,) float32, the score to learn, 0..1


def assigned_anchors(
    scores: Tensor,
    predicted: Tensor,
    *,
    boxes: Tensor,
    image: Tensor,
    category: Tensor,
    size_hw: tuple[int, int],
    layout: Layout = NUCLEI_LAYOUT,
) -> Assignment:
    """Choose for every instance its best aligned anchors.

    scores: (B, A, C) probabilities; predicted: (B, A, 4) xyxy; boxes: (G, 4) xyxy input pixels;
    image, category: (G,) int64. An anchor wanted by several instances goes to the one it overlaps most.
    """
    anchors, allowed = candidate_anchors(boxes, size_hw, layout)
    rows = image[:, None].expand_as(anchors)
    iou = paired_iou(predicted[rows, anchors], boxes[:, None].expand(*anchors.shape, 4)).clamp(min=0.0)
    score = scores[rows, anchors, category[:, None].expand_as(anchors)]
    alignment = torch.where(allowed, score**SCORE_POWER * iou**IOU_POWER + 1e-12, -torch.ones_like(iou))
    value, column = alignment.topk(TOP_ANCHORS, 1)
    instance, rank = torch.nonzero(value > 0, as_tuple=True)
    chosen = column[instance, rank]
    anchor, overlap = anchors[instance, chosen], iou[instance, chosen]
    best = iou.gather(1, column).amax(1, keepdim=True)
    target = (value / value[:, :1] * best)[instance, rank]
    flat = image[instance] * scores.shape[1] + anchor
    largest = overlap.new_full((scores.shape[0] * scores.shape[1],), -1.0)
    wins = overlap >= largest.scatter_reduce(0, flat, overlap, "amax")[flat]
    instance = instance[wins]
    return Assignment(image[instance], anchor[wins], instance, target[wins])


def candidate_anchors(boxes: Tensor, size_hw: tuple[int, int], layout: Layout = NUCLEI_LAYOUT) -> tuple[Tensor, Tensor]:
    """(G, N) int64 anchors of a square window of cells around each centre at each level, (G, N) bool whether usable.

    Usable means that the cell's centre lies in the box, or that it is the finest level's cell nearest to the
    box's centre: a speck smaller than a cell would otherwise have no anchor.
    """
    reach = torch.arange(WINDOW_CELLS, device=boxes.device) - WINDOW_CELLS // 2
    dy, dx = (offset.flatten() for offset in torch.meshgrid(reach, reach, indexing="ij"))
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    anchors, allowed, first = [], [], 0
    for stride in layout.strides:
        rows, columns = size_hw[0] // stride, size_hw[1] // stride
        column = (centre[:, :1] / stride).floor().long() + dx
        row = (centre[:, 1:] / stride).floor().long() + dy
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        inside = (x > boxes[:, :1]) & (x < boxes[:, 2:3]) & (y > boxes[:, 1:2]) & (y < boxes[:, 3:])
        if stride == layout.strides[0]:
            inside |= (dx == 0) & (dy == 0)
        inside &= (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        anchors.append(first + row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1))
        allowed.append(inside)
        first += rows * columns
    return torch.cat(anchors, 1), torch.cat(allowed, 1)
