"""The training objective: classes, boxes, masks on sampled points, and an auxiliary outline at half resolution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from maskwright.training.assign import Assignment, assigned_anchors
from maskwright.training.boxes import complete_iou
from maskwright.training.layout import NUCLEI_LAYOUT, Layout
from maskwright.training.network import NetworkOutput, fixed_prototypes

MASK_POINTS = 16
MASK_MARGIN = 0.12
MASKS_PER_IMAGE = 40


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each part counts."""

    classes: float = 1.5
    boxes: float = 3.0
    mask_bce: float = 2.0
    mask_dice: float = 2.0
    outline: float = 0.5


@dataclass(frozen=True, slots=True)
class Targets:
    """What a batch of crops should give; instance i of the batch is row i of `boxes`."""

    boxes: Tensor  # (G, 4) float32 xyxy, input pixels
    image: Tensor  # (G,) int64, index into the batch
    category: Tensor  # (G,) int64, 0-based
    labels: Tensor  # (B, H, W) whole numbers: 1 + the instance's row, 0 background
    ignored: Tensor | None = None  # (B, H, W) bool: places that are neither object nor background; None: there are none


def losses(
    output: NetworkOutput, targets: Targets, *, weights: LossWeights, layout: Layout = NUCLEI_LAYOUT
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


def _class_loss(logits: Tensor, targets: Targets, positives: Assignment, layout: Layout) -> Tensor:
    """Quality focal loss (Li et al. 2020) summed over all anchors that are not in ignored places."""
    wanted = torch.zeros_like(logits)
    wanted[positives.image, positives.anchor, targets.category[positives.instance]] = positives.target
    focus = (wanted - logits.detach().sigmoid()).square()
    if targets.ignored is not None:
        counts = ~_at_anchors(targets.ignored, layout)
        counts[positives.image, positives.anchor] = True
        focus = focus * counts[..., None]
    return (functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * focus).sum()


def _at_anchors(places: Tensor, layout: Layout) -> Tensor:
    """(B, H, W) bool to (B, A): its values at the centres of the anchors' cells."""
    return torch.cat(
        [places[:, stride // 2 :: stride, stride // 2 :: stride].flatten(1) for stride in layout.strides], 1
    )


def _outline_loss(logits: Tensor, targets: Targets, layout: Layout) -> Tensor:
    wanted = torch.stack(_outline_targets(targets.labels, layout.prototype_stride), 1)
    if targets.ignored is None:
        return functional.binary_cross_entropy_with_logits(logits, wanted)
    half, step = layout.prototype_stride // 2, layout.prototype_stride
    counts = (~targets.ignored[:, half::step, half::step]).float()[:, None].expand_as(wanted)
    return functional.binary_cross_entropy_with_logits(logits, wanted, weight=counts)


def _outline_targets(labels: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Foreground, and cells whose neighbourhood holds two labels; both (B, H/stride, W/stride) float32."""
    cells = labels[:, stride // 2 :: stride, stride // 2 :: stride].float()[:, None]
    highest = functional.max_pool2d(cells, 3, 1, 1)
    lowest = -functional.max_pool2d(-cells, 3, 1, 1)
    return (cells > 0).float()[:, 0], (highest != lowest).float()[:, 0]


def _mask_losses(
    output: NetworkOutput, targets: Targets, positives: Assignment, layout: Layout
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
    """(B, M) rows of at most `MASKS_PER_IMAGE` random positives of each image, (B, M) bool which are real."""
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
