"""A frozen TensorFlow graph of constants, written as protobuf by hand: TensorFlow is not needed to make one."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

_FLOAT, _UINT8, _INT32 = 1, 4, 3


def frozen_graph(path: Path, outputs: Mapping[str, ArrayLike]) -> Path:
    """GraphDef with input `image_tensor` uint8 (?, ?, ?, 3) and these float outputs, whatever it is fed."""
    nodes = [
        _node("image_tensor", "Placeholder", (), dtype=_type(_UINT8), shape=field(7, _shape((-1, -1, -1, 3)))),
        _node("pixels", "Cast", ("image_tensor",), SrcT=_type(_UINT8), DstT=_type(_FLOAT)),
        _constant("axes", np.arange(4, dtype=np.int32), _INT32),
        _node("sum", "Sum", ("pixels", "axes"), T=_type(_FLOAT), Tidx=_type(_INT32), keep_dims=field(5, 0)),
        _constant("zero", np.float32(0), _FLOAT),
        _node("nothing", "Mul", ("sum", "zero"), T=_type(_FLOAT)),
    ]
    for name, value in outputs.items():
        nodes.append(_constant(f"{name}/value", np.asarray(value, np.float32), _FLOAT))
        nodes.append(_node(name, "AddV2", (f"{name}/value", "nothing"), T=_type(_FLOAT)))
    versions = field(4, field(1, 27))
    path.write_bytes(b"".join(field(1, node) for node in nodes) + versions)
    return path


def _node(name: str, kind: str, inputs: tuple[str, ...], **attributes: bytes) -> bytes:
    parts = [field(1, name.encode()), field(2, kind.encode()), *(field(3, source.encode()) for source in inputs)]
    parts += [field(5, field(1, key.encode()) + field(2, value)) for key, value in attributes.items()]
    return b"".join(parts)


def _constant(name: str, value: np.ndarray | np.generic, kind: int) -> bytes:
    tensor = field(1, kind) + field(2, _shape(value.shape)) + field(4, value.tobytes())
    return _node(name, "Const", (), dtype=_type(kind), value=field(8, tensor))


def _type(kind: int) -> bytes:
    return field(6, kind)


def _shape(sizes: tuple[int, ...]) -> bytes:
    return b"".join(field(2, field(1, size)) for size in sizes)


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    return _varint(number << 3) + _varint(value & (1 << 64) - 1)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
