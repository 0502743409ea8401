"""How pixels are shown: brightness, contrast, gamma, and the window of samples deeper than 8 bits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from maskwright.windowing import DisplayWindow


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
