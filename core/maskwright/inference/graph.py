"""What can be seen in an OpenVINO graph without running it: tensors, notes, and how its operations hang together."""

from typing import TYPE_CHECKING, Any

from maskwright.inference.interface import NetworkInterface, TensorSpec

if TYPE_CHECKING:
    import openvino

_WEIGHTED = ("Convolution", "ConvolutionBackpropData", "MatMul")
"""Ends of the names of operations that eight bits make faster; GroupConvolution is one."""


def seen_interface(graph: "openvino.Model") -> NetworkInterface:
    """Inputs, outputs and notes as plain values."""
    return NetworkInterface(
        tuple(_spec(port) for port in graph.inputs),
        tuple(_spec(port) for port in graph.outputs),
        metadata=_notes(graph, "model_info"),
        conversion=_notes(graph, "conversion_parameters"),
        framework=_notes(graph, "framework"),
        feeds_convolution=any(_meets_convolution(port) for port in graph.inputs),
        is_quantised=any(op.get_type_name() == "FakeQuantize" for op in graph.get_ops()),
    )


def after_last_weights(graph: "openvino.Model") -> list[str]:
    """Names of the operations between the results and the nearest operations with weights."""
    found: dict[str, Any] = {}
    waiting = list(graph.get_results())
    while waiting:
        for port in waiting.pop().inputs():
            node = port.get_source_output().get_node()
            name, kind = node.get_friendly_name(), node.get_type_name()
            if name not in found and not kind.endswith(_WEIGHTED):
                found[name] = kind
                waiting.append(node)
    return [name for name, kind in found.items() if kind not in ("Constant", "Parameter", "Convert")]


def give_own_names(graph: "openvino.Model") -> None:
    """Rename operations that share a friendly name, which NNCF cannot tell apart; names of tensors stay."""
    seen: set[str] = set()
    for k, op in enumerate(graph.get_ops()):
        if (name := op.get_friendly_name()) in seen:
            op.set_friendly_name(f"{name}#{k}")
        seen.add(name)


def _spec(port: "openvino.Output") -> TensorSpec:
    shape = port.get_partial_shape()
    sizes = None
    if not shape.rank.is_dynamic:
        sizes = tuple(None if size.is_dynamic else size.get_length() for size in shape)
    return TensorSpec(frozenset(port.get_names()), sizes, port.get_element_type().get_type_name())


def _notes(graph: "openvino.Model", section: str) -> dict[str, str]:
    """The plain entries of one section of rt_info; nested ones are of no interest here."""
    if not graph.has_rt_info([section]):
        return {}
    found = graph.get_rt_info([section]).value
    if not isinstance(found, dict):
        return {}
    values = {key: getattr(value, "value", value) for key, value in found.items()}
    return {key: _plain_text(value) for key, value in values.items() if not isinstance(value, dict)}


def _plain_text(value: object) -> str:
    """Lists become words, as the formats that keep everything as text write them."""
    return " ".join(str(entry) for entry in value) if isinstance(value, list | tuple) else str(value)


def _meets_convolution(port: "openvino.Output") -> bool:
    """Whether a convolution reads this input directly, conversions and quantisation aside."""
    for reader in port.get_target_inputs():
        node = reader.get_node()
        kind = node.get_type_name()
        if kind in ("Convolution", "GroupConvolution"):
            return True
        if kind in ("Convert", "FakeQuantize") and _meets_convolution(node.output(0)):
            return True
    return False
