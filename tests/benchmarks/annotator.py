"""A simulated annotator's presses on one object: drawing it, pointing at it, mending what is nearly right.

What counts. Drawing: one press a vertex of the sparsest outline that is good enough. A new object by pointing: one
press for the box (a drag), one a click. Correcting by pointing: one press to select, one a click. Mending by hand
(`mending.py`): one press to select, one a vertex dragged. A proposal that is good enough: one press to accept it; one
that is not taken costs nothing. Freehand strokes do not count as one press, for then a whole object would be one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from assist_protocol import Mask, iou, next_click
from mending import mending_presses

from maskwright.assist.outline import Outline
from maskwright.assist.protocol import View
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon

LEVELS = (0.85, 0.90)
MOST_CLICKS = 6
WIDEST_PX = 64.0
_TOLERANCES = 28


@dataclass(frozen=True, slots=True)
class Trace:
    """One way to an outline by clicks: IoU after each, the first before any, and what mending costs there."""

    ious: tuple[float, ...]
    mending: tuple[tuple[int, ...], ...]
    """Presses from there to each of `LEVELS` by hand, drawing anew where that is less."""

    def mending_to(self, level: float) -> list[int]:
        return [presses[LEVELS.index(level)] for presses in self.mending]


@dataclass(frozen=True, slots=True)
class Case:
    """One object: vertices of a drawing for each of `LEVELS`, what pointing and correcting its proposals come to."""

    image: int
    area: int
    drawing: tuple[int, ...]
    box: Trace
    plain: Trace | None = None
    refined: Trace | None = None


def drawing_presses(truth: Mask, level: float) -> int:
    """Vertices of the sparsest outline found whose IoU with `truth` is at least `level`."""
    x, y, width, height = cv2.boundingRect(truth.view(np.uint8))
    pixels = np.pad(np.ascontiguousarray(truth[y : y + height, x : x + width], np.uint8), 2)
    rings, tree = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    is_hole = [entry[3] >= 0 for entry in tree[0]]
    order = sorted(range(len(rings)), key=lambda number: -cv2.contourArea(rings[number]))
    parts = [(rings[number], is_hole[number]) for number in order]
    widest = min(WIDEST_PX, max(width, height))
    counts = [_vertices(parts, pixels, level, tolerance) for tolerance in np.geomspace(0.3, widest, _TOLERANCES)]
    fitted = sum(polygon.vertex_count for polygon in mask_to_polygons(pixels, min_iou=level))
    return min(fitted, *(count for count in counts if count), fitted)


def _vertices(
    parts: Sequence[tuple[np.ndarray, bool]], truth: np.ndarray, level: float, tolerance: float
) -> int | None:
    """Of the parts and holes needed, largest first, each simplified by `tolerance`; None if they fall short."""
    drawn, total = np.zeros_like(truth), 0
    for ring, is_hole in parts:
        corners = cv2.approxPolyDP(ring, tolerance, True)
        if len(corners) < 3:
            continue
        cv2.fillPoly(drawn, [corners], 0 if is_hole else 1)
        total += len(corners)
        if iou(drawn > 0, truth > 0) >= level:
            return total
    return None


def pointing(view: View, truth: Mask, drawing: Sequence[int]) -> Trace:
    """A box, then clicks on the larger error."""
    x, y, width, height = cv2.boundingRect(truth.view(np.uint8))
    box = (x, y, x + width, y + height)

    def pressed(points: list[tuple[float, float]], labels: list[int], previous: Outline | None) -> Outline:
        return view.outline(points, labels, box, previous=previous, min_iou=None)

    first = view.outline(box_xyxy=box, min_iou=None)
    return _clicked(pressed, first, first.mask, truth, drawing)


def correcting(view: View, start: Sequence[Polygon], start_mask: Mask, truth: Mask, drawing: Sequence[int]) -> Trace:
    """Clicks that add to and take away from an outline there is."""

    def pressed(points: list[tuple[float, float]], labels: list[int], previous: Outline | None) -> Outline:
        return view.outline(points, labels, mask=start, previous=previous, min_iou=None)

    return _clicked(pressed, None, start_mask, truth, drawing)


def _clicked(
    pressed: Callable[[list[tuple[float, float]], list[int], Outline | None], Outline],
    outline: Outline | None,
    mask: Mask,
    truth: Mask,
    drawing: Sequence[int],
) -> Trace:
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    ious, mending = [iou(mask, truth)], [mending_presses(mask, truth, LEVELS, drawing)]
    while ious[-1] < max(LEVELS) and len(points) < min(MOST_CLICKS, max(drawing)):
        px, py, positive = next_click(mask, truth)
        points.append((px, py))
        labels.append(int(positive))
        outline = pressed(points, labels, outline)
        mask = outline.mask
        ious.append(iou(mask, truth))
        mending.append(mending_presses(mask, truth, LEVELS, drawing))
    return Trace(tuple(ious), tuple(mending))
