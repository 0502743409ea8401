"""Where the labels of objects go: at the object, never over each other, none for what is off screen or tiny.

A label is either there, opaque and readable, or not at all: in a dense scene the largest objects keep theirs, and the
others show it when they are pointed at or selected.

Pure arithmetic on screen pixels; painting is next door in `label_paint`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_CELL = 32.0
_GAP = 2.0
_INSIDE_FROM_LABEL_WIDTHS = 2.5
"""A label inside its object is only allowed where it leaves most of it in sight."""
LABELLED_FROM_SCREEN_PX = 40.0
"""Smaller objects carry no label ..."""
_LABEL_WIDTHS = 0.8
"""... nor do those that a label would hide, being this much wider than they are."""
_MOST_SHARE = 0.05
"""Of the screen may be covered by labels that nobody asked for."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LabelWish:
    """A label that wants a place. Screen pixels."""

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
    """Placed first, however small the object: it is selected or pointed at."""


@dataclass(frozen=True, slots=True)
class LabelPlace:
    instance_id: int
    x: float
    y: float
    """Top left corner of the label, relative to the object's topmost vertex."""
    width: float
    height: float


def place_labels(wishes: Sequence[LabelWish], screen_wh: tuple[float, float]) -> list[LabelPlace]:
    """The labels that find room, certain ones first, then larger objects before smaller.

    A label goes above its object, else below it, else just inside its top; where none of the places is free and wholly
    on screen it is left out: nothing is pushed to the border of the window.
    """
    taken = _Occupancy()
    places = []
    room = _MOST_SHARE * screen_wh[0] * screen_wh[1]
    for wish in sorted(wishes, key=lambda wish: (not wish.is_certain, -wish.extent, wish.instance_id)):
        if not wish.is_certain and (room <= 0 or not _is_worth_it(wish)):
            continue
        for x, y in _candidates(wish):
            box = (x, y, x + wish.width, y + wish.height)
            if _is_inside(box, screen_wh) and taken.take(box):
                places.append(LabelPlace(wish.instance_id, x - wish.top[0], y - wish.top[1], wish.width, wish.height))
                room -= wish.width * wish.height
                break
    return places


def _is_worth_it(wish: LabelWish) -> bool:
    return wish.extent >= max(LABELLED_FROM_SCREEN_PX, _LABEL_WIDTHS * wish.width)


def _candidates(wish: LabelWish) -> list[tuple[float, float]]:
    (top_x, top_y), (bottom_x, bottom_y) = wish.top, wish.bottom
    half = wish.width / 2
    outside = [(top_x - half, top_y - wish.height - 3.0), (bottom_x - half, bottom_y + 3.0)]
    if wish.extent < _INSIDE_FROM_LABEL_WIDTHS * wish.width:
        return outside
    return [*outside, (top_x - half, top_y + 5.0)]


def _is_inside(box: Box, screen_wh: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= screen_wh[0] and box[3] <= screen_wh[1]


class _Occupancy:
    """Boxes taken so far, found again by the cells of a coarse grid."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Box]] = {}

    def take(self, box: Box) -> bool:
        """Reserve the box; False if it overlaps one that was taken before."""
        x1, y1, x2, y2 = box[0] - _GAP, box[1] - _GAP, box[2] + _GAP, box[3] + _GAP
        cells = [
            (column, row)
            for column in range(int(x1 // _CELL), int(x2 // _CELL) + 1)
            for row in range(int(y1 // _CELL), int(y2 // _CELL) + 1)
        ]
        for cell in cells:
            for other in self._cells.get(cell, ()):
                if x1 < other[2] and x2 > other[0] and y1 < other[3] and y2 > other[1]:
                    return False
        for cell in cells:
            self._cells.setdefault(cell, []).append(box)
        return True
