"""Tiny networks behind the interfaces of the real ones: outputs are constants, so that a test knows the answer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import ArrayLike
from openvino import opset13 as ops


def saved(
    path: Path,
    inputs: Mapping[str, Sequence[int]],
    outputs: Mapping[str, ArrayLike],
    *,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Write an IR with these input shapes (-1: free) whose outputs are these arrays whatever it is fed."""
    parameters = [_parameter(name, shape) for name, shape in inputs.items()]
    nothing = ops.multiply(ops.reduce_sum(parameters[0], np.arange(len(parameters[0].partial_shape))), np.float32(0))
    results = [_result(ops.add(np.asarray(value, np.float32), nothing), name) for name, value in outputs.items()]
    return _write(openvino.Model(results, parameters, "tiny"), path, notes)


def yolact(path: Path, *, size: int = 32, notes: Mapping[str, str] | None = None, **tensors: ArrayLike) -> Path:
    """A YOLACT of two classes, two anchors, one prototype that is on everywhere; `tensors` replace outputs."""
    return saved(path, {"input.1": (1, 3, size, size)}, yolact_outputs(**tensors), notes=notes)


def yolact_outputs(**tensors: ArrayLike) -> dict[str, ArrayLike]:
    """Anchor 0: class 1, the left half. Anchor 1: class 2, the right half."""
    found: dict[str, ArrayLike] = {
        "conf": [[[0.1, 0.9, 0.0], [0.2, 0.0, 0.8]]],
        "boxes": [[[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]]],
        "mask": [[[1.0], [1.0]]],
        "proto": np.full((1, 8, 8, 1), 9.0),
    }
    return {name: np.asarray(value, np.float32) for name, value in (found | tensors).items()}


def seeing_yolact(
    path: Path, *, name: str = "input.1", shape: Sequence[int] = (1, 3, 16, 16), convolves: bool = False
) -> Path:
    """A YOLACT whose three class scores are the means of its three input channels, as fed, over 255."""
    pixels = _parameter(name, shape)
    seen = pixels
    if convolves:
        seen = ops.convolution(pixels, np.eye(3, dtype=np.float32)[:, :, None, None], [1, 1], [0, 0], [0, 0], [1, 1])
    means = ops.divide(ops.reduce_mean(seen, np.array([2, 3])), np.float32(255))
    conf = ops.reshape(ops.concat([np.zeros((1, 1), np.float32), means], 1), np.array([1, 1, 4]), False)
    rest = yolact_outputs(boxes=[[[0, 0, 1, 1]]], mask=[[[1.0]]])
    zero = ops.multiply(ops.reduce_sum(means, np.array([0, 1])), np.float32(0))
    results = [_result(conf, "conf")]
    results += [_result(ops.add(rest[key], zero), key) for key in ("boxes", "mask", "proto")]
    return _write(openvino.Model(results, [pixels], "seeing"), path, None)


def mask_rcnn(path: Path, rows: ArrayLike, masks: ArrayLike, *, layout: str = "NCHW") -> Path:
    """The converted Mask R-CNN with a 40x60 input."""
    shape = (1, 3, 40, 60) if layout == "NCHW" else (1, 40, 60, 3)
    outputs = {"reshape_do_2d": rows, "masks": masks}
    return saved(path, {"image_tensor": shape, "image_info": (1, 3)}, outputs)


def _parameter(name: str, shape: Sequence[int]) -> openvino.Node:
    node = ops.parameter(list(shape), np.float32, name)
    node.output(0).set_names({name})
    return node


def _result(node: openvino.Node, name: str) -> openvino.Node:
    result = ops.result(node)
    node.output(0).set_names({name})
    return result


def _write(model: openvino.Model, path: Path, notes: Mapping[str, str] | None) -> Path:
    for key, value in (notes or {}).items():
        model.set_rt_info(value, ["model_info", key])
    openvino.save_model(model, path, compress_to_fp16=False)
    return path
