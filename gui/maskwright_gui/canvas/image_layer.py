"""The image on screen: resampled once per zoom, then copied.

Shrinking by cv2 takes a fifth of the time of QPainter's smooth scaling; enlarging shows square pixels.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QRegion

from maskwright.windowing import DisplayWindow
from maskwright_gui.canvas.deep import DisplayAdjust, shown
from maskwright_gui.canvas.layer_view import aligned_view, is_aligned
from maskwright_gui.canvas.pyramid import TO_BGRA, ImagePyramid, image_pixels, writable_pixels
from maskwright_gui.canvas.raster import LayerView
from maskwright_gui.canvas.viewport import Viewport

_MARGIN_SCREEN_PX = 64
_OFF_HALVES_PX = 0.02
"""Qt rounds halves away from zero: a picture that begins at one would move when its origin does by whole pixels."""
_AHEAD = 2
"""How many prepared pictures of other images are kept, each of screen size."""
_BAND_PIXELS = 1 << 16
"""cv2 splits larger areas between threads, and on a busy machine waiting for those takes longer than the work."""


class ImageLayer:
    """Holds the pyramid of the current image and its visible part at screen size."""

    def __init__(self) -> None:
        self.pyramid: ImagePyramid | None = None
        self._adjust = DisplayAdjust()
        self._shown: tuple[LayerView, QImage] | None = None
        self._crop: tuple[int, QRect, QImage] | None = None
        """(level, which part of it, its pixels adjusted)."""
        self._ahead: deque[_Ahead] = deque(maxlen=_AHEAD)

    @property
    def adjust(self) -> DisplayAdjust:
        """The display settings in use."""
        return self._adjust

    def set_pyramid(self, pyramid: ImagePyramid | None) -> None:
        """Set the image to paint; None for none."""
        self.pyramid, self._shown, self._crop = pyramid, self._made_ahead(pyramid), None

    def prepare(self, pyramid: ImagePyramid, viewport: Viewport, ratio: float, pool: ThreadPoolExecutor) -> None:
        """Resample another image in `pool`, as it will be needed when shown with that viewport."""
        if viewport.scale * ratio >= pyramid.sharpest_scale:
            return
        view = aligned_view(viewport, ratio, margin_screen_px=_MARGIN_SCREEN_PX, rim_screen_px=0)
        if all(known.pyramid is not pyramid or known.view != view for known in self._ahead):
            picture = pool.submit(_resampled, pyramid, view, self._adjust)
            self._ahead.append(_Ahead(pyramid, view, picture))

    def _made_ahead(self, pyramid: ImagePyramid | None) -> tuple[LayerView, QImage] | None:
        for known in self._ahead:
            if known.pyramid is pyramid and known.picture.done():
                return known.view, known.picture.result()
        return None

    def set_adjust(self, adjust: DisplayAdjust) -> None:
        """Set the display settings."""
        self._adjust, self._shown, self._crop = adjust, None, None
        self._ahead.clear()

    def uncovered(self, area: QRectF, viewport: Viewport) -> list[QRect]:
        """The parts of a screen area that the image leaves uncovered, including pixels that it covers only in part."""
        whole = area.toAlignedRect()
        if self.pyramid is None:
            return [whole]
        corner, size = viewport.to_screen(0.0, 0.0), viewport.image_wh
        filled = QRectF(*corner, size[0] * viewport.scale, size[1] * viewport.scale)
        if filled.contains(area):
            return []
        inside = filled.toAlignedRect().adjusted(1, 1, -1, -1)
        return list(cast("Iterable[QRect]", QRegion(whole) - QRegion(inside)))  # the stubs: a region is iterable

    def is_enlarged(self, viewport: Viewport, ratio: float) -> bool:
        """Whether Qt enlarges pixels to squares on each paint."""
        return self.pyramid is not None and viewport.scale * ratio >= self.pyramid.sharpest_scale

    def draw(self, painter: QPainter, viewport: Viewport, ratio: float, *, is_moving: bool = False) -> None:
        """Paint the image. While `is_moving`, a new zoom is drawn from the nearest level at once; the smooth picture
        follows.
        """
        if self.pyramid is None:
            return
        scale = viewport.scale * ratio
        if self.is_enlarged(viewport, ratio):
            self._draw_squares(painter, viewport, 0)
            return
        if is_moving and (self._shown is None or self._shown[0].scale != scale):
            # adjusted pixels come from a coarser level: a quarter of the work per frame
            self._draw_squares(painter, viewport, self.pyramid.level_number(scale if self._is_plain else scale / 2))
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
            assert self.pyramid is not None, "there is an image to draw"
            self._shown = (view, _resampled(self.pyramid, view, self._adjust))
        return self._shown

    def _draw_squares(self, painter: QPainter, viewport: Viewport, number: int) -> None:
        """Paint the visible part of a level, each pixel a square; smoothed while only a small preview is loaded."""
        assert self.pyramid is not None, "there is an image to draw"
        level, (width, height) = self.pyramid.levels[number], self.pyramid.size_wh
        per_x, per_y = level.width() / width, level.height() / height
        x1, y1, x2, y2 = viewport.visible_box
        left, top = max(int(x1 * per_x) - 1, 0), max(int(y1 * per_y) - 1, 0)
        right, bottom = min(int(x2 * per_x) + 2, level.width()), min(int(y2 * per_y) + 2, level.height())
        if left >= right or top >= bottom:
            return
        x, y = viewport.to_screen(left / per_x, top / per_y)
        corner = (x - _OFF_HALVES_PX, y - _OFF_HALVES_PX)
        size = ((right - left) / per_x * viewport.scale, (bottom - top) / per_y * viewport.scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.pyramid.sharpest_scale < 1.0)
        image, area = level, QRect(left, top, right - left, bottom - top)
        if not self._is_plain:
            inside, image = self._adjusted(number, area)
            area.translate(-inside.topLeft())
        painter.drawImage(QRectF(*corner, *size), image, QRectF(area))

    @property
    def _window(self) -> DisplayWindow | None:
        return _chosen_window(self.pyramid, self._adjust)

    @property
    def _is_plain(self) -> bool:
        return self._adjust.is_neutral and self._window is None

    def _adjusted(self, number: int, area: QRect) -> tuple[QRect, QImage]:
        """An adjusted part of a level that contains `area`; cached, so that hovering and short pans adjust nothing
        again.
        """
        assert self.pyramid is not None, "there is an image to draw"
        if self._crop is not None and self._crop[0] == number and self._crop[1].contains(area):
            return self._crop[1:]
        margin = max(area.width(), area.height()) // 8
        inside = area.adjusted(-margin, -margin, margin, margin).intersected(self.pyramid.levels[number].rect())
        image = self._taken(number, inside)
        if not self._adjust.is_neutral:
            pixels = writable_pixels(image)
            cv2.LUT(pixels, self._adjust.table(), dst=pixels)
        self._crop = (number, inside, image)
        return inside, image

    def _taken(self, number: int, inside: QRect) -> QImage:
        """A part of a level as a separate image."""
        assert self.pyramid is not None, "there is an image to draw"
        deep, window = self.pyramid.deep, self._window
        if deep is None or window is None:
            return self.pyramid.levels[number].copy(inside).convertToFormat(QImage.Format.Format_RGB32)
        rows, columns = slice(inside.top(), inside.bottom() + 1), slice(inside.left(), inside.right() + 1)
        image = QImage(inside.size(), QImage.Format.Format_RGB32)
        writable_pixels(image)[:] = shown(deep.level(number)[rows, columns], window)
        return image


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    pyramid: ImagePyramid
    view: LayerView
    picture: "Future[QImage]"


def _chosen_window(pyramid: ImagePyramid | None, adjust: DisplayAdjust) -> DisplayWindow | None:
    """The display window that the user chose for samples of this type."""
    deep = pyramid.deep if pyramid is not None else None
    return adjust.windows.get(deep.kind) if deep is not None else None


def _resampled(pyramid: ImagePyramid, view: LayerView, adjust: DisplayAdjust) -> QImage:
    """The part of an image that `view` covers, at screen size. Callable from any thread."""
    image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    into = writable_pixels(image)
    number, window, deep = pyramid.level_number(view.scale), _chosen_window(pyramid, adjust), pyramid.deep
    level = pyramid.levels[number]
    step_x = level.width() / pyramid.size_wh[0] / view.scale
    step_y = level.height() / pyramid.size_wh[1] / view.scale
    source = deep.level(number) if deep is not None and window is not None else image_pixels(level)
    rows = max(_BAND_PIXELS // view.width, 1)
    for top in range(0, view.height, rows):
        band = into[top : top + rows]
        # from pixel centres of the screen to pixel centres of the level
        start_x, start_y = (view.origin_x + 0.5) * step_x - 0.5, (view.origin_y + top + 0.5) * step_y - 0.5
        inverse = np.array([[step_x, 0.0, start_x], [0.0, step_y, start_y]])
        _warp(source, inverse, band, window)
    if not adjust.is_neutral:
        cv2.LUT(into, adjust.table(), dst=into)
    return image


def _warp(
    source: NDArray[Any], inverse: NDArray[np.float64], band: NDArray[np.uint8], window: DisplayWindow | None
) -> None:
    """Resample `source` into a band of BGRX pixels."""
    size, flags, edge = (band.shape[1], band.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    if window is not None:
        band[:] = shown(cv2.warpAffine(source, inverse, size, flags=flags, borderMode=edge), window)
    elif source.shape[2] == 4:
        cv2.warpAffine(source, inverse, size, dst=band, flags=flags, borderMode=edge)
    else:
        warped = cv2.warpAffine(source, inverse, size, flags=flags, borderMode=edge)
        cv2.cvtColor(warped, TO_BGRA[source.shape[2]], dst=band)
