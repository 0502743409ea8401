"""Access to OpenVINO: the only module that imports it, and only when a network is first used."""

import contextlib
import logging
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.interface import ImageInput, NetworkInterface, TensorSpec

if TYPE_CHECKING:
    import openvino

log = logging.getLogger(__name__)

_SOURCE = re.compile(r"Check '|::|\.[ch]pp\b|/src/|\b0x[0-9a-f]+")
"""Marks lines about OpenVINO's internals."""
_WEIGHTED = ("Convolution", "ConvolutionBackpropData", "MatMul")
"""Suffixes of the operations that eight bits make faster; GroupConvolution is one."""


def seen_interface(graph: "openvino.Model") -> NetworkInterface:
    """Inputs, outputs and metadata as plain values."""
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
    """The plain entries of one section of rt_info; nested ones are ignored."""
    if not graph.has_rt_info([section]):
        return {}
    found = graph.get_rt_info([section]).value
    if not isinstance(found, dict):
        return {}
    values = {key: getattr(value, "value", value) for key, value in found.items()}
    return {key: _plain_text(value) for key, value in values.items() if not isinstance(value, dict)}


def _plain_text(value: object) -> str:
    """Lists become words, as in formats that store everything as text."""
    return " ".join(str(entry) for entry in value) if isinstance(value, list | tuple) else str(value)


def _meets_convolution(port: "openvino.Output") -> bool:
    """Whether a convolution reads this input directly, apart from conversions and quantisation."""
    for reader in port.get_target_inputs():
        node = reader.get_node()
        kind = node.get_type_name()
        if kind in ("Convolution", "GroupConvolution"):
            return True
        if kind in ("Convert", "FakeQuantize") and _meets_convolution(node.output(0)):
            return True
    return False


Hint = Literal["latency", "throughput"]
Feeds = Mapping[int, NDArray[Any]]
"""Input tensors by position."""
Source = TypeVar("Source")
_KINDS = ("CPU", "GPU", "NPU", "AUTO", "MULTI", "HETERO", "BATCH")
_PATIENCE_MS = 20
"""Seconds between checks whether a run is still wanted."""
_core_lock = threading.Lock()
_the_core: "openvino.Core | None" = None


def list_devices() -> tuple[str, ...]:
    """Devices that OpenVINO can use here, such as ("CPU", "GPU")."""
    return tuple(_core().available_devices)


def known_device(name: str) -> str:
    """`name`. Raises ModelError if OpenVINO knows no device of that kind on any machine."""
    kinds = [part.partition(".")[0].strip() for part in name.replace(":", ",").split(",")]
    if all(kind in _KINDS or kind.isdigit() or kind.lstrip("-") in (*_KINDS, *list_devices()) for kind in kinds):
        return name
    usable = ", ".join((*list_devices(), "AUTO"))
    raise ModelError(f"OpenVINO has no device {name!r}", hint=f"available here: {usable}")


class Network:
    """A network read from a file: its interface, and how to run it."""

    def __init__(self, path: Path) -> None:
        """Raises ModelError for a file that is missing, unreadable or not a network."""
        self.path = path
        self._graph = _read(path)
        self.interface = seen_interface(self._graph)

    def accept_images(self, image_input: ImageInput) -> None:
        """Let the image input take uint8 BGR (N, H, W, 3), or (H, W, 3) if it has no batch axis.

        Colour order, mean and layout are handled in the graph. Call it once, before compiling.
        """
        from openvino import Layout as AxisOrder
        from openvino import Type
        from openvino.preprocess import ColorFormat, PrePostProcessor

        steps = PrePostProcessor(self._graph)
        pixels = steps.input(image_input.index)
        rows = "HWC" if image_input.layout == "CHW" else "NHWC"
        pixels.tensor().set_element_type(Type.u8).set_layout(AxisOrder(rows)).set_color_format(ColorFormat.BGR)
        if self._graph.inputs[image_input.index].get_element_type() != Type.u8:
            pixels.preprocess().convert_element_type(Type.f32)
        if image_input.is_rgb:
            pixels.preprocess().convert_color(ColorFormat.RGB)
        if image_input.mean:
            pixels.preprocess().mean(list(image_input.mean))
        if image_input.scale:
            pixels.preprocess().scale(list(image_input.scale))
        pixels.model().set_layout(AxisOrder(image_input.layout))
        self._graph = steps.build()

    def quantise(self, sources: Sequence[Source], feeds_of: Callable[[Source], Feeds]) -> None:
        """Convert weights and activations to eight bits where the loss is small, calibrated on `sources`.

        feeds_of: makes from a source the network's own inputs, before `accept_images`; called again in each of NNCF's
        passes, so that only one sample is in memory. Operations after the last convolutions are not converted: boxes
        are decoded there from numbers that eight bits cannot hold (a nuclei network fell from 0.68 to 0.43 mask AP).
        Needs NNCF (extra `quantise`). Raises ModelError if it is missing or fails.
        """
        try:
            import nncf
        except ImportError as error:
            raise ModelError("quantising needs NNCF", hint='pip install "maskwright[quantise]"') from error
        nncf.set_log_level(logging.ERROR)
        faults = (nncf.ValidationError, nncf.InternalError, nncf.UnsupportedModelError)
        give_own_names(self._graph)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # its progress bars would spoil the JSON on standard output
                self._graph = nncf.quantize(
                    self._graph,
                    nncf.Dataset(sources, lambda source: dict(feeds_of(source))),
                    preset=nncf.QuantizationPreset.MIXED,
                    subset_size=len(sources),
                    ignored_scope=nncf.IgnoredScope(names=after_last_weights(self._graph), validate=False),
                )
        except (RuntimeError, ValueError, *faults) as error:
            log.info("%s: %s", self.path, error)
            hint = "use the model unquantised; the log has the reason"
            raise ModelError("this model cannot be quantised", path=self.path, hint=hint) from error

    def save(self, path: Path, notes: Mapping[str, str], *, compresses: bool) -> None:
        """Write an IR; see `save_graph`."""
        save_graph(self._graph, path, notes, compresses=compresses)

    def compile(
        self, device: str, *, hint: Hint = "latency", precision: str | None = None, num_threads: int | None = None
    ) -> "CompiledNetwork":
        """Compile for a device. Raises ModelError if the device fails."""
        settings: dict[str, Any] = {"PERFORMANCE_HINT": hint.upper()}
        if precision is not None:
            settings["INFERENCE_PRECISION_HINT"] = precision
        if num_threads is not None and device in ("CPU", "AUTO"):
            settings["INFERENCE_NUM_THREADS"] = num_threads
        try:
            return CompiledNetwork(_core().compile_model(self._graph, device, settings))
        except RuntimeError as error:
            raise ModelError(f"{device} cannot run this model: {_reason(error)}", path=self.path) from error


class CompiledNetwork:
    """A network compiled for a device."""

    def __init__(self, compiled: "openvino.CompiledModel") -> None:
        self._compiled = compiled

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices in use, e.g. ("CPU",) for AUTO on a machine without a GPU."""
        return tuple(name.strip("()") for name in self._compiled.get_property("EXECUTION_DEVICES"))

    @property
    def best_request_count(self) -> int:
        """The device's preferred number of images in flight."""
        return int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    @property
    def precision(self) -> str:
        """The inference precision, e.g. "f32" or "bf16"; empty if the device does not report it, as AUTO."""
        try:
            kind = self._compiled.get_property("INFERENCE_PRECISION_HINT")
        except RuntimeError:
            return ""
        name = str(kind.to_string() if hasattr(kind, "to_string") else kind)
        return {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}.get(name, name)

    def request(self) -> "Request":
        """A new infer request."""
        is_fixed = not any(port.get_partial_shape().is_dynamic for port in self._compiled.inputs)
        return Request(self._compiled.create_infer_request(), can_break_off=is_fixed)


class Request:
    """One infer request; reusable, by one thread at a time.

    can_break_off: only if all shapes are static. With dynamic shapes OpenVINO 2026.4.1 does not recover from a
    cancelled inference: later ones fail over shapes of the one before, or the program crashes (three threads with
    batches of different sizes, each cancelled within 150 ms, in bf16: twice in a minute).
    """

    def __init__(self, request: "openvino.InferRequest", *, can_break_off: bool) -> None:
        self._request, self._can_break_off = request, can_break_off
        self._is_cancelled = False

    def run(self, feeds: Feeds, is_unwanted: Callable[[], bool] | None = None) -> list[NDArray[Any]]:
        """Outputs in the network's order: views that the next run overwrites. Releases the GIL while waiting.

        is_unwanted: checked while running; once true the run is cancelled, if possible. Raises ModelError if inference
        fails or `cancel` is called meanwhile. (Waits instead of using a callback, because OpenVINO does not call it
        when a request is cancelled or fails.)
        """
        self._is_cancelled = False
        try:
            self._request.start_async(dict(feeds), share_inputs=True)
            while self._can_break_off and is_unwanted is not None and not self._request.wait_for(_PATIENCE_MS):
                if is_unwanted():
                    self.cancel()
                    break
            self._request.wait()
        except RuntimeError as error:
            if self._is_cancelled:  # not worth logging: a user moves on many times an hour
                raise ModelError("inference was cancelled") from error
            raise ModelError(f"inference failed: {_reason(error)}") from error
        return [tensor.data for tensor in self._request.output_tensors]

    def cancel(self) -> None:
        """Stop a running inference, if possible; may be called from another thread."""
        if self._can_break_off:
            self._is_cancelled = True
            self._request.cancel()


def save_graph(graph: "openvino.Model", path: Path, notes: Mapping[str, str], *, compresses: bool) -> None:
    """Write an .xml and its .bin with `notes` under `model_info`; weights as FP16 if `compresses`.

    Raises OSError if they cannot be written.
    """
    import openvino

    for key, value in notes.items():
        graph.set_rt_info(value, ["model_info", key])
    try:
        openvino.save_model(graph, path, compress_to_fp16=compresses)
    except RuntimeError as error:
        raise OSError(None, _reason(error)) from error


def _core() -> "openvino.Core":
    global _the_core
    with _core_lock:
        if _the_core is None:
            import numpy as np
            import openvino

            # Builds the binding's type tables while only this thread can. Two threads whose first uses coincide
            # deadlock, one holding the interpreter lock, the other the table's (seen with 2026.4 in a batch).
            openvino.Type.f32.to_dtype()
            assert openvino.Tensor(np.zeros(1, np.uint8)).data.size == 1
            _the_core = openvino.Core()
        return _the_core


def _read(path: Path) -> "openvino.Model":
    if not path.is_file():
        raise ModelError("no such model file", path=path)
    weights = path.with_suffix(".bin")
    if path.suffix == ".xml" and not weights.exists():
        raise ModelError(f"its weights file {weights.name} is missing", path=path, hint="put it next to the .xml file")
    try:
        return _core().read_model(path)
    except RuntimeError as error:
        raise ModelError(f"not a readable model: {_reason(error)}", path=path) from error


def _reason(error: RuntimeError) -> str:
    """The useful line of OpenVINO's multi-line messages: the last one that is not about its source.

    What only its developers could read is only logged.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    log.info("OpenVINO: %s", " | ".join(lines))
    telling = [line for line in lines if not line.startswith("Exception from") and not _SOURCE.search(line)]
    return telling[-1] if telling else "OpenVINO gives no reason; details are in the log"
