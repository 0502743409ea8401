"""Paints the tool's lines, circles and marks live, at constant width for any zoom."""

import math
from functools import lru_cache
from typing import Any, cast

import numpy as np
import shiboken6
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QGuiApplication, QPainter, QPen, QPolygonF

from maskwright.document.palette import Rgb
from maskwright.document.values import Instance
from maskwright_gui.canvas.style import INK, PLATE
from maskwright_gui.canvas.viewport import Viewport
from maskwright_gui.tools.overlay import Mark, OverlayCircle, OverlayLine, OverlayNote, Points, Stroke

_DARK = QColor(0, 0, 0, 170)
_ACCENT = QColor(77, 163, 255)
_HANDLE_SCREEN_PX = 7.0
_HANDLE_SPACING_SCREEN_PX = 9.0


def polygon_f(points: Points) -> QPolygonF:
    """(N, 2) float64 as a QPolygonF, by one memory copy: ten times faster than N QPointF."""
    polygon = QPolygonF()
    polygon.resize(len(points))
    if len(points):
        # the stubs know neither this constructor nor that the result is a buffer
        memory = cast(Any, shiboken6.VoidPtr)(polygon.data(), len(points) * 16, True)
        np.frombuffer(memory, np.float64).reshape(-1, 2)[:] = points
    return polygon


def paint_line(painter: QPainter, viewport: Viewport, line: OverlayLine, colour: Rgb) -> None:
    """Paint the line with its dark under-stroke."""
    points = polygon_f(line.points * viewport.scale + (viewport.offset_x, viewport.offset_y))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in _stroke_pens(line.stroke, colour):
        painter.setPen(pen)
        if line.is_closed:
            painter.drawPolygon(points)
        else:
            painter.drawPolyline(points)
    if line.stroke is Stroke.RUBBER:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(77, 163, 255, 36))
        painter.drawPolygon(points)


def paint_circle(painter: QPainter, viewport: Viewport, circle: OverlayCircle, colour: Rgb) -> None:
    """Paint the circle with its dark under-stroke."""
    centre = QPointF(*viewport.to_screen(circle.x, circle.y))
    radius = circle.radius * viewport.scale
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in _stroke_pens(circle.stroke, colour):
        painter.setPen(pen)
        painter.drawEllipse(centre, radius, radius)


def paint_marks(painter: QPainter, viewport: Viewport, points: Points, mark: Mark, clip: QRectF) -> None:
    """Paint handles of constant screen size; those outside `clip` are skipped."""
    if not len(points):
        return
    fill, edge, size, is_round = _mark_look(mark)
    places = points * viewport.scale + (viewport.offset_x, viewport.offset_y)
    seen = (
        np.abs(places - (clip.center().x(), clip.center().y())) <= (clip.width() / 2 + 12, clip.height() / 2 + 12)
    ).all(1)
    painter.setPen(_pen(edge, 1.0))
    painter.setBrush(fill)
    half = size / 2
    if is_round:
        for x, y in places[seen].tolist():
            painter.drawEllipse(QPointF(x, y), half, half)
    else:
        corners = on_grid(places[seen] - half, painter.device().devicePixelRatioF()).tolist()
        painter.drawRects([QRectF(x, y, size, size) for x, y in corners])


def on_grid(places: Points, ratio: float) -> Points:
    """The nearest places where a line one screen pixel wide fills whole device pixels."""
    offset = 0.5 if round(ratio) % 2 else 0.0
    return (np.round(places * ratio - offset) + offset) / ratio


def note_area(note: OverlayNote, viewport: Viewport) -> QRectF:
    """The screen area of a note, just below its place."""
    x, y = viewport.to_screen(note.x, note.y)
    metrics = QFontMetricsF(QGuiApplication.font())
    width, height = math.ceil(metrics.horizontalAdvance(note.text)) + 14.0, math.ceil(metrics.height()) + 6.0
    left = min(max(x + 14.0, 0.0), max(viewport.screen_wh[0] - width, 0.0))
    top = min(max(y + 14.0, 0.0), max(viewport.screen_wh[1] - height, 0.0))
    return QRectF(round(left), round(top), width, height)


def paint_note(painter: QPainter, viewport: Viewport, note: OverlayNote) -> None:
    """Paint a short text beside a point, on a dark plate."""
    area = note_area(note, viewport)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*PLATE))
    painter.drawRoundedRect(area, 3, 3)
    painter.setPen(QColor(*INK))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, note.text)


def paint_crosshair(painter: QPainter, place: QPoint, size: QSize) -> None:
    """Paint thin lines through the pointer across the canvas, visible on dark and bright images alike."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for pen in (_pen(QColor(0, 0, 0, 110), 1.0), _pen(QColor(255, 255, 255, 170), 1.0, Qt.PenStyle.DashLine)):
        painter.setPen(pen)
        painter.drawLine(place.x(), 0, place.x(), size.height())
        painter.drawLine(0, place.y(), size.width(), place.y())


def paint_focus_ring(painter: QPainter, size: QSize) -> None:
    """Paint a ring around the canvas, which shows that it has the keyboard focus."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(_pen(_ACCENT, 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(1, 1, size.width() - 2, size.height() - 2)


def handle_points(instance: Instance, viewport: Viewport) -> Points:
    """The vertices with room for a handle: every second or fourth where they are dense.

    The step depends on the ring's length, not on the position along it, so dragging one vertex does not move the
    handles of the others.
    """
    chosen = [ring[:: _handle_step(ring, viewport.scale)] for polygon in instance.polygons for ring in polygon.rings]
    return np.concatenate(chosen) if chosen else np.empty((0, 2))


def _handle_step(ring: Points, scale: float) -> int:
    perimeter = float(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum()) * scale
    spacing = max(perimeter / len(ring), 1e-3)
    return int(2 ** max(math.ceil(math.log2(_HANDLE_SPACING_SCREEN_PX / spacing)), 0))


def _brighter(colour: Rgb) -> Rgb:
    red, green, blue = (255 - (255 - channel) // 2 for channel in colour)
    return red, green, blue


def _pen(colour: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    # the painter is in screen pixels: a cosmetic pen would count those of the device, half as wide on a dense screen
    return QPen(colour, width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.RoundJoin)


def _stroke_pens(stroke: Stroke, colour: Rgb) -> list[QPen]:
    match stroke:
        case Stroke.DRAFT:
            return [_pen(_DARK, 3.0), _pen(QColor(*_brighter(colour)), 1.0)]
        case Stroke.GUIDE:
            return [_pen(_DARK, 1.0), _pen(QColor(255, 255, 255, 200), 1.0, Qt.PenStyle.DashLine)]
        case Stroke.HOT:
            return [_pen(_DARK, 5.0), _pen(_ACCENT, 3.0)]
        case Stroke.RUBBER:
            return [_pen(QColor(0, 0, 0, 140), 1.0), _pen(_ACCENT, 1.0, Qt.PenStyle.DashLine)]
        case Stroke.BRUSH:
            return [_pen(_DARK, 3.0), _pen(QColor(255, 255, 255), 1.0)]
        case Stroke.ERASER:
            return [_pen(_DARK, 3.0), _pen(QColor(255, 120, 110), 1.0)]


@lru_cache(maxsize=16)
def _mark_look(mark: Mark) -> tuple[QColor, QColor, float, bool]:
    """Fill, edge, size on screen, and whether it is round."""
    white, dark = QColor(255, 255, 255), QColor(20, 20, 20)
    match mark:
        case Mark.VERTEX:
            return white, dark, _HANDLE_SCREEN_PX, False
        case Mark.MIDPOINT:
            return QColor(255, 255, 255, 170), dark, 6.0, True
        case Mark.HOT:
            return _ACCENT, white, 10.0, True
        case Mark.CLOSING:
            return QColor(80, 210, 120), white, 13.0, True
        case Mark.SNAP:
            return QColor(255, 190, 60), dark, 11.0, True
        case Mark.INSIDE:
            return QColor(80, 210, 120), white, 9.0, True
        case Mark.OUTSIDE:
            return QColor(235, 80, 70), white, 9.0, False
        case Mark.DOOMED:
            return QColor(255, 90, 80), dark, 9.0, False
