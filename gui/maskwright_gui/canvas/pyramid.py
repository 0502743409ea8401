"""An image at full size and halved again and again, so that a small view never touches all the pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

_SMALLEST_SIDE = 256


@dataclass(frozen=True, slots=True, eq=False)
class ImagePyramid:
    """`levels[k]` is the image at 1 / 2**k. Building one needs no GUI thread; a loader may do it in its own."""

    levels: tuple[QImage, ...]
    size_wh: tuple[int, int]
    """Image pixels that the whole picture stands for: larger than `levels[0]` while only a preview is there."""

    @classmethod
    def of(cls, image: QImage, size_wh: tuple[int, int] | None = None) -> "ImagePyramid":
        """`size_wh` is the true size when `image` is a reduced preview."""
        base = image if image.format() == QImage.Format.Format_RGB32 else _as_rgb32(image)
        levels = [base]
        pixels = image_pixels(base)
        while max(pixels.shape[:2]) > 2 * _SMALLEST_SIDE:
            half = QImage(max(pixels.shape[1] // 2, 1), max(pixels.shape[0] // 2, 1), QImage.Format.Format_RGB32)
            halved = writable_pixels(half)
            cv2.resize(pixels, (half.width(), half.height()), dst=halved, interpolation=cv2.INTER_AREA)
            levels.append(half)
            pixels = halved
        return cls(tuple(levels), size_wh or (image.width(), image.height()))

    def level_for(self, device_scale: float) -> QImage:
        """The smallest level that still has at least one pixel per device pixel."""
        best = self.levels[0]
        for level in self.levels:
            if level.width() / self.size_wh[0] < device_scale * 0.999:
                break
            best = level
        return best

    @property
    def sharpest_scale(self) -> float:
        """Device pixels per image pixel at which the base is shown one to one."""
        return self.levels[0].width() / self.size_wh[0]

    def value_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """(red, green, blue) of the image pixel that holds the point; None outside the image."""
        if not (0 <= x < self.size_wh[0] and 0 <= y < self.size_wh[1]):
            return None
        base = self.levels[0]
        column, row = int(x * base.width() / self.size_wh[0]), int(y * base.height() / self.size_wh[1])
        colour = base.pixelColor(column, row)
        return colour.red(), colour.green(), colour.blue()


def image_pixels(image: QImage) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 BGRX view of an RGB32 image; valid while the image lives."""
    view: NDArray[np.uint8] = np.frombuffer(image.constBits(), np.uint8)
    return view.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()]


def writable_pixels(image: QImage) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 view of a 32-bit image, to draw into; valid while the image lives and is not copied."""
    view: NDArray[np.uint8] = np.frombuffer(image.bits(), np.uint8)
    return view.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()]


def _as_rgb32(image: QImage) -> QImage:
    if image.hasAlphaChannel():
        backed = QImage(image.size(), QImage.Format.Format_RGB32)
        backed.fill(Qt.GlobalColor.white)
        painter = QPainter(backed)
        painter.drawImage(0, 0, image)
        painter.end()
        return backed
    return image.convertToFormat(QImage.Format.Format_RGB32)
