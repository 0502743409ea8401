"""The training objective: classes, boxes, masks at sampled points, and an auxiliary outline at half resolution.

Anchors are assigned to instances by task alignment (Feng et al. 2021, TOOD). Candidates are the few cells around an
instance's centre, so the cost does not grow with image size times instances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from maskwright.training.network import NUCLEI_LAYOUT, AnchorLayout, NetworkOutput, fixed_prototypes


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """(..., 4) and (..., 4) to (...) IoU."""
    corner_low = torch.maximum(first[..., :2], second[..., :2])
    corner_high = torch.minimum(first[..., 2:], second[..., 2:])
    overlap = (corner_high - corner_low).clamp(min=0).prod(-1)
    return overlap / (_area(first) + _area(second) - overlap + 1e-7)


def complete_iou(predicted: Tensor, target: Tensor) -> Tensor:
    """CIoU (Zheng et al. 2020): IoU minus penalties for centre distance and aspect; (P, 4), (P, 4) to (P,)."""
    iou = paired_iou(predicted, target)
    hull = torch.maximum(predicted[:, 2:], target[:, 2:]) - torch.minimum(predicted[:, :2], target[:, :2])
    shift = (predicted[:, :2] + predicted[:, 2:] - target[:, :2] - target[:, 2:]) / 2
    distance = shift.square().sum(-1) / (hull.square().sum(-1) + 1e-7)
    aspect = (_angle(target) - _angle(predicted)).square() * (4 / math.pi**2)
    with torch.no_grad():
        weight = aspect / (1 - iou + aspect + 1e-7)
    return iou - distance - weight * aspect


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def _angle(boxes: Tensor) -> Tensor:
    width, height = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3).unbind(-1)
    return torch.atan(width / height)


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
    layout: AnchorLayout = NUCLEI_LAYOUT,
) -> Assignment:
    """Choose the best aligned anchors for every instance.

    scores: (B, A, C) probabilities; predicted: (B, A, 4) xyxy; boxes: (G, 4) xyxy input pixels; image, category: (G,)
    int64. An anchor wanted by several instances is assigned to the one that it overlaps most.
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


def candidate_anchors(
    boxes: Tensor, size_hw: tuple[int, int], layout: AnchorLayout = NUCLEI_LAYOUT
) -> tuple[Tensor, Tensor]:
    """(G, N) int64 anchors in a square window of cells around each centre at each level, (G, N) bool whether usable.

    Usable: the cell's centre lies in the box, or it is the finest level's cell nearest to the box's centre, because a
    speck smaller than a cell would otherwise have no anchor.
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


MASK_POINTS = 16
MASK_MARGIN = 0.12
MASKS_PER_IMAGE = 40


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the loss terms."""

    classes: float = 1.5
    boxes: float = 3.0
    mask_bce: float = 2.0
    mask_dice: float = 2.0
    outline: float = 0.5


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets for a batch of crops; instance i of the batch is row i of `boxes`."""

    boxes: Tensor  # (G, 4) float32 xyxy, input pixels
    image: Tensor  # (G,) int64, index into the batch
    category: Tensor  # (G,) int64, 0-based
    labels: Tensor  # (B, H, W) whole numbers: 1 + the instance's row, 0 background
    ignored: Tensor | None = None  # (B, H, W) bool: places that are neither object nor background; None: there are none


def losses(
    output: NetworkOutput, targets: Targets, *, weights: LossWeights, layout: AnchorLayout = NUCLEI_LAYOUT
) -> dict[str, Tensor]:
    """Weighted scalar losses by name; their sum is the objective."""
    size_hw = (targets.labels.shape[1], targets.labels.shape[2])
    with torch.no_grad():
        positives = assigned_anchors(
            output.class_logits.sigmoid(),
            output.boxes,
            boxes=targets.boxes,
            image=targets.image,
            category=targets.category,
            size_hw=size_hw,
            layout=layout,
        )
        total = positives.target.sum().clamp(min=1.0)
    bce, dice = _mask_losses(output, targets, positives, layout)
    predicted = output.boxes[positives.image, positives.anchor]
    box = (1 - complete_iou(predicted, targets.boxes[positives.instance])) * positives.target
    return {
        "classes": weights.classes * _class_loss(output.class_logits, targets, positives, layout) / total,
        "boxes": weights.boxes * box.sum() / total,
        "mask_bce": weights.mask_bce * bce,
        "mask_dice": weights.mask_dice * dice,
        "outline": weights.outline * _outline_loss(output.outline_logits, targets, layout),
    }


def _class_loss(logits: Tensor, targets: Targets, positives: Assignment, layout: AnchorLayout) -> Tensor:
    """Quality focal loss (Li et al. 2020) summed over all anchors outside ignored places."""
    wanted = torch.zeros_like(logits)
    wanted[positives.image, positives.anchor, targets.category[positives.instance]] = positives.target
    focus = (wanted - logits.detach().sigmoid()).square()
    if targets.ignored is not None:
        counts = ~_at_anchors(targets.ignored, layout)
        counts[positives.image, positives.anchor] = True
        focus = focus * counts[..., None]
    return (functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * focus).sum()


def _at_anchors(places: Tensor, layout: AnchorLayout) -> Tensor:
    """(B, H, W) bool to (B, A): the values at the centres of the anchors' cells."""
    return torch.cat(
        [places[:, stride // 2 :: stride, stride // 2 :: stride].flatten(1) for stride in layout.strides], 1
    )


def _outline_loss(logits: Tensor, targets: Targets, layout: AnchorLayout) -> Tensor:
    wanted = torch.stack(_outline_targets(targets.labels, layout.prototype_stride), 1)
    if targets.ignored is None:
        return functional.binary_cross_entropy_with_logits(logits, wanted)
    half, step = layout.prototype_stride // 2, layout.prototype_stride
    counts = (~targets.ignored[:, half::step, half::step]).float()[:, None].expand_as(wanted)
    return functional.binary_cross_entropy_with_logits(logits, wanted, weight=counts)


def _outline_targets(labels: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Foreground, and cells with two labels in their neighbourhood; both (B, H/stride, W/stride) float32."""
    cells = labels[:, stride // 2 :: stride, stride // 2 :: stride].float()[:, None]
    highest = functional.max_pool2d(cells, 3, 1, 1)
    lowest = -functional.max_pool2d(-cells, 3, 1, 1)
    return (cells > 0).float()[:, 0], (highest != lowest).float()[:, 0]


def _mask_losses(
    output: NetworkOutput, targets: Targets, positives: Assignment, layout: AnchorLayout
) -> tuple[Tensor, Tensor]:
    """Mean BCE and Dice loss over points in the true boxes, which cost a fraction of whole masks."""
    if len(positives.image) == 0:
        nothing = output.coefficients.sum() * 0
        return nothing, nothing
    rows, valid = _chosen_positives(positives.image, len(output.learned))
    instance = positives.instance[rows]
    points = _sample_points(targets.boxes[instance])
    height, width = targets.labels.shape[1:]
    scale = points.new_tensor([2.0 / width, 2.0 / height])
    learned = functional.grid_sample(output.learned, points * scale - 1, padding_mode="border", align_corners=False)
    fixed = fixed_prototypes(points[..., 0], points[..., 1], layout)
    sampled = torch.cat([learned, torch.stack(fixed, 1)], 1)
    coefficients = output.coefficients[positives.image[rows], positives.anchor[rows]]
    logits = torch.einsum("bkmn,bmk->bmn", sampled, coefficients)[valid]
    x, y = points[..., 0].long().clamp(0, width - 1), points[..., 1].long().clamp(0, height - 1)
    batch = torch.arange(len(rows), device=rows.device)[:, None, None]
    truth = (targets.labels[batch, y, x] == instance[..., None] + 1).float()[valid]
    bce = functional.binary_cross_entropy_with_logits(logits, truth)
    masks = logits.sigmoid()
    dice = 1 - (2 * (masks * truth).sum(-1) + 1) / (masks.sum(-1) + truth.sum(-1) + 1)
    return bce, dice.mean()


def _chosen_positives(image: Tensor, images: int) -> tuple[Tensor, Tensor]:
    """(B, M) indices of at most `MASKS_PER_IMAGE` random positives per image, (B, M) bool which are real."""
    chosen = []
    for index in range(images):
        rows = torch.nonzero(image == index)[:, 0]
        chosen.append(rows[torch.randperm(len(rows), device=rows.device)[:MASKS_PER_IMAGE]])
    longest = max(1, *(len(rows) for rows in chosen))
    padded = torch.zeros(images, longest, dtype=torch.long, device=image.device)
    valid = torch.zeros(images, longest, dtype=torch.bool, device=image.device)
    for index, rows in enumerate(chosen):
        padded[index, : len(rows)] = rows
        valid[index, : len(rows)] = True
    return padded, valid


def _sample_points(boxes: Tensor) -> Tensor:
    """(B, M, 4) boxes to (B, M, 256, 2) x, y: a jittered grid over each box and a margin around it."""
    size = boxes[..., 2:] - boxes[..., :2]
    low, span = boxes[..., :2] - MASK_MARGIN * size, (1 + 2 * MASK_MARGIN) * size
    ticks = torch.arange(MASK_POINTS, dtype=torch.float32, device=boxes.device)
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    grid = torch.stack([x.flatten(), y.flatten()], -1)
    jittered = (grid + torch.rand(*boxes.shape[:2], MASK_POINTS**2, 2, device=boxes.device)) / MASK_POINTS
    return low[..., None, :] + jittered * span[..., None, :]
