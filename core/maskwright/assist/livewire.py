"""Live wire: the path along edges from one click to the next (Mortensen and Barrett 1995, "Intelligent scissors").

OpenCV's implementation takes 43 ms for a region of 320 px and 3.6 s for twelve megapixels, so it gets only a region
around the anchor, scaled down to at most 480 px."""

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.window import Window
from maskwright.errors import PromptError
from maskwright.inference.frame import resized

MAX_SIDE_PX = 480
_REACH_PX = 240.0
_STAIRS_PX = 0.75
"""Tolerance in pixels of the small region: the path has a vertex per pixel, far more than anyone wants to edit."""


class LiveWire:
    """The paths from one anchor. Takes a tenth of a second to build and answers at every mouse move; thread-safe."""

    def __init__(
        self, image_bgr: NDArray[np.uint8], anchor_xy: tuple[float, float], *, reach_px: float = _REACH_PX
    ) -> None:
        """Build the paths around `anchor_xy` (continuous pixels) in an (H, W, 3) uint8 image, `reach_px` to each side.

        A caller that is zoomed out passes a larger reach and gets a coarser path. Raises PromptError for an anchor
        outside the image.
        """
        size_wh = image_bgr.shape[1], image_bgr.shape[0]
        self.anchor_xy = _on_image(anchor_xy, size_wh)
        around = Window.around((*self.anchor_xy, *self.anchor_xy), factor=1, margin_px=max(reach_px, 1.0))
        self.window = around.clipped(size_wh)
        cut = self.window.cut(image_bgr)
        scale = min(1.0, MAX_SIDE_PX / max(cut.shape[:2]))
        small_wh = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
        self._scale = np.array(small_wh) / (self.window.width, self.window.height)
        self._small_wh = small_wh
        self._lock = threading.Lock()
        self._scissors: cv2.segmentation.IntelligentScissorsMB | None = None
        if min(small_wh) >= 3:  # smaller regions have no gradient
            self._scissors = cv2.segmentation.IntelligentScissorsMB()
            self._scissors.setEdgeFeatureCannyParameters(32, 100)
            self._scissors.setGradientMagnitudeMaxLimit(200)
            self._scissors.applyImage(np.ascontiguousarray(resized(cut, small_wh)))
            self._scissors.buildMap(self._cell(self.anchor_xy))

    def path_to(self, target_xy: tuple[float, float], *, is_straight: bool = False) -> NDArray[np.float64]:
        """(N, 2) float64, image pixels, from the anchor to the target, both included, N >= 2.

        is_straight: a straight line, for blurred edges. Beyond the reach the path is straight, too. Raises PromptError
        for coordinates that are not finite.
        """
        target = np.array(target_xy, np.float64)
        if not np.isfinite(target).all():
            raise PromptError("a point's coordinates are not numbers")
        line = np.array([self.anchor_xy, target])
        if is_straight or self._scissors is None:
            return line
        with self._lock:
            cells = np.asarray(self._scissors.getContour(self._cell(target.tolist()))).reshape(-1, 1, 2)
        plain = cv2.approxPolyDP(cells.astype(np.int32), _STAIRS_PX, False).reshape(-1, 2)
        way = (plain + 0.5) / self._scale + (self.window.x, self.window.y)
        return np.concatenate((line[:1], way[1:-1], line[1:]))

    def _cell(self, point_xy: "tuple[float, float] | list[float]") -> tuple[int, int]:
        """The pixel of the small region nearest to a point."""
        cell = np.floor((np.array(point_xy) - (self.window.x, self.window.y)) * self._scale)
        x, y = np.clip(cell, 0, np.array(self._small_wh) - 1).astype(int).tolist()
        return x, y


def _on_image(point_xy: tuple[float, float], size_wh: tuple[int, int]) -> tuple[float, float]:
    x, y = (float(value) for value in point_xy)
    if not (0 <= x <= size_wh[0] and 0 <= y <= size_wh[1]):  # also true for NaN
        raise PromptError(f"the point ({x:g}, {y:g}) lies outside the image of {size_wh[0]} x {size_wh[1]}")
    return x, y
