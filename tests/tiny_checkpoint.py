"""PyTorch checkpoints put together opcode by opcode: without PyTorch, hostile ones as easily as good ones."""

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Format = Literal["legacy", "zip"]
_KINDS = {"float32": "FloatStorage", "int64": "LongStorage"}


def yolact_weights(
    *,
    blocks: tuple[int, ...] = (1, 1, 1, 1),
    width: int = 4,
    features: int = 8,
    classes: int = 3,
    prototypes: int = 2,
) -> dict[str, NDArray[Any]]:
    """Random weights under the names of a published YOLACT, everything narrow.

    The published ones have blocks (3, 4, 6, 3), width 64, 256 features, 81 classes and 32 prototypes.
    """
    rng = np.random.default_rng(0)
    found: dict[str, NDArray[Any]] = {}

    def convolution(name: str, outputs: int, inputs: int, size: int, *, has_bias: bool = True) -> None:
        kernel = rng.normal(0, (inputs * size * size) ** -0.5, (outputs, inputs, size, size))
        found[f"{name}.weight"] = kernel.astype(np.float32)
        if has_bias:
            found[f"{name}.bias"] = rng.normal(0, 0.1, outputs).astype(np.float32)

    def norm(name: str, size: int) -> None:
        for part in ("weight", "running_var"):
            found[f"{name}.{part}"] = rng.uniform(0.5, 1.5, size).astype(np.float32)
        for part in ("bias", "running_mean"):
            found[f"{name}.{part}"] = rng.normal(0, 0.1, size).astype(np.float32)
        found[f"{name}.num_batches_tracked"] = np.array(7)

    convolution("backbone.conv1", width, 3, 7, has_bias=False)
    norm("backbone.bn1", width)
    inputs = width
    for stage, count in enumerate(blocks):
        inner, outputs = width << stage, 4 * width << stage
        for block in range(count):
            root = f"backbone.layers.{stage}.{block}"
            shapes = ((inner, inputs, 1), (inner, inner, 3), (outputs, inner, 1))
            for k, (out, into, size) in enumerate(shapes, 1):
                convolution(f"{root}.conv{k}", out, into, size, has_bias=False)
                norm(f"{root}.bn{k}", out)
            if not block:
                convolution(f"{root}.downsample.0", outputs, inputs, 1, has_bias=False)
                norm(f"{root}.downsample.1", outputs)
            inputs = outputs
    for k in range(3):
        convolution(f"fpn.lat_layers.{k}", features, 4 * width << (3 - k), 1)
        convolution(f"fpn.pred_layers.{k}", features, features, 3)
        convolution(f"fpn.downsample_layers.{k}", features, features, 3)
    for k in (0, 2, 4, 8):
        convolution(f"proto_net.{k}", features, features, 3)
    convolution("proto_net.10", prototypes, features, 1)
    convolution("prediction_layers.0.upfeature.0", features, features, 3)
    for head, size in (("bbox", 4), ("conf", classes), ("mask", prototypes)):
        convolution(f"prediction_layers.0.{head}_layer", 3 * size, features, 3)
    convolution("semantic_seg_conv", classes - 1, features, 1)
    return found


def saved(path: Path, weights: Mapping[str, NDArray[Any]], form: Format = "legacy") -> Path:
    """Write a state dict in either of PyTorch's formats."""
    return write(path, state_pickle(weights, form), list(weights.values()), form)


def write(path: Path, state: bytes, arrays: list[NDArray[Any]], form: Format = "legacy") -> Path:
    """Write a container around the pickle `state`, which refers to `arrays` as "0", "1" and so on."""
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("net/data.pkl", state)
            for k, array in enumerate(arrays):
                archive.writestr(f"net/data/{k}", array.tobytes())
        return path
    with path.open("wb") as stream:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            stream.write(pickle.dumps(head, protocol=2))
        stream.write(state)
        stream.write(pickle.dumps([str(k) for k in range(len(arrays))], protocol=2))
        for array in arrays:
            stream.write(struct.pack("<q", array.size) + array.tobytes())
    return path


def state_pickle(weights: Mapping[str, NDArray[Any]], form: Format = "legacy", extra: bytes = b"") -> bytes:
    """An OrderedDict of tensors; `extra`: opcodes that leave one more key and value on the stack."""
    stream = io.BytesIO()
    stream.write(b"\x80\x02ccollections\nOrderedDict\n)R(")
    for k, (name, array) in enumerate(weights.items()):
        stream.write(_literal(name) + tensor(str(k), array, form))
    stream.write(extra + b"u.")
    return stream.getvalue()


def tensor(key: str, array: NDArray[Any], form: Format = "legacy", *, shape: tuple[int, ...] | None = None) -> bytes:
    """Opcodes that leave a tensor on the stack, viewing storage `key`, of `shape` if it is to lie."""
    strides = tuple(step // array.itemsize for step in np.ascontiguousarray(array).strides) if array.ndim else ()
    storage = b"(" + _literal("storage") + f"ctorch\n{_KINDS[str(array.dtype)]}\n".encode()
    storage += _literal(key) + _literal("cpu") + _literal(array.size) + (b"N" if form == "legacy" else b"") + b"tQ"
    view = _literal(0) + _literal(array.shape if shape is None else shape) + _literal(strides)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + b"\x89ccollections\nOrderedDict\n)RtR"


def call(module: str, name: str, argument: str) -> bytes:
    """Opcodes that leave a key on the stack, and beside it the result of calling `module.name(argument)`."""
    return _literal("payload") + f"c{module}\n{name}\n(".encode() + _literal(argument) + b"tR"


def _literal(value: object) -> bytes:
    """Opcodes that leave a plain value on the stack."""
    return pickle.dumps(value, protocol=2)[2:-1]
