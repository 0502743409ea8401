"""YOLACT-550 on a ResNet as an OpenVINO graph, built from plain weights.

The network of Bolya et al., "YOLACT: Real-time Instance Segmentation" (ICCV 2019), as published by Open Model Zoo:
input `input.1` (1, 3, 550, 550) BGR 0..255 with normalisation inside, outputs conf (1, A, classes) after softmax, mask
(1, A, K) after tanh, proto (1, 138, 138, K) after ReLU, boxes (1, A, 4) x1 y1 x2 y2 normalised."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.pixels import IMAGENET_MEAN_RGB, IMAGENET_SCALE_RGB

if TYPE_CHECKING:
    import openvino

_NORM = ("weight", "bias", "running_mean", "running_var")
_HEADS = ("bbox_layer", "conf_layer", "mask_layer")
PROTO_CONVOLUTIONS = (0, 2, 4, 8, 10)
"""Indices in `proto_net`; the numbers between are activations and upsampling."""


@dataclass(frozen=True, slots=True)
class YolactLayout:
    """How checkpoints of the architecture differ."""

    blocks: tuple[int, ...]
    """Residual blocks per stage: (3, 4, 6, 3) is ResNet-50, (3, 4, 23, 3) ResNet-101."""
    anchors: int
    """Per grid cell."""
    classes: int
    """Including the background."""
    prototypes: int

    @property
    def backbone(self) -> str:
        """ResNets are named after their layers: three per block, the first convolution and the classifier."""
        return f"resnet{3 * sum(self.blocks) + 2}"


def yolact_layout(weights: Mapping[str, NDArray[Any]]) -> YolactLayout:
    """The layout, with all required weights present. Raises ModelError naming what is missing."""
    if "backbone.conv1.weight" not in weights or not any(name.startswith("prediction_layers.") for name in weights):
        known = ", ".join(sorted(weights)[:3])
        raise ModelError(f"not the weights of a YOLACT with a ResNet; the first of {len(weights)}: {known}")
    blocks = tuple(_block_count(weights, stage) for stage in range(4))
    missing = [name for name in _required(blocks) if name not in weights]
    if missing:
        raise ModelError(f"{len(missing)} weights are missing: {', '.join(missing[:4])}")
    boxes, scores, masks = (
        weights[f"prediction_layers.0.{head}.bias"].size for head in ("bbox_layer", "conf_layer", "mask_layer")
    )
    anchors = boxes // 4
    if not anchors or boxes % 4 or scores % anchors or masks % anchors or scores // anchors < 2:
        raise ModelError(f"heads of {boxes}, {scores} and {masks} channels do not match")
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


INPUT_SIZE = 550
_SCALES_PX = (24, 48, 96, 192, 384)
"""Side of the anchors per level, P3 to P7."""
_RATIOS = (1, 1 / 2, 2)
_VARIANCES = (0.1, 0.2)
_NORM_EPSILON = 1e-5

Node = Any
"""openvino.Node or one of its outputs; OpenVINO has no types for them."""


def yolact_graph(weights: Mapping[str, NDArray[Any]], layout: YolactLayout) -> "openvino.Model":
    """The whole network. Raises RuntimeError (from OpenVINO) if shapes of weights contradict each other."""
    import openvino
    from openvino import opset13 as ops

    builder = _Builder(weights)
    pixels = ops.parameter([1, 3, INPUT_SIZE, INPUT_SIZE], np.float32, "input.1")
    levels = builder.pyramid(builder.backbone(builder.normalised(pixels), layout))
    sizes = [tuple(level.get_output_shape(0)[2:]) for level in levels]
    conf, offsets, mask = builder.heads(levels, layout)
    outputs = {
        "conf": ops.softmax(conf, axis=-1),
        "mask": ops.tanh(mask),
        "proto": builder.prototypes(levels[0]),
        "boxes": decoded_boxes(offsets, anchor_boxes(sizes)),
    }
    for name, node in outputs.items():
        node.output(0).set_names({name})
    pixels.output(0).set_names({"input.1"})
    return openvino.Model([ops.result(node, name=name) for name, node in outputs.items()], [pixels], "yolact")


def anchor_boxes(sizes_hw: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """(A, 4) centre x, centre y, width, height, normalised: per level row by row, then by aspect ratio.

    The published networks were trained with square anchors (a bug that was kept, `use_square_anchors`), so a ratio only
    scales the side by its root.
    """
    levels = []
    for (height, width), scale in zip(sizes_hw, _SCALES_PX, strict=True):
        y, x, ratio = np.meshgrid(np.arange(height), np.arange(width), _RATIOS, indexing="ij")
        side = scale * np.sqrt(ratio) / INPUT_SIZE
        levels.append(np.stack([(x + 0.5) / width, (y + 0.5) / height, side, side], -1).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def decoded_boxes(offsets: Node, anchors: NDArray[np.float32]) -> Node:
    """SSD's decoding with variances 0.1 and 0.2 (Liu et al. 2016): offsets (1, A, 4) to corners (1, A, 4)."""
    from openvino import opset13 as ops

    centre_offset, size_offset = ops.split(offsets, np.int64(2), 2).outputs()
    centres, sizes = anchors[None, :, :2], anchors[None, :, 2:]
    centre = ops.add(ops.multiply(centre_offset, _VARIANCES[0] * sizes), centres)
    size = ops.multiply(ops.exp(ops.multiply(size_offset, np.float32(_VARIANCES[1]))), sizes)
    low = ops.subtract(centre, ops.multiply(size, np.float32(0.5)))
    return ops.concat([low, ops.add(low, size)], 2)


class _Builder:
    """Builds layers by their names in the checkpoint."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self._weights = weights
        self._constants: dict[str, Node] = {}

    def normalised(self, pixels: Node) -> Node:
        """BGR bytes normalised as in the backbone's training, still BGR: `backbone` flips its first kernel instead."""
        from openvino import opset13 as ops

        mean, scale = (
            np.array(rgb[::-1], np.float64).reshape(1, 3, 1, 1) for rgb in (IMAGENET_MEAN_RGB, IMAGENET_SCALE_RGB)
        )
        return ops.add(ops.multiply(pixels, (1 / scale).astype(np.float32)), (-mean / scale).astype(np.float32))

    def backbone(self, pixels: Node, layout: YolactLayout) -> list[Node]:
        """C3, C4, C5."""
        from openvino import opset13 as ops

        found = ops.relu(self._normed_convolution(pixels, "backbone.conv1", "backbone.bn1", stride=2, flips_input=True))
        found = ops.max_pool(found, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
        stages = []
        for stage, count in enumerate(layout.blocks):
            for block in range(count):
                root, stride = f"backbone.layers.{stage}.{block}", 2 if stage and not block else 1
                found = self._bottleneck(found, root, stride, has_projection=not block)
            stages.append(found)
        return stages[1:]

    def pyramid(self, stages: Sequence[Node]) -> list[Node]:
        """P3 to P7."""
        from openvino import opset13 as ops

        found: Node = None
        sums = []
        for k, stage in enumerate(reversed(stages)):
            lateral = self._convolution(stage, f"fpn.lat_layers.{k}")
            found = lateral if found is None else ops.add(_enlarged(found, lateral.get_output_shape(0)[2:]), lateral)
            sums.append(found)
        levels = [ops.relu(self._convolution(node, f"fpn.pred_layers.{k}")) for k, node in enumerate(sums)][::-1]
        for k in range(2):
            levels.append(self._convolution(levels[-1], f"fpn.downsample_layers.{k}", stride=2))
        return levels

    def prototypes(self, finest: Node) -> Node:
        """(1, 138, 138, K)."""
        from openvino import opset13 as ops

        found = finest
        for position in PROTO_CONVOLUTIONS:
            if position == 8:
                height, width = found.get_output_shape(0)[2:]
                found = ops.relu(_enlarged(found, (2 * height, 2 * width)))
            found = ops.relu(self._convolution(found, f"proto_net.{position}"))
        return ops.transpose(found, np.array([0, 2, 3, 1]))

    def heads(self, levels: Sequence[Node], layout: YolactLayout) -> tuple[Node, Node, Node]:
        """Scores before softmax, box offsets, coefficients before tanh, each (1, A, ...); all levels share one head."""
        from openvino import opset13 as ops

        features = [ops.relu(self._convolution(level, "prediction_layers.0.upfeature.0")) for level in levels]
        return (
            self._head(features, "conf_layer", layout.classes),
            self._head(features, "bbox_layer", 4),
            self._head(features, "mask_layer", layout.prototypes),
        )

    def _head(self, features: Sequence[Node], name: str, width: int) -> Node:
        from openvino import opset13 as ops

        rows = []
        for feature in features:
            grid = ops.transpose(self._convolution(feature, f"prediction_layers.0.{name}"), np.array([0, 2, 3, 1]))
            rows.append(ops.reshape(grid, np.array([1, -1, width]), False))
        return ops.concat(rows, 1)

    def _bottleneck(self, node: Node, root: str, stride: int, *, has_projection: bool) -> Node:
        """ResNet's block of 1x1, 3x3, 1x1, the stride on the 3x3."""
        from openvino import opset13 as ops

        found = ops.relu(self._normed_convolution(node, f"{root}.conv1", f"{root}.bn1"))
        found = ops.relu(self._normed_convolution(found, f"{root}.conv2", f"{root}.bn2", stride=stride))
        found = self._normed_convolution(found, f"{root}.conv3", f"{root}.bn3")
        if has_projection:
            node = self._normed_convolution(node, f"{root}.downsample.0", f"{root}.downsample.1", stride=stride)
        return ops.relu(ops.add(found, node))

    def _normed_convolution(
        self, node: Node, name: str, norm: str, *, stride: int = 1, flips_input: bool = False
    ) -> Node:
        """A convolution with the following batch normalisation folded into it."""
        kernel = self._floats(f"{name}.weight")
        if flips_input:
            kernel = kernel[:, ::-1]
        gamma, beta, mean, variance = (
            self._floats(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(variance + _NORM_EPSILON)
        return self._convolved(node, name, kernel * factor.reshape(-1, 1, 1, 1), beta - mean * factor, stride)

    def _convolution(self, node: Node, name: str, *, stride: int = 1) -> Node:
        return self._convolved(node, name, self._floats(f"{name}.weight"), self._floats(f"{name}.bias"), stride)

    def _convolved(
        self, node: Node, name: str, kernel: NDArray[np.float64], bias: NDArray[np.float64], stride: int
    ) -> Node:
        """ "Same" padding. The head's kernels are used on five levels and stored once."""
        from openvino import opset13 as ops

        pad = [kernel.shape[2] // 2, kernel.shape[3] // 2]
        weights = self._constant(f"{name}.weight", lambda: kernel)
        shift = self._constant(f"{name}.bias", lambda: bias.reshape(1, -1, 1, 1))
        return ops.add(ops.convolution(node, weights, [stride, stride], pad, pad, [1, 1]), shift)

    def _constant(self, name: str, values: Callable[[], NDArray[np.float64]]) -> Node:
        from openvino import opset13 as ops

        if name not in self._constants:
            self._constants[name] = ops.constant(np.ascontiguousarray(values(), np.float32), name=name)
        return self._constants[name]

    def _floats(self, name: str) -> NDArray[np.float64]:
        return self._weights[name].astype(np.float64)


def _enlarged(node: Node, size_hw: Sequence[int]) -> Node:
    """Bilinear, half-pixel centres (PyTorch's align_corners=False)."""
    from openvino import opset13 as ops

    return ops.interpolate(
        node,
        np.array(size_hw, np.int64),
        "linear_onnx",
        "sizes",
        coordinate_transformation_mode="half_pixel",
        axes=np.array([2, 3], np.int64),
    )
