"""Selected, hovered and drafted instances, rasterised anew on each paint, within the repainted area only.

By cv2 like the static layer: Qt's antialiased paths take ten times as long for a polygon of some size.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from maskwright.document.values import Instance
from maskwright_gui.canvas.pyramid import writable_pixels
from maskwright_gui.canvas.raster import HOVERED, SELECTED, LayerView, Look, rasterise
from maskwright_gui.canvas.scene import Scene
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Box, Viewport

REACH_SCREEN_PX = 14.0
"""How far halos, pens and handles reach beyond the geometry that they belong to."""
_LINE_REACH_SCREEN_PX = 8
_SELECTED_EXTRA_FILL = 0.06
_VEIL = 0.1


def paint_selected(
    painter: QPainter, viewport: Viewport, instances: Sequence[Instance], style: CanvasStyle, clip: QRectF
) -> None:
    """Fill, halo, dark under-stroke and a brighter, stronger line."""
    scene = Scene.of(instances, style)
    opacity = np.minimum(scene.fill_opacity + _SELECTED_EXTRA_FILL, 1.0)
    marked = replace(scene, is_selected=np.ones(len(scene), bool), fill_opacity=opacity)
    _paint(painter, viewport, marked, SELECTED, clip)


def paint_hovered(painter: QPainter, viewport: Viewport, instance: Instance, style: CanvasStyle, clip: QRectF) -> None:
    """A light veil and a white line over what the static layer shows already."""
    scene = Scene.of([instance], style)
    count = len(scene)
    veil = replace(
        scene,
        colours_bgr=np.full((count, 3), 255, np.uint8),
        lines_bgr=np.full((count, 3), 255, np.uint8),
        fill_opacity=np.full(count, _VEIL),
        is_proposal=np.zeros(count, bool),
    )
    _paint(painter, viewport, veil, HOVERED, clip)


def _paint(painter: QPainter, viewport: Viewport, scene: Scene, look: Look, clip: QRectF) -> None:
    if not len(scene):
        return
    bounds = scene.outlines.bounds_xyxy
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    area = screen_area([(float(low[0]), float(low[1]), float(high[0]), float(high[1]))], viewport)
    inside = area.intersected(clip).toAlignedRect()
    if inside.isEmpty():
        return
    # the painter clips; lines just outside reach in with their halo
    inside = inside.adjusted(
        -_LINE_REACH_SCREEN_PX, -_LINE_REACH_SCREEN_PX, _LINE_REACH_SCREEN_PX, _LINE_REACH_SCREEN_PX
    )
    painter.drawImage(QRectF(inside), _rasterised(scene, viewport, inside, look, painter.device().devicePixelRatioF()))


def _rasterised(scene: Scene, viewport: Viewport, area: QRect, look: Look, ratio: float) -> QImage:
    image = QImage(round(area.width() * ratio), round(area.height() * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    view = LayerView(
        viewport.scale * ratio,
        (area.left() - viewport.offset_x) * ratio,
        (area.top() - viewport.offset_y) * ratio,
        image.width(),
        image.height(),
    )
    rasterise(scene, view, writable_pixels(image), replace(look, pixel=max(round(ratio), 1)))
    return image


def screen_area(boxes: Sequence[Box], viewport: Viewport) -> QRectF:
    """The screen rectangle around image boxes, room for pens and handles included; empty for no boxes."""
    if not boxes:
        return QRectF()
    every = np.array(boxes)
    left, top = viewport.to_screen(float(every[:, 0].min()), float(every[:, 1].min()))
    right, bottom = viewport.to_screen(float(every[:, 2].max()), float(every[:, 3].max()))
    reach = REACH_SCREEN_PX
    return QRectF(left - reach, top - reach, right - left + 2 * reach, bottom - top + 2 * reach)
