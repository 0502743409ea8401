"""How pixels are shown: brightness, contrast, gamma, and the window of samples deeper than 8 bits.

Such samples are kept beside the picture made of them, for another window and for the status bar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.spool import is_spooled, let_go
from maskwright.windowing import DisplayWindow, auto_window, deep_to_bgr, halved


def _automatic() -> Mapping[str, DisplayWindow]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DisplayAdjust:
    """How pixels are shown; the file is never touched."""

    brightness: float = 0.0
    """-1 to 1: added after the contrast."""
    contrast: float = 0.0
    """-1 to 1: 0 leaves it as it is, 1 is nearly black and white."""
    gamma: float = 1.0
    """Above 1 lightens the dark parts."""

    windows: Mapping[str, DisplayWindow] = field(default_factory=_automatic, hash=False)
    """By number type of the samples (`uint16`, `float32`), which range becomes 0..255; none: the automatic one."""

    @property
    def is_neutral(self) -> bool:
        """Whether 8-bit pixels are shown as they are."""
        return (self.brightness, self.contrast, self.gamma) == (0.0, 0.0, 1.0)

    def table(self) -> NDArray[np.uint8]:
        """(256,) what each channel value becomes."""
        values = (np.arange(256) / 255.0) ** (1.0 / max(self.gamma, 0.05))
        slope = np.tan((min(max(self.contrast, -0.98), 0.98) + 1.0) * np.pi / 4)
        values = (values - 0.5) * slope + 0.5 + self.brightness
        table: NDArray[np.uint8] = np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
        return table


Samples = NDArray[np.generic]
_RANGE_ROWS, _ROWS_AT_A_TIME = 1024, 64


class DeepImage:
    """(H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA of one number type, and smaller versions when wanted.

    Built in the loader's thread; the smaller versions only when a user chooses a window, in a few milliseconds.
    """

    def __init__(self, samples: Samples) -> None:
        is_grey = samples.ndim == 3 and samples.shape[2] == 1
        self.samples: Samples = samples[:, :, 0] if is_grey else samples
        self.auto: DisplayWindow = auto_window(self._colour)
        self._levels: list[Samples] = []

    @property
    def kind(self) -> str:
        """The number type: a window is meant for one."""
        return self.samples.dtype.name

    @property
    def range(self) -> DisplayWindow:
        """The least and the greatest finite sample."""
        step, lows, highs = max(self.samples.shape[0] // _RANGE_ROWS, 1), [self.auto.low], [self.auto.high]
        for top in range(0, self.samples.shape[0], step * _ROWS_AT_A_TIME):
            some = self._colour[top : top + step * _ROWS_AT_A_TIME : step]
            finite = some[np.isfinite(some)] if some.dtype.kind == "f" else some
            lows.append(float(finite.min(initial=lows[-1])))
            highs.append(float(finite.max(initial=highs[-1])))
            let_go(self.samples)
        return DisplayWindow(min(lows), max(highs))

    @property
    def byte_count(self) -> int:
        """Of memory."""
        held = (self.samples, *self._levels[1:])
        return sum(samples.nbytes for samples in held if not is_spooled(samples))

    def level(self, number: int) -> Samples:
        """The image at 1 / 2**number, of a number type that cv2 can resample."""
        if not self._levels:
            self._levels.append(_resamplable(self.samples))
        while len(self._levels) <= number:
            self._levels.append(halved(self._levels[-1]))
        let_go(self._levels[number])  # what was on screen before
        return self._levels[number]

    def value_at(self, column: int, row: int) -> tuple[float, ...]:
        """One number, or red, green and blue; whole numbers stay such."""
        value = self.samples[row, column]
        if self.samples.ndim == 2:
            return (value.item(),)
        return tuple(channel.item() for channel in value[2::-1])

    @property
    def _colour(self) -> Samples:
        return self.samples if self.samples.ndim == 2 else self.samples[:, :, :3]


def shown(samples: Samples, window: DisplayWindow) -> NDArray[np.uint8]:
    """(H, W, 4) BGRX as a QImage of format RGB32 holds it."""
    return np.asarray(cv2.cvtColor(deep_to_bgr(samples, window), cv2.COLOR_BGR2BGRA), np.uint8)


def _resamplable(samples: Samples) -> Samples:
    if samples.dtype in (np.uint16, np.int16, np.float32, np.float64):
        return samples
    return samples.astype(np.float32 if samples.dtype.itemsize <= 2 else np.float64)
