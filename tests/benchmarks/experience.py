"""What an annotator knows from earlier objects, and what is cheapest in expectation.

Shown an outline, an annotator sees how good it is and what mending it by hand or drawing it anew would take, but not
what the next click will do. How much clicks help is known from other images: where an IoU went with each click. With
that, clicking goes on while it is expected to cost less than doing the rest by hand, and that is also how the annotator
chooses between drawing, a box and correcting a proposal. An annotator who foresees is shown what the next click will
do, and before the first one what a click at the middle of the object will take; what comes after is expected.
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
_GOOD = (0.7, 0.8)
_SIGHTS = 2 + len(_GOOD)
_POOLED = 4.0
"""How many objects of one kind all kinds together count as: what is seldom is judged by what is usual."""
SELECT = 1
BOX = 1


class Experience:
    """How clicks move the IoU, counted on cases of other images; of small, medium and large objects by themselves."""

    def __init__(self, cases: Sequence[Case], *, foresees: bool = False) -> None:
        self._foresees = foresees
        self._tables: dict[tuple[int, bool], NDArray[np.float64]] = {}
        for is_correction in (False, True):
            traces = [(_size(case.area), trace) for case in cases for trace in _traces(case, is_correction)]
            pooled = _transitions([trace for _, trace in traces], np.eye(_BINS))
            for size in range(len(_SIZES) + 1):
                own = [trace for known, trace in traces if known == size]
                self._tables[size, is_correction] = _transitions(own, _POOLED * pooled)
        firsts = [(_size(case.area), _sight(case.plain), _bin(case.box.ious[0])) for case in cases]
        everywhere = np.bincount([value for *_, value in firsts], minlength=_BINS) + 0.05
        self._after_box = np.tile(_POOLED * everywhere / everywhere.sum(), (len(_SIZES) + 1, _SIGHTS, 1))
        for size, sight, value in firsts:
            self._after_box[size, sight, value] += 1
        self._after_box /= self._after_box.sum(axis=-1, keepdims=True)
        self.to_go = cache(self._to_go)

    def presses(self, case: Case, proposal: Trace | None, level: float) -> int:
        """What the object costs this annotator; proposal: what is shown of it beforehand."""
        drawing = case.drawing[LEVELS.index(level)]
        if proposal is not None and proposal.ious[0] >= level:
            return 1
        size = _size(case.area)
        first = self._after_box[size, _sight(proposal)]
        box = BOX + float(first @ self.to_go(size, False, level, drawing))
        roads = {"drawing": float(drawing), "box": box}
        if proposal is not None:
            mending = proposal.mending_to(level)[0]
            roads["mending"] = float(mending)
            roads["correcting"] = SELECT + self._next(size, proposal, 0, level, is_correction=True)
        if self._foresees and case.click is not None:
            roads["click"] = BOX + self._from(size, case.click, 0, level, is_correction=False)
        match min(roads, key=lambda road: roads[road]):
            case "correcting" if proposal is not None:
                return SELECT + self._clicked(size, proposal, level, is_correction=True)
            case "mending" if proposal is not None:
                return proposal.mending_to(level)[0]
            case "box":
                return BOX + self._clicked(size, case.box, level, is_correction=False)
            case "click" if case.click is not None:
                return BOX + self._clicked(size, case.click, level, is_correction=False)
        return drawing

    def _clicked(self, size: int, trace: Trace, level: float, *, is_correction: bool) -> int:
        """Clicks, and the rest by hand once that is expected to cost less."""
        mending = trace.mending_to(level)
        for number, value in enumerate(trace.ious):
            if value >= level:
                return number
            if number + 1 == len(trace.ious):
                return number + mending[number]
            goes_on = self._next(size, trace, number, level, is_correction=is_correction) < mending[number]
            if not goes_on and (number or not is_correction):
                return number + mending[number]
        raise AssertionError("a trace has at least one entry")

    def _next(self, size: int, trace: Trace, number: int, level: float, *, is_correction: bool) -> float:
        """Presses expected if the next one is a click: foreseen, or as clicks have done before."""
        if self._foresees and number + 1 < len(trace.ious):
            return 1 + self._from(size, trace, number + 1, level, is_correction=is_correction)
        rest = trace.mending_to(level)[number]
        return self._after(size, trace.ious[number], level, rest, is_correction=is_correction)

    def _from(self, size: int, trace: Trace, number: int, level: float, *, is_correction: bool) -> float:
        """Presses expected where the trace has come to its IoU of that number."""
        value, rest = trace.ious[number], trace.mending_to(level)[number]
        return 0.0 if value >= level else min(rest, self._after(size, value, level, rest, is_correction=is_correction))

    def _after(self, size: int, value: float, level: float, rest: int, *, is_correction: bool) -> float:
        """Presses expected if the next one is a click."""
        return 1 + float(self._tables[size, is_correction][_bin(value)] @ self.to_go(size, is_correction, level, rest))

    def _to_go(self, size: int, is_correction: bool, level: float, rest: int) -> NDArray[np.float64]:
        """(_BINS,) presses expected at each IoU, where all that is left is done by hand at any time for `rest`."""
        is_done = (np.arange(_BINS) + 0.5) / _BINS >= level
        expected = np.where(is_done, 0.0, rest)
        for _ in range(_ROUNDS):
            expected = np.where(is_done, 0.0, np.minimum(rest, 1 + self._tables[size, is_correction] @ expected))
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


def _traces(case: Case, is_correction: bool) -> list[Trace]:
    return [trace for trace in ((case.plain, case.refined) if is_correction else (case.box, case.click)) if trace]


def _transitions(traces: Iterable[Trace], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(_BINS, _BINS): from the IoU before a click to the one after it."""
    counts = prior.copy()
    for trace in traces:
        for before, after in pairwise(trace.ious):
            counts[_bin(before), _bin(after)] += 1
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _sight(proposal: Trace | None) -> int:
    """What a proposal tells of how easy its object is."""
    return 0 if proposal is None else 1 + int(np.searchsorted(_GOOD, proposal.ious[0], side="right"))


def _bin(value: float) -> int:
    return min(int(value * _BINS + 1e-9), _BINS - 1)


def _size(area: int) -> int:
    return int(np.searchsorted(_SIZES, area, side="right"))
