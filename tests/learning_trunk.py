"""A trunk that costs nothing, in place of the real one."""

import torch
from torch import Tensor, nn

from maskwright.learning.network import TAP_CHANNELS


class SmallTrunk(nn.Module):
    """Feature maps of the real trunk's widths and strides, by one convolution each: made in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.taps = nn.ModuleList(
            nn.Conv2d(3, width, stride, stride) for width, stride in zip(TAP_CHANNELS, (4, 8, 16, 32), strict=True)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        return [tap(images / 128 - 1) for tap in self.taps]


def small_trunk() -> SmallTrunk:
    return SmallTrunk().requires_grad_(False).eval()
