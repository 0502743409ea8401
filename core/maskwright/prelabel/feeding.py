"""The side of a batch before inference: which image is next, and how much is held in memory meanwhile."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

PIXEL_BUDGET = 200_000_000
"""Decoded pixels (3 bytes each) that may be in memory at once: 600 MB. One larger image still goes through, alone."""


class Queue:
    """Hands out each id once: the one that `priority` names if it is still waiting, else the next in order."""

    def __init__(self, ids: Iterable[int], priority: Callable[[], int | None]) -> None:
        self._waiting = OrderedDict.fromkeys(ids)  # a plain dict slows down as its front is taken away
        self._priority = priority
        self._lock = threading.Lock()
        self.last_wanted: int | None = None
        """The last id that went before others: somebody waits for it."""

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> int | None:
        """None when all have been handed out."""
        with self._lock:
            if not self._waiting:
                return None
            wanted = self._priority()
            if wanted is not None and wanted in self._waiting:
                del self._waiting[wanted]
                self.last_wanted = wanted
                return wanted
            return self._waiting.popitem(last=False)[0]


class PixelBudget:
    """Keeps the images under way within a number of pixels."""

    def __init__(self, pixels: int = PIXEL_BUDGET) -> None:
        self._limit = pixels
        self._used = 0
        self._changed = threading.Condition()

    def acquire(self, pixels: int, *, timeout_s: float) -> bool:
        """Wait until `pixels` more fit, or nothing else is held. False when the time is over."""
        with self._changed:
            fits = self._changed.wait_for(lambda: not self._used or self._used + pixels <= self._limit, timeout_s)
            if fits:
                self._used += pixels
            return fits

    def release(self, pixels: int) -> None:
        with self._changed:
            self._used -= pixels
            self._changed.notify_all()
