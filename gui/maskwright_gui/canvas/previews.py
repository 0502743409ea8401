"""Previews: outlines that are not in the document, such as those a threshold would add or remove, or a missed object.

Previews are only shown, never edited: no tool sees them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from maskwright.document.change import Change
from maskwright.document.values import Instance
from maskwright_gui.canvas.active import polygon_f
from maskwright_gui.canvas.viewport import Box, Viewport
from maskwright_gui.tools.overlay import Points

_DARK = QColor(0, 0, 0, 150)
_CHIP = QColor(20, 20, 22, 215)
_TEXT = QColor(245, 245, 245)
_PAD_PX = 5.0


class PreviewKind(Enum):
    """What an outline stands for; a word before its label says so without colour."""

    ADDED = "added"
    REMOVED = "removed"
    MISSED = "missed"
    UNCERTAIN = "uncertain"
    SUGGESTED = "suggested"
    """Another class for an existing object."""


_COLOURS = {
    PreviewKind.ADDED: QColor(92, 214, 128),
    PreviewKind.REMOVED: QColor(255, 110, 100),
    PreviewKind.MISSED: QColor(255, 190, 60),
    PreviewKind.UNCERTAIN: QColor(255, 190, 60),
    PreviewKind.SUGGESTED: QColor(255, 190, 60),
}


@dataclass(frozen=True, slots=True, eq=False)
class PreviewOutline:
    """An outline to preview. rings: image pixels, each closed implicitly; an empty label paints none."""

    rings: tuple[Points, ...]
    kind: PreviewKind
    label: str = ""
    is_current: bool = False
    """Whether a key would act on this one: it gets a stronger line."""

    @property
    def bounds_xyxy(self) -> Box:
        """In image coordinates."""
        low = [ring.min(axis=0) for ring in self.rings]
        high = [ring.max(axis=0) for ring in self.rings]
        return (
            float(min(point[0] for point in low)),
            float(min(point[1] for point in low)),
            float(max(point[0] for point in high)),
            float(max(point[1] for point in high)),
        )


def rings_of(instance: Instance) -> tuple[Points, ...]:
    """All rings of an instance, holes too."""
    return tuple(ring for polygon in instance.polygons for ring in polygon.rings)


def effect_outlines(change: Change) -> tuple[PreviewOutline, ...]:
    """Outlines of the proposals that a change adds and removes; a mere change of shape is not marked."""
    outlines = []
    for _, before, after in change:
        if before is None and after is not None:
            outlines.append(PreviewOutline(rings_of(after), PreviewKind.ADDED))
        elif before is not None and after is None:
            outlines.append(PreviewOutline(rings_of(before), PreviewKind.REMOVED))
    return tuple(outlines)


def paint_previews(
    painter: QPainter,
    viewport: Viewport,
    outlines: Sequence[PreviewOutline],
    clip: QRectF,
    labels: Sequence[QRectF] = (),
) -> None:
    """Paint all lines, then their labels, clear of the objects' own `labels` (screen pixels)."""
    if not outlines:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for (kind, is_current), path in _paths(tuple(outlines)).items():
        for pen, (dx, dy) in _strokes(kind, is_current=is_current):
            painter.save()
            painter.translate(viewport.offset_x + dx, viewport.offset_y + dy)
            painter.scale(viewport.scale, viewport.scale)
            painter.setPen(_dense(pen, painter.device().devicePixelRatioF()))
            painter.drawPath(path)
            painter.restore()
    metrics = QFontMetricsF(painter.font())
    taken = list(labels)
    for outline in outlines:
        if outline.label and _is_in_view(outline, viewport):
            area = label_area(outline, viewport, metrics, taken)
            taken.append(area)
            if area.intersects(clip):
                _paint_label(painter, area, outline)


def label_area(outline: PreviewOutline, viewport: Viewport, metrics: QFontMetricsF, taken: Sequence[QRectF]) -> QRectF:
    """Screen area of the label above the outline's box, moved up if it would cover an area of `taken`."""
    x1, y1, _, _ = outline.bounds_xyxy
    left, top = viewport.to_screen(x1, y1)
    width, height = metrics.horizontalAdvance(outline.label) + 2 * _PAD_PX, metrics.height() + 4
    left = min(max(left, 0.0), max(viewport.screen_wh[0] - width, 0.0))
    top = min(max(top - height - 2, 0.0), max(viewport.screen_wh[1] - height, 0.0))
    area = QRectF(round(left), round(top), round(width), round(height))
    above, below = QRectF(area), area
    while _covers_one(above, taken) and above.top() > 0:
        above.translate(0, -above.height() - 1)
    if above.top() >= 0 and not _covers_one(above, taken):
        return above
    while _covers_one(below, taken) and below.bottom() < viewport.screen_wh[1]:
        below.translate(0, below.height() + 1)
    return below


def _covers_one(area: QRectF, taken: Sequence[QRectF]) -> bool:
    return any(area.intersects(other) for other in taken)


def _is_in_view(outline: PreviewOutline, viewport: Viewport) -> bool:
    x1, y1, x2, y2 = outline.bounds_xyxy
    left, top, right, bottom = viewport.visible_box
    return x1 < right and x2 > left and y1 < bottom and y2 > top


@lru_cache(maxsize=2)
def _paths(outlines: tuple[PreviewOutline, ...]) -> dict[tuple[PreviewKind, bool], QPainterPath]:
    """One path for all that look alike: one call per ring costs ten times as much. Kept between paints."""
    paths: dict[tuple[PreviewKind, bool], QPainterPath] = {}
    for outline in outlines:
        path = paths.setdefault((outline.kind, outline.is_current), QPainterPath())
        for ring in outline.rings:
            path.addPolygon(polygon_f(ring))
            path.closeSubpath()
    return paths


def _dense(pen: QPen, ratio: float) -> QPen:
    """The pen scaled for dense screens: a cosmetic pen counts device pixels."""
    if ratio == 1:
        return pen
    wide = QPen(pen)
    wide.setWidthF(pen.widthF() * ratio)
    return wide


def _strokes(kind: PreviewKind, *, is_current: bool) -> list[tuple[QPen, tuple[float, float]]]:
    """Pens from the lowest up, each with the offset of its line in pixels.

    An uncertain object is already painted in the colour of its class, so it gets only a thin line unless it is the
    current one. A line of two pixels is drawn as three of one pixel side by side: Qt draws those ten times as fast, and
    every slider step needs them.
    """
    width = 3 if is_current else 1 if kind in (PreviewKind.UNCERTAIN, PreviewKind.SUGGESTED) else 2
    colour = _COLOURS[kind]
    dash = {PreviewKind.ADDED: 0.0, PreviewKind.REMOVED: 2.0}.get(kind, 4.0)
    pattern = [dash * width, 2.0 * width] if dash else []
    # what is added is already in the picture, with its own dark stroke
    under = [] if kind is PreviewKind.ADDED else [(_pen(_DARK, width + 2), (0.0, 0.0))]
    if width != 2:
        return [*under, (_pen(colour, width, pattern), (0.0, 0.0))]
    line = _pen(colour, 1, pattern)
    return [*under, (line, (-1.0, 0.0)), (line, (0.0, -1.0)), (line, (0.0, 0.0))]


def _pen(colour: QColor, width: float, pattern_px: Sequence[float] = ()) -> QPen:
    pen = QPen(colour, width)
    if pattern_px:
        pen.setDashPattern([length / width for length in pattern_px])
    pen.setCosmetic(True)
    return pen


def _paint_label(painter: QPainter, area: QRectF, outline: PreviewOutline) -> None:
    painter.fillRect(area, _CHIP)
    painter.fillRect(QRectF(area.left(), area.top(), 3, area.height()), _COLOURS[outline.kind])
    painter.setPen(_TEXT)
    painter.drawText(area.adjusted(3, 0, 0, 0), Qt.AlignmentFlag.AlignCenter, outline.label)
