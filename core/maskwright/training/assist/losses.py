"""What an answer costs: normalised focal and Dice for the mask, squared error for its expected IoU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from maskwright.training.assist.network import Answer

FOCAL_WEIGHT = 2.0
COARSE_WEIGHT = 0.3
QUALITY_WEIGHT = 0.5


def losses(answer: Answer, wanted: Tensor) -> dict[str, Tensor]:
    """Means over the batch; `wanted` (N, 1, H, W) float 0..1 is the covered share of each cell."""
    logits = answer.mask_logits.float()
    coarse = functional.avg_pool2d(wanted, wanted.shape[-1] // answer.coarse_logits.shape[-1])
    coarse_logits = answer.coarse_logits.float()
    quality = (answer.quality.float() - iou(logits, wanted)) ** 2
    return {
        "focal": FOCAL_WEIGHT * normalised_focal(logits, wanted).mean(),
        "dice": dice(logits, wanted).mean(),
        "coarse": COARSE_WEIGHT * (normalised_focal(coarse_logits, coarse) + dice(coarse_logits, coarse)).mean(),
        "quality": QUALITY_WEIGHT * quality.mean(),
    }


def normalised_focal(logits: Tensor, wanted: Tensor, gamma: float = 2.0) -> Tensor:
    """(N,) cross-entropy weighted by (1 - p)^gamma, the weights of a picture summing to 1.

    Sofiiuk, Barinova, Konushin: AdaptIS, ICCV 2019.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    with torch.no_grad():
        weight = (logits.sigmoid() - wanted).abs() ** gamma
        weight = weight / (weight.mean((1, 2, 3), keepdim=True) + 1e-4)
    return (entropy * weight).mean((1, 2, 3))


def dice(logits: Tensor, wanted: Tensor) -> Tensor:
    """(N,) one minus the soft Dice coefficient."""
    chance = logits.sigmoid()
    common = (chance * wanted).sum((1, 2, 3))
    return 1 - (2 * common + 1) / ((chance**2).sum((1, 2, 3)) + (wanted**2).sum((1, 2, 3)) + 1)


def iou(logits: Tensor, wanted: Tensor) -> Tensor:
    """(N, 1) of the masks at one half."""
    answered, truth = logits > 0, wanted > 0.5
    common = (answered & truth).sum((1, 2, 3)).float()
    either = (answered | truth).sum((1, 2, 3)).float()
    return (common / either.clamp(min=1))[:, None]
