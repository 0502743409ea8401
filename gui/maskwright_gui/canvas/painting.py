"""One frame of the canvas, bottom to top: background, image, static layer, labels, whatever moves."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from maskwright.document.document import Document
from maskwright.document.spatial import is_shown
from maskwright.document.values import Instance
from maskwright_gui.canvas.active import (
    REACH_SCREEN_PX,
    handle_points,
    paint_circle,
    paint_hovered,
    paint_line,
    paint_marks,
    paint_selected,
)
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Viewport
from maskwright_gui.tools.overlay import Mark, Overlay

MAX_LIVE_INSTANCES = 48
MAX_LIVE_VERTICES = 12_000
_HANDLES_FROM_SCREEN_PX = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class ActiveScene:
    """What is painted live at one moment."""

    document: Document
    live: frozenset[int]
    """Selected instances that are painted here and not in the static layer."""
    overlay: Overlay
    category_id: int
    style: CanvasStyle

    @property
    def drawn(self) -> list[Instance]:
        """Selected instances and drafts, as they look now."""
        kept = [id_ for id_ in self.live if id_ not in self.overlay.replaced and id_ in self.document]
        selected = [self.document[id_] for id_ in sorted(kept) if is_shown(self.document[id_])]
        return selected + list(self.overlay.instances)

    def bounds(self, viewport: Viewport) -> QRectF:
        """The screen area that painting this touches."""
        boxes = [instance.bounds_xyxy for instance in self.drawn]
        overlay = self.overlay
        if overlay.hovered is not None and overlay.hovered in self.document:
            boxes.append(self.document[overlay.hovered].bounds_xyxy)
        for points in (*(line.points for line in overlay.lines), *(marks.points for marks in overlay.marks)):
            if len(points):
                low, high = points.min(axis=0), points.max(axis=0)
                boxes.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
        for circle in overlay.circles:
            x, y, radius = circle.x, circle.y, circle.radius
            boxes.append((x - radius, y - radius, x + radius, y + radius))
        return screen_area(boxes, viewport)

    def paint(self, painter: QPainter, viewport: Viewport, clip: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        overlay, drawn = self.overlay, self.drawn
        if overlay.hovered is not None and overlay.hovered not in self.live and overlay.hovered in self.document:
            paint_hovered(painter, viewport, self.document[overlay.hovered], self.style)
        for instance in drawn:
            if screen_area([instance.bounds_xyxy], viewport).intersects(clip):
                paint_selected(painter, viewport, instance, self.style)
        colour = self.style.colour(self.category_id)
        for line in overlay.lines:
            paint_line(painter, viewport, line, colour)
        if overlay.shows_handles or overlay.instances:
            self._paint_handles(painter, viewport, clip, drawn)
        for circle in overlay.circles:
            paint_circle(painter, viewport, circle, colour)
        for marks in overlay.marks:
            paint_marks(painter, viewport, marks.points, marks.mark, clip)

    def _paint_handles(self, painter: QPainter, viewport: Viewport, clip: QRectF, drawn: list[Instance]) -> None:
        for instance in drawn:
            area = screen_area([instance.bounds_xyxy], viewport)
            is_large = max(area.width(), area.height()) - 2 * REACH_SCREEN_PX >= _HANDLES_FROM_SCREEN_PX
            if is_large and not instance.is_locked and area.intersects(clip):
                paint_marks(painter, viewport, handle_points(instance, viewport), Mark.VERTEX, clip)


def live_selection(document: Document, selection: frozenset[int]) -> frozenset[int]:
    """The selection, if it is small enough to be painted on every frame; otherwise nothing."""
    if len(selection) > MAX_LIVE_INSTANCES:
        return frozenset()
    instances = [document[id_] for id_ in selection if id_ in document]
    if sum(instance.vertex_count for instance in instances) > MAX_LIVE_VERTICES:
        return frozenset()
    return frozenset(instance.id for instance in instances)


def screen_area(boxes: list[tuple[float, float, float, float]], viewport: Viewport) -> QRectF:
    """The screen rectangle around image boxes, room for pens and handles included; empty for no boxes."""
    if not boxes:
        return QRectF()
    every = np.array(boxes)
    left, top = viewport.to_screen(float(every[:, 0].min()), float(every[:, 1].min()))
    right, bottom = viewport.to_screen(float(every[:, 2].max()), float(every[:, 3].max()))
    reach = REACH_SCREEN_PX
    return QRectF(left - reach, top - reach, right - left + 2 * reach, bottom - top + 2 * reach)


def paint_image(
    painter: QPainter, viewport: Viewport, pyramid: ImagePyramid | None, style: CanvasStyle, clip: QRectF, ratio: float
) -> None:
    painter.fillRect(clip, QColor(*style.background))
    if pyramid is None:
        return
    left, top = viewport.to_screen(0.0, 0.0)
    width, height = viewport.image_wh
    target = QRectF(left, top, width * viewport.scale, height * viewport.scale)
    pyramid.draw(painter, target, viewport.scale * ratio)
