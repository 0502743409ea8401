"""The two ways an image is laid into a YOLACT network: stretched to a fixed size, or padded at its own."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.frame import Frame, padded, resized
from maskwright.inference.interface import NetworkInterface


class Resizing(Protocol):
    def frame(self, size_wh: tuple[int, int]) -> Frame: ...

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """To a fixed size, proportions given up."""

    input_wh: tuple[int, int]

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        return Frame.stretched(size_wh)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return resized(image, self.input_wh)


@dataclass(frozen=True, slots=True)
class NativeSize:
    """Scaled by a factor that depends on the area, then padded on the right and at the bottom to a multiple.

    factors: (largest area in pixels, factor), the first that the image fits applies, 1 if none.
    """

    multiple: int = 32
    pad_value: tuple[int, int, int] = (0, 0, 0)
    factors: tuple[tuple[int, float], ...] = ()

    def content_wh(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Size of the image inside the input."""
        width, height = size_wh
        factor = next((factor for area, factor in self.factors if width * height <= area), 1.0)
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


def resizing(interface: NetworkInterface, index: int, layout: str) -> Resizing:
    """As the model's notes say, else by its input: a fixed size is stretched to, a free one keeps the image's own.

    Raises ModelError for notes that cannot be read.
    """
    spec, notes = interface.inputs[index], interface.metadata
    height, width = (spec.dim(1), spec.dim(2)) if layout == "NHWC" else (spec.dim(2), spec.dim(3))
    if width is not None and height is not None:
        return Stretch((width, height))
    try:
        return NativeSize(
            int(notes.get("pad_multiple", 32)),
            _pad_value(notes.get("pad_value", "0")),
            _factors(notes.get("scale_rule", "")),
        )
    except ValueError as error:
        raise ModelError(f"the model's resizing notes are damaged: {error}") from error


def _pad_value(text: str) -> tuple[int, int, int]:
    values = [round(float(word)) for word in text.replace(",", " ").split()]
    if len(values) not in (1, 3):
        raise ValueError(f"pad_value has {len(values)} numbers, expected 1 or 3")
    blue, green, red = (values * 3)[:3]
    return blue, green, red


def _factors(text: str) -> tuple[tuple[int, float], ...]:
    pairs = [entry.split(":") for entry in text.replace(" ", "").split(",") if entry]
    return tuple((int(float(area)), float(factor)) for area, factor in pairs)
