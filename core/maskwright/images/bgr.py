"""Pixels of any depth and colour model to BGR uint8."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.images.window import DisplayWindow, auto_window, windowed

BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: white, as in viewers and browsers."""


def pillow_to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """Decode an image of at most 8 bits per sample, (H, W, 3) uint8. Raises DECODER_ERRORS for damaged data."""
    image.load()
    if image.mode != "RGB":
        image = _over_background(image) if image.has_transparency_data else image.convert("RGB")
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)


def deep_to_bgr(samples: NDArray[Any], window: DisplayWindow | None = None) -> NDArray[np.uint8]:
    """(H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA samples of any depth to (H, W, 3) uint8.

    Without a `window` the automatic one.
    """
    plane = samples.reshape(samples.shape[:2]) if samples.ndim == 2 or samples.shape[2] == 1 else samples[:, :, :3]
    shown = windowed(plane, window if window is not None else auto_window(plane))
    if shown.ndim == 2:
        return np.asarray(cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR), np.uint8)
    return shown if samples.shape[2] < 4 else _over_white(shown, samples[:, :, 3])


def _over_white(colour: NDArray[np.uint8], alpha: NDArray[Any]) -> NDArray[np.uint8]:
    top = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1.0
    share = (alpha[:, :, None].astype(np.float32) / top).clip(0, 1)
    blended = colour * share + np.array(BACKGROUND, np.float32) * (1 - share)
    return np.asarray(np.rint(blended), dtype=np.uint8)


def _over_background(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    page = Image.new("RGB", image.size, BACKGROUND)
    page.paste(image, mask=image.getchannel("A"))
    return page
