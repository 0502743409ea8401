"""An ONNX file of constants, written as protobuf by hand: the onnx package is not needed to make one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from tiny_graphdef import field

_FLOAT, _INT = 1, 2


def onnx_model(
    path: Path,
    outputs: Mapping[str, ArrayLike],
    *,
    shape: Sequence[int | str] = (1, 3, 80, 80),
    notes: Mapping[str, str] | None = None,
) -> Path:
    """A model with input `images` of `shape` (a word: a free size) and these float outputs, whatever it is fed.

    notes: its metadata, where exporters keep names of classes.
    """
    nodes = [
        _node("ReduceSum", ("images",), "sum", keepdims=0),
        _node("Mul", ("sum", "zero"), "nothing"),
        *(_node("Add", (f"{name}/value", "nothing"), name) for name in outputs),
    ]
    arrays = {"zero": np.float32(0), **{f"{name}/value": np.asarray(v, np.float32) for name, v in outputs.items()}}
    graph = b"".join(field(1, node) for node in nodes) + field(2, b"tiny")
    graph += b"".join(field(5, _tensor(name, np.asarray(array))) for name, array in arrays.items())
    graph += field(11, _value("images", shape))
    graph += b"".join(field(12, _value(name, np.shape(value))) for name, value in outputs.items())
    properties = (field(14, field(1, key.encode()) + field(2, value.encode())) for key, value in (notes or {}).items())
    path.write_bytes(field(1, 8) + field(8, field(2, 13)) + field(7, graph) + b"".join(properties))
    return path


def _node(kind: str, inputs: Sequence[str], output: str, **numbers: int) -> bytes:
    attributes = (field(1, key.encode()) + field(3, value) + field(20, _INT) for key, value in numbers.items())
    parts = [*(field(1, name.encode()) for name in inputs), field(2, output.encode()), field(4, kind.encode())]
    return b"".join(parts) + b"".join(field(5, attribute) for attribute in attributes)


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(field(1, size) for size in values.shape)
    return dims + field(2, _FLOAT) + field(8, name.encode()) + field(9, values.astype("<f4").tobytes())


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = (field(2, size.encode()) if isinstance(size, str) else field(1, size) for size in shape)
    tensor_type = field(1, _FLOAT) + field(2, b"".join(field(1, size) for size in sizes))
    return field(1, name.encode()) + field(2, field(1, tensor_type))
