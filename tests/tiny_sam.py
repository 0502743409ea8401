"""Tiny encoders and decoders behind the interfaces of exported SAMs, which tell what they were fed.

An encoder's embedding holds the means of the image's patches as fed. A decoder's masks are all the same report: its
cells, row by row, hold points, labels and the rest as fed, at the places named below.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as ops

from maskwright.assist.placing import SoftMask

SIDE, CELLS, FRAME = 4, 16, 64
"""Of the embedding, of the masks, of the square that prompts are given in."""
POINTS, LABELS, HAS_MASK, SIZE, MASK_SUM, EMBEDDED, BOXES = 0, 32, 48, 49, 51, 52, 53
_MOST = 16


def encoder(
    path: Path,
    image: str,
    shape: Sequence[int],
    outputs: Mapping[str, Sequence[int]] | None = None,
    embedding: str = "image_embeddings",
) -> Path:
    """`shape`: of the image input, -1 free, 4 axes planar or 3 with channels last. outputs: further ones, zero."""
    pixels = _parameter(image, shape)
    planar = pixels if len(shape) == 4 else ops.unsqueeze(ops.transpose(pixels, np.array([2, 0, 1])), np.int64(0))
    pooled = ops.interpolate(planar, np.array([SIDE, SIDE], np.int64), "linear", "sizes", axes=[2, 3], antialias=True)
    if -1 not in shape:
        step = shape[-1] // SIDE
        pooled = ops.avg_pool(planar, [step, step], [0, 0], [0, 0], [step, step], False)
    height_width = ops.convert(ops.gather(ops.shape_of(planar), np.array([2, 3]), np.int64(0)), "f32")
    sizes = ops.broadcast(ops.reshape(height_width, np.array([1, 2, 1, 1]), False), np.array([1, 2, SIDE, SIDE]))
    zero = ops.multiply(ops.reduce_sum(pooled, np.arange(4)), np.float32(0))
    results = [_result(ops.concat([pooled, sizes], 1), embedding)]
    results += [_result(ops.add(np.zeros(size, np.float32), zero), name) for name, size in (outputs or {}).items()]
    return _write(openvino.Model(results, [pixels], "encoder"), path)


def decoder(
    path: Path,
    inputs: Mapping[str, Sequence[int]],
    masks: Mapping[str, Sequence[int]],
    scores: tuple[str, Sequence[float]],
    *,
    kinds: Mapping[str, str] | None = None,
) -> Path:
    """inputs: shapes by name; masks: shapes of the outputs that are all the report; kinds: types other than f32."""
    parameters = {name: _parameter(name, shape, (kinds or {}).get(name, "f32")) for name, shape in inputs.items()}
    given = {name: ops.convert(node, "f32") for name, node in parameters.items()}
    pieces = [
        _padded(_find(given, "point_coords", "batched_point_coords", "input_points"), 2 * _MOST),
        _padded(_find(given, "point_labels", "batched_point_labels", "input_labels"), _MOST),
        _padded(_find(given, "has_mask_input"), 1),
        _padded(_find(given, "orig_im_size"), 2),
        _summed(_find(given, "mask_input")),
        _summed(_find(given, "image_embeddings", "image_embed", "image_embeddings.2")),
        _padded(_find(given, "input_boxes"), CELLS * CELLS - BOXES),
    ]
    others = [node for name, node in given.items() if name.startswith(("high_res", "interm", "image_embeddings."))]
    nothing = ops.multiply(sum_of(others), np.float32(0)) if others else np.float32(0)
    report = ops.reshape(ops.add(ops.concat(pieces, 0), nothing), np.array([CELLS, CELLS]), False)
    results = [_result(ops.broadcast(report, np.array(shape, np.int64)), name) for name, shape in masks.items()]
    name, values = scores
    zero = ops.multiply(ops.reduce_sum(report, np.array([0, 1])), np.float32(0))
    results.append(_result(ops.add(np.array([values], np.float32), zero), name))
    return _write(openvino.Model(results, list(parameters.values()), "decoder"), path)


def told(soft: SoftMask) -> np.ndarray:
    """The report as one row."""
    return soft.logits.ravel()


def told_points(soft: SoftMask, count: int) -> list[tuple[float, float, int]]:
    """(x, y, label) of the first `count` points."""
    row = told(soft)
    xy = row[POINTS : POINTS + 2 * count].reshape(-1, 2).round(4).tolist()
    return [(x, y, int(label)) for (x, y), label in zip(xy, row[LABELS : LABELS + count].tolist(), strict=True)]


def sum_of(nodes: Sequence[openvino.Node]) -> openvino.Node:
    total = ops.constant(np.float32(0))
    for node in nodes:
        total = ops.add(total, _summed(node))
    return total


def _find(given: Mapping[str, openvino.Node], *names: str) -> openvino.Node:
    return next((given[name] for name in names if name in given), ops.constant(np.zeros(0, np.float32)))


def _padded(node: openvino.Node, length: int) -> openvino.Node:
    flat = ops.reshape(node, np.array([-1], np.int64), False)
    missing = ops.subtract(np.array([length], np.int64), ops.shape_of(flat))
    return ops.pad(flat, np.array([0], np.int64), missing, "constant", np.float32(0))


def _summed(node: openvino.Node) -> openvino.Node:
    return ops.reshape(
        ops.reduce_sum(ops.reshape(node, np.array([-1], np.int64), False), np.array([0]), False), np.array([1]), False
    )


def _parameter(name: str, shape: Sequence[int], kind: str = "f32") -> openvino.Node:
    node = ops.parameter(list(shape), np.dtype({"f32": np.float32, "i64": np.int64}[kind]), name)
    node.output(0).set_names({name})
    return node


def _result(node: openvino.Node, name: str) -> openvino.Node:
    result = ops.result(node)
    node.output(0).set_names({name})
    return result


def _write(model: openvino.Model, path: Path) -> Path:
    openvino.save_model(model, path, compress_to_fp16=False)
    return path
