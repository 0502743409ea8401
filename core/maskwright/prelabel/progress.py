"""A batch's progress, speed and remaining time."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from maskwright.document.change import Change

_WINDOW = 200
"""Number of images over which the rate is taken; more would hide that the device became slower."""
_PAUSE_S = 10.0
"""A longer gap between two images (a pause, a suspended computer) does not count."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a batch after one more image."""

    image_id: int
    failure: str | None
    """Why this image failed; None if it did not."""
    change: Change
    """What was stored of it; empty if it failed."""
    done: int
    failed: int
    total: int
    """Images of this batch: done, failed and pending, including earlier sessions of the same run."""
    images_per_s: float | None
    eta_s: float | None

    @property
    def finished(self) -> int:
        """Number of images done or failed."""
        return self.done + self.failed


class RateMeter:
    """Images per second over the recent ones, without pauses."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._gaps: deque[float] = deque(maxlen=_WINDOW)

    def tick(self) -> None:
        """Count one more image."""
        now = self._clock()
        self._gaps.append(min(now - self._last, _PAUSE_S))
        self._last = now

    @property
    def images_per_s(self) -> float | None:
        """None before the second image: the first one includes compiling and opening."""
        recent = list(self._gaps)[1:] if len(self._gaps) < _WINDOW else list(self._gaps)
        total = sum(recent)
        return len(recent) / total if recent and total > 0 else None

    def eta_s(self, remaining: int) -> float | None:
        """Seconds for the remaining images; None before the second image."""
        rate = self.images_per_s
        return remaining / rate if rate else None
