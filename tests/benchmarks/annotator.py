"""A simulated annotator: presses until an object's outline is good enough, by drawing and by pointing.

What counts. Drawing: one press a vertex of the sparsest outline that is good enough. A proposal that is good enough:
one press to accept it; one that is not taken costs nothing. Correcting: one press to select, one a click. A new object:
one press for the box (a drag), one a click. The annotator sees how good an outline is but not what a click will do, and
draws by hand after `patience` clicks in vain, or as many as drawing would take: what was spent then comes on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from assist_protocol import Mask, iou, next_click

from maskwright.assist.outline import Outline
from maskwright.assist.protocol import View
from maskwright.geometry.polygon import Polygon

WIDEST_PX = 64.0
_TOLERANCES = 28


@dataclass(frozen=True, slots=True)
class Habits:
    """How the annotator works. worth: IoU from which a proposal is corrected instead of begun anew."""

    patience: int = 5
    worth: float = 0.6


@dataclass(frozen=True, slots=True)
class Trace:
    """IoU after each click of one way to an outline, the first entry before any click; `start` presses before that."""

    start: int
    ious: tuple[float, ...]

    def presses(self, level: float, drawing: int, patience: int) -> int:
        """Until `level`, by hand if the clicks do not get there."""
        most = min(patience, drawing)
        for number, value in enumerate(self.ious[: most + 1]):
            if value >= level:
                return self.start + number
        return self.start + min(most, len(self.ious) - 1) + drawing


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
    return min((count for count in counts if count), default=sum(len(ring) for ring, _ in parts))


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


def pointing(view: View, truth: Mask, *, level: float, most: int) -> Trace:
    """A box, then clicks on the larger error."""
    x, y, width, height = cv2.boundingRect(truth.view(np.uint8))
    box = (x, y, x + width, y + height)
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    outline = view.outline(box_xyxy=box, min_iou=None)
    ious = [iou(outline.mask, truth)]
    while ious[-1] < level and len(points) < most:
        px, py, positive = next_click(outline.mask, truth)
        points.append((px, py))
        labels.append(int(positive))
        outline = view.outline(points, labels, box, previous=outline, min_iou=None)
        ious.append(iou(outline.mask, truth))
    return Trace(1, tuple(ious))


def correcting(
    view: View, start: Sequence[Polygon], start_mask: Mask, truth: Mask, *, level: float, most: int
) -> Trace:
    """Clicks that add to and take away from an outline there is."""
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    mask, previous = start_mask, None
    ious = [iou(mask, truth)]
    while ious[-1] < level and len(points) < most:
        px, py, positive = next_click(mask, truth)
        points.append((px, py))
        labels.append(int(positive))
        previous = _corrected(view, points, labels, start, previous)
        mask = previous.mask
        ious.append(iou(mask, truth))
    return Trace(1, tuple(ious))


def _corrected(
    view: View,
    points: list[tuple[float, float]],
    labels: list[int],
    start: Sequence[Polygon],
    previous: Outline | None,
) -> Outline:
    return view.outline(points, labels, mask=start, previous=previous, min_iou=None)
