"""What a round starts from: a frozen trunk, and the heads that are trained on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import openvino
import torch
from torch import Tensor, nn

from maskwright.errors import ModelError
from maskwright.inference.installed import model_path
from maskwright.learning.job import NUCLEI, LearningJob
from maskwright.learning.network import LAYOUT, HeadConfig, LightHeads, general_trunk
from maskwright.training.losses import LossWeights
from maskwright.training.network import NUCLEI_LAYOUT, AnchorLayout, NetworkConfig, NetworkOutput, Segmenter

_PREFIX = "__module.network."


class NucleiTrunk(nn.Module):
    """Images (B, 3, H, W) RGB 0..255 to the stem's map at stride 2 and the pyramid's at 4, 8 and 16."""

    def __init__(self, network: Segmenter) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.network.features(images)


class NucleiHeads(Segmenter):
    """The trainable part: the bundled network's heads and prototypes, for any number of classes."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        del self.trunk, self.pyramid

    def forward(self, features: list[Tensor]) -> NetworkOutput:
        return self.predicted(features)

    def train(self, mode: bool = True) -> NucleiHeads:
        """Normalisation layers stay in evaluation mode: they were folded into the weights, and their stand-ins must
        not gather statistics.
        """
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def nuclei_trunk() -> NucleiTrunk:
    """Frozen, float32. Raises ModelError where the bundled model is missing or damaged."""
    trunk = NucleiTrunk(bundled_network())
    trunk.requires_grad_(False)
    trunk.eval()
    return trunk


def nuclei_heads(categories: int) -> NucleiHeads:
    """As bundled; with several classes, each starts as "nucleus". Raises ModelError as `nuclei_trunk`."""
    heads = NucleiHeads(NetworkConfig(categories=categories))
    known = bundled_network().state_dict()
    kept = {name: known[name] for name in heads.state_dict()}
    for name in kept:
        if ".classes." in name:
            kept[name] = kept[name].repeat_interleave(categories, 0)
            if name.endswith(".bias"):
                kept[name] = kept[name] - math.log(categories)
    heads.load_state_dict(kept)
    # Only used in training and missing from the model file; with random weights it would teach the rest nonsense.
    heads.outline.requires_grad_(False)
    return heads


def bundled_network() -> Segmenter:
    """Rebuilt from the model file. Raises ModelError if it is missing or not the network known here."""
    network = Segmenter(NetworkConfig())
    path = model_path(NUCLEI)
    try:
        found = _convolutions(openvino.Core().read_model(path))
        modules = dict(network.named_modules())
        filled = {_filled(modules, name, *weights) for name, weights in found.items()}
        convolutions = {name: module for name, module in modules.items() if isinstance(module, nn.Conv2d)}
        missing = [name for name, module in convolutions.items() if module not in filled and name != "outline"]
        if missing:
            raise KeyError(f"no weights of {', '.join(missing)}")
    except (RuntimeError, KeyError, ValueError, OSError) as error:
        raise ModelError(f"the nuclei base cannot be read: {error}", path=path) from error
    network.eval()
    return network


def _convolutions(model: openvino.Model) -> dict[str, tuple[Tensor, Tensor]]:
    """Weights and biases of all convolutions, by the module that the addition after each came from."""
    found = {}
    for operation in model.get_ordered_ops():
        if operation.get_type_name() == "Convolution":
            added = next(iter(operation.output(0).get_target_inputs())).get_node()
            name = added.get_friendly_name().removeprefix(_PREFIX).split("/")[0]
            found[name] = _constant(operation.input_value(1)), _constant(added.input_value(1)).flatten()
    return found


def _constant(value: openvino.Output) -> Tensor:
    node = value.get_node()
    while node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
    return torch.from_numpy(np.array(node.get_data(dtype=np.float32)))


def _filled(modules: dict[str, nn.Module], name: str, weight: Tensor, bias: Tensor) -> nn.Module:
    """The convolution that was filled. A norm that was folded into it becomes one that only adds the bias."""
    target = modules[name]
    is_folded = isinstance(target, nn.BatchNorm2d)
    convolution = modules[name.removesuffix(".1") + ".0"] if is_folded else target
    with torch.no_grad():
        _parameter(target, "bias").copy_(bias)
        _parameter(convolution, "weight").copy_(weight)
    return convolution


def _parameter(module: nn.Module, name: str) -> Tensor:
    value = getattr(module, name)
    if not isinstance(value, Tensor):
        raise KeyError(f"{type(module).__name__} has no {name}")
    return value


Heads = LightHeads | NucleiHeads


@dataclass(frozen=True, slots=True)
class Base:
    """One kind of network that can be trained."""

    layout: AnchorLayout
    trunk: Callable[[], nn.Module]
    heads: Callable[[], Heads]
    weights: LossWeights


def base_of(job: LearningJob) -> Base:
    """The base that a job names."""
    if job.base == NUCLEI:
        count = len(job.category_names)
        return Base(NUCLEI_LAYOUT, nuclei_trunk, lambda: nuclei_heads(count), LossWeights(outline=0.0))
    return Base(LAYOUT, lambda: general_trunk(), lambda: LightHeads(head_config(job)), LossWeights())


def head_config(job: LearningJob) -> HeadConfig:
    """The configuration of the general base."""
    recipe = job.recipe
    return HeadConfig(
        categories=len(job.category_names),
        pyramid=recipe.pyramid,
        tower=recipe.tower,
        prototype_features=recipe.prototype_features,
    )
