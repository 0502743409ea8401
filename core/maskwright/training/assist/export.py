"""Exports a checkpoint as a self-describing OpenVINO model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino
import torch
from torch import Tensor, nn
from torch.nn import functional

from maskwright.assist.bundled.drawing import CLICK_SPREAD
from maskwright.training.assist.network import WINDOW_MULTIPLE, AssistConfig, AssistNetwork
from maskwright.training.assist.windows import BOX_MARGIN, BOX_MARGIN_PX, OUTSIDE

MODEL_TYPE = "assist"
INPUT_NAMES = ("image", "prompt")
OUTPUT_NAMES = ("mask_logits", "quality", "features")
WINDOW_SIZE = 256
"""Side of the windows in inference; training used 128 to 320."""


@dataclass(frozen=True, slots=True)
class AssistDescription:
    """What cannot be read from tensor shapes; written as strings to `model_info`."""

    name: str
    version: str
    license: str

    def metadata(self) -> dict[str, str]:
        return {
            "model_type": MODEL_TYPE,
            "model_name": self.name,
            "version": self.version,
            "license": self.license,
            "color_space": "BGR",
            "window_size": str(WINDOW_SIZE),
            "window_multiple": str(WINDOW_MULTIPLE),
            "prompt_planes": "box positive_clicks negative_clicks previous_probability",
            "click_spread": str(CLICK_SPREAD),
            "box_margin": str(BOX_MARGIN),
            "box_margin_px": str(BOX_MARGIN_PX),
            "pad_value": str(OUTSIDE),
        }


class AssistInterface(nn.Module):
    """image (N, S, S, 3) uint8 BGR, prompt (N, 4, S/2, S/2) float32 0..1 to mask_logits (N, S/2, S/2), quality
    (N,), features (N, C): the trunk's features of the outlined object, for finding similar ones.
    """

    def __init__(self, network: AssistNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        taps = self.network.features(image.permute(0, 3, 1, 2).float().flip(1))
        answer = self.network.head(taps, prompt)
        chance = answer.mask_logits.sigmoid()
        pooled = [
            _pooled(taps[3], functional.avg_pool2d(chance, 8)),
            _pooled(taps[4], functional.avg_pool2d(chance, 16)),
        ]
        return answer.mask_logits[:, 0], answer.quality[:, 0], torch.cat(pooled, 1)


def _pooled(tap: Tensor, weight: Tensor) -> Tensor:
    return (tap * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3)


def load_average(checkpoint: Path) -> AssistNetwork:
    """The averaged network of a checkpoint, ready for inference."""
    content: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    config = content["config"]
    network: AssistNetwork = AssistNetwork(AssistConfig(**{**config, "levels": tuple(config["levels"])}))
    network.load_state_dict(content["average"])
    network.eval()
    return network


def export(network: AssistNetwork, description: AssistDescription, *, to: Path, size: int | None = None) -> Path:
    """Write `to` (.xml) and its .bin with FP16 weights; the window size is dynamic unless `size` is given."""
    side = size or WINDOW_SIZE
    example = (torch.zeros(2, side, side, 3, dtype=torch.uint8), torch.zeros(2, 4, side // 2, side // 2))
    interface = AssistInterface(network).eval()
    sides = (size, size // 2) if size else (-1, -1)
    shapes = [openvino.PartialShape([-1, sides[0], sides[0], 3]), openvino.PartialShape([-1, 4, sides[1], sides[1]])]
    with warnings.catch_warnings(), torch.no_grad():
        # OpenVINO converts with torch.jit.trace, which PyTorch has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        inputs = list(zip(shapes, (openvino.Type.u8, openvino.Type.f32), strict=True))
        model = openvino.convert_model(interface, example_input=example, input=inputs)
    for port, name in zip(model.inputs, INPUT_NAMES, strict=True):
        port.tensor.set_names({name})
    for port, name in zip(model.outputs, OUTPUT_NAMES, strict=True):
        port.tensor.set_names({name})
        port.node.set_friendly_name(name)
    for key, value in description.metadata().items():
        model.set_rt_info(value, ["model_info", key])
    to.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, to, compress_to_fp16=True)
    return to
