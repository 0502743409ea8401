"""Overlaps of paired boxes, xyxy in pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """(..., 4) and (..., 4) to (...) IoU."""
    corner_low = torch.maximum(first[..., :2], second[..., :2])
    corner_high = torch.minimum(first[..., 2:], second[..., 2:])
    overlap = (corner_high - corner_low).clamp(min=0).prod(-1)
    return overlap / (_area(first) + _area(second) - overlap + 1e-7)


def complete_iou(predicted: Tensor, target: Tensor) -> Tensor:
    """CIoU (Zheng et al. 2020): IoU less the penalties for centre distance and aspect; (P, 4), (P, 4) to (P,)."""
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
