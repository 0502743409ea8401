"""Converts pixels of at most 8 bits per sample and any colour model to BGR uint8."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.windowing import BACKGROUND


def pillow_to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """Decode an image of at most 8 bits per sample to (H, W, 3) uint8. Raises DECODER_ERRORS for damaged data."""
    image.load()
    if image.mode != "RGB":
        image = _over_background(image) if image.has_transparency_data else image.convert("RGB")
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _over_background(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    page = Image.new("RGB", image.size, BACKGROUND)
    page.paste(image, mask=image.getchannel("A"))
    return page
