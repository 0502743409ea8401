"""Whatever moves on the canvas: what is painted live, and which part of the screen that changes.

Selected, hovered and draft instances are rasterised again on each paint, only within the repainted area, and by cv2
like the static layer: Qt's antialiased paths take ten times as long for a large polygon.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from maskwright.document.document import Document
from maskwright.document.spatial import is_shown
from maskwright.document.values import Instance
from maskwright_gui.canvas.active import handle_points, note_area, paint_circle, paint_line, paint_marks, paint_note
from maskwright_gui.canvas.pyramid import writable_pixels
from maskwright_gui.canvas.raster import HOVERED, SELECTED, LayerView, OutlineStyle, rasterise
from maskwright_gui.canvas.scene import Scene
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Box, Viewport
from maskwright_gui.tools.overlay import Mark, Overlay, Points

REACH_SCREEN_PX = 14.0
"""How far halos, pens and handles extend beyond their geometry, in screen pixels."""
_LINE_REACH_SCREEN_PX = 8
_SELECTED_EXTRA_FILL = 0.06
_VEIL = 0.1


def paint_selected(
    painter: QPainter, viewport: Viewport, instances: Sequence[Instance], style: CanvasStyle, clip: QRectF
) -> None:
    """Paint fill, halo, dark under-stroke and a brighter, stronger line."""
    scene = Scene.of(instances, style)
    opacity = np.minimum(scene.fill_opacity + _SELECTED_EXTRA_FILL, 1.0)
    marked = replace(scene, is_selected=np.ones(len(scene), bool), fill_opacity=opacity)
    _paint(painter, viewport, marked, SELECTED, clip)


def paint_hovered(painter: QPainter, viewport: Viewport, instance: Instance, style: CanvasStyle, clip: QRectF) -> None:
    """Paint a light veil and a white line over what the static layer already shows."""
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


def _paint(painter: QPainter, viewport: Viewport, scene: Scene, look: OutlineStyle, clip: QRectF) -> None:
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


def _rasterised(scene: Scene, viewport: Viewport, area: QRect, look: OutlineStyle, ratio: float) -> QImage:
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
    """The screen rectangle around image boxes, with room for pens and handles; empty for no boxes."""
    if not boxes:
        return QRectF()
    every = np.array(boxes)
    left, top = viewport.to_screen(float(every[:, 0].min()), float(every[:, 1].min()))
    right, bottom = viewport.to_screen(float(every[:, 2].max()), float(every[:, 3].max()))
    reach = REACH_SCREEN_PX
    return QRectF(left - reach, top - reach, right - left + 2 * reach, bottom - top + 2 * reach)


MAX_LIVE_INSTANCES = 48
MAX_LIVE_VERTICES = 12_000
_HANDLES_FROM_SCREEN_PX = 40.0
"""Minimum longer side, in screen pixels, for an object to show its handles: they would cover a smaller one, and
hovering still shows one.
"""


@dataclass(frozen=True, slots=True, eq=False)
class ActiveScene:
    """What is painted live at one moment."""

    document: Document
    live: frozenset[int]
    """Selected instances painted here and not in the static layer."""
    overlay: Overlay
    category_id: int
    style: CanvasStyle

    @property
    def drawn(self) -> list[Instance]:
        """Selected instances and drafts, as they look now."""
        kept = [id_ for id_ in self.live if id_ not in self.overlay.replaced and id_ in self.document]
        selected = [self.document[id_] for id_ in sorted(kept) if is_shown(self.document[id_])]
        return selected + list(self.overlay.instances)

    @property
    def drafts(self) -> dict[int, Instance | None]:
        """How the running gesture shows instances of the document."""
        drawn = {instance.id: instance for instance in self.overlay.instances}
        return {id_: drawn.get(id_) for id_ in self.overlay.replaced}

    @property
    def hovered(self) -> Instance | None:
        """The instance under the pointer, if it is to be highlighted."""
        id_ = self.overlay.hovered
        return self.document.instances.get(id_) if id_ is not None and id_ not in self.live else None

    def dirty_since(self, before: "ActiveScene") -> list[Box]:
        """Image boxes to repaint when `before` is on screen."""
        boxes = [*_mark_boxes(before.overlay), *_mark_boxes(self.overlay)]
        old = {instance.id: instance for instance in before.drawn}
        new = {instance.id: instance for instance in self.drawn}
        known = before.overlay.replaced & self.overlay.replaced if self.overlay.touched is not None else frozenset()
        if known and self.overlay.touched is not None:
            boxes.append(self.overlay.touched)
        for id_ in (old.keys() | new.keys()) - known:
            boxes += _difference(old.get(id_), new.get(id_))
        if before.hovered is not self.hovered:
            boxes += [instance.bounds_xyxy for instance in (before.hovered, self.hovered) if instance is not None]
        if before.overlay.shows_handles != self.overlay.shows_handles:
            boxes += [instance.bounds_xyxy for instance in self.drawn]
        return boxes

    def notes_since(self, before: "ActiveScene", viewport: Viewport) -> QRectF:
        """The screen area of notes that appeared, vanished or moved."""
        area = QRectF()
        if before.overlay.notes != self.overlay.notes:
            for note in (*before.overlay.notes, *self.overlay.notes):
                area |= note_area(note, viewport)
        return area

    def paint_bodies(self, painter: QPainter, viewport: Viewport, clip: QRectF) -> None:
        """Paint fills and outlines, which labels may cover."""
        if self.hovered is not None:
            paint_hovered(painter, viewport, self.hovered, self.style, clip)
        paint_selected(painter, viewport, self.drawn, self.style, clip)

    def paint_marks(self, painter: QPainter, viewport: Viewport, clip: QRectF) -> None:
        """Paint handles and the tool's lines, which no label covers."""
        overlay, drawn = self.overlay, self.drawn
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        colour = self.style.colour(self.category_id)
        for line in overlay.lines:
            paint_line(painter, viewport, line, colour)
        if overlay.shows_handles:
            self._paint_handles(painter, viewport, clip, drawn)
        for circle in overlay.circles:
            paint_circle(painter, viewport, circle, colour)
        for marks in overlay.marks:
            paint_marks(painter, viewport, marks.points, marks.mark, clip)
        for note in overlay.notes:
            paint_note(painter, viewport, note)

    def _paint_handles(self, painter: QPainter, viewport: Viewport, clip: QRectF, drawn: list[Instance]) -> None:
        for instance in drawn:
            area = screen_area([instance.bounds_xyxy], viewport)
            is_large = max(area.width(), area.height()) - 2 * REACH_SCREEN_PX >= _HANDLES_FROM_SCREEN_PX
            if is_large and not instance.is_locked and area.intersects(clip):
                paint_marks(painter, viewport, handle_points(instance, viewport), Mark.VERTEX, clip)


def live_selection(document: Document, selection: frozenset[int]) -> frozenset[int]:
    """The selection if it is small enough to be painted on every frame, else nothing."""
    if len(selection) > MAX_LIVE_INSTANCES:
        return frozenset()
    instances = [document[id_] for id_ in selection if id_ in document]
    if sum(instance.vertex_count for instance in instances) > MAX_LIVE_VERTICES:
        return frozenset()
    return frozenset(instance.id for instance in instances)


def _mark_boxes(overlay: Overlay) -> Iterable[Box]:
    for points in (*(line.points for line in overlay.lines), *(marks.points for marks in overlay.marks)):
        if len(points):
            yield _extent(points)
    for circle in overlay.circles:
        yield circle.x - circle.radius, circle.y - circle.radius, circle.x + circle.radius, circle.y + circle.radius


def _extent(points: Points) -> Box:
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _difference(old: Instance | None, new: Instance | None) -> list[Box]:
    """Where two states of one instance differ: for a dragged vertex the edges next to it, not the whole object."""
    if old is new:
        return []
    if old is None or new is None or not _have_same_structure(old, new):
        return [instance.bounds_xyxy for instance in (old, new) if instance is not None and instance.polygons]
    boxes = []
    for old_part, new_part in zip(old.polygons, new.polygons, strict=True):
        for a, b in zip(old_part.rings, new_part.rings, strict=True):
            moved = (a != b).any(axis=1)
            if moved.any():
                near = moved | np.roll(moved, 1) | np.roll(moved, -1)
                boxes += [_extent(a[near]), _extent(b[near])]
    return boxes


def _have_same_structure(old: Instance, new: Instance) -> bool:
    shapes_old = [[ring.shape for ring in polygon.rings] for polygon in old.polygons]
    shapes_new = [[ring.shape for ring in polygon.rings] for polygon in new.polygons]
    return (old.category_id, old.state, shapes_old) == (new.category_id, new.state, shapes_new)
