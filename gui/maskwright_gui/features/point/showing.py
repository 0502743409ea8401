"""How a draft looks: its outline so far, the presses, and the area in which a click still belongs to it."""

from dataclasses import replace

import numpy as np

from maskwright.document.values import Instance, InstanceState
from maskwright_gui.features.point.draft import Box, Draft, Foreseen, Point, Press
from maskwright_gui.features.point.pressing import Pressing, PressState, box_between
from maskwright_gui.tools.overlay import Mark, OverlayLine, OverlayMarks, Stroke, as_points
from maskwright_gui.tools.tool import Pointer

_NEAR_SHARE, _NEAR_SCREEN_PX = 0.35, 32.0
"""A click this far beyond an object's box is for another object: as a share of its longer side, but at least this far
on screen.
"""


def drafted(draft: Draft, category_id: int) -> Instance | None:
    """The object as it looks so far; None while nothing is known of a new one."""
    outline = draft.latest
    if outline is None or not outline.polygons:
        return draft.base
    if draft.base is not None:
        return replace(draft.base, polygons=outline.polygons, dense=None)
    return Instance(-draft.serials[0], category_id, outline.polygons, InstanceState.DRAWN)


def draft_marks(draft: Draft) -> list[OverlayMarks]:
    """The presses: different dots for points on the object and off it."""
    marks = []
    for label, mark in ((1, Mark.INSIDE), (0, Mark.OUTSIDE)):
        points = [point for press in draft.presses if press.label == label for point in press.points]
        if points:
            marks.append(OverlayMarks(as_points(*points), mark))
    return marks


def press_lines(pressing: Pressing, at: Point) -> list[OverlayLine]:
    """The box or stroke being dragged, with the pointer at `at`."""
    match pressing.state:
        case PressState.BOX:
            x1, y1, x2, y2 = box_between(pressing.trail[0], at)
            corners = as_points((x1, y1), (x2, y1), (x2, y2), (x1, y2))
            return [OverlayLine(corners, Stroke.DRAFT, is_closed=True)]
        case PressState.STROKE:
            return [OverlayLine(np.array(pressing.trail), Stroke.DRAFT)]
    return []


def foreseen_lines(foreseen: Foreseen | None, press: Press | None, *, is_new: bool) -> list[OverlayLine]:
    """The outline that the next press would give; only a guide where it would correct an object."""
    if foreseen is None or foreseen.outline is None or press is None or foreseen.is_of_box != bool(press.box):
        return []
    stroke = Stroke.DRAFT if press.box is not None or is_new else Stroke.GUIDE
    return [OverlayLine(ring, stroke, is_closed=True) for part in foreseen.outline.polygons for ring in part.rings]


def reach_of(draft: Draft) -> Box:
    """The box around all presses and the outline so far."""
    corners = [point for press in draft.presses for point in press.points]
    corners += [corner for press in draft.presses if press.box for corner in _corners(press.box)]
    if draft.latest is not None:
        corners += [(float(x), float(y)) for part in draft.latest.polygons for x, y in part.exterior]
    if draft.base is not None:
        corners += _corners(draft.base.bounds_xyxy)
    columns, rows = zip(*corners, strict=True)
    return min(columns), min(rows), max(columns), max(rows)


def is_near(box: Box, point: Point, pointer: Pointer) -> bool:
    """Whether a click at the point can be meant for the object in the box."""
    x1, y1, x2, y2 = box
    reach = max(_NEAR_SHARE * max(x2 - x1, y2 - y1), pointer.reach(_NEAR_SCREEN_PX))
    return x1 - reach <= point[0] <= x2 + reach and y1 - reach <= point[1] <= y2 + reach


def _corners(box: Box) -> list[Point]:
    return [(box[0], box[1]), (box[2], box[3])]
