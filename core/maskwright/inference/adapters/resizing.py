"""The ways in which an image is fitted into a network's input: stretched, letterboxed, or padded at its own
size."""

import logging
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.frame import Frame, padded, resized
from maskwright.inference.interface import NetworkInterface
from maskwright.plain_words import in_plain_words

log = logging.getLogger(__name__)

MOST_INPUT_PIXELS = 32_000_000
MOST_INPUT_SIDE_PX = 1 << 15
_MOST_MULTIPLE = 1024


class Resizing(Protocol):
    """How an image is brought to the network's input size."""

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        """Where an image of that size lies in the input."""

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image (H, W, 3) uint8 at the input's size."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """To a fixed size, ignoring the aspect ratio."""

    input_wh: tuple[int, int]

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        return Frame.stretched(size_wh)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return resized(image, self.input_wh)


@dataclass(frozen=True, slots=True)
class NativeSize:
    """Scaled by a factor that depends on the area, then padded on the right and at the bottom to a multiple.

    factors: (largest area in pixels, factor); the first that the image fits applies, 1 if none does. Anything larger
    than MOST_INPUT_PIXELS or longer than MOST_INPUT_SIDE_PX is reduced: a network takes 70 bytes per pixel and more,
    and a file of ten kilobytes can hold an image of 64 x 2,228,272.
    """

    multiple: int = 32
    pad_value: tuple[int, int, int] = (0, 0, 0)
    factors: tuple[tuple[int, float], ...] = ()

    def content_wh(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Size of the image inside the input."""
        width, height = size_wh
        factor = next((factor for area, factor in self.factors if width * height <= area), 1.0)
        most = min(math.sqrt(MOST_INPUT_PIXELS / (width * height)), MOST_INPUT_SIDE_PX / max(width, height))
        if factor > most:
            _tell_reduced(size_wh, most)
            factor = most
        return max(round(width * factor), 1), max(round(height * factor), 1)

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        content_wh = self.content_wh(size_wh)
        return Frame.padded(size_wh, content_wh, self._input_wh(content_wh))

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        content_wh = self.content_wh((image.shape[1], image.shape[0]))
        return padded(resized(image, content_wh), self._input_wh(content_wh), self.pad_value)

    def _input_wh(self, content_wh: tuple[int, int]) -> tuple[int, int]:
        width, height = (-(-size // self.multiple) * self.multiple for size in content_wh)
        return width, height


@dataclass(frozen=True, slots=True)
class LetterboxFit:
    """To a fixed size with the aspect ratio kept, the rest padded: on the right and below, or on all sides."""

    input_wh: tuple[int, int]
    pad_value: tuple[int, int, int] = (0, 0, 0)
    is_centred: bool = False
    rounds_down: bool = False
    """Rounds the content's size down, as Open Model Zoo's accuracy checker does, instead of to the nearest."""

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        content_wh, corner_xy = self._place(size_wh)
        return Frame.padded(size_wh, content_wh, self.input_wh, corner_xy)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        content_wh, corner_xy = self._place((image.shape[1], image.shape[0]))
        return padded(resized(image, content_wh), self.input_wh, self.pad_value, corner_xy)

    def _place(self, size_wh: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Size of the image inside the input, and the position of its corner."""
        scale = min(self.input_wh[0] / size_wh[0], self.input_wh[1] / size_wh[1])
        whole = int if self.rounds_down else round
        width, height = (min(max(whole(scale * size_wh[k]), 1), self.input_wh[k]) for k in range(2))
        left, above = (self.input_wh[0] - width) // 2, (self.input_wh[1] - height) // 2
        return (width, height), (left, above) if self.is_centred else (0, 0)


def resizing(
    interface: NetworkInterface,
    index: int,
    layout: str,
    *,
    default: str = "standard",
    free_wh: tuple[int, int] | None = None,
) -> Resizing:
    """The resizing in the model's metadata (`resize_type` of OpenVINO Model API), else one that suits its input.

    A dynamic input keeps the image's own size, unless `free_wh` gives a size for it; a fixed one is filled according to
    `default`: "standard" (stretched), "fit_to_window" or "fit_to_window_letterbox". Raises ModelError for invalid
    metadata.
    """
    spec, notes = interface.inputs[index], interface.metadata
    first = {"NCHW": 2, "NHWC": 1, "CHW": 1}[layout]
    height, width = spec.dim(first), spec.dim(first + 1)
    if free_wh is not None:
        width, height = width or free_wh[0], height or free_wh[1]
    try:
        if width is not None and height is not None:
            _require_possible(width, height)
            kind = notes.get("resize_type", default)
            return _fixed((width, height), kind, _pad_value(notes.get("pad_value", _PADDING.get(kind, "0"))))
        return NativeSize(
            _multiple(notes.get("pad_multiple", "32")),
            _pad_value(notes.get("pad_value", "0")),
            _factors(notes.get("scale_rule", "")),
        )
    except ValueError as error:
        raise ModelError(f"the model's resizing notes are damaged: {in_plain_words(error)}") from error


_PADDING = {"fit_to_window_letterbox": "114"}
"""The grey that YOLO and RTMDet kinds were trained with, unless the metadata names another."""


def _fixed(input_wh: tuple[int, int], kind: str, pad_value: tuple[int, int, int]) -> Resizing:
    match kind:
        case "standard":
            return Stretch(input_wh)
        case "fit_to_window":
            return LetterboxFit(input_wh)  # padded with zero whatever pad_value says, as in Model API
        case "fit_to_window_letterbox":
            return LetterboxFit(input_wh, pad_value, is_centred=True)
    raise ValueError(f"resize_type {kind} is not known")


def _require_possible(width: int, height: int) -> None:
    """Raises ModelError for an input size that no image can have; a model's file may claim any number."""
    if not (
        0 < width <= MOST_INPUT_SIDE_PX and 0 < height <= MOST_INPUT_SIDE_PX and width * height <= MOST_INPUT_PIXELS
    ):
        raise ModelError(f"the model's input of {width} x {height} pixels is implausibly large")


def _multiple(text: str) -> int:
    value = int(text)
    if not 1 <= value <= _MOST_MULTIPLE:
        raise ValueError(f"pad_multiple is {value}, expected 1 to {_MOST_MULTIPLE}")
    return value


@lru_cache(maxsize=64)
def _tell_reduced(size_wh: tuple[int, int], factor: float) -> None:
    """Log once per size."""
    log.warning("images of %s x %s pixels are reduced to %.3g of their size", *size_wh, factor)


def _pad_value(text: str) -> tuple[int, int, int]:
    values = [round(float(word)) for word in text.replace(",", " ").split()]
    if len(values) not in (1, 3):
        raise ValueError(f"pad_value has {len(values)} numbers, expected 1 or 3")
    blue, green, red = (values * 3)[:3]
    return blue, green, red


def _factors(text: str) -> tuple[tuple[int, float], ...]:
    pairs = [entry.split(":") for entry in text.replace(" ", "").split(",") if entry]
    return tuple((int(float(area)), float(factor)) for area, factor in pairs)
