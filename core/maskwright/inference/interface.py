"""A network as seen from outside: its tensors and metadata, as plain values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

TensorLayout = Literal["NCHW", "NHWC", "CHW"]
_PORT = re.compile(r"(:\d+|/sink_port_\d+)$")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output: all its names, and its shape with None for a dynamic dimension."""

    names: frozenset[str]
    shape: tuple[int | None, ...] | None
    """None if even the rank is unknown."""
    element: str = ""
    """Element type in OpenVINO's terms, such as "f32" or "i64"; empty if unknown."""

    @property
    def rank(self) -> int:
        """Number of axes, -1 if unknown."""
        return -1 if self.shape is None else len(self.shape)

    def dim(self, axis: int) -> int | None:
        """The size of an axis; None if it is dynamic or the rank is unknown."""
        return None if self.shape is None else self.shape[axis]

    def is_called(self, name: str) -> bool:
        """Whether a name matches, ignoring port suffixes such as ":0" and "/sink_port_0"."""
        return any(plain_name(known) == name for known in self.names)

    def __str__(self) -> str:
        name = min(self.names, key=lambda known: (len(known), known), default="(unnamed)")
        shape = "?" if self.shape is None else ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{name} [{shape}]"


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """Inputs, outputs, and the metadata on how the network expects its pixels."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """`model_info` of the file's rt_info: labels, colour order and so on."""
    conversion: Mapping[str, str] = field(default_factory=dict)
    """`conversion_parameters` of rt_info: what the converter built into the graph."""
    framework: Mapping[str, str] = field(default_factory=dict)
    """`framework` of rt_info: what the exporter wrote to an ONNX file, such as class names."""
    feeds_convolution: bool = False
    """The image feeds a convolution directly, so the graph does not normalise it."""
    is_quantised: bool = False
    """Parts of it compute in eight bits."""


@dataclass(frozen=True, slots=True)
class ImageInput:
    """How a network expects its pixels, apart from their size; the program always passes uint8 BGR.

    mean, scale: per channel in the network's own channel order, applied as (value - mean) / scale.
    """

    index: int = 0
    layout: TensorLayout = "NCHW"
    is_rgb: bool = False
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


def plain_name(name: str) -> str:
    """A tensor name without its port suffix: "masks:0" -> "masks"."""
    return _PORT.sub("", name)


def described(specs: Iterable[TensorSpec]) -> str:
    """A list for messages: "conf [1, 19248, 81], boxes [1, 19248, 4]"."""
    return ", ".join(str(spec) for spec in specs) or "none"
