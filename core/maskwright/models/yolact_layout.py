"""The shape of a YOLACT network, read from the names and shapes of its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from maskwright.errors import ModelError

_NORM = ("weight", "bias", "running_mean", "running_var")
_HEADS = ("bbox_layer", "conf_layer", "mask_layer")
PROTO_CONVOLUTIONS = (0, 2, 4, 8, 10)
"""Positions in `proto_net`; the numbers between are activations and the upsampling."""


@dataclass(frozen=True, slots=True)
class YolactLayout:
    """What differs between checkpoints of one architecture."""

    blocks: tuple[int, ...]
    """Residual blocks per stage: (3, 4, 6, 3) is ResNet-50, (3, 4, 23, 3) ResNet-101."""
    anchors: int
    """Per place on the grid."""
    classes: int
    """Background included."""
    prototypes: int

    @property
    def backbone(self) -> str:
        """ResNets are counted by their layers: three in each block, the first convolution and the classifier."""
        return f"resnet{3 * sum(self.blocks) + 2}"


def yolact_layout(weights: Mapping[str, NDArray[Any]]) -> YolactLayout:
    """The layout, with every weight it needs known to be there; raises ModelError naming what is missing."""
    if "backbone.conv1.weight" not in weights or not any(name.startswith("prediction_layers.") for name in weights):
        known = ", ".join(sorted(weights)[:3])
        raise ModelError(f"these are not the weights of a YOLACT on a ResNet; the first of {len(weights)}: {known}")
    blocks = tuple(_block_count(weights, stage) for stage in range(4))
    missing = [name for name in _required(blocks) if name not in weights]
    if missing:
        raise ModelError(f"{len(missing)} weights are missing: {', '.join(missing[:4])}")
    boxes, scores, masks = (
        weights[f"prediction_layers.0.{head}.bias"].size for head in ("bbox_layer", "conf_layer", "mask_layer")
    )
    anchors = boxes // 4
    if not anchors or boxes % 4 or scores % anchors or masks % anchors or scores // anchors < 2:
        raise ModelError(f"heads of {boxes}, {scores} and {masks} channels do not belong together")
    return YolactLayout(blocks, anchors, scores // anchors, masks // anchors)


def _block_count(weights: Mapping[str, NDArray[Any]], stage: int) -> int:
    count = 0
    while f"backbone.layers.{stage}.{count}.conv1.weight" in weights:
        count += 1
    return count


def _required(blocks: tuple[int, ...]) -> list[str]:
    """Names of all weights, in the network's order."""
    names = ["backbone.conv1.weight", *_norm("backbone.bn1")]
    for stage, count in enumerate(blocks):
        for block in range(max(count, 1)):
            root = f"backbone.layers.{stage}.{block}"
            for k in (1, 2, 3):
                names += [f"{root}.conv{k}.weight", *_norm(f"{root}.bn{k}")]
        root = f"backbone.layers.{stage}.0.downsample"
        names += [f"{root}.0.weight", *_norm(f"{root}.1")]
    biased = [f"fpn.{kind}.{k}" for kind in ("lat_layers", "pred_layers") for k in range(3)]
    biased += [f"fpn.downsample_layers.{k}" for k in range(2)]
    biased += [f"proto_net.{k}" for k in PROTO_CONVOLUTIONS]
    biased += ["prediction_layers.0.upfeature.0", *(f"prediction_layers.0.{head}" for head in _HEADS)]
    return names + [f"{name}.{part}" for name in biased for part in ("weight", "bias")]


def _norm(name: str) -> list[str]:
    return [f"{name}.{part}" for part in _NORM]
