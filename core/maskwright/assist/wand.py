"""Magic wand: what is connected to a click and has its colour, within a disc.

The disc is QuPath's idea: without it one gap in an edge lets the wand flood the whole image. Its size follows the zoom,
so that the user sees how far it reaches."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import PlacedAxis, SoftMask
from maskwright.assist.prompt import MaskCrop
from maskwright.assist.window import Window
from maskwright.errors import PromptError
from maskwright.inference.frame import resized

MAX_SIDE_PX = 480
_SEED_PX = 2
"""Radius around the click in which colour and noise are measured."""
_NOISE_FACTOR = 3.0
_LEAST_TOLERANCE = 6.0
"""In CIE Lab, where a difference of two is just visible."""


def wand(
    image_bgr: NDArray[np.uint8],
    point_xy: tuple[float, float],
    radius_px: float,
    tolerance: float | None = None,
) -> MaskCrop:
    """The selected pixels at `point_xy` of an (H, W, 3) uint8 image, within `radius_px`; always includes the click's
    pixel.

    tolerance: largest distance in CIE Lab from the colour at the click; None to derive it from the noise there. Large
    discs are processed scaled down to 480 px. Raises PromptError for a click outside the image or a radius that is not
    positive and finite.
    """
    height, width = image_bgr.shape[:2]
    x, y = (float(value) for value in point_xy)
    if not (0 <= x <= width and 0 <= y <= height):
        raise PromptError(f"the point ({x:g}, {y:g}) lies outside the image of {width} x {height}")
    if not 0 < radius_px < np.inf:
        raise PromptError(f"expected a wand radius above 0, got {radius_px:g}")
    window = Window.around((x, y, x, y), factor=1, margin_px=radius_px).clipped((width, height))
    cut = window.cut(image_bgr)
    scale = min(1.0, MAX_SIDE_PX / max(cut.shape[:2]))
    small_wh = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
    centre = (np.array((x, y)) - (window.x, window.y)) * np.array(small_wh) / (window.width, window.height)
    inside = _filled(resized(cut, small_wh), centre, radius_px * scale, tolerance)
    return _placed(inside, window, (width, height), scale)


def _filled(
    pixels: NDArray[np.uint8], centre: NDArray[np.float64], radius: float, tolerance: float | None
) -> NDArray[np.bool_]:
    """(h, w) bool: similar colour, 4-connected to the centre, inside the disc."""
    height, width = pixels.shape[:2]
    column, row = np.clip(np.floor(centre), 0, (width - 1, height - 1)).astype(int).tolist()
    smooth = cv2.GaussianBlur(pixels, (3, 3), 0) if min(pixels.shape[:2]) >= 3 else pixels
    lab = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    seed = lab[max(row - _SEED_PX, 0) : row + _SEED_PX + 1, max(column - _SEED_PX, 0) : column + _SEED_PX + 1]
    colour = np.median(seed.reshape(-1, 3), axis=0)
    distance = np.linalg.norm(lab - colour, axis=2)
    if tolerance is None:
        noise = np.median(np.linalg.norm(seed.reshape(-1, 3) - colour, axis=1))
        tolerance = max(_NOISE_FACTOR * float(noise), _LEAST_TOLERANCE)
    rows, columns = np.ogrid[:height, :width]
    disc = (rows + 0.5 - centre[1]) ** 2 + (columns + 0.5 - centre[0]) ** 2 <= radius**2
    alike = (distance <= tolerance) & disc
    alike[row, column] = True
    _, labels = cv2.connectedComponents(alike.view(np.uint8), connectivity=4)
    found = np.asarray(labels == labels[row, column])
    closed = cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray((np.asarray(closed).view(np.bool_) & disc) | found)


def _placed(inside: NDArray[np.bool_], window: Window, size_wh: tuple[int, int], scale: float) -> MaskCrop:
    """At image resolution; blurred before enlarging, so that the edge is not a staircase."""
    height, width = inside.shape
    logits = inside.astype(np.float32) - np.float32(0.5)
    if scale < 1:
        logits = np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (3, 3), 0) - 0.5, np.float32)
        logits = np.where(inside & (logits <= 0), np.float32(0.01), logits)  # thin structures survive the blur
    axes = (
        PlacedAxis.stretched(width, window.x, window.width, size_wh[0]),
        PlacedAxis.stretched(height, window.y, window.height, size_wh[1]),
    )
    return MaskCrop(*SoftMask(logits, axes, 1.0).mask())
