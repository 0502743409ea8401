"""A rough sort of micrograph, to draw rare kinds more often in training and to report quality by kind."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

COLOURFUL_SPREAD = 8.0
LARGE_SIDE_PX = 600


class Kind(StrEnum):
    """What the picture looks like, not how it was made."""

    STAINED = "stained"
    BRIGHT_FIELD = "bright-field"
    FLUORESCENCE = "fluorescence"
    LARGE_FLUORESCENCE = "large fluorescence"


def image_kind(image: NDArray[np.uint8]) -> Kind:
    """Sort by colourfulness, brightness and size; image (H, W, 3), any channel order."""
    spread = float((image.max(2).astype(np.float32) - image.min(2)).mean())
    if spread > COLOURFUL_SPREAD:
        return Kind.STAINED
    if float(image.mean()) > 127:
        return Kind.BRIGHT_FIELD
    return Kind.LARGE_FLUORESCENCE if max(image.shape[:2]) >= LARGE_SIDE_PX else Kind.FLUORESCENCE
