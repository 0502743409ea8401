"""A model ready to use: a network, the adapter that decodes it, and the device that runs it."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import MaskwrightError, ModelError
from maskwright.inference.adapters import ADAPTERS
from maskwright.inference.adapters.boxes import BoxesAdapter
from maskwright.inference.adapters.family import Adapter, PixelFormat, by_role
from maskwright.inference.adapters.rows import no_candidates
from maskwright.inference.candidates import Candidates
from maskwright.inference.files import file_hash
from maskwright.inference.image_input import ImageLike, image_to_bgr
from maskwright.inference.installed import model_path
from maskwright.inference.interface import NetworkInterface, TensorSpec, described
from maskwright.inference.labels import ModelCategory
from maskwright.inference.runtime import CompiledNetwork, Feeds, Hint, Network, Request, known_device
from maskwright.inference.thresholds import Defaults
from maskwright.plain_words import in_plain_words

_BOXES = ("boxes", "pred_boxes", "bboxes", "detection_boxes", "dets", "detection_out")
_ROWS = (4, 5, 6, 7)
"""Columns per box: with a score, with score and class, and with the image's number as well."""
_LEAST_ANCHORS = 20


def finds_boxes_only(outputs: Sequence[TensorSpec]) -> bool:
    """Whether the outputs are those of YOLO, YOLOX, SSD or a DETR without masks."""
    if any("mask" in name.lower() or "proto" in name.lower() for spec in outputs for name in spec.names):
        return False
    named = any(spec.is_called(name) for spec in outputs for name in _BOXES)
    if any(spec.rank == 4 and not _is_ssd(spec) for spec in outputs):
        return len(outputs) > 1 and all(_is_yolo_grid(spec) for spec in outputs)
    return named or any(map(_is_ssd, outputs)) or (len(outputs) == 1 and _is_table(outputs[0]))


def _is_ssd(spec: TensorSpec) -> bool:
    """[1, 1, N, 7], the layout of DetectionOutput."""
    return spec.rank == 4 and spec.dim(1) == 1 and spec.dim(3) == 7


def _is_table(spec: TensorSpec) -> bool:
    """[1, N, 5 + C], [1, 4 + C, N] or [1, N, 6]."""
    if spec.rank != 3:
        return False
    sides = [side for side in (spec.dim(1), spec.dim(2)) if side is not None]
    return not sides or min(sides) in _ROWS or (min(sides) > 4 and max(sides) >= _LEAST_ANCHORS)


def _is_yolo_grid(spec: TensorSpec) -> bool:
    """[1, 3 * (5 + C), h, w] or [1, 3, h, w, 5 + C] of YOLO v3 to v7."""
    channels = spec.dim(1)
    return (spec.rank == 4 and channels is not None and channels % 3 == 0 and channels >= 18) or spec.rank == 5


_TO_BE_CONVERTED = (".pth", ".pt", ".gz", ".tgz")
_log = logging.getLogger(__name__)


class Model:
    """Turns images into candidates. Thread-safe.

    device: where it actually runs; device_note: why that is not the requested device, None if it is. content_hash:
    SHA-256 over the model's files, to identify and cache results.
    """

    def __init__(self, network: Network, adapter: Adapter, compiled: "DeviceChoice") -> None:
        self._network = network
        self._adapter = adapter
        self._choice = compiled
        self._lock = threading.Lock()
        self._spare: list[Request] = []
        self.path = network.path
        self.content_hash = file_hash(network.path)

    @property
    def name(self) -> str:
        """The name in the file's metadata, else the file's own."""
        return self._network.interface.metadata.get("model_name") or self.path.stem

    @property
    def family(self) -> str:
        """The name of its adapter's family, as in the README's table."""
        return self._adapter.family

    @property
    def finds_boxes_only(self) -> bool:
        """Whether its objects are boxes, which an assistant may outline."""
        return self._adapter.family == BoxesAdapter.family

    @property
    def labels(self) -> tuple[ModelCategory, ...]:
        """The categories it can name, with official ids if it has them."""
        return self._adapter.labels

    @property
    def device(self) -> str:
        """The device that it actually runs on."""
        return self._choice.device

    @property
    def device_note(self) -> str | None:
        """Why that is not the requested device; None if it is."""
        return self._choice.note

    @property
    def precision(self) -> str:
        """The device's inference precision, e.g. "f32"; integer parts of a quantised model excepted."""
        return self._choice.compiled("latency").precision

    @property
    def is_quantised(self) -> bool:
        """Whether parts of it compute in eight bits, whatever the precision of the rest."""
        return self._network.interface.is_quantised

    @property
    def defaults(self) -> Defaults:
        """The operating point used unless another is given."""
        return self._adapter.defaults

    @property
    def default_score(self) -> float:
        """Score above which it proposes by default."""
        return self._adapter.defaults.score

    @property
    def default_nms_iou(self) -> float:
        """Default IoU for NMS."""
        return self._adapter.defaults.nms_iou

    @property
    def max_instances(self) -> int:
        """Default limit of instances per image."""
        return self._adapter.defaults.max_instances

    def __repr__(self) -> str:
        return f"<Model {self.name!r}: {self.family}, {len(self.labels)} classes, on {self.device}>"

    def predict(self, image: ImageLike) -> Candidates:
        """Candidates of one image: a path, a Pillow image, or an array.

        Arrays are (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA, upright. All are converted like files: more than 8 bits
        are stretched, transparent pixels are put on white. Raises InputError for anything that is not an image,
        ImageError for a file that cannot be read, ModelError if inference fails.
        """
        image_bgr = image_to_bgr(image)
        feeds = self.feeds(image_bgr)
        with self._lock:
            request = self._spare.pop() if self._spare else self._choice.compiled("latency").request()
        try:
            return self.infer(request, feeds, image_bgr.shape)
        finally:
            with self._lock:
                self._spare.append(request)

    def predict_batch(
        self, images: Iterable[ImageLike], *, in_flight: int | None = None, keeps_going: bool = False
    ) -> Iterator[Candidates | MaskwrightError]:
        """Candidates of many images, in their order, several on the device at a time; read only a little ahead.

        in_flight: how many; None for the device's preference. keeps_going: yield the error of an image that fails
        instead of raising it, and continue.
        """
        from maskwright.inference.async_runner import predicted_in_order

        return predicted_in_order(self, images, in_flight, keeps_going=keeps_going)

    def decode(self, outputs: Mapping[str, NDArray[Any]], image_size_wh: tuple[int, int]) -> Candidates:
        """The same candidates from raw output tensors by name. Raises ModelError if one is missing."""
        return self._decoded(by_role(self._adapter, outputs), image_size_wh)

    def feeds(self, image_bgr: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        """Input tensors for one image; the part of the work that a pipeline can do ahead."""
        if image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.dtype != np.uint8 or not image_bgr.size:
            raise ValueError(f"expected an (H, W, 3) uint8 image, got {image_bgr.shape} {image_bgr.dtype}")
        return self._adapter.feeds(image_bgr)

    def infer(self, request: Request, feeds: Feeds, shape: tuple[int, ...]) -> Candidates:
        """Run `feeds` of an image of shape (H, W, ...) on a request of this model."""
        tensors = request.run(feeds)
        roles = self._adapter.output_roles(self._network.interface.outputs) or {}
        return self._decoded({role: tensors[k] for role, k in roles.items()}, (shape[1], shape[0]))

    def requests(self, count: int | None = None, *, hint: Hint = "throughput") -> list[Request]:
        """Requests for keeping several images in flight; by default the device's preferred number plus one."""
        compiled = self._choice.compiled(hint)
        return [compiled.request() for _ in range(count or compiled.best_request_count + 1)]

    def _decoded(self, tensors: Mapping[str, NDArray[Any]], size_wh: tuple[int, int]) -> Candidates:
        frame = self._adapter.frame(size_wh)
        if not all(tensor.size for tensor in tensors.values()):
            return no_candidates(frame, self._adapter.categories, self._adapter.defaults)
        with np.errstate(over="ignore", invalid="ignore"):  # adapters sort out overflows and NaN
            return self._adapter.candidates(tensors, frame)


class DeviceChoice:
    """A network on the requested device, or on the CPU if that fails; compiled once per purpose."""

    def __init__(self, network: Network, device: str, precision: str | None, num_threads: int | None) -> None:
        """Compiles for single images at once, to find out if the device fails. Raises ModelError."""
        self._network, self._precision, self._num_threads = network, precision, num_threads
        self._lock = threading.Lock()
        self._compiled: dict[Hint, CompiledNetwork] = {}
        self.note: str | None = None
        self._target = known_device(device)
        try:
            first = self.compiled("latency")
        except ModelError as error:
            if device == "CPU":
                raise
            self.note = f"{device} is not usable ({error.message}); running on the CPU instead"
            _log.info("%s: %s", network.path.name, self.note)
            self._target = "CPU"
            first = self.compiled("latency")
        self.device = ", ".join(first.devices) if self._target != "CPU" else "CPU"

    def compiled(self, hint: Hint) -> CompiledNetwork:
        """The network compiled for one image at a time, or for many."""
        with self._lock:
            if hint not in self._compiled:
                self._compiled[hint] = self._network.compile(
                    self._target, hint=hint, precision=self._precision, num_threads=self._num_threads
                )
            return self._compiled[hint]


def load_model(
    path_or_name: str | Path,
    *,
    device: str = "CPU",
    precision: str | None = None,
    num_threads: int | None = None,
    pixels: PixelFormat | None = None,
) -> Model:
    """Load a model from a file (.xml, .onnx, .pb) or by the name of a bundled ("nuclei") or installed one.

    device: OpenVINO's name ("CPU", "GPU", "AUTO"); if it fails, the CPU is used, see `Model.device_note`. precision:
    "f32", "bf16" or "f16", None for the device's default. pixels: overrides the detected pixel format. Raises
    ModelError with the path and the reason.
    """
    path = model_path(path_or_name)
    if path.suffix.lower() in _TO_BE_CONVERTED:
        raise ModelError(
            "the file must be converted first", path=path, hint="maskwright models get FILE, or Models in the menu"
        )
    network = Network(path)
    adapter = recognised(network.interface, network.path, pixels)
    network.accept_images(adapter.image_input)
    return Model(network, adapter, DeviceChoice(network, device, precision, num_threads))


def recognised(interface: NetworkInterface, path: Path, pixels: PixelFormat | None = None) -> Adapter:
    """The adapter for a network. Raises ModelError listing its outputs and the known families."""
    for family in ADAPTERS if interface.inputs else ():
        try:
            adapter = family.recognised(interface, pixels)
        except ModelError as error:
            raise ModelError(error.message, path=path, hint=error.hint) from error
        except ValueError as error:
            raise ModelError(
                f"the model's labels do not match its outputs: {in_plain_words(error)}", path=path
            ) from error
        if adapter is not None:
            return adapter
    if finds_boxes_only(interface.outputs):
        raise ModelError(
            f"this model finds only boxes, in an unknown layout: {described(interface.outputs)}",
            path=path, hint="to use boxes found elsewhere, run `maskwright import`",
        )  # fmt: skip
    families = ", ".join(family.family for family in ADAPTERS)
    raise ModelError(
        f"no known model family has these outputs: {described(interface.outputs)}"
        f" (inputs: {described(interface.inputs)}); known families: {families}",
        path=path,
    )
