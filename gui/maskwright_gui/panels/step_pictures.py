"""A small picture of what a step has changed: that part of the image, the outlines before dashed, those after solid."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPixmap

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle

PICTURE = QSize(64, 48)
_MARGIN = 0.25
"""Of the longer side of what has changed."""
_LEAST_PX = 24.0
"""Image pixels: of a tiny object its surroundings show where it is."""
_MOST_OUTLINES = 60


def step_picture(change: Change, pyramid: ImagePyramid | None, style: CanvasStyle, *, ratio: float) -> QPixmap:
    """`ratio`: physical pixels per pixel of the picture."""
    picture = QPixmap(PICTURE * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(*style.background))
    area = _area(change)
    if area is None or pyramid is None:
        return picture
    painter = QPainter(picture)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    scale = min(PICTURE.width() / area.width(), PICTURE.height() / area.height())
    painter.translate(PICTURE.width() / 2, PICTURE.height() / 2)
    painter.scale(scale, scale)
    painter.translate(-area.center())
    _paint_pixels(painter, pyramid, area, scale * ratio)
    for before, after in [(before, after) for _, before, after in change][:_MOST_OUTLINES]:
        if before is not None and (after is None or before.polygons != after.polygons):
            _paint_outline(painter, before, style, Qt.PenStyle.DashLine)
        if after is not None:
            gone = after.state is InstanceState.REJECTED
            _paint_outline(painter, after, style, Qt.PenStyle.DotLine if gone else Qt.PenStyle.SolidLine)
    painter.end()
    return picture


def _area(change: Change) -> QRectF | None:
    """What is worth seeing, in image pixels."""
    boxes = [each.bounds_xyxy for _, before, after in change for each in (before, after) if each and each.polygons]
    if not boxes:
        return None
    lows, highs = [box[:2] for box in boxes], [box[2:] for box in boxes]
    x1, y1 = (min(values) for values in zip(*lows, strict=True))
    x2, y2 = (max(values) for values in zip(*highs, strict=True))
    side = max((x2 - x1) * (1 + 2 * _MARGIN), (y2 - y1) * (1 + 2 * _MARGIN) * PICTURE.width() / PICTURE.height())
    width = max(side, _LEAST_PX)
    height = width * PICTURE.height() / PICTURE.width()
    return QRectF((x1 + x2 - width) / 2, (y1 + y2 - height) / 2, width, height)


def _paint_pixels(painter: QPainter, pyramid: ImagePyramid, area: QRectF, scale: float) -> None:
    """From the level that is about as fine as the picture, so that a large image costs no more than a small one."""
    level = next((k for k in range(len(pyramid.levels) - 1, -1, -1) if _level_scale(pyramid, k) >= scale), 0)
    pixels: QImage = pyramid.levels[level]
    factor = pixels.width() / pyramid.size_wh[0]
    source = QRectF(area.topLeft() * factor, area.size() * factor)
    painter.drawImage(area, pixels, source)


def _level_scale(pyramid: ImagePyramid, level: int) -> float:
    return pyramid.levels[level].width() / pyramid.size_wh[0]


def _paint_outline(painter: QPainter, instance: Instance, style: CanvasStyle, line: Qt.PenStyle) -> None:
    path = QPainterPath()
    for ring in _rings(instance):
        path.addPolygon(ring)
        path.closeSubpath()
    for colour, width in ((QColor(0, 0, 0, 170), 2.5), (QColor(*style.colour(instance.category_id)), 1.2)):
        pen = QPen(colour, width, line)
        pen.setCosmetic(True)
        painter.strokePath(path, pen)


def _rings(instance: Instance) -> Iterable[list[QPointF]]:
    for polygon in instance.polygons:
        for ring in polygon.rings:
            yield [QPointF(x, y) for x, y in ring.tolist()]
