"""Paints labels: laid out when the zoom settles, drawn from small cached pictures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

from maskwright.document.document import Document
from maskwright.document.palette import Rgb
from maskwright.document.spatial import SpatialIndex, is_shown
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.canvas.labels import LABELLED_FROM_SCREEN_PX, LabelPlace, LabelWish, place_labels
from maskwright_gui.canvas.style import INK, PLATE, CanvasStyle, LabelMode
from maskwright_gui.canvas.viewport import Viewport

_MAX_WISHES = 160
_CACHED_CHIPS = 512
_MOST_CERTAIN = 24
"""The labels of a larger selection are thinned out like all others."""
_FREE_EVERY_SCREEN_PX = 8.0
"""Spacing of the points along a selected outline that other labels leave free, in screen pixels."""
_MOST_FREE = 800
_KEPT_LETTERS = 5
"""Letters kept of a long name in its compact form."""
_PAD_X, _PAD_Y, _BAR = 5.0, 2.0, 3.0


Drafts = Mapping[int, Instance | None]
"""Instances of the document as a gesture currently shows them; None: not shown."""
_NO_DRAFTS: Drafts = MappingProxyType({})

_Extremes = tuple[tuple[float, float], tuple[float, float]]
"""The topmost and lowest vertex of an instance's first part."""


@dataclass(frozen=True, slots=True)
class _Chip:
    text: str
    colour: Rgb


class LabelLayer:
    """`lay_out` decides which labels are shown and where; `paint` draws them at any zoom and position after that."""

    def __init__(self, font: QFont) -> None:
        self._font = font
        self._metrics = QFontMetricsF(font)
        self._chips: list[_Chip] = []
        self._places: list[LabelPlace] = []
        self._anchors = np.empty((0, 2))
        self._boxes = np.empty((0, 4))
        self._shown: list[QPixmap] = []
        self._shown_ratio = 0.0
        """The device pixel ratio that `_shown` was made for; 0 if the layout is newer."""
        self._pictures: LRUCache[tuple[str, Rgb, float], QPixmap] = LRUCache(_CACHED_CHIPS)
        self._widths: dict[str, float] = {}
        self._rows: dict[int, int] = {}
        """Index of an instance's label in all these arrays."""

    def lay_out(
        self,
        document: Document,
        index: SpatialIndex,
        viewport: Viewport,
        style: CanvasStyle,
        selection: frozenset[int],
    ) -> None:
        """Decide which labels are shown and where."""
        instances = _wanted(document, index, viewport, style.label_mode, selection)
        certain = selection if len(selection) <= _MOST_CERTAIN else frozenset()
        extremes = {instance.id: _extremes(instance) for instance in instances}
        wishes = [
            self._wish(instance, extremes[instance.id], style, viewport, instance.id in certain)
            for instance in instances
        ]
        free = _outline_points([instance for instance in instances if instance.id in certain], viewport)
        self._places = place_labels(wishes, viewport.screen_wh, kept_free=free)
        chosen = [(document[place.instance_id], place) for place in self._places]
        self._chips = [
            _Chip(label_text(one, style, is_compact=place.is_compact), style.colour(one.category_id))
            for one, place in chosen
        ]
        self._rows = {place.instance_id: row for row, place in enumerate(self._places)}
        self._shown_ratio = 0.0
        self._anchors = np.array([extremes[one.id][place.is_below] for one, place in chosen]).reshape(-1, 2)
        boxes = [(place.x, place.y, place.width, place.height) for place in self._places]
        self._boxes = np.array(boxes).reshape(-1, 4)

    @property
    def labelled(self) -> frozenset[int]:
        """Instances whose label is shown."""
        return frozenset(self._rows)

    def areas(self, viewport: Viewport) -> list[QRectF]:
        """The screen areas of the labels shown."""
        corners = self._corners(_NO_DRAFTS, viewport)
        return [
            QRectF(*corner, *box) for corner, box in zip(corners.tolist(), self._boxes[:, 2:].tolist(), strict=True)
        ]

    def area_between(self, before: Drafts, now: Drafts, viewport: Viewport) -> QRectF:
        """The screen area of labels that differ between two sets of drafts."""
        corners = (self._corners(before, viewport), self._corners(now, viewport))
        area = QRectF()
        for row in np.flatnonzero((corners[0] != corners[1]).any(axis=1)).tolist():
            for x, y in (side[row].tolist() for side in corners if np.isfinite(side[row]).all()):
                area |= QRectF(x, y, *self._boxes[row, 2:].tolist())
        return area

    def _corners(self, drafts: Drafts, viewport: Viewport) -> NDArray[np.float64]:
        """(N, 2) whole screen pixels: top left corner of each label, moved with its draft; NaN for no label."""
        anchors = self._anchors
        if moved := [(self._rows[id_], draft) for id_, draft in drafts.items() if id_ in self._rows]:
            anchors = anchors.copy()
            for row, draft in moved:
                is_there = draft is not None and draft.polygons
                anchors[row] = _extremes(draft)[self._places[row].is_below] if draft and is_there else np.nan
        return np.rint(anchors * viewport.scale + (viewport.offset_x, viewport.offset_y) + self._boxes[:, :2])

    def paint(
        self, painter: QPainter, viewport: Viewport, clip: QRectF, ratio: float, drafts: Drafts = _NO_DRAFTS
    ) -> None:
        """Paint the labels. drafts: instances being dragged, whose labels move along."""
        corners = self._corners(drafts, viewport)
        low, high = (clip.left(), clip.top()), (clip.right(), clip.bottom())
        seen = ((corners <= high) & (corners + self._boxes[:, 2:] >= low)).all(axis=1)
        if self._shown_ratio != ratio:
            self._shown = [self._picture(chip.text, chip.colour, ratio) for chip in self._chips]
            self._shown_ratio = ratio
        for number, (x, y) in zip(np.flatnonzero(seen).tolist(), corners[seen].tolist(), strict=True):
            painter.drawPixmap(QPointF(x, y), self._shown[number])

    def place_of(self, instance: Instance, viewport: Viewport, style: CanvasStyle) -> QRectF:
        """The screen area for one more label; empty if there is no room or the instance already has one."""
        if style.label_mode is LabelMode.NONE or instance.id in self.labelled:
            return QRectF()
        extremes = _extremes(instance)
        places = place_labels([self._wish(instance, extremes, style, viewport, True)], viewport.screen_wh)
        if not places:
            return QRectF()
        (place,) = places
        x, y = viewport.to_screen(*extremes[place.is_below])
        return QRectF(round(x + place.x), round(y + place.y), place.width, place.height)

    def paint_one(self, painter: QPainter, instance: Instance, at: QRectF, style: CanvasStyle, ratio: float) -> None:
        """Paint the label of an instance at its `place_of`."""
        text, colour = label_text(instance, style), style.colour(instance.category_id)
        painter.drawPixmap(at.topLeft(), self._picture(text, colour, ratio))

    def _wish(
        self, instance: Instance, extremes: _Extremes, style: CanvasStyle, viewport: Viewport, is_certain: bool
    ) -> LabelWish:
        text = label_text(instance, style)
        compact = text if is_certain else label_text(instance, style, is_compact=True)
        top, bottom = extremes
        x1, y1, x2, y2 = instance.bounds_xyxy
        return LabelWish(
            instance.id,
            viewport.to_screen(*top),
            viewport.to_screen(*bottom),
            self._width(text),
            self._metrics.height() + 2 * _PAD_Y,
            max(x2 - x1, y2 - y1) * viewport.scale,
            is_certain,
            self._width(compact) if compact != text else 0.0,
        )

    def _width(self, text: str) -> float:
        if text not in self._widths:
            if len(self._widths) >= 8 * _CACHED_CHIPS:
                self._widths.clear()
            self._widths[text] = self._metrics.horizontalAdvance(text) + 2 * _PAD_X + _BAR
        return self._widths[text]

    def _picture(self, text: str, colour: Rgb, ratio: float) -> QPixmap:
        key = (text, colour, ratio)
        if (known := self._pictures.get(key)) is not None:
            return known
        width = round(self._width(text))
        height = round(self._metrics.height() + 2 * _PAD_Y)
        picture = QPixmap(round(width * ratio), round(height * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        _paint_chip(picture, QRectF(0, 0, width, height), self._font, text, colour)
        self._pictures[key] = picture
        return picture


def label_text(instance: Instance, style: CanvasStyle, *, is_compact: bool = False) -> str:
    """The class, with the model's score for a proposal. Compact: only the score, or the start of a long name."""
    name = style.name(instance.category_id)
    if instance.state is InstanceState.PROPOSED and instance.score is not None:
        return f"{instance.score:.2f}" if is_compact else f"{name} {instance.score:.2f}"
    return f"{name[:_KEPT_LETTERS].rstrip()}…" if is_compact and len(name) > _KEPT_LETTERS + 2 else name


def _wanted(
    document: Document, index: SpatialIndex, viewport: Viewport, mode: LabelMode, selection: frozenset[int]
) -> list[Instance]:
    if mode is LabelMode.NONE:
        return []
    chosen = [document[id_] for id_ in selection if id_ in document and is_shown(document[id_])]
    if mode is LabelMode.ALL:
        least = LABELLED_FROM_SCREEN_PX / viewport.scale
        large = index.ids_touching(viewport.visible_box, at_least=least, most=_MAX_WISHES)
        chosen += [document[id_] for id_ in large if id_ not in selection]
    return chosen[:_MAX_WISHES]


def _extremes(instance: Instance) -> _Extremes:
    ring = instance.polygons[0].exterior
    heights = ring[:, 1]
    (left, top), (right, bottom) = ring[heights.argmin()].tolist(), ring[heights.argmax()].tolist()
    return (left, top), (right, bottom)


def _outline_points(instances: Iterable[Instance], viewport: Viewport) -> list[tuple[float, float]]:
    """Screen points along the outlines, as far as they are visible."""
    width, height = viewport.screen_wh
    points: list[tuple[float, float]] = []
    for instance in instances:
        for ring in (ring for polygon in instance.polygons for ring in polygon.rings):
            places = ring * viewport.scale + (viewport.offset_x, viewport.offset_y)
            steps = np.roll(places, -1, axis=0) - places
            counts = np.ceil(np.hypot(*steps.T) / _FREE_EVERY_SCREEN_PX).clip(1, _MOST_FREE).astype(int)
            shares = np.concatenate([np.arange(count) / count for count in counts])[:, None]
            along = np.repeat(places, counts, axis=0) + np.repeat(steps, counts, axis=0) * shares
            seen = ((along >= 0) & (along <= (width, height))).all(axis=1)
            points += [(x, y) for x, y in along[seen][: _MOST_FREE - len(points)].tolist()]
    return points


def _paint_chip(picture: QPixmap, area: QRectF, font: QFont, text: str, colour: Rgb) -> None:
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*PLATE))
    painter.drawRoundedRect(area, 3, 3)
    painter.setBrush(QColor(*colour))
    painter.drawRoundedRect(QRectF(area.left(), area.top(), _BAR, area.height()), 1.5, 1.5)
    painter.setFont(font)
    painter.setPen(QColor(*INK))
    painter.drawText(area.adjusted(_BAR + _PAD_X, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
    painter.end()
