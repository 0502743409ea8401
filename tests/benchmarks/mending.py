"""Mending an outline by hand: vertices dragged, or drawn out of an edge, to where the object's border is.

Each drag goes for the largest error that is left (by its depth) and puts one of the nearest vertices, or the middle of
one of the nearest edges, onto the border there, as well as it can be put: the annotator sees both outlines. Large
objects are looked at at `_SIDE_PX`, at which a vertex is placed to about a hundredth of the object.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from assist_protocol import Mask, iou
from numpy.typing import NDArray

from maskwright.geometry.convert import mask_to_polygons

SELECT = 1
_SIDE_PX = 96
_DETAIL = 0.95
"""IoU of the polygon with the answer that is mended: few vertices, as the detail slider gives them."""
_NEAREST = 4
_TARGETS = 10
_SHIFT = 4
"""Binary digits behind the point, for OpenCV."""
Ring = NDArray[np.float64]


def mending_presses(mask: Mask, truth: Mask, levels: Sequence[float], most: Sequence[int]) -> tuple[int, ...]:
    """Presses until the IoU is at least each of `levels`, a selection included; `most` where that is not less."""
    if not mask.any():
        return tuple(most)
    now, goal = _reduced(mask, truth)
    if not now.any() or not goal.any():  # beside the other too small to be seen
        return tuple(most)
    found = list(most)
    for drags, value in enumerate(_dragged(now, goal, max(most))):
        for number, level in enumerate(levels):
            if value >= level:
                found[number] = min(found[number], SELECT + drags)
        if value >= max(levels):
            break
    return tuple(found)


def _dragged(now: Mask, goal: Mask, most: int) -> Iterator[float]:
    """The IoU before the first drag and after each."""
    ring = max((part.exterior for part in mask_to_polygons(now, min_iou=_DETAIL)), key=len)
    largest = _filled(ring, goal.shape)
    rest = now & ~cv2.dilate(largest.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    border = _border(goal)
    value = iou(largest | rest, goal)
    yield value
    for _ in range(most):
        deepest = _deepest(largest | rest, goal)
        targets = border[np.argsort(np.hypot(*(border - deepest).T))[:: max(1, len(border) // 60)][:_TARGETS]]
        tries = [_filled(new, goal.shape) for new in _moved(ring, deepest, targets)]
        values = [iou(each | rest, goal) for each in tries]
        best = int(np.argmax(values))
        if values[best] <= value:
            return
        ring, largest, value = list(_moved(ring, deepest, targets))[best], tries[best], values[best]
        yield value


def _moved(ring: Ring, near: Ring, targets: Ring) -> Iterator[Ring]:
    """With each of the nearest vertices, and each of the nearest edges' middles, at each target."""
    for i in np.argsort(np.hypot(*(ring - near).T))[:_NEAREST].tolist():
        for target in targets:
            new = ring.copy()
            new[i] = target
            yield new
    middles = (ring + np.roll(ring, -1, axis=0)) / 2
    for i in np.argsort(np.hypot(*(middles - near).T))[: _NEAREST - 1].tolist():
        for target in targets:
            yield np.insert(ring, i + 1, target, axis=0)


def _filled(ring: Ring, shape: tuple[int, ...]) -> Mask:
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [np.rint((ring - 0.5) * 2**_SHIFT).astype(np.int32)], 1, shift=_SHIFT)
    return drawn.view(np.bool_)


def _border(mask: Mask) -> Ring:
    rings, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.concatenate([ring[:, 0] for ring in rings]).astype(np.float64) + 0.5


def _deepest(now: Mask, goal: Mask) -> Ring:
    depth = cv2.distanceTransform((now ^ goal).view(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return np.array([x + 0.5, y + 0.5])


def _reduced(mask: Mask, truth: Mask) -> tuple[Mask, Mask]:
    """Both around the object, with room, and no larger than `_SIDE_PX`."""
    x, y, width, height = cv2.boundingRect((mask | truth).view(np.uint8))
    window = slice(max(y - 4, 0), y + height + 4), slice(max(x - 4, 0), x + width + 4)
    now, goal = (np.pad(each[window], 1) for each in (mask, truth))
    scale = _SIDE_PX / max(now.shape)
    if scale >= 1:
        return now, goal
    size = max(1, round(now.shape[1] * scale)), max(1, round(now.shape[0] * scale))
    small = [
        cv2.resize(each.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA) for each in (now, goal)
    ]
    return small[0] > 127, small[1] > 127
