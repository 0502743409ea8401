"""YOLACT's forward pass in PyTorch, written from the paper and the names of the weights: a judge for the converter.

It shares no line with the converter, and takes the normalised RGB image that the authors' network takes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import batch_norm, conv2d, interpolate, max_pool2d

Weights = Mapping[str, torch.Tensor]
_MEAN, _STD = (123.675, 116.78, 103.94), (58.395, 57.12, 57.375)


def forward(arrays: Mapping[str, NDArray[Any]], image_bgr: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Outputs of the published network for an image (550, 550, 3) uint8."""
    weights = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    rgb = torch.from_numpy(image_bgr[..., ::-1].astype(np.float32).copy())
    pixels = ((rgb - torch.tensor(_MEAN)) / torch.tensor(_STD)).permute(2, 0, 1)[None]
    with torch.no_grad():
        levels = pyramid(weights, backbone(weights, pixels))
        found = {"proto": prototypes(weights, levels[0]), **heads(weights, levels)}
    return {name: tensor.numpy() for name, tensor in found.items()}


def backbone(weights: Weights, pixels: torch.Tensor) -> list[torch.Tensor]:
    found = max_pool2d(normed(weights, pixels, "backbone.conv1", "backbone.bn1", 2).relu(), 3, 2, 1)
    stages = []
    for stage in range(4):
        block = 0
        while f"backbone.layers.{stage}.{block}.conv1.weight" in weights:
            root, stride = f"backbone.layers.{stage}.{block}", 2 if stage > 0 and block == 0 else 1
            inner = normed(weights, found, f"{root}.conv1", f"{root}.bn1").relu()
            inner = normed(weights, inner, f"{root}.conv2", f"{root}.bn2", stride).relu()
            inner = normed(weights, inner, f"{root}.conv3", f"{root}.bn3")
            if f"{root}.downsample.0.weight" in weights:
                found = normed(weights, found, f"{root}.downsample.0", f"{root}.downsample.1", stride)
            found, block = (inner + found).relu(), block + 1
        stages.append(found)
    return stages[1:]


def pyramid(weights: Weights, stages: list[torch.Tensor]) -> list[torch.Tensor]:
    c3, c4, c5 = stages
    p5 = plain(weights, c5, "fpn.lat_layers.0")
    p4 = enlarged(p5, c4) + plain(weights, c4, "fpn.lat_layers.1")
    p3 = enlarged(p4, c3) + plain(weights, c3, "fpn.lat_layers.2")
    levels = [plain(weights, p, f"fpn.pred_layers.{k}").relu() for k, p in ((2, p3), (1, p4), (0, p5))]
    for k in range(2):
        levels.append(plain(weights, levels[-1], f"fpn.downsample_layers.{k}", 2))
    return levels


def prototypes(weights: Weights, finest: torch.Tensor) -> torch.Tensor:
    found = finest
    for position in (0, 2, 4):
        found = plain(weights, found, f"proto_net.{position}").relu()
    found = interpolate(found, scale_factor=2, mode="bilinear", align_corners=False).relu()
    found = plain(weights, found, "proto_net.8").relu()
    return plain(weights, found, "proto_net.10").relu().permute(0, 2, 3, 1)


def heads(weights: Weights, levels: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    anchors = weights["prediction_layers.0.bbox_layer.bias"].numel() // 4
    rows: dict[str, list[torch.Tensor]] = {"bbox": [], "conf": [], "mask": []}
    for level in levels:
        feature = plain(weights, level, "prediction_layers.0.upfeature.0").relu()
        for name, found in rows.items():
            grid = plain(weights, feature, f"prediction_layers.0.{name}_layer").permute(0, 2, 3, 1)
            found.append(grid.reshape(1, -1, grid.shape[-1] // anchors))
    offsets, scores, coefficients = (torch.cat(rows[name], 1) for name in ("bbox", "conf", "mask"))
    return {"conf": scores.softmax(-1), "mask": coefficients.tanh(), "boxes": boxes(offsets, levels)}


def boxes(offsets: torch.Tensor, levels: list[torch.Tensor]) -> torch.Tensor:
    """Anchors as high as wide, of 24 to 384 px and three areas; SSD's variances."""
    found = []
    for level, scale in zip(levels, (24, 48, 96, 192, 384), strict=True):
        height, width = level.shape[2:]
        for y in range(height):
            for x in range(width):
                sides = [scale * ratio**0.5 / 550 for ratio in (1, 0.5, 2)]
                found += [((x + 0.5) / width, (y + 0.5) / height, side, side) for side in sides]
    anchors = torch.tensor(found)
    centres = anchors[:, :2] + offsets[..., :2] * 0.1 * anchors[:, 2:]
    sizes = anchors[:, 2:] * (offsets[..., 2:] * 0.2).exp()
    return torch.cat([centres - sizes / 2, centres + sizes / 2], -1)


def normed(weights: Weights, tensor: torch.Tensor, name: str, norm: str, stride: int = 1) -> torch.Tensor:
    kernel = weights[f"{name}.weight"]
    found = conv2d(tensor, kernel, None, stride, kernel.shape[-1] // 2)
    mean, variance, gamma, beta = (
        weights[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return batch_norm(found, mean, variance, gamma, beta, eps=1e-5)


def plain(weights: Weights, tensor: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
    kernel = weights[f"{name}.weight"]
    return conv2d(tensor, kernel, weights[f"{name}.bias"], stride, kernel.shape[-1] // 2)


def enlarged(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return interpolate(tensor, size=like.shape[2:], mode="bilinear", align_corners=False)
