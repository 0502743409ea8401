"""A simulated annotator's presses on one object: drawing it, pointing at it, mending what is nearly right.

What counts. Drawing: one press a vertex of the sparsest outline that is good enough. A new object by pointing: one
press for the box (a drag), one a click. Correcting by pointing: one press to select, one a click. Mending by hand
(`mending.py`): one press to select, one a vertex dragged. A proposal that is good enough: one press to accept it; one
that is not taken costs nothing. Freehand strokes do not count as one press, for then a whole object would be one.

Two ways to point. Unseen: each click goes to the deepest point of the larger error. Foreseen, as the window shows it:
the pointer rests on the deepest points of the three deepest errors, sees what a click there would give, and the best
is made; of a new object also what a first click at its deepest point would take.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
_DOUBLED = tuple(0.5 * 2**step for step in range(7))
_PAD = 2
SPOTS = 3
"""Places at which a foreseeing annotator looks before each click."""
Clicked = Callable[[list[tuple[float, float]], list[int], Outline | None], Outline]


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
    click: Trace | None = None
    """From one click, which is not counted in it, on."""
    simply_drawn: tuple[int, ...] = ()
    """Vertices where one tolerance has to do for all parts and holes; see `simple_drawing_presses`."""

    def drawn_simply(self) -> "Case":
        """The same for an annotator who draws so, and mends as far as it takes less than drawing did before."""
        dearer = tuple(max(pair) for pair in zip(self.drawing, self.simply_drawn, strict=True))

        def redrawn(trace: Trace | None) -> Trace | None:
            if trace is None:
                return None
            prices = tuple(zip(self.drawing, dearer, strict=True))
            rows = (
                tuple(new if presses >= old else presses for presses, (old, new) in zip(row, prices, strict=True))
                for row in trace.mending
            )
            return replace(trace, mending=tuple(rows))

        box = redrawn(self.box)
        assert box is not None
        plain, refined, click = redrawn(self.plain), redrawn(self.refined), redrawn(self.click)
        return replace(self, drawing=dearer, box=box, plain=plain, refined=refined, click=click)


def simple_drawing_presses(truth: Mask, level: float) -> int:
    """Vertices of all parts and holes at the coarsest tolerance that is enough, doubled from half a pixel on.

    The goals for pointing were written with 9.8 presses an object; this gives 9.9 for objects of 32 x 32 pixels and
    more on 60 photographs of coco/val, 9.3 for at most three an image, 8.4 for all. Sparser outlines
    are found by `drawing_presses`.
    """
    pixels, parts = _parts(truth)
    every = sum(len(ring) for ring, _ in parts)
    return min(
        (count for step in _DOUBLED if (count := _vertices(parts, pixels, level, step, all_=True))), default=every
    )


def drawing_presses(truth: Mask, level: float) -> int:
    """Vertices of the sparsest outline found whose IoU with `truth` is at least `level`."""
    pixels, parts = _parts(truth)
    widest = min(WIDEST_PX, max(pixels.shape) - 2 * _PAD)
    counts = [_vertices(parts, pixels, level, tolerance) for tolerance in np.geomspace(0.3, widest, _TOLERANCES)]
    fitted = sum(polygon.vertex_count for polygon in mask_to_polygons(pixels, min_iou=level))
    return min(fitted, *(count for count in counts if count), fitted)


def _parts(truth: Mask) -> tuple[np.ndarray, list[tuple[np.ndarray, bool]]]:
    """Its pixels with room around, and its rings, largest first, with whether they are holes."""
    x, y, width, height = cv2.boundingRect(truth.view(np.uint8))
    pixels = np.pad(np.ascontiguousarray(truth[y : y + height, x : x + width], np.uint8), _PAD)
    rings, tree = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    is_hole = [entry[3] >= 0 for entry in tree[0]]
    order = sorted(range(len(rings)), key=lambda number: -cv2.contourArea(rings[number]))
    return pixels, [(rings[number], is_hole[number]) for number in order]


def _vertices(
    parts: Sequence[tuple[np.ndarray, bool]], truth: np.ndarray, level: float, tolerance: float, *, all_: bool = False
) -> int | None:
    """Of the parts and holes needed, largest first, or of all, simplified by `tolerance`; None if they fall short."""
    drawn, total = np.zeros_like(truth), 0
    for number, (ring, is_hole) in enumerate(parts, start=1):
        corners = cv2.approxPolyDP(ring, tolerance, True)
        if len(corners) < 3 and not all_:
            continue
        cv2.fillPoly(drawn, [corners], 0 if is_hole else 1)
        total += len(corners)
        if (not all_ or number == len(parts)) and iou(drawn > 0, truth > 0) >= level:
            return total
    return None


def pointing(view: View, truth: Mask, drawing: Sequence[int], *, spots: int = 1) -> Trace:
    """A box, then clicks; spots: at how many places the annotator looks before each of them."""
    x, y, width, height = cv2.boundingRect(truth.view(np.uint8))
    box = (x, y, x + width, y + height)

    def pressed(points: list[tuple[float, float]], labels: list[int], previous: Outline | None) -> Outline:
        return view.outline(points, labels, box, previous=previous, min_iou=None)

    first = view.outline(box_xyxy=box, min_iou=None)
    return _clicked(pressed, first, first.mask, truth, drawing, spots)


def clicking(view: View, truth: Mask, drawing: Sequence[int]) -> Trace:
    """One click at the deepest point, then foreseen ones."""
    x, y, _ = next_click(np.zeros_like(truth), truth)

    def pressed(points: list[tuple[float, float]], labels: list[int], previous: Outline | None) -> Outline:
        return view.outline([(x, y), *points], [1, *labels], previous=previous, min_iou=None)

    first = pressed([], [], None)
    return _clicked(pressed, first, first.mask, truth, drawing, SPOTS)


def correcting(
    view: View,
    start: Sequence[Polygon],
    start_mask: Mask,
    truth: Mask,
    drawing: Sequence[int],
    *,
    spots: int = 1,
) -> Trace:
    """Clicks that add to and take away from an outline there is."""

    def pressed(points: list[tuple[float, float]], labels: list[int], previous: Outline | None) -> Outline:
        return view.outline(points, labels, mask=start, previous=previous, min_iou=None)

    return _clicked(pressed, None, start_mask, truth, drawing, spots)


def _clicked(
    pressed: Clicked, outline: Outline | None, mask: Mask, truth: Mask, drawing: Sequence[int], spots: int
) -> Trace:
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    ious, mending = [iou(mask, truth)], [mending_presses(mask, truth, LEVELS, drawing)]
    while ious[-1] < max(LEVELS) and len(points) < min(MOST_CLICKS, max(drawing)):
        tried: list[tuple[float, tuple[float, float], int, Outline]] = []
        for x, y, is_inside in _spots(mask, truth, spots):
            answer = pressed([*points, (x, y)], [*labels, int(is_inside)], outline)
            tried.append((iou(answer.mask, truth), (x, y), int(is_inside), answer))
        value, point, label, outline = max(tried, key=lambda one: one[0])
        points.append(point)
        labels.append(label)
        mask = outline.mask
        ious.append(value)
        mending.append(mending_presses(mask, truth, LEVELS, drawing))
    return Trace(tuple(ious), tuple(mending))


def _spots(answer: Mask, truth: Mask, count: int) -> list[tuple[float, float, bool]]:
    """The deepest points of the deepest errors, each with whether it is of the object."""
    if count == 1:
        return [next_click(answer, truth)]
    found = [*_deepest(truth & ~answer, is_inside=True), *_deepest(answer & ~truth, is_inside=False)]
    return [(x, y, is_inside) for _, x, y, is_inside in sorted(found, key=lambda one: -one[0])[:count]]


def _deepest(error: Mask, *, is_inside: bool) -> Iterator[tuple[float, float, float, bool]]:
    """(depth, x, y, is_inside) of each piece of an error."""
    depth = cv2.distanceTransform(np.pad(error.view(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(error.view(np.uint8), connectivity=8)
    for number, (left, top, width, height, _) in enumerate(boxes[1:], start=1):
        window = slice(top, top + height), slice(left, left + width)
        inside = np.where(labels[window] == number, depth[window], 0)
        row, column = np.unravel_index(int(inside.argmax()), inside.shape)
        yield float(inside.max()), float(left + column) + 0.5, float(top + row) + 0.5, is_inside
