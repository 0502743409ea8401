"""An image at full size and repeatedly halved, so that a small view never touches all the pixels."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from maskwright.images.identity import SeenFile
from maskwright.windowing import deep_to_bgr, windowed
from maskwright_gui.canvas.deep import DeepImage, Samples

_SMALLEST_SIDE = 256
_BAND_ROWS = 256
_LARGE_PIXELS = 40_000_000
"""From this many pixels on, the base keeps one or three bytes per pixel: slower to draw, but 108 megapixels save 108
MB.
"""


TO_BGRA = {1: cv2.COLOR_GRAY2BGRA, 3: cv2.COLOR_BGR2BGRA}
"""cv2 conversion to BGRA by number of channels."""
_KEPT_FORMATS = (QImage.Format.Format_RGB32, QImage.Format.Format_BGR888)


@dataclass(frozen=True, slots=True, eq=False)
class ImagePyramid:
    """An image at several sizes: `levels[k]` is at 1 / 2**k. May be built in any thread."""

    levels: tuple[QImage, ...]
    size_wh: tuple[int, int]
    """Size of the true image: larger than `levels[0]` while only a preview is loaded."""
    owner: object = None
    """The object that holds the memory of `levels[0]`, kept alive with it."""
    deep: DeepImage | None = None
    """The samples, if the file has more than 8 bits."""
    seen: SeenFile | None = None
    """Identity of the file just before it was read; None if these are not the pixels a model would get."""

    @classmethod
    def of(cls, image: QImage, size_wh: tuple[int, int] | None = None) -> "ImagePyramid":
        """From a picture; `size_wh` is the true size if `image` is a reduced preview."""
        base = image if image.format() in _KEPT_FORMATS else _as_rgb32(image)
        return cls._over(base, size_wh)

    @classmethod
    def of_bgr(cls, bgr_u8: NDArray[np.uint8], size_wh: tuple[int, int] | None = None) -> "ImagePyramid":
        """From (H, W, 3) uint8 BGR, contiguous. A large array is used without a copy and must not change. Raises
        MemoryError.
        """
        height, width = bgr_u8.shape[:2]
        if width * height > _LARGE_PIXELS:
            base = QImage(bgr_u8.data, width, height, bgr_u8.strides[0], QImage.Format.Format_BGR888)
            return cls._over(base, size_wh, owner=bgr_u8)
        return cls._over(bgr_to_qimage(bgr_u8), size_wh)

    @classmethod
    def of_samples(cls, samples: Samples) -> "ImagePyramid":
        """From samples as `read_samples` gives them, shown with the automatic window. Raises MemoryError."""
        deep = DeepImage(samples)
        height, width = samples.shape[:2]
        if deep.samples.ndim == 2 and width * height > _LARGE_PIXELS:
            grey = windowed(deep.samples, deep.auto)
            base = QImage(grey.data, width, height, grey.strides[0], QImage.Format.Format_Grayscale8)
            return replace(cls._over(base, None, owner=grey), deep=deep)
        return replace(cls.of_bgr(deep_to_bgr(deep.samples, deep.auto)), deep=deep)

    def bgr(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 BGR, contiguous, of the base level: exactly the pixels it was made from."""
        pixels = image_pixels(self.levels[0])
        if pixels.shape[2] == 3:
            return np.ascontiguousarray(pixels)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8)

    @property
    def byte_count(self) -> int:
        """Memory used by all levels, in bytes."""
        return sum(level.sizeInBytes() for level in self.levels) + (self.deep.byte_count if self.deep else 0)

    @classmethod
    def _over(cls, base: QImage, size_wh: tuple[int, int] | None, *, owner: object = None) -> "ImagePyramid":
        levels = [base]
        pixels = image_pixels(base)
        while max(pixels.shape[:2]) > 2 * _SMALLEST_SIDE:
            width, height = max(pixels.shape[1] // 2, 1), max(pixels.shape[0] // 2, 1)
            stays_lean = pixels.shape[2] < 4 and width * height > _LARGE_PIXELS // 8
            half = QImage(width, height, levels[-1].format() if stays_lean else QImage.Format.Format_RGB32)
            if half.isNull():
                raise MemoryError
            halved = writable_pixels(half)
            _halve(pixels, halved)
            levels.append(half)
            pixels = halved
        return cls(tuple(levels), size_wh or (base.width(), base.height()), owner)

    def level_number(self, device_scale: float) -> int:
        """Number of the smallest level with at least one pixel per device pixel; else 0."""
        enough = [level.width() / self.size_wh[0] >= device_scale * 0.999 for level in self.levels]
        return max(enough.index(False) - 1, 0) if False in enough else len(enough) - 1

    def level_for(self, device_scale: float) -> QImage:
        """The smallest level at least as fine as the screen at this zoom."""
        return self.levels[self.level_number(device_scale)]

    @property
    def sharpest_scale(self) -> float:
        """Device pixels per image pixel at which the base is shown one to one."""
        return self.levels[0].width() / self.size_wh[0]

    def value_at(self, x: float, y: float) -> tuple[float, ...] | None:
        """(red, green, blue) of the image pixel at the point, or the file's samples; None outside.

        Empty while only a preview is loaded, since its pixels are not the file's.
        """
        if not (0 <= x < self.size_wh[0] and 0 <= y < self.size_wh[1]):
            return None
        if self.deep is not None:
            return self.deep.value_at(int(x), int(y))
        base = self.levels[0]
        if (base.width(), base.height()) != self.size_wh:
            return ()
        colour = base.pixelColor(int(x), int(y))
        return colour.red(), colour.green(), colour.blue()


def image_pixels(image: QImage) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 BGRX view of an RGB32 image, (H, W, 3) BGR of a BGR888 one, (H, W, 1) of a grey one.

    Valid while the image lives.
    """
    return _pixels(np.frombuffer(image.constBits(), np.uint8), image)


def writable_pixels(image: QImage) -> NDArray[np.uint8]:
    """Like `image_pixels`, for drawing; valid while the image lives and is not copied."""
    return _pixels(np.frombuffer(image.bits(), np.uint8), image)


def _pixels(memory: NDArray[np.uint8], image: QImage) -> NDArray[np.uint8]:
    """(H, W, channels) over the rows of an image, which may be padded."""
    channels, row = image.depth() // 8, image.bytesPerLine()
    shape = (image.height(), image.width(), channels)
    return np.lib.stride_tricks.as_strided(memory, shape, (row, channels, 1))


def bgr_to_qimage(bgr_u8: NDArray[np.uint8]) -> QImage:
    """A QImage that owns its pixels, from (H, W, 3) uint8 BGR; raises MemoryError.

    OpenCV writes straight into Qt's buffer: it converts without the interpreter lock, and nothing is copied twice.
    """
    image = QImage(bgr_u8.shape[1], bgr_u8.shape[0], QImage.Format.Format_RGB32)
    if image.isNull():
        raise MemoryError
    cv2.cvtColor(bgr_u8, cv2.COLOR_BGR2BGRA, dst=writable_pixels(image))
    return image


def _halve(pixels: NDArray[np.uint8], into: NDArray[np.uint8]) -> None:
    size = (into.shape[1], into.shape[0])
    if pixels.shape[2] == into.shape[2]:
        cv2.resize(pixels, size, dst=into, interpolation=cv2.INTER_AREA)
        return
    rows = _BAND_ROWS if pixels.shape[0] == 2 * size[1] else size[1]  # an odd height cannot be cut into even bands
    for top in range(0, size[1], rows):
        band = into[top : top + rows]
        source = pixels[2 * top : 2 * top + 2 * rows] if rows < size[1] else pixels
        small = cv2.resize(source, (size[0], len(band)), interpolation=cv2.INTER_AREA)
        cv2.cvtColor(small, TO_BGRA[pixels.shape[2]], dst=band)


def _as_rgb32(image: QImage) -> QImage:
    if image.hasAlphaChannel():
        backed = QImage(image.size(), QImage.Format.Format_RGB32)
        backed.fill(Qt.GlobalColor.white)
        painter = QPainter(backed)
        painter.drawImage(0, 0, image)
        painter.end()
        return backed
    return image.convertToFormat(QImage.Format.Format_RGB32)
