"""Ids for objects that a person draws: taken from the project in blocks, in advance, so that drawing never waits."""

from collections import deque
from collections.abc import Callable, Sequence

from maskwright.errors import MaskwrightError
from maskwright_gui.workers.lane import Waiting

BLOCK = 256
FEW = 128
"""So many may still be drawn when the next block is asked for: minutes of work while a network share hangs."""


class IdSupply:
    """For the GUI thread; `reserve` is called on a lane."""

    def __init__(self, reserve: Callable[[int], Sequence[int]], waiting: Waiting) -> None:
        self._reserve, self._waiting = reserve, waiting
        self._ids: deque[int] = deque()
        self._is_asked = False

    def take(self) -> int:
        """Raises ProjectError when none is left and the project does not give any."""
        self.fill()
        if not self._ids:
            self._ids.extend(self._waiting.call(lambda: self._reserve(BLOCK)))
        return self._ids.popleft()

    def have(self, count: int) -> None:
        """Have so many at hand. Raises ProjectError as `take` does."""
        if count > BLOCK:
            self._ids.extend(self._waiting.call(lambda: self._reserve(count)))

    def renew(self) -> None:
        """Others were given meanwhile; those at hand are still nobody's, but a file that came in may use them."""
        self._ids.clear()
        self.fill()

    def fill(self) -> None:
        """Ask for more where few are left; returns at once."""
        if len(self._ids) < FEW and not self._is_asked:
            self._is_asked = True
            self._waiting.lane.post(self._fetch)

    def _fetch(self) -> None:
        try:
            self._ids.extend(self._reserve(BLOCK))
        except MaskwrightError:
            return  # whoever takes one asks again, and is told
        finally:
            self._is_asked = False
