"""The image on screen: resampled once per zoom and blitted from then on.

Shrinking by cv2 takes a fifth of the time that QPainter's smooth scaling does; enlarging shows square pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from maskwright_gui.canvas.layer_view import aligned_view, is_aligned
from maskwright_gui.canvas.pyramid import ImagePyramid, image_pixels, writable_pixels
from maskwright_gui.canvas.raster import LayerView
from maskwright_gui.canvas.viewport import Viewport

_MARGIN_SCREEN_PX = 64
_BAND_PIXELS = 1 << 16
"""cv2 shares larger areas between threads; waiting for them on a busy machine takes longer than the work itself."""


@dataclass(frozen=True, slots=True)
class DisplayAdjust:
    """How pixels are shown; the file is never touched."""

    brightness: float = 0.0
    """-1 to 1: added after the contrast."""
    contrast: float = 0.0
    """-1 to 1: 0 leaves it as it is, 1 is nearly black and white."""
    gamma: float = 1.0
    """Above 1 lightens the dark parts."""

    @property
    def is_neutral(self) -> bool:
        return self == DisplayAdjust()

    def table(self) -> NDArray[np.uint8]:
        """(256,) what each channel value becomes."""
        values = (np.arange(256) / 255.0) ** (1.0 / max(self.gamma, 0.05))
        slope = np.tan((min(max(self.contrast, -0.98), 0.98) + 1.0) * np.pi / 4)
        values = (values - 0.5) * slope + 0.5 + self.brightness
        table: NDArray[np.uint8] = np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
        return table


class ImageLayer:
    """Holds the pyramid of the image shown and the part of it that is on screen, at screen size."""

    def __init__(self) -> None:
        self.pyramid: ImagePyramid | None = None
        self._adjust = DisplayAdjust()
        self._shown: tuple[LayerView, QImage] | None = None

    @property
    def adjust(self) -> DisplayAdjust:
        return self._adjust

    def set_pyramid(self, pyramid: ImagePyramid | None) -> None:
        self.pyramid, self._shown = pyramid, None

    def set_adjust(self, adjust: DisplayAdjust) -> None:
        self._adjust, self._shown = adjust, None

    def covers(self, area: QRectF, viewport: Viewport) -> bool:
        """Whether the image fills the whole screen area."""
        if self.pyramid is None:
            return False
        left, top = viewport.to_screen(0.0, 0.0)
        right, bottom = viewport.to_screen(*map(float, viewport.image_wh))
        return left <= area.left() and top <= area.top() and right >= area.right() and bottom >= area.bottom()

    def draw(self, painter: QPainter, viewport: Viewport, ratio: float, *, is_moving: bool = False) -> None:
        """While `is_moving` a new zoom is shown from the nearest level at once; the smooth picture comes after it."""
        if self.pyramid is None:
            return
        is_new_scale = self._shown is None or self._shown[0].scale != viewport.scale * ratio
        if viewport.scale * ratio >= self.pyramid.sharpest_scale:
            self._draw_squares(painter, viewport, self.pyramid.levels[0])
            return
        if is_moving and is_new_scale:
            self._draw_squares(painter, viewport, self.pyramid.level_for(viewport.scale * ratio))
            return
        view = self._resampled(viewport, ratio)
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        x, y = viewport.offset_x * ratio + view[0].origin_x, viewport.offset_y * ratio + view[0].origin_y
        painter.drawImage(QPointF(round(x), round(y)), view[1])
        painter.restore()

    def _resampled(self, viewport: Viewport, ratio: float) -> tuple[LayerView, QImage]:
        if self._shown is None or not is_aligned(self._shown[0], viewport, ratio, margin_screen_px=0, rim_screen_px=0):
            view = aligned_view(viewport, ratio, margin_screen_px=_MARGIN_SCREEN_PX, rim_screen_px=0)
            image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
            self._resample(view, writable_pixels(image))
            self._shown = (view, image)
        return self._shown

    def _resample(self, view: LayerView, into: NDArray[np.uint8]) -> None:
        assert self.pyramid is not None, "there is an image to draw"
        level = self.pyramid.level_for(view.scale)
        step_x = level.width() / self.pyramid.size_wh[0] / view.scale
        step_y = level.height() / self.pyramid.size_wh[1] / view.scale
        source, flags = image_pixels(level), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        rows = max(_BAND_PIXELS // view.width, 1)
        for top in range(0, view.height, rows):
            band = into[top : top + rows]
            # from pixel centres of the screen to pixel centres of the level
            start_x, start_y = (view.origin_x + 0.5) * step_x - 0.5, (view.origin_y + top + 0.5) * step_y - 0.5
            inverse = np.array([[step_x, 0.0, start_x], [0.0, step_y, start_y]])
            size = (view.width, len(band))
            if source.shape[2] == 4:
                cv2.warpAffine(source, inverse, size, dst=band, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            else:
                warped = cv2.warpAffine(source, inverse, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
                cv2.cvtColor(warped, cv2.COLOR_BGR2BGRA, dst=band)
        if not self._adjust.is_neutral:
            cv2.LUT(into, self._adjust.table(), dst=into)

    def _draw_squares(self, painter: QPainter, viewport: Viewport, base: QImage) -> None:
        """The visible part of a level, each pixel a square; smooth while only a small preview is there."""
        assert self.pyramid is not None, "there is an image to draw"
        width, height = self.pyramid.size_wh
        per_x, per_y = base.width() / width, base.height() / height
        x1, y1, x2, y2 = viewport.visible_box
        left, top = max(int(x1 * per_x) - 1, 0), max(int(y1 * per_y) - 1, 0)
        right, bottom = min(int(x2 * per_x) + 2, base.width()), min(int(y2 * per_y) + 2, base.height())
        if left >= right or top >= bottom:
            return
        corner = viewport.to_screen(left / per_x, top / per_y)
        size = ((right - left) / per_x * viewport.scale, (bottom - top) / per_y * viewport.scale)
        is_preview = self.pyramid.sharpest_scale < 1.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_preview)
        source = QRectF(left, top, right - left, bottom - top)
        if not self._adjust.is_neutral:
            base = self._adjusted(base.copy(source.toRect()).convertToFormat(QImage.Format.Format_RGB32))
            source = QRectF(base.rect())
        painter.drawImage(QRectF(*corner, *size), base, source)

    def _adjusted(self, image: QImage) -> QImage:
        pixels = writable_pixels(image)
        cv2.LUT(pixels, self._adjust.table(), dst=pixels)
        return image
