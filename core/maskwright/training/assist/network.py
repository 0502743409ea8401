"""The assistant's network: trunk features of a window, and a prompt at half its size, to a mask and its expected
IoU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskwright.training.assist.trunk import TAP_CHANNELS, PromptTrunk, depthwise

PROMPT_PLANES = 4
"""Filled box, positive clicks, negative clicks, probabilities of the previous outline."""
WINDOW_MULTIPLE = 32


@dataclass(frozen=True, slots=True)
class AssistConfig:
    """Widths of the head; `frozen_stages` of the trunk keep their ImageNet weights."""

    width: int = 128
    attention_blocks: int = 2
    levels: tuple[int, int, int] = (64, 40, 24)
    frozen_stages: int = 3


class Answer(NamedTuple):
    """The network's output for one prompt."""

    mask_logits: Tensor  # (N, 1, S / 2, S / 2)
    coarse_logits: Tensor  # (N, 1, S / 16, S / 16), guides training only
    quality: Tensor  # (N, 1) expected IoU, 0..1


def conv_unit(channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class DepthwiseBlock(nn.Module):
    """Residual: depthwise 5 x 5, then two pointwise convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False)
        self.inner = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, 2 * channels, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.inner(depthwise(self.spatial, x))
        return out


class DenseBlock(nn.Module):
    """Residual: one dense 3 x 3, cheaper than a depthwise block with few channels and many cells."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = conv_unit(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.inner(x)
        return out


class AttentionBlock(nn.Module):
    """Self-attention over the cells of the coarse map, by which a click finds the rest of its object."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.queries_keys_values = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        parts = self.queries_keys_values(self.norm(tokens))
        parts = parts.reshape(batch, -1, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        # Written out, because the fused kernel's backward pass takes several times as long at these sizes.
        weights = (parts[0] @ parts[1].transpose(2, 3) * (channels // self.heads) ** -0.5).softmax(-1)
        mixed = weights.to(parts.dtype) @ parts[2]
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(batch, -1, channels))
        return tokens.transpose(1, 2).reshape(batch, channels, height, width)


class PromptPyramid(nn.Module):
    """The prompt planes as features at strides 2, 4, 8 and 16."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        inputs = (PROMPT_PLANES, *channels[:-1])
        self.steps = nn.ModuleList(
            conv_unit(before, after, 3, 1 if index == 0 else 2)
            for index, (before, after) in enumerate(zip(inputs, channels, strict=True))
        )

    def forward(self, prompt: Tensor) -> list[Tensor]:
        levels: list[Tensor] = []
        for step in self.steps:
            prompt = step(prompt)
            levels.append(prompt)
        return levels


class FusionBlock(nn.Module):
    """Adds an upsampled coarser level, the trunk's features and the prompt's, and mixes them."""

    def __init__(self, coarse: int, tap: int, prompt: int, channels: int, *, mix: nn.Module) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(coarse, channels, 1)
        self.tap = nn.Conv2d(tap, channels, 1)
        self.prompt = nn.Conv2d(prompt, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.mix = mix

    def forward(self, coarse: Tensor, tap: Tensor, prompt: Tensor) -> Tensor:
        enlarged = functional.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        out: Tensor = self.mix(functional.relu(self.norm(enlarged + self.tap(tap) + self.prompt(prompt))))
        return out


class FusionHead(nn.Module):
    """Late fusion: the prompt meets the image features at strides 16 to 2, so one trunk pass serves many prompts."""

    def __init__(self, config: AssistConfig) -> None:
        super().__init__()
        width, (eighth, quarter, half) = config.width, config.levels
        prompt_channels = (16, 24, 32, 48)
        self.prompts = PromptPyramid(prompt_channels)
        self.deep = nn.Conv2d(TAP_CHANNELS[4], width, 1)
        self.middle = nn.Conv2d(TAP_CHANNELS[3], width, 1)
        self.middle_prompt = nn.Conv2d(prompt_channels[3], width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.context = nn.Sequential(
            DepthwiseBlock(width),
            *[nn.Sequential(AttentionBlock(width), DepthwiseBlock(width)) for _ in range(config.attention_blocks)],
        )
        self.merge_8 = FusionBlock(width, TAP_CHANNELS[2], prompt_channels[2], eighth, mix=DepthwiseBlock(eighth))
        self.merge_4 = FusionBlock(eighth, TAP_CHANNELS[1], prompt_channels[1], quarter, mix=DenseBlock(quarter))
        self.merge_2 = FusionBlock(quarter, TAP_CHANNELS[0], prompt_channels[0], half, mix=DenseBlock(half))
        self.logits = nn.Conv2d(half, 1, 3, padding=1)
        self.coarse_logits = nn.Conv2d(width, 1, 1)
        self.quality = nn.Sequential(nn.Linear(2 * width + 2, 64), nn.ReLU(inplace=True), nn.Linear(64, 1))

    def forward(self, taps: list[Tensor], prompt: Tensor) -> Answer:
        prompts = self.prompts(prompt)
        deep = functional.interpolate(self.deep(taps[4]), scale_factor=2.0, mode="nearest")
        merged = deep + self.middle(taps[3]) + self.middle_prompt(prompts[3])
        context = self.context(functional.relu(self.norm(merged)))
        eighth = self.merge_8(context, taps[2], prompts[2])
        quarter = self.merge_4(eighth, taps[1], prompts[1])
        half = self.merge_2(quarter, taps[0], prompts[0])
        logits = self.logits(half)
        return Answer(logits, self.coarse_logits(context), self._expected_iou(context, logits))

    def _expected_iou(self, context: Tensor, logits: Tensor) -> Tensor:
        """From the features inside and outside the answer, and how decided the answer is."""
        chance = logits.detach().sigmoid()
        inside = functional.avg_pool2d(chance, 8)
        total = inside.sum((2, 3)) + 1e-3
        sure = (chance * (chance > 0.5)).sum((2, 3)) / ((chance > 0.5).to(chance.dtype).sum((2, 3)) + 1)
        share = (chance > 0.5).to(chance.dtype).sum((2, 3)) / (chance.sum((2, 3)) + 1)
        within = (context * inside).sum((2, 3)) / total
        everywhere = context.mean((2, 3))
        out: Tensor = self.quality(torch.cat([within, everywhere, sure, share], 1)).sigmoid()
        return out


class AssistNetwork(nn.Module):
    """`image` (N, 3, S, S) RGB 0..255 and `prompt` (N, 4, S / 2, S / 2) to an `Answer`; S a multiple of 32."""

    def __init__(self, config: AssistConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = PromptTrunk(config.frozen_stages)
        self.head = FusionHead(config)

    def features(self, image: Tensor) -> list[Tensor]:
        return list(self.trunk((image - 127) / 128))

    def forward(self, image: Tensor, prompt: Tensor) -> Answer:
        answer: Answer = self.head(self.features(image), prompt)
        return answer
