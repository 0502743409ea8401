"""How pixels are shown: brightness, contrast, gamma, and the display window of samples deeper than 8 bits.

Deep samples are kept beside the 8-bit picture made from them, for other display windows and the status bar.
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
    """Display settings; the file is never changed."""

    brightness: float = 0.0
    """-1 to 1; added after the contrast."""
    contrast: float = 0.0
    """-1 to 1; 0 changes nothing, 1 is almost black and white."""
    gamma: float = 1.0
    """Above 1 brightens the dark parts."""

    windows: Mapping[str, DisplayWindow] = field(default_factory=_automatic, hash=False)
    """The range shown as 0..255, by sample type (`uint16`, `float32`); a missing type uses the automatic range."""

    @property
    def is_neutral(self) -> bool:
        """Whether 8-bit pixels are shown unchanged."""
        return (self.brightness, self.contrast, self.gamma) == (0.0, 0.0, 1.0)

    def table(self) -> NDArray[np.uint8]:
        """(256,) the displayed value of each channel value."""
        values = (np.arange(256) / 255.0) ** (1.0 / max(self.gamma, 0.05))
        slope = np.tan((min(max(self.contrast, -0.98), 0.98) + 1.0) * np.pi / 4)
        values = (values - 0.5) * slope + 0.5 + self.brightness
        table: NDArray[np.uint8] = np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
        return table


Samples = NDArray[np.generic]
_RANGE_ROWS, _ROWS_AT_A_TIME = 1024, 64


class DeepImage:
    """Samples deeper than 8 bits: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, and smaller levels on demand.

    Built in the loader's thread. The smaller levels are made only when the user changes the display window; that takes
    a few milliseconds.
    """

    def __init__(self, samples: Samples) -> None:
        is_grey = samples.ndim == 3 and samples.shape[2] == 1
        self.samples: Samples = samples[:, :, 0] if is_grey else samples
        self.auto: DisplayWindow = auto_window(self._colour)
        self._levels: list[Samples] = []

    @property
    def kind(self) -> str:
        """The sample type. A display window applies to one type."""
        return self.samples.dtype.name

    @property
    def range(self) -> DisplayWindow:
        """The smallest and the largest finite sample."""
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
        """Memory used, in bytes."""
        held = (self.samples, *self._levels[1:])
        return sum(samples.nbytes for samples in held if not is_spooled(samples))

    def level(self, number: int) -> Samples:
        """The image at 1 / 2**number, in a sample type that cv2 can resample."""
        if not self._levels:
            self._levels.append(_resamplable(self.samples))
        while len(self._levels) <= number:
            self._levels.append(halved(self._levels[-1]))
        let_go(self._levels[number])  # what was on screen before
        return self._levels[number]

    def value_at(self, column: int, row: int) -> tuple[float, ...]:
        """One value, or red, green and blue; integers stay integers."""
        value = self.samples[row, column]
        if self.samples.ndim == 2:
            return (value.item(),)
        return tuple(channel.item() for channel in value[2::-1])

    @property
    def _colour(self) -> Samples:
        return self.samples if self.samples.ndim == 2 else self.samples[:, :, :3]


def shown(samples: Samples, window: DisplayWindow) -> NDArray[np.uint8]:
    """(H, W, 4) BGRX, as a QImage of format RGB32 stores it."""
    return np.asarray(cv2.cvtColor(deep_to_bgr(samples, window), cv2.COLOR_BGR2BGRA), np.uint8)


def _resamplable(samples: Samples) -> Samples:
    if samples.dtype in (np.uint16, np.int16, np.float32, np.float64):
        return samples
    return samples.astype(np.float32 if samples.dtype.itemsize <= 2 else np.float64)
