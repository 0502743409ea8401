"""What an annotator knows from earlier objects, and what is cheapest in expectation.

Shown an outline, an annotator sees how good it is and what mending it by hand or drawing it anew would take, but not
what the next click will do. How much clicks help is known from other images: where an IoU went with each click. With
that, clicking goes on while it is expected to cost less than doing the rest by hand, and that is also how the annotator
chooses between drawing, a box and correcting a proposal.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from annotator import LEVELS, Case, Trace
from numpy.typing import NDArray

_BINS = 20
_ROUNDS = 12
_SIZES = (32**2, 96**2)
SELECT = 1
BOX = 1


class Experience:
    """How clicks move the IoU, counted on cases of other images."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._after_click = _transitions(trace for case in cases for trace in (case.box,))
        corrections = [trace for case in cases for trace in (case.plain, case.refined) if trace is not None]
        self._after_correction = _transitions(corrections) if corrections else self._after_click
        self._after_box = np.full((len(_SIZES) + 1, _BINS), 0.05)
        for case in cases:
            self._after_box[_size(case.area), _bin(case.box.ious[0])] += 1
        self._after_box /= self._after_box.sum(axis=1, keepdims=True)
        self.to_go = cache(self._to_go)

    def presses(self, case: Case, proposal: Trace | None, level: float) -> int:
        """What the object costs this annotator; proposal: what is shown of it beforehand."""
        drawing = case.drawing[LEVELS.index(level)]
        if proposal is not None and proposal.ious[0] >= level:
            return 1
        box = BOX + float(self._after_box[_size(case.area)] @ self.to_go(False, level, drawing))
        roads = {"drawing": float(drawing), "box": box}
        if proposal is not None:
            mending = proposal.mending_to(level)[0]
            roads["mending"] = float(mending)
            roads["correcting"] = SELECT + self._after(proposal.ious[0], level, mending, is_correction=True)
        match min(roads, key=lambda road: roads[road]):
            case "correcting" if proposal is not None:
                return SELECT + self._clicked(proposal, level, is_correction=True)
            case "mending" if proposal is not None:
                return proposal.mending_to(level)[0]
            case "box":
                return BOX + self._clicked(case.box, level, is_correction=False)
        return drawing

    def _clicked(self, trace: Trace, level: float, *, is_correction: bool) -> int:
        """Clicks, and the rest by hand once that is expected to cost less."""
        mending = trace.mending_to(level)
        for number, value in enumerate(trace.ious):
            if value >= level:
                return number
            goes_on = self._after(value, level, mending[number], is_correction=is_correction) < mending[number]
            if number + 1 == len(trace.ious) or (not goes_on and (number or not is_correction)):
                return number + mending[number]
        raise AssertionError("a trace has at least one entry")

    def _after(self, value: float, level: float, rest: int, *, is_correction: bool) -> float:
        """Presses expected if the next one is a click."""
        table = self._after_correction if is_correction else self._after_click
        return 1 + float(table[_bin(value)] @ self.to_go(is_correction, level, rest))

    def _to_go(self, is_correction: bool, level: float, rest: int) -> NDArray[np.float64]:
        """(_BINS,) presses expected at each IoU, where all that is left is done by hand at any time for `rest`."""
        table = self._after_correction if is_correction else self._after_click
        is_done = (np.arange(_BINS) + 0.5) / _BINS >= level
        expected = np.where(is_done, 0.0, rest)
        for _ in range(_ROUNDS):
            expected = np.where(is_done, 0.0, np.minimum(rest, 1 + table @ expected))
        return expected


def by_hand(case: Case, proposal: Trace | None, level: float) -> int:
    """Without an assistant: the proposal accepted or mended, or the object drawn."""
    drawing = case.drawing[LEVELS.index(level)]
    if proposal is None:
        return drawing
    return 1 if proposal.ious[0] >= level else min(proposal.mending_to(level)[0], drawing)


def with_hindsight(case: Case, proposal: Trace | None, level: float) -> int:
    """The cheapest of all roads, known beforehand: what no annotator reaches."""
    costs = [case.drawing[LEVELS.index(level)], *(BOX + cost for cost in _costs(case.box, level))]
    if proposal is not None:
        costs += [1] if proposal.ious[0] >= level else [SELECT + cost for cost in _costs(proposal, level)]
    return min(costs)


def _costs(trace: Trace, level: float) -> Iterator[int]:
    for number, (value, by_hand) in enumerate(zip(trace.ious, trace.mending_to(level), strict=True)):
        yield number + (0 if value >= level else by_hand)


def _transitions(traces: Iterable[Trace]) -> NDArray[np.float64]:
    """(_BINS, _BINS): from the IoU before a click to the one after it; where little is known, it changes nothing."""
    counts = np.eye(_BINS)
    for trace in traces:
        for before, after in pairwise(trace.ious):
            counts[_bin(before), _bin(after)] += 1
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _bin(value: float) -> int:
    return min(int(value * _BINS + 1e-9), _BINS - 1)


def _size(area: int) -> int:
    return int(np.searchsorted(_SIZES, area, side="right"))
