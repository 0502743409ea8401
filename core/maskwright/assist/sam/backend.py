"""An encoder that sees the image once, and a decoder that answers prompts from its features."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import Prompt
from maskwright.assist.protocol import Cancel, FeaturesOf, WindowFeatures
from maskwright.assist.running import LoadSettings, Runner
from maskwright.assist.sam.layout import EMBEDDINGS, EncoderPicture, Role, SquareFit
from maskwright.assist.sam.prompting import NoPoint, Tokens, best_mask, mask_logits, tokens
from maskwright.assist.window import Window
from maskwright.errors import ModelError
from maskwright.inference.files import file_hash
from maskwright.inference.interface import TensorSpec
from maskwright.inference.runtime import Network


@dataclass(frozen=True, slots=True)
class SamLayout:
    """How one kind of export is fed and read.

    frame: side of the square in which prompts are given; cells: side of the mask grid. encoded, fed, answered:
    positions of the encoder's outputs, the decoder's inputs and its outputs. no_point: when we have to add the padding
    point. most_points: the decoder ignores further ones.
    """

    family: str
    picture: EncoderPicture
    frame: SquareFit
    cells: int
    encoded: Mapping[Role, int]
    fed: Mapping[Role, int]
    answered: Mapping[Role, int]
    no_point: NoPoint = NoPoint.WITHOUT_BOX
    most_points: int | None = None
    scales_answer: bool = False
    """The image size passed to the decoder also scales the points (EfficientSAM)."""


class SamBackend:
    """See `protocol.Backend`."""

    keeps_features = True

    def __init__(self, encoder: Network, decoder: Network, layout: SamLayout, settings: LoadSettings) -> None:
        self.layout = layout
        self._encoder = Runner(encoder, settings)
        # Always in f32: bf16 with a dynamic number of points and one thread crashes in compile (OpenVINO 2026.4.1), and
        # the decoder is a fraction of the encoder's work.
        self._decoder = Runner(decoder, LoadSettings(settings.device, "f32", settings.num_threads))
        self._inputs = decoder.interface.inputs
        self._name = encoder.interface.metadata.get("model_name") or encoder.path.stem
        hashes = f"{file_hash(encoder.path)} {file_hash(decoder.path)} {self._encoder.precision}"
        self._hash = hashlib.sha256(hashes.encode()).hexdigest()
        self._encoding = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def family(self) -> str:
        """The name of the SAM kind, such as SAM 2."""
        return self.layout.family

    @property
    def content_hash(self) -> str:
        return self._hash

    @property
    def device(self) -> str:
        return self._encoder.device

    @property
    def device_note(self) -> str | None:
        return self._encoder.device_note

    def prepare(self, image_bgr: NDArray[np.uint8], window: Window, cancel: Cancel | None) -> WindowFeatures:
        tensor = self.layout.picture.tensor(window.cut(image_bgr))
        with self._encoding:  # one at a time: each uses all cores and hundreds of megabytes
            outputs = self._encoder.run({0: tensor}, cancel)
        arrays = {role.value: outputs[index] for role, index in self.layout.encoded.items()}
        for array in arrays.values():
            array.flags.writeable = False
        return WindowFeatures(window, arrays)

    def outline(self, features: WindowFeatures, prompt: Prompt, cancel: Cancel | None) -> SoftMask:
        layout = self.layout
        shown = tokens(
            prompt,
            layout.frame,
            takes_mask=Role.MASK in layout.fed,
            no_point=layout.no_point,
            most=layout.most_points,
        )
        return self.decoded(features, shown, self._mask_input(prompt), prompt.size_wh, cancel)

    def decoded(
        self,
        features: WindowFeatures,
        shown: Tokens,
        mask_input: NDArray[np.float32] | None,
        size_wh: tuple[int, int],
        cancel: Cancel | None = None,
    ) -> SoftMask:
        """The decoder's answer to these tokens. mask_input: (cells, cells) logits of an earlier answer.

        The decoder is told a small image size so that it does not enlarge its masks: at twelve megapixels that took
        half of its time and 48 MB per mask.
        """
        layout = self.layout
        points = shown.points * (layout.cells / layout.frame.side) if layout.scales_answer else shown.points
        feeds: dict[Role, NDArray[Any]] = {
            Role.POINTS: points,
            Role.LABELS: shown.labels,
            Role.BOXES: np.zeros((0, 4)),
            Role.SIZE: np.array([layout.cells, layout.cells]),
            Role.MASK: np.zeros((layout.cells, layout.cells)) if mask_input is None else mask_input,
            Role.HAS_MASK: np.array([mask_input is not None]),
        }
        feeds |= {role: features.arrays[role.value] for role in layout.encoded}
        placed = {index: _shaped(feeds[role], self._inputs[index], role) for role, index in layout.fed.items()}
        return self._answer(self._decoder.run(placed, cancel), len(shown.labels), size_wh)

    def answers(self, features_of: FeaturesOf, prompts: Sequence[Prompt], cancel: Cancel | None) -> list[SoftMask]:
        return [self.outline(features_of(Window.whole(prompt.size_wh)), prompt, cancel) for prompt in prompts]

    def _mask_input(self, prompt: Prompt) -> NDArray[np.float32] | None:
        cells = self.layout.cells
        if prompt.previous is not None and prompt.previous.logits.shape == (cells, cells):
            return prompt.previous.logits
        if prompt.mask is not None:
            return mask_logits(prompt.mask, self.layout.frame, cells, prompt.size_wh)
        return None

    def _answer(self, outputs: Sequence[NDArray[Any]], token_count: int, size_wh: tuple[int, int]) -> SoftMask:
        answered = self.layout.answered
        masks = outputs[answered[Role.LOW_RES if Role.LOW_RES in answered else Role.MASKS]]
        masks = np.asarray(masks, np.float32).reshape(-1, *masks.shape[-2:])
        scores = np.asarray(outputs[answered[Role.SCORES]], np.float32).reshape(-1)
        if len(masks) != len(scores) or not len(masks):
            raise ModelError(f"the decoder gave {len(masks)} masks and {len(scores)} scores")
        axes = self.layout.frame.axes(masks.shape[-1], size_wh)
        softs = [
            SoftMask(mask.copy(), axes, float(np.clip(np.nan_to_num(score), 0, 1)))
            for mask, score in zip(masks, scores.tolist(), strict=True)
        ]
        chosen = best_mask(scores.tolist(), token_count)
        others = [soft for k, soft in enumerate(softs) if k != chosen and not (k == 0 and len(softs) == 4)]
        others.sort(key=lambda soft: int(np.count_nonzero(soft.logits > 0)))
        return SoftMask(softs[chosen].logits, axes, softs[chosen].score, tuple(others))


def _shaped(values: NDArray[Any], spec: TensorSpec, role: Role) -> NDArray[Any]:
    """Cast and add leading axes as the input requires."""
    kind = {"i64": np.int64, "i32": np.int32, "f16": np.float16, "boolean": np.bool_}.get(spec.element, np.float32)
    if role in EMBEDDINGS or role in (Role.SIZE, Role.HAS_MASK):
        return np.ascontiguousarray(values, kind)
    rank = {Role.POINTS: 3, Role.LABELS: 2, Role.MASK: 4, Role.BOXES: 3}[role] if spec.rank < 0 else spec.rank
    leading = (1,) * (rank - values.ndim)
    return np.ascontiguousarray(values.reshape(*leading, *values.shape), kind)
