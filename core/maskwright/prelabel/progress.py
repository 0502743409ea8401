"""How far a batch is, how fast it runs, when it will be done."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from maskwright.document.change import Change

_WINDOW = 200
"""Images over which the rate is taken; a longer memory would hide that the device got slower."""
_PAUSE_S = 10.0
"""A gap longer than this between two images (a pause, a suspended computer) does not count."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a batch after one more image."""

    image_id: int
    failure: str | None
    """Why this image could not be done; None when it was."""
    change: Change
    """What is stored of it; empty where it failed."""
    done: int
    failed: int
    total: int
    """All images of this batch: done, failed and still to do, earlier sessions of the same run included."""
    images_per_s: float | None
    eta_s: float | None

    @property
    def finished(self) -> int:
        return self.done + self.failed


class RateMeter:
    """Images per second over the recent ones, pauses cut out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._gaps: deque[float] = deque(maxlen=_WINDOW)

    def tick(self) -> None:
        now = self._clock()
        self._gaps.append(min(now - self._last, _PAUSE_S))
        self._last = now

    @property
    def images_per_s(self) -> float | None:
        """None before the second image: the first one pays for compiling and opening."""
        recent = list(self._gaps)[1:] if len(self._gaps) < _WINDOW else list(self._gaps)
        total = sum(recent)
        return len(recent) / total if recent and total > 0 else None

    def eta_s(self, remaining: int) -> float | None:
        rate = self.images_per_s
        return remaining / rate if rate else None
