"""Which window of an image the network looks at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import Box, Prompt
from maskwright.assist.window import Window

SMALLEST_PX = 32
LARGEST_DISTORTION = 2.0
_FIRST_SIDE_PX = 48
_SIDE_STEP = 2.0
_MOST_SIDES = 8
CUT_OFF_COST = 0.2
STEP_GAIN = 0.02
"""For one click on 150 objects each of coco/val and nuclei/val (not the draw used for evaluation): IoU .547 and .799;
without either term .525 and .807; ranked by how decided the probabilities are, .524 and .818."""
_RIM_CELLS = 1


@dataclass(frozen=True, slots=True)
class Margins:
    """How much of an object's surroundings the network was trained to see."""

    factor: float = 1.4
    px: float = 8.0


def window_around(bounds_xyxy: Box, margins: Margins) -> Window:
    """The window for a box or outline: with margins, not too small, and at most twice as long as wide."""
    x1, y1, x2, y2 = bounds_xyxy
    width, height = (x2 - x1) * margins.factor + margins.px, (y2 - y1) * margins.factor + margins.px
    width, height = max(width, SMALLEST_PX), max(height, SMALLEST_PX)
    width, height = max(width, height / LARGEST_DISTORTION), max(height, width / LARGEST_DISTORTION)
    return _about(((x1 + x2) / 2, (y1 + y2) / 2), (width, height))


def window_about(prompt: Prompt, side_px: float) -> Window:
    """A square of about `side_px` around the prompt, for objects whose size is known."""
    x1, y1, x2, y2 = prompt.extent_xyxy
    side = max(side_px, x2 - x1, y2 - y1, SMALLEST_PX)
    return _about(((x1 + x2) / 2, (y1 + y2) / 2), (side, side))


def windows_of_clicks(prompt: Prompt) -> list[Window]:
    """Windows for clicks without a box, whose object's size is unknown: growing squares, then the whole image."""
    x1, y1, x2, y2 = prompt.extent_xyxy
    centre = ((x1 + x2) / 2, (y1 + y2) / 2)
    least = max(x2 - x1, y2 - y1) * 1.2
    sides = _FIRST_SIDE_PX * _SIDE_STEP ** np.arange(_MOST_SIDES)
    longer = max(prompt.size_wh)
    squares = [_about(centre, (side, side)) for side in sides.tolist() if least <= side < 0.8 * longer]
    width, height = prompt.size_wh
    width, height = max(width, height // 2, 1), max(height, width // 2, 1)
    whole = Window((prompt.size_wh[0] - width) // 2, (prompt.size_wh[1] - height) // 2, width, height)
    return [*squares, whole]


def best_of(softs: list[SoftMask], windows: list[Window]) -> int:
    """Index of the answer that holds the whole object: high expected IoU, not cut off, preferably large."""
    scores = [
        soft.score - CUT_OFF_COST * is_cut_off(soft.logits, window, soft.size_wh) + STEP_GAIN * step
        for step, (soft, window) in enumerate(zip(softs, windows, strict=True))
    ]
    return int(np.argmax(scores))


def is_cut_off(logits: NDArray[np.float32], window: Window, size_wh: tuple[int, int]) -> bool:
    """Whether the object continues beyond the window although the image does not end there."""
    inside = logits > 0
    sides = (
        (inside[:, : _RIM_CELLS + 1], window.x > 0),
        (inside[: _RIM_CELLS + 1], window.y > 0),
        (inside[:, -_RIM_CELLS - 1 :], window.x + window.width < size_wh[0]),
        (inside[-_RIM_CELLS - 1 :], window.y + window.height < size_wh[1]),
    )
    return any(bool(rim.any()) and goes_on for rim, goes_on in sides)


def bounds_of(soft: SoftMask) -> Box | None:
    """The box around an answer, xyxy in image pixels; None if it is empty."""
    rows, columns = np.nonzero((soft.logits > 0).any(1))[0], np.nonzero((soft.logits > 0).any(0))[0]
    if not len(rows):
        return None
    (x1, x2), (y1, y2) = (
        (axis.steps[0].start + low * axis.steps[0].pitch, axis.steps[0].start + (high + 1) * axis.steps[0].pitch)
        for axis, low, high in zip(soft.axes, (columns[0], rows[0]), (columns[-1], rows[-1]), strict=True)
    )
    return float(x1), float(y1), float(x2), float(y2)


def _about(centre_xy: tuple[float, float], size_wh: tuple[float, float]) -> Window:
    width, height = round(size_wh[0]), round(size_wh[1])
    return Window(round(centre_xy[0] - width / 2), round(centre_xy[1] - height / 2), width, height)
