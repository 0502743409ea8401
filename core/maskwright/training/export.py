"""Exports a checkpoint as a self-describing OpenVINO model with a YOLACT interface."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino
import torch
from torch import Tensor, nn

from maskwright.training.network import (
    NUCLEI_LAYOUT,
    PAD_MULTIPLE,
    AnchorLayout,
    NetworkConfig,
    Segmenter,
    all_prototypes,
)

OUTPUT_NAMES = ("conf", "boxes", "mask", "proto")


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What cannot be read from tensor shapes; written as strings to `model_info`."""

    name: str
    version: str
    license: str
    category_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    scale_rule: str = ""
    score_threshold: float = 0.35
    nms_iou: float = 0.5
    max_instances: int = 500

    def metadata(self) -> dict[str, str]:
        return {
            "model_type": "yolact",
            "model_name": self.name,
            "labels": " ".join(name.replace(" ", "_") for name in self.category_names),
            "category_ids": " ".join(str(number) for number in self.category_ids),
            "color_space": "RGB",
            "resize": "native",
            "pad_multiple": str(PAD_MULTIPLE),
            "pad_mode": "constant",
            "pad_value": "0",
            "scale_rule": self.scale_rule,
            "max_instances": str(self.max_instances),
            "score_threshold": str(self.score_threshold),
            "nms_iou": str(self.nms_iou),
            "license": self.license,
            "version": self.version,
        }


class YolactInterface(nn.Module):
    """(1, 3, H, W) float32 RGB 0..255 to conf (1, A, 1 + C), boxes (1, A, 4), mask (1, A, K), proto (1, h, w, K).

    conf is a probability with the background in column 0; boxes are xyxy divided by W and H, unclipped.
    """

    def __init__(self, network: nn.Module, layout: AnchorLayout = NUCLEI_LAYOUT) -> None:
        super().__init__()
        self.network = network
        self.layout = layout

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        output = self.network(image)
        scores = output.class_logits.sigmoid()
        background = 1 - scores.amax(-1, keepdim=True)
        width = torch.ones_like(image[:1, :1, :1]).sum(3)
        height = torch.ones_like(image[:1, :1, :, :1]).sum(2)
        size = torch.cat([width, height, width, height], -1)
        return (
            torch.cat([background, scores], -1),
            output.boxes / size.view(1, 1, 4),
            output.coefficients,
            all_prototypes(output.learned, self.layout).permute(0, 2, 3, 1),
        )


def load_average(checkpoint: Path) -> tuple[Segmenter, dict[str, Any]]:
    """The averaged network of a checkpoint, ready for inference, and the checkpoint's content."""
    content: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    network = Segmenter(NetworkConfig(**content["config"])).eval()
    network.load_state_dict(content["average"])
    return network, content


def export(network: Segmenter, description: ModelDescription, *, to: Path) -> Path:
    """Write `to` (.xml) and its .bin with FP16 weights and dynamic height and width."""
    return export_interface(YolactInterface(network), description.metadata(), to=to)


def export_interface(
    interface: YolactInterface, notes: Mapping[str, str], *, to: Path, size_hw: tuple[int, int] | None = None
) -> Path:
    """Write `to` (.xml) and its .bin with `notes` in `model_info`; size_hw: a fixed input size, None for dynamic."""
    # Traced at a small size: at 1024 px tracing took a gigabyte.
    example = torch.rand(1, 3, 2 * PAD_MULTIPLE, 3 * PAD_MULTIPLE) * 255
    shape = openvino.PartialShape([1, 3, *(size_hw or (-1, -1))])
    with warnings.catch_warnings():
        # OpenVINO converts with torch.jit.trace, which PyTorch has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        model = openvino.convert_model(interface.eval(), example_input=example, input=[shape])
    model.inputs[0].tensor.set_names({"image"})
    for port, name in zip(model.outputs, OUTPUT_NAMES, strict=True):
        port.tensor.set_names({name})
        port.node.set_friendly_name(name)
    for key, value in notes.items():
        model.set_rt_info(value, ["model_info", key])
    to.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, to, compress_to_fp16=True)
    return to
