"""Few vertices for traced masks, with a guarantee: pycocotools' raster of each result has at least the requested IoU.

Douglas-Peucker (cv2.approxPolyDP) chooses which corners of the outline stay, `fitting` moves them to where they help
most, and the rest of the allowed error is spent on dropping single vertices. Many masks are searched in parallel, one
tolerance each at a time, because for a mask of a hundred pixels most of the cost is calling libraries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.checking import MaskOutline, StackedMasks, are_valid, batches, uncrossed
from maskwright.geometry.fitting import RingTable, one_earlier
from maskwright.geometry.trace import LatticePart, one_later

_FEW = 4
"""Least number of vertices of a ring."""


def pruned(outlines: Sequence[MaskOutline], slacks: Sequence[float]) -> list[MaskOutline]:
    """Each outline without the vertices whose triangles together do not exceed its slack, in square pixels.

    The slack holds for each ring separately: what one gains another may lose, and the caller checks the pixels anyway.
    """
    rings = [ring for outline in outlines for part in outline for ring in part]
    if not rings:
        return []
    lengths = np.array([len(ring) for ring in rings])
    lasts = lengths.cumsum() - 1
    firsts = lasts - lengths + 1
    vertices = np.concatenate(rings)
    triangles = _triangles(vertices, firsts, lasts)
    order = np.lexsort((triangles, np.repeat(np.arange(len(rings)), lengths))).tolist()
    areas = triangles.tolist()
    is_kept = np.ones(len(vertices), np.bool_)
    spans = zip(firsts.tolist(), lasts.tolist(), strict=True)
    for outline, slack in zip(outlines, slacks, strict=True):
        for first, last in islice(spans, sum(map(len, outline))):
            is_kept[_dispensable(order[first : last + 1], areas, first, last, slack)] = False
    bounds = np.concatenate(([0], is_kept.cumsum()[lasts])).tolist()
    left = vertices[is_kept]
    thinned = (left[start:end] for start, end in pairwise(bounds))
    return [[list(islice(thinned, len(part))) for part in outline] for outline in outlines]


def _triangles(vertices: NDArray[np.float64], firsts: NDArray[np.intp], lasts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Area of each vertex's triangle with its neighbours."""
    points = vertices[:, 0] + 1j * vertices[:, 1]
    step = one_earlier(points, firsts, lasts) - points
    return np.asarray(np.abs((one_later(step, firsts, lasts).conj() * step).imag) / 2)


def _dispensable(order: Iterable[int], areas: list[float], first: int, last: int, slack: float) -> list[int]:
    """Which of a ring's vertices first..last to drop, smallest triangles first."""
    gone: set[int] = set()
    most = last - first + 1 - _FEW
    for i in order:
        if areas[i] > slack or len(gone) >= most:
            break
        before, after = i - 1 if i > first else last, i + 1 if i < last else first
        if before not in gone and after not in gone:  # its triangle is still the one measured
            gone.add(i)
            slack -= areas[i]
    return list(gone)


Parts: TypeAlias = Sequence[LatticePart]

# Measured on outlines of photographs and micrographs: the tolerance that uses up the allowed error is 8 to 30 times the
# error as a fraction of the outline's length (median 14 for an IoU of 0.98), and the error grows roughly in proportion
# to it.
_FIRST_GUESS = 11.0
_FIRST_GUESS_LONG = 9.0
_LONG_PX = 300
"""Perimeter above which a try costs more than a coarser result would save: there the first one should be good."""
_SMALLEST_PX = 0.7
_STEP_PX = 0.55
"""Up to about this tolerance the pixel steps of a slanted outline remain, and there is no error."""
_AIM = 0.9
_ENOUGH = 0.45
"""A result that uses this fraction of the allowed error is not improved further."""
_MAX_STEPS = 8
_GOOD_STEPS = 3
_FARTHEST_MOVE = 1.5
"""How far fitting may move a vertex, in tolerances."""
_FINER = (0.8, 0.6, 0.4, 0.2)
_WORTH_PRUNING = 0.15
_MAX_PRUNINGS = 2
_NEXT_SHARE = 0.4
"""Fraction of the remaining error to spend, after spending all of it broke the guarantee."""
_TIGHTER = (0.65, 0.4, 0.2)
"""Fractions of the allowed error to search for if a search found nothing useful."""


class PreparedMasks:
    """Masks prepared for any IoU, which takes a third of the time for objects of many parts.

    masks: none of them empty, each in a frame of its size.
    """

    def __init__(self, masks: Sequence[Parts], sizes_wh: Sequence[tuple[int, int]]) -> None:
        self._batches = [_Batch([masks[i] for i in batch], [sizes_wh[i] for i in batch]) for batch in batches(sizes_wh)]

    def simplified(self, min_iou: float) -> list[MaskOutline]:
        """For each mask its parts with few vertices and IoU >= min_iou with the original; may be called repeatedly.

        Every outline is valid (simple rings, holes inside) and lies in the frame. Parts and holes that do not matter
        for the IoU may be dropped. If nothing simpler keeps the guarantee, a mask is returned unchanged.
        """
        return [outline for batch in self._batches for outline in _Lockstep(batch, min_iou).simplified()]


@dataclass(slots=True)
class _Search:
    """One mask's search for the coarsest tolerance."""

    number: int
    parts: list[list[int]]
    """Ring numbers of each part."""
    exact: MaskOutline
    min_iou: float
    tolerance: float
    low: float = 0.0
    high: float = float("inf")
    steps: int = 0
    good: list[tuple[float, MaskOutline]] = field(default_factory=list)
    """(fraction of the allowed error used, outline) of the tries that keep the guarantee."""

    def used(self, iou: float) -> float:
        """The fraction of the allowed error that a result uses."""
        return (1 - iou) / (1 - self.min_iou)

    def goes_on(self, iou: float, outline: MaskOutline) -> bool:
        """Record a try; returns whether another tolerance, the new one, is worth trying."""
        self.steps += 1
        used = self.used(iou)
        if iou >= self.min_iou:
            self.low = self.tolerance
            self.good.append((used, outline))
            if used > _ENOUGH:
                return False
        else:
            self.high = self.tolerance
        if (self.low and self.steps >= _GOOD_STEPS) or self.steps >= _MAX_STEPS or self.tolerance < _SMALLEST_PX / 2:
            return False
        self.tolerance = _next_tolerance(self.tolerance, used, self.low, self.high)
        return True


class _Batch:
    """Masks that are searched together, and what their searches share."""

    def __init__(self, masks: Sequence[Parts], sizes_wh: Sequence[tuple[int, int]]) -> None:
        self.table = RingTable([ring for parts in masks for part in parts for ring in part.rings])
        ring_counts = [sum(len(part.rings) for part in parts) for parts in masks]
        self.frames_wh = np.repeat(np.array(sizes_wh, np.float64), ring_counts, axis=0)
        self.exact = [[[ring.astype(np.float64) for ring in part.rings] for part in parts] for parts in masks]
        self.frames = StackedMasks(self.exact, sizes_wh)
        rings = iter(range(len(self.table.rings)))
        self.parts = [[list(islice(rings, len(part.rings))) for part in parts] for parts in masks]
        """Of each mask the ring numbers of each part."""
        self.perimeters = [sum(self.table.perimeters[ring] for part in mask for ring in part) for mask in self.parts]


class _Lockstep:
    """The searches of several masks, advanced one step at a time together."""

    def __init__(self, batch: _Batch, min_iou: float, numbers: Iterable[int] | None = None) -> None:
        """numbers: of the masks to search; None for all."""
        self._batch, self._min_iou = batch, min_iou
        self._table, self._frames, self._frames_wh = batch.table, batch.frames, batch.frames_wh
        self._searches: list[_Search] = []
        for number in range(len(batch.parts)) if numbers is None else numbers:
            parts, exact, perimeter = batch.parts[number], batch.exact[number], batch.perimeters[number]
            factor = _FIRST_GUESS_LONG if perimeter > _LONG_PX else _FIRST_GUESS
            guess = factor * (1 - min_iou) * self._frames.areas[number] / perimeter
            self._searches.append(_Search(number, parts, exact, min_iou, max(guess, _SMALLEST_PX)))

    def simplified(self) -> list[MaskOutline]:
        """The best outline of each mask."""
        chosen = self._found()
        left = [search for search in self._searches if search.number not in chosen]
        for share in _TIGHTER:
            missing = [search.number for search in left if search.number not in chosen]
            if not missing:
                break
            chosen |= _Lockstep(self._batch, 1 - (1 - self._min_iou) * share, missing)._found()
        self._keep_apart(chosen)
        for search in left:  # small masks: dropping single vertices may be all that can be done, and better
            search.good = [(0.0, search.exact)]
            thinned = self._first_valid(self._candidates([search])).get(search.number, search.exact)
            chosen[search.number] = min(chosen.get(search.number, search.exact), thinned, key=_count)
        return [chosen[search.number] for search in self._searches]

    def _found(self) -> dict[int, MaskOutline]:
        """For each mask the fewest vertices that the search for a tolerance found, if useful."""
        active = self._searches
        while active:
            tries = self._fitted(active, [search.tolerance for search in active])
            ious = self._ious(active, tries)
            active = [s for s, iou, outline in zip(active, ious, tries, strict=True) if s.goes_on(iou, outline)]
        candidates = self._candidates([search for search in self._searches if search.good])
        chosen = self._first_valid({number: list(outlines) for number, outlines in candidates.items()})
        for search in self._searches:
            if search.number in candidates and search.number not in chosen:
                self._mend(search, candidates[search.number], chosen)
        return chosen

    def _mend(self, search: _Search, crossing: Sequence[MaskOutline], chosen: dict[int, MaskOutline]) -> None:
        """Use the first outline whose crossing rings can be separated."""
        for mended in map(uncrossed, crossing):
            if mended and self._ious([search], [mended])[0] >= self._min_iou and are_valid([mended])[0]:
                chosen[search.number] = mended
                return

    def _candidates(self, searches: Sequence[_Search]) -> dict[int, list[MaskOutline]]:
        """For each mask the outlines that keep the guarantee, fewest vertices first."""
        for search in searches:
            search.good.sort(key=lambda each: _count(each[1]))
        thinning = [(search, 1.0) for search in searches]
        for _ in range(_MAX_PRUNINGS):
            thinning = self._thinned(thinning)
        return {search.number: [outline for _, outline in search.good] for search in searches}

    def _thinned(self, searches: Sequence[tuple[_Search, float]]) -> list[tuple[_Search, float]]:
        """Drop vertices of each shortest outline for this fraction of the remaining error; returns what to try next."""
        tried: list[tuple[_Search, float]] = []
        fewest: list[MaskOutline] = []
        slacks: list[float] = []
        for search, share in searches:
            used, outline = search.good[0]
            if used < 1 - _WORTH_PRUNING:
                tried.append((search, share))
                fewest.append(outline)
                slacks.append((1 - used) * share * (1 - search.min_iou) * self._frames.areas[search.number])
        outlines = pruned(fewest, slacks)
        ious = self._ious([search for search, _ in tried], outlines)
        further: list[tuple[_Search, float]] = []
        for (search, share), iou, before, after in zip(tried, ious, fewest, outlines, strict=True):
            if _count(after) < _count(before):
                if iou >= search.min_iou:
                    search.good.insert(0, (search.used(iou), after))
                else:
                    further.append((search, share * _NEXT_SHARE))
        return further

    def _first_valid(self, queues: dict[int, list[MaskOutline]]) -> dict[int, MaskOutline]:
        """The first valid outline of each queue, if there is one."""
        chosen: dict[int, MaskOutline] = {}
        while queues := {number: queue for number, queue in queues.items() if queue}:
            heads = {number: queue.pop(0) for number, queue in queues.items()}
            for (number, outline), is_valid in zip(heads.items(), are_valid(list(heads.values())), strict=True):
                if is_valid:
                    chosen[number] = outline
                    del queues[number]
        return chosen

    def _keep_apart(self, chosen: dict[int, MaskOutline]) -> None:
        """Where nearby rings ran into one another: try tolerances that may keep them apart."""
        for share in _FINER:
            left = [search for search in self._searches if search.number not in chosen]
            if not left:
                return
            tries = self._fitted(left, [max(search.tolerance, _SMALLEST_PX) * share for search in left])
            tried = zip(left, self._ious(left, tries), tries, strict=True)
            chosen |= self._first_valid({s.number: [outline] for s, iou, outline in tried if iou >= s.min_iou})

    def _fitted(self, searches: Sequence[_Search], tolerances: Sequence[float]) -> list[MaskOutline]:
        """The outline of each mask at its tolerance; without parts if none are left."""
        rings: list[int] = []
        kept: list[NDArray[Any]] = []
        farthest: list[float] = []
        shapes: list[list[int]] = []
        for search, tolerance in zip(searches, tolerances, strict=True):
            shapes.append([])
            for part in search.parts:
                count = 0
                for ring in part:
                    corners = cv2.approxPolyDP(self._table.rings[ring], tolerance, True)
                    if len(corners) >= 3:
                        rings.append(ring)
                        kept.append(corners)
                        farthest.append(tolerance * _FARTHEST_MOVE)
                        count += 1
                    elif not count:
                        break  # a part without an outline has no holes either
                if count:
                    shapes[-1].append(count)
        if not rings:
            return [[] for _ in searches]
        choice = self._table.choice(rings, kept)
        vertices = iter(self._table.fitted(choice, np.array(farthest), self._frames_wh[rings]))
        return [[list(islice(vertices, count)) for count in shape] for shape in shapes]

    def _ious(self, searches: Sequence[_Search], outlines: Sequence[MaskOutline]) -> list[float]:
        """Zero for an outline without parts."""
        there = [i for i, outline in enumerate(outlines) if outline]
        ious = [0.0] * len(outlines)
        found = self._frames.ious([searches[i].number for i in there], [outlines[i] for i in there]) if there else ()
        for i, iou in zip(there, found, strict=True):
            ious[i] = iou
        return ious


def _next_tolerance(tolerance: float, used: float, low: float, high: float) -> float:
    """In proportion to the fraction of the allowed error used, between tolerances found good and too coarse."""
    factor = min(max(_AIM / max(used, 1e-6), 0.3), 2.5)
    guess = _STEP_PX + max(tolerance - _STEP_PX, _SMALLEST_PX - _STEP_PX) * factor
    if guess >= high:
        return (low + high) / 2
    return guess if guess > low else (low + min(high, 2 * low)) / 2


def _count(outline: MaskOutline) -> int:
    return sum(len(ring) for rings in outline for ring in rings)
