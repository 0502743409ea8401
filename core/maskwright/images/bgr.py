"""Pixels of any depth and colour model to BGR uint8."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

WINDOW_PERCENTILES = (0.1, 99.9)
"""Samples deeper than 8 bits are stretched so that these percentiles become 0 and 255."""
BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: white, as in viewers and browsers."""


def pillow_to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """Decode an image of at most 8 bits per sample, (H, W, 3) uint8. Raises DECODER_ERRORS for damaged data."""
    image.load()
    if image.mode != "RGB":
        image = _over_background(image) if image.has_transparency_data else image.convert("RGB")
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)


def deep_to_bgr(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA samples of any depth to (H, W, 3) uint8."""
    if samples.ndim == 2 or samples.shape[2] == 1:
        return np.asarray(cv2.cvtColor(stretch_to_u8(samples.reshape(samples.shape[:2])), cv2.COLOR_GRAY2BGR), np.uint8)
    colour = stretch_to_u8(samples[:, :, :3])
    if samples.shape[2] < 4:
        return np.ascontiguousarray(colour)
    top = np.iinfo(samples.dtype).max if samples.dtype.kind in "ui" else 1.0
    alpha = (samples[:, :, 3:4].astype(np.float32) / top).clip(0, 1)
    blended = colour * alpha + np.array(BACKGROUND, np.float32) * (1 - alpha)
    return np.asarray(np.rint(blended), dtype=np.uint8)


def stretch_to_u8(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Any number type, (H, W) or (H, W, C), to 0..255 between WINDOW_PERCENTILES of all finite samples."""
    finite = samples[np.isfinite(samples)] if samples.dtype.kind == "f" else samples.reshape(-1)
    if finite.size == 0:
        return np.zeros(samples.shape, np.uint8)
    low, high = (float(value) for value in np.percentile(finite, WINDOW_PERCENTILES))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    stretched = (np.nan_to_num(samples.astype(np.float32), nan=low, posinf=high, neginf=low) - low) * scale
    return np.asarray(np.rint(stretched.clip(0, 255)), dtype=np.uint8)


def _over_background(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    page = Image.new("RGB", image.size, BACKGROUND)
    page.paste(image, mask=image.getchannel("A"))
    return page
