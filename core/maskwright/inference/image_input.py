"""Images that callers may pass to a model: a file, a Pillow image or an array, converted as files are."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from maskwright.errors import InputError
from maskwright.images import read_image
from maskwright.images.bgr import pillow_to_bgr
from maskwright.images.border import damage_reason, decoding
from maskwright.windowing import deep_to_bgr

ImageLike = str | Path | Image.Image | NDArray[Any]
"""A file, read as in `maskwright.images`; a Pillow image; or an array: (H, W) or (H, W, 1) grey, (H, W, 3) BGR, (H,
W, 4) BGRA. More than 8 bits are stretched as for files, transparent pixels are put on white."""
_DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def image_to_bgr(image: ImageLike) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR, upright. Raises ImageError for a damaged file, InputError for anything but an image."""
    if isinstance(image, str | Path):
        return read_image(Path(image)).bgr_u8
    if isinstance(image, Image.Image):
        return _pillow_to_bgr(image)
    if not isinstance(image, np.ndarray):
        raise InputError(f"expected a path, a Pillow image or an array, got {type(image).__name__}")
    return _array_to_bgr(image)


def _pillow_to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    with decoding(Path(getattr(image, "filename", "") or "image"), lambda error: damage_reason("image", error)):
        upright = ImageOps.exif_transpose(image)
        return deep_to_bgr(np.asarray(upright)) if upright.mode in _DEEP_MODES else pillow_to_bgr(upright)


def _array_to_bgr(image: NDArray[Any]) -> NDArray[np.uint8]:
    is_number = image.dtype.kind in "uif"
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3, 4) or not image.size or not is_number:
        kinds = "(H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA"
        raise InputError(f"expected a numeric array, {kinds}, got {image.shape} {image.dtype}")
    if image.dtype != np.uint8:
        return deep_to_bgr(image)
    if channels == 3:
        return np.ascontiguousarray(image)
    if channels == 4:
        return pillow_to_bgr(Image.fromarray(np.ascontiguousarray(image[:, :, [2, 1, 0, 3]])))
    return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
