"""The network: a small convolutional trunk, a feature pyramid, anchor-free heads and half-resolution prototypes.

An instance's mask is `sigmoid(prototypes @ coefficients)` cropped to its box, as in YOLACT (Bolya et al. 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class AnchorLayout:
    """The defaults are those of the bundled nuclei model."""

    strides: tuple[int, ...] = (4, 8, 16)
    """Input pixels per anchor cell of each level, finest first."""
    wave_periods_px: tuple[float, ...] = (24.0, 64.0, 160.0)
    """Periods of the fixed prototypes, in input pixels."""
    prototype_stride: int = 2
    """Input pixels per prototype pixel; the outline is learned at the same resolution."""

    @property
    def fixed_prototypes(self) -> int:
        """Number of fixed prototypes: cos and sin along x and y for each period, and a constant for the bias."""
        return 4 * len(self.wave_periods_px) + 1


NUCLEI_LAYOUT = AnchorLayout()


PAD_MULTIPLE = 32


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Widths and depths; the defaults are those of the bundled nuclei model."""

    categories: int = 1
    stem: int = 32
    widths: tuple[int, int, int, int] = (64, 96, 128, 128)
    depths: tuple[int, int, int, int] = (2, 2, 2, 1)
    pyramid: int = 64
    head: int = 96
    prototype_features: int = 32
    learned_prototypes: int = 19

    @property
    def prototypes(self) -> int:
        return self.learned_prototypes + self.layout.fixed_prototypes

    @property
    def layout(self) -> AnchorLayout:
        """The anchors that the trunk and the pyramid are built for."""
        return NUCLEI_LAYOUT


class NetworkOutput(NamedTuple):
    """The output of a forward pass, all float32; A anchors, C categories, K prototypes."""

    class_logits: Tensor  # (B, A, C)
    boxes: Tensor  # (B, A, 4) xyxy, input pixels, unclipped
    coefficients: Tensor  # (B, A, K)
    learned: Tensor  # (B, K - F, H/s, W/s), the prototypes that are not fixed; s the prototypes' stride
    outline_logits: Tensor  # (B, 2, H/s, W/s): foreground, boundary; only a training signal


class ConvUnit(nn.Sequential):
    """Convolution, batch norm, SiLU."""

    def __init__(self, channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.SiLU(inplace=True),
        )


class ResidualUnit(nn.Module):
    """Two 3x3 units around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.units = nn.Sequential(ConvUnit(channels, channels), ConvUnit(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        return features + self.units(features)


class Trunk(nn.Module):
    """Feature maps at strides 2, 4, 8, 16 and 32."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.stem = ConvUnit(6, config.stem, stride=2)
        stages = []
        channels = config.stem
        for width, depth in zip(config.widths, config.depths, strict=True):
            stages.append(
                nn.Sequential(ConvUnit(channels, width, stride=2), *(ResidualUnit(width) for _ in range(depth)))
            )
            channels = width
        self.stages = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        features = [self.stem(_normalised(images))]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features


class Pyramid(nn.Module):
    """Top-down feature pyramid (Lin et al. 2017) at strides 4, 8 and 16; stride 32 only feeds downwards."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(width, config.pyramid, 1) for width in config.widths)
        self.smooth = nn.ModuleList(ConvUnit(config.pyramid, config.pyramid) for _ in config.layout.strides)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        merged = [lateral(level) for lateral, level in zip(self.laterals, features, strict=True)]
        for level in (2, 1, 0):
            merged[level] = merged[level] + doubled(merged[level + 1])
        return [smooth(level) for smooth, level in zip(self.smooth, merged[:3], strict=True)]


class LevelHead(nn.Module):
    """One pyramid level's predictions: C class logits, 4 box values, K coefficients per cell."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.features = ConvUnit(config.pyramid, config.head)
        self.classes = nn.Conv2d(config.head, config.categories, 1)
        self.regression = nn.Conv2d(config.head, 4 + config.prototypes, 1)
        # A prior of one percent keeps the many background cells from dominating the first steps.
        nn.init.constant_(self.classes.bias, -math.log(99.0))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(features)
        return rows_of_cells(self.classes(features)), rows_of_cells(self.regression(features))


class Segmenter(nn.Module):
    """Images (B, 3, H, W) float32, RGB 0..255, H and W multiples of 32, to a `NetworkOutput`."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config)
        self.pyramid = Pyramid(config)
        self.heads = nn.ModuleList(LevelHead(config) for _ in config.layout.strides)
        self.to_half = nn.Conv2d(config.pyramid, config.prototype_features, 1)
        self.from_stem = nn.Conv2d(config.stem, config.prototype_features, 1)
        self.prototype_unit = ConvUnit(config.prototype_features, config.prototype_features)
        self.prototypes = nn.Conv2d(config.prototype_features, config.learned_prototypes, 1)
        self.outline = nn.Conv2d(config.prototype_features, 2, 1)

    def forward(self, images: Tensor) -> NetworkOutput:
        return self.predicted(self.features(images))

    def features(self, images: Tensor) -> list[Tensor]:
        """The stem's map at stride 2, and the pyramid's levels."""
        half, *deeper = self.trunk(images)
        return [half, *self.pyramid(deeper)]

    def predicted(self, features: list[Tensor]) -> NetworkOutput:
        """The heads' output for `features`."""
        half, *levels = features
        predictions = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        regression = torch.cat([rows for _, rows in predictions], 1).float()
        points, strides = anchor_points(levels, self.config.layout)
        detail = self.prototype_unit(doubled(self.to_half(levels[0])) + self.from_stem(half))
        learned = self.prototypes(detail).float()
        return NetworkOutput(
            class_logits=torch.cat([rows for rows, _ in predictions], 1).float(),
            boxes=decoded_boxes(regression[..., :4], points, strides),
            coefficients=in_image_frame(regression[..., 4:], points, self.config.layout),
            learned=learned,
            outline_logits=self.outline(detail).float(),
        )


def _normalised(images: Tensor) -> Tensor:
    """Six channels: linear, and logarithmic for fluorescence so dim that it uses only a few grey levels."""
    return torch.cat([(images - 127.5) / 64.0, torch.log(images + 4.0) - 3.2], 1)


def doubled(features: Tensor) -> Tensor:
    """Upsampled by two."""
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def rows_of_cells(predictions: Tensor) -> Tensor:
    """(B, N, h, w) to (B, h * w, N)."""
    return predictions.flatten(2).transpose(1, 2)


def _pixel_grid(features: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """x and y of the cell centres in input pixels, each (1, 1, h, w) float32.

    Running sums of ones instead of `arange`: they follow the input size inside the exported graph.
    """
    ones = torch.ones_like(features[:1, :1], dtype=torch.float32)
    return (ones.cumsum(3) - 0.5) * float(stride), (ones.cumsum(2) - 0.5) * float(stride)


def _cell_centres(features: Tensor, stride: int) -> Tensor:
    """(1, h * w, 2) float32: x, y in input pixels."""
    return rows_of_cells(torch.cat(_pixel_grid(features, stride), 1))


def anchor_points(levels: list[Tensor], layout: AnchorLayout) -> tuple[Tensor, Tensor]:
    """Centres (1, A, 2) x, y in input pixels and strides (1, A, 1) of the anchors of feature maps, finest first."""
    centres = [_cell_centres(level, stride) for level, stride in zip(levels, layout.strides, strict=True)]
    strides = [torch.full_like(c[..., :1], s) for c, s in zip(centres, layout.strides, strict=True)]
    return torch.cat(centres, 1), torch.cat(strides, 1)


def decoded_boxes(regression: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """Offsets and logarithmic half sizes (B, A, 4) to xyxy in input pixels."""
    centres = points + regression[..., :2] * strides
    half_size = regression[..., 2:].clamp(-4.0, 4.0).exp() * (2.0 * strides)
    return torch.cat([centres - half_size, centres + half_size], -1)


def fixed_prototypes(x: Tensor, y: Tensor, layout: AnchorLayout = NUCLEI_LAYOUT) -> list[Tensor]:
    """The prototypes at x, y in input pixels: per period cos x, sin x, cos y, sin y, and a constant for the bias.

    They tell apart two objects that look alike, which learned prototypes alone cannot do on a plain background.
    """
    waves = [
        wave
        for period in layout.wave_periods_px
        for axis in (x, y)
        for wave in (torch.cos(axis * (2 * math.pi / period)), torch.sin(axis * (2 * math.pi / period)))
    ]
    return [*waves, torch.ones_like(x)]


def all_prototypes(learned: Tensor, layout: AnchorLayout = NUCLEI_LAYOUT) -> Tensor:
    """(B, K - F, h, w) learned prototypes to all prototypes, (B, K, h, w)."""
    x, y = _pixel_grid(learned, layout.prototype_stride)
    ones = torch.ones_like(learned[:, :1])
    fixed = fixed_prototypes(x.expand_as(ones), y.expand_as(ones), layout)
    return torch.cat([learned, *fixed], 1)


def in_image_frame(coefficients: Tensor, points: Tensor, layout: AnchorLayout) -> Tensor:
    """Convert wave coefficients relative to their anchor to the image's frame.

    a cos(w (x - x0)) + b sin(w (x - x0)) = (a cos w x0 - b sin w x0) cos w x + (a sin w x0 + b cos w x0) sin w x, so
    the heads stay translation invariant while callers multiply with plain, image-wide prototypes.
    """
    column = coefficients.shape[-1] - layout.fixed_prototypes
    turned = [coefficients[..., :column]]
    for period in layout.wave_periods_px:
        for axis in (0, 1):
            angle = points[..., axis : axis + 1] * (2 * math.pi / period)
            cos, sin = torch.cos(angle), torch.sin(angle)
            a, b = coefficients[..., column : column + 1], coefficients[..., column + 1 : column + 2]
            turned += [a * cos - b * sin, a * sin + b * cos]
            column += 2
    turned.append(coefficients[..., column:])
    return torch.cat(turned, -1)
