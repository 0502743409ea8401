"""GrabCut (Rother, Kolmogorov, Blake 2004) as an assistant: no network, only colours. A fallback.

It works on a window scaled down to at most 480 px, where three iterations take a third of a second; at twelve
megapixels they would take minutes."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import PlacedAxis, SoftMask
from maskwright.assist.prompt import Prompt
from maskwright.assist.protocol import Cancel, FeaturesOf, WindowFeatures
from maskwright.assist.window import Window
from maskwright.geometry.raster import mask_iou
from maskwright.inference.async_runner import InferenceCancelledError
from maskwright.inference.frame import resized

MAX_SIDE_PX = 480
_ITERATIONS = 3
_CLICK_SHARE = 0.75
"""Side of the window around clicks without a box, as a fraction of the image's shorter side."""
_LEAST_SIDE_PX = 64
_CLICK_RADIUS = 0.02
"""Radius around a click that is certainly object or background, as a fraction of the window."""
_SURE = 4.0
"""The logit of a pixel far from the edge."""


class GrabCutBackend:
    """See `protocol.Backend`."""

    name = "grabcut"
    content_hash = f"grabcut-{MAX_SIDE_PX}-{_ITERATIONS}"
    device = "CPU"
    device_note = None
    keeps_features = False

    def prepare(self, image_bgr: NDArray[np.uint8], window: Window, cancel: Cancel | None) -> WindowFeatures:
        cut = window.cut(image_bgr)
        scale = min(1.0, MAX_SIDE_PX / max(cut.shape[:2]))
        size_wh = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
        return WindowFeatures(
            window.clipped((image_bgr.shape[1], image_bgr.shape[0])), {"pixels": resized(cut, size_wh)}
        )

    def outline(self, features: WindowFeatures, prompt: Prompt, cancel: Cancel | None) -> SoftMask:
        pixels: NDArray[np.uint8] = features.arrays["pixels"]
        height, width = pixels.shape[:2]
        trimap = _trimap(prompt, features.window, (width, height))
        inside, steadiness = _cut(pixels, trimap, cancel)
        # Blurred, so that enlarging the small grid does not leave a staircase.
        logits = (cv2.GaussianBlur(inside.astype(np.float32), (3, 3), 0) - 0.5) * (2 * _SURE)
        window = features.window
        axes = (
            PlacedAxis.stretched(width, window.x, window.width, prompt.size_wh[0]),
            PlacedAxis.stretched(height, window.y, window.height, prompt.size_wh[1]),
        )
        return SoftMask(np.asarray(logits, np.float32), axes, steadiness)

    def answers(self, features_of: FeaturesOf, prompts: Sequence[Prompt], cancel: Cancel | None) -> list[SoftMask]:
        return [self.outline(features_of(_window(prompt)), prompt, cancel) for prompt in prompts]


def _window(prompt: Prompt) -> Window:
    """A box or outline with a margin; around clicks a square of a guessed size."""
    least = max(_CLICK_SHARE * min(prompt.size_wh), _LEAST_SIDE_PX)
    if prompt.box_xyxy is not None or prompt.mask is not None:
        window = Window.around(prompt.extent_xyxy, factor=1.4, margin_px=8)
    else:
        window = Window.around(prompt.extent_xyxy, factor=1.5, margin_px=least / 2)
    return window.clipped(prompt.size_wh)


def _trimap(prompt: Prompt, window: Window, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """What is known in advance, in GrabCut's labels."""
    scale = np.array(size_wh) / (window.width, window.height)
    trimap = np.full(size_wh[::-1], cv2.GC_PR_BGD, np.uint8)
    if prompt.mask is not None:
        small = cv2.resize(prompt.mask.inside(window.bounds_xyxy).view(np.uint8), size_wh, interpolation=cv2.INTER_AREA)
        trimap[np.asarray(small) > 0] = cv2.GC_PR_FGD
    if prompt.box_xyxy is not None:
        corners = (np.reshape(prompt.box_xyxy, (2, 2)) - (window.x, window.y)) * scale
        (left, top), (right, bottom) = np.floor(corners[0]).astype(int), np.ceil(corners[1]).astype(int)
        inside = np.zeros(trimap.shape, np.bool_)
        inside[top:bottom, left:right] = True
        if prompt.mask is None:
            trimap[inside] = cv2.GC_PR_FGD
        trimap[~inside] = cv2.GC_BGD
    if prompt.box_xyxy is None and prompt.mask is None:
        _guess(trimap, prompt, window, scale)
    for point, label in zip(prompt.points_xy, prompt.labels.tolist(), strict=True):
        _dab(trimap, (point - (window.x, window.y)) * scale, _CLICK_RADIUS, cv2.GC_FGD if label else cv2.GC_BGD)
    return trimap


def _guess(trimap: NDArray[np.uint8], prompt: Prompt, window: Window, scale: NDArray[np.float64]) -> None:
    """For clicks without a box: probably object around the clicks inside, background at the window's edge."""
    for point in prompt.points_xy[prompt.labels == 1]:
        _dab(trimap, (point - (window.x, window.y)) * scale, 0.25, cv2.GC_PR_FGD)
    if min(trimap.shape) > 2:
        trimap[0], trimap[-1], trimap[:, 0], trimap[:, -1] = (cv2.GC_BGD,) * 4


def _dab(trimap: NDArray[np.uint8], centre: NDArray[np.float64], share: float, value: int) -> None:
    at = np.clip(np.floor(centre), 0, np.array(trimap.shape[::-1]) - 1).astype(int).tolist()
    cv2.circle(trimap, at, round(share * max(trimap.shape)), value, cv2.FILLED)


def _cut(
    pixels: NDArray[np.uint8], trimap: NDArray[np.uint8], cancel: Cancel | None
) -> tuple[NDArray[np.bool_], float]:
    """(h, w) bool, and how little the last iteration changed it (IoU), used as the predicted quality."""
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    before = inside = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    for number in range(_ITERATIONS):
        if cancel is not None and cancel.is_set():
            raise InferenceCancelledError("cancelled")
        if not inside.any() or inside.all():
            return inside, 0.0  # one colour only: nothing to separate
        before = inside
        cv2.setRNGSeed(0)  # k-means draws at random; the same press must give the same outline
        cv2.grabCut(
            pixels, trimap, (0, 0, 0, 0), background, foreground, 1, cv2.GC_EVAL if number else cv2.GC_INIT_WITH_MASK
        )
        inside = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    return inside, float(mask_iou(inside, before))
