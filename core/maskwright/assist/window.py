"""A rectangle of an image for a backend to look at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """Whole pixels of an image; may extend beyond it."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, size_wh: tuple[int, int]) -> "Window":
        """The whole image."""
        return cls(0, 0, *size_wh)

    @classmethod
    def around(cls, bounds_xyxy: tuple[float, float, float, float], *, factor: float, margin_px: float) -> "Window":
        """`bounds_xyxy` scaled about its centre by `factor`, then extended on each side by `margin_px`."""
        x1, y1, x2, y2 = bounds_xyxy
        half_w, half_h = (x2 - x1) / 2 * factor + margin_px, (y2 - y1) / 2 * factor + margin_px
        left, top = np.floor(((x1 + x2) / 2 - half_w, (y1 + y2) / 2 - half_h)).astype(int).tolist()
        right, bottom = np.ceil(((x1 + x2) / 2 + half_w, (y1 + y2) / 2 + half_h)).astype(int).tolist()
        return cls(left, top, max(right - left, 1), max(bottom - top, 1))

    @property
    def bounds_xyxy(self) -> tuple[int, int, int, int]:
        """Whole image pixels, xyxy."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def clipped(self, size_wh: tuple[int, int]) -> "Window":
        """The part of it on the image; at least one pixel."""
        left, top = (min(max(low, 0), size - 1) for low, size in zip((self.x, self.y), size_wh, strict=True))
        right, bottom = min(self.x + self.width, size_wh[0]), min(self.y + self.height, size_wh[1])
        return Window(left, top, max(right - left, 1), max(bottom - top, 1))

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels (h, w, 3) of the part on the image, as a view."""
        inner = self.clipped((image.shape[1], image.shape[0]))
        return image[inner.y : inner.y + inner.height, inner.x : inner.x + inner.width]
