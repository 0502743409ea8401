"""Decides where object labels go: at the object, never overlapping, none for objects that are off screen or tiny.

A label is shown opaque and readable, or not at all: in a dense scene the largest objects keep theirs, smaller ones get
a compact form, and the rest show it when hovered or selected.

Pure arithmetic on screen pixels; `label_paint` does the painting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_CELL = 32.0
_GAP = 2.0
_INSIDE_FROM_LABEL_WIDTHS = 2.5
"""A label goes inside its object only if the object is so many label widths long: most of it stays visible."""
LABELLED_FROM_SCREEN_PX = 40.0
"""Smaller objects get no label ..."""
_LABEL_WIDTHS = 0.8
"""... nor do objects shorter than so many label widths, which a label would hide."""
_FREE = 5.0
"""Kept free around a screen point: half a handle and a bit."""
_ON_LINE = 0.5
"""The same for labels of selected objects: near their own outline, but not on one if that can be avoided."""
_MOST_SHARE = 0.05
"""Share of the screen that optional labels may cover."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LabelWish:
    """A label to be placed. Screen pixels."""

    instance_id: int
    top: tuple[float, float]
    """The object's topmost vertex."""
    bottom: tuple[float, float]
    """Its lowest vertex."""
    width: float
    height: float
    extent: float
    """The longer side of the object on screen."""
    is_certain: bool = False
    """Whether it is placed first, however small the object: it is selected or hovered."""
    compact_width: float = 0.0
    """Width of the compact form, used if the full label does not fit; 0: there is none."""


@dataclass(frozen=True, slots=True)
class LabelPlace:
    """Where a label goes. Screen pixels."""

    instance_id: int
    x: float
    y: float
    """Top left corner of the label, relative to the object's topmost vertex, or to its lowest one."""
    width: float
    height: float
    is_below: bool = False
    """Whether the position is relative to the lowest vertex."""
    is_compact: bool = False


def place_labels(
    wishes: Sequence[LabelWish], screen_wh: tuple[float, float], *, kept_free: Sequence[tuple[float, float]] = ()
) -> list[LabelPlace]:
    """The labels that fit: certain ones first, then larger objects before smaller.

    A label goes above its object, else below it, else just inside its top. If none of these places is free and entirely
    on screen, its compact form is tried, then it is left out: nothing is pushed to the window's border. If that happens
    to most, all are compact, since a mixture would look meaningful. kept_free: screen points that only certain labels
    may cover.
    """
    places = _placed_all(wishes, screen_wh, kept_free)
    unasked = [place for place, wish in places if not wish.is_certain]
    if 2 * sum(place.is_compact for place in unasked) <= len(unasked):
        return [place for place, _ in places]
    compact = [wish if wish.is_certain else replace(wish, width=wish.compact_width or wish.width) for wish in wishes]
    return [
        replace(place, is_compact=bool(wish.compact_width) and not wish.is_certain)
        for place, wish in _placed_all(compact, screen_wh, kept_free)
    ]


def _placed_all(
    wishes: Sequence[LabelWish], screen_wh: tuple[float, float], kept_free: Sequence[tuple[float, float]]
) -> list[tuple[LabelPlace, LabelWish]]:
    taken = _Occupancy()
    room = _MOST_SHARE * screen_wh[0] * screen_wh[1]
    ordered = sorted(wishes, key=lambda wish: (-wish.extent, wish.instance_id))
    lines = _Occupancy()
    lines.block_around(kept_free, _ON_LINE)
    places = [
        (_placed(wish, screen_wh, taken, lines) or _placed(wish, screen_wh, taken), wish)
        for wish in ordered
        if wish.is_certain
    ]
    taken.block_around(kept_free, _FREE)
    for wish in ordered:
        if not wish.is_certain and room > 0:
            place = _placed(wish, screen_wh, taken)
            room -= place.width * place.height if place is not None else 0.0
            places.append((place, wish))
    return [(place, wish) for place, wish in places if place is not None]


def _placed(
    wish: LabelWish, screen_wh: tuple[float, float], taken: "_Occupancy", lines: "_Occupancy | None" = None
) -> LabelPlace | None:
    for width in (wish.width, wish.compact_width):
        if not width or not (wish.is_certain or _is_worth_it(wish, width)):
            continue
        for end, dy, is_below in _candidates(wish, width):
            box = (end[0] - width / 2, end[1] + dy, end[0] + width / 2, end[1] + dy + wish.height)
            if _is_inside(box, screen_wh) and (lines is None or lines.is_free(box)) and taken.take(box):
                is_compact = width != wish.width
                return LabelPlace(wish.instance_id, -width / 2, dy, width, wish.height, is_below, is_compact)
    return None


def _is_worth_it(wish: LabelWish, width: float) -> bool:
    return wish.extent >= max(LABELLED_FROM_SCREEN_PX, _LABEL_WIDTHS * width)


def _candidates(wish: LabelWish, width: float) -> list[tuple[tuple[float, float], float, bool]]:
    """(vertex, from it to the label's top, whether the vertex is the lowest one)"""
    outside = [(wish.top, -wish.height - 3.0, False), (wish.bottom, 3.0, True)]
    if wish.extent < _INSIDE_FROM_LABEL_WIDTHS * width:
        return outside
    return [*outside, (wish.top, 5.0, False)]


def _is_inside(box: Box, screen_wh: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= screen_wh[0] and box[3] <= screen_wh[1]


class _Occupancy:
    """The boxes taken so far, indexed by the cells of a coarse grid."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Box]] = {}

    def take(self, box: Box) -> bool:
        """Reserve the box; False if it overlaps a reserved one."""
        is_free = self.is_free(box)
        if is_free:
            self.block(box)
        return is_free

    def is_free(self, box: Box) -> bool:
        x1, y1, x2, y2 = box[0] - _GAP, box[1] - _GAP, box[2] + _GAP, box[3] + _GAP
        for cell in _cells_of(box):
            for other in self._cells.get(cell, ()):
                if x1 < other[2] and x2 > other[0] and y1 < other[3] and y2 > other[1]:
                    return False
        return True

    def block_around(self, points: Sequence[tuple[float, float]], reach: float) -> None:
        for x, y in points:
            self.block((x - reach, y - reach, x + reach, y + reach))

    def block(self, box: Box) -> None:
        """Reserve the box, even if it overlaps others."""
        for cell in _cells_of(box):
            self._cells.setdefault(cell, []).append(box)


def _cells_of(box: Box) -> list[tuple[int, int]]:
    x1, y1, x2, y2 = box
    rows = range(int((y1 - _GAP) // _CELL), int((y2 + _GAP) // _CELL) + 1)
    columns = range(int((x1 - _GAP) // _CELL), int((x2 + _GAP) // _CELL) + 1)
    return [(column, row) for column in columns for row in rows]
