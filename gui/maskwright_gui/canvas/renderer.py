"""Composes what the canvas shows on each paint: image, static layer, labels and whatever moves.

It knows nothing of tools or input, which belong to the view.
"""

from collections.abc import Collection, Iterable
from typing import cast

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.palette import Rgb
from maskwright_gui.canvas.active import paint_crosshair, paint_focus_ring
from maskwright_gui.canvas.deep import DeepImage, DisplayAdjust
from maskwright_gui.canvas.image_layer import ImageLayer
from maskwright_gui.canvas.label_paint import LabelLayer
from maskwright_gui.canvas.layer import LayerContent, StaticLayer, pool
from maskwright_gui.canvas.navigator import Navigator
from maskwright_gui.canvas.painting import ActiveScene, live_selection, screen_area
from maskwright_gui.canvas.previews import PreviewOutline, paint_previews
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Box, Viewport, ViewportState
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import NOTHING, Overlay

_MANY_RECTS = 8
_ARRIVAL_MS = 12
"""How long a sharper layer waits to be painted with the next zoom step instead of costing a frame of its own."""
_SETTLE_MS = 60
"""Delay after the last zoom or pan step until labels are laid out again and the image is resampled smoothly."""


class CanvasRenderer(QObject):
    """Paints the document, selection and overlay of a context on its parent, where the navigator looks."""

    settled = Signal()
    """The zoom or position has changed and no further step has followed."""
    image_changed = Signal(object)
    """Other pixels are shown: DeepImage, or None for an image of 8 bits."""

    def __init__(self, widget: QWidget, context: ToolContext, navigator: Navigator) -> None:
        super().__init__(widget)
        self._widget, self._context, self._navigator = widget, context, navigator
        self._image = ImageLayer()
        self._style = CanvasStyle()
        self._ground = _plain_image(self._style.background)
        self._overlay: Overlay = NOTHING
        self._previews: dict[str, tuple[PreviewOutline, ...]] = {}
        self._live: frozenset[int] = frozenset()
        self._painted = self._active()
        self.pointer: QPoint | None = None
        self._is_pointed_by_keys = False
        self.has_focus_ring = False
        self.shows_objects = True
        self._layer = StaticLayer(self)
        self._arrival_timer = QTimer(self)
        self._arrival_timer.setSingleShot(True)
        self._arrival_timer.setInterval(_ARRIVAL_MS)
        self._arrival_timer.timeout.connect(self._widget.update)
        self._layer.changed.connect(self._arrival_timer.start)
        self._labels = LabelLayer(widget.font())
        self._hover_label = QRectF()
        self._has_new_labels = False
        """Whether they must be laid out before the next paint."""
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.timeout.connect(self._lay_out_labels)
        self._settle_timer.timeout.connect(self._widget.update)
        self._settle_timer.timeout.connect(self.settled)
        navigator.viewport_changed.connect(self._on_viewport_changed)

    @property
    def style(self) -> CanvasStyle:
        """Colours, names and what is shown."""
        return self._style

    def set_style(self, style: CanvasStyle) -> None:
        """Set the style and repaint everything."""
        self._style = style
        self._ground = _plain_image(style.background)
        self._layer.replace_content(self._content(), self._context.index)
        self._lay_out_labels()
        self._widget.update()

    @property
    def pyramid(self) -> ImagePyramid | None:
        """The pixels of the current image; None while there are none."""
        return self._image.pyramid

    def show_objects(self, is_on: bool) -> None:
        """Show or hide objects, to look at the bare image; nothing is prepared again."""
        self.shows_objects = is_on
        self._widget.update()

    def set_image(self, image: QImage | ImagePyramid | None, size_wh: tuple[int, int] | None = None) -> None:
        """Show an image, fitted. With the same `size_wh` as before (the image replacing its preview) zoom and position
        stay.
        """
        pyramid = ImagePyramid.of(image, size_wh) if isinstance(image, QImage) else image
        self._image.set_pyramid(pyramid)
        size = size_wh or (pyramid.size_wh if pyramid is not None else (1, 1))
        if size != self._viewport.image_wh:
            self._navigator.show(self._viewport.with_image(size))
        self._widget.update()
        self.image_changed.emit(self.deep_image)

    def look_ahead(self, document: Document, pyramid: ImagePyramid, state: ViewportState | None) -> None:
        """Prepare in the background what `set_image` and `set_document` will show, fitted or as `state` says."""
        fitted, ratio = self._viewport.with_image(document.size_wh), self._widget.devicePixelRatioF()
        viewport = fitted.with_state(state) if state is not None else fitted
        self._image.prepare(pyramid, viewport, ratio, pool)
        self._layer.prepare_ahead(LayerContent(document, self._style), viewport, ratio)

    def value_at(self, x: float, y: float) -> tuple[float, ...] | None:
        """(red, green, blue) under an image point, or the file's own samples; None outside."""
        return self._image.pyramid.value_at(x, y) if self._image.pyramid is not None else None

    def set_display_adjust(self, adjust: DisplayAdjust) -> None:
        """Set the display settings of the image; files and pixel values stay as they are."""
        self._image.set_adjust(adjust)
        self._widget.update()

    @property
    def deep_image(self) -> DeepImage | None:
        """The samples of the current image, if it has more than 8 bits."""
        return self._image.pyramid.deep if self._image.pyramid is not None else None

    @property
    def display_adjust(self) -> DisplayAdjust:
        """The display settings of the image."""
        return self._image.adjust

    @property
    def previews(self) -> tuple[PreviewOutline, ...]:
        """The previews of all layers."""
        return tuple(outline for layer in self._previews.values() for outline in layer)

    def set_previews(self, outlines: tuple[PreviewOutline, ...], *, layer: str) -> None:
        """Set the previews of one layer; those of other layers stay."""
        if outlines or self._previews.get(layer):
            self._previews[layer] = outlines
            self._widget.update()

    def finish(self) -> None:
        """Wait until the picture is sharp: for tests and for pictures of the canvas."""
        self._settle_timer.stop()
        self._layer.prepare(self._viewport, self._widget.devicePixelRatioF())
        self._layer.finish()
        self._lay_out_labels()

    @property
    def is_sharp(self) -> bool:
        """Whether the picture was made for this zoom, not scaled from another."""
        return self._layer.is_sharp

    def show_document(self) -> None:
        """Show the context's document, which is another one."""
        self._live, self._overlay = frozenset(), NOTHING
        self._painted = self._active()
        self._layer.replace_content(self._content(), self._context.index)
        self._lay_out_labels()
        self._widget.update()

    def show_overlay(self, overlay: Overlay, dirty: Collection[Box] = ()) -> None:
        """Repaint only what a new overlay, selection or edit (within `dirty`) changes."""
        self._overlay = overlay
        self._live = live_selection(self._context.document, self._context.selection)
        before, content = self._layer.content, self._content()
        boxes = list(dirty)
        for id_ in (before.without ^ content.without) | (before.selected ^ content.selected):
            boxes += [side[id_].bounds_xyxy for side in (before.document, content.document) if id_ in side]
        self._layer.update_content(content, self._context.index, boxes)
        if boxes:
            self._has_new_labels = True
            self._widget.update()
        active = self._active()
        touched = active.dirty_since(self._painted)
        area = screen_area(touched, self._viewport) | active.notes_since(self._painted, self._viewport)
        if active.hovered is not self._painted.hovered:
            area |= self._hover_label | self._hover_label_of(active)
        area |= self._labels_since(self._painted, active)
        if bool(active.drafts) != bool(self._painted.drafts):  # the drawing order has changed
            self._widget.update()
        self._painted = active
        if not area.isEmpty():
            self._widget.update(area.toAlignedRect())

    def _content(self) -> LayerContent:
        selected = frozenset() if self._live else self._context.selection
        return LayerContent(self._context.document, self._style, self._live | self._overlay.replaced, selected)

    def _active(self) -> ActiveScene:
        category_id = self._context.category_id or 1
        return ActiveScene(self._context.document, self._live, self._overlay, category_id, self._style)

    def _labels_since(self, before: ActiveScene, now: ActiveScene) -> QRectF:
        """The screen area of labels that move with what is dragged."""
        ids = before.overlay.replaced | now.overlay.replaced
        if not ids:
            return QRectF()
        resting = {id_: self._context.document.instances.get(id_) for id_ in ids}
        return self._labels.area_between(resting | before.drafts, resting | now.drafts, self._viewport)

    def _hover_label_of(self, active: ActiveScene) -> QRectF:
        """Where the hovered object's label goes if it is otherwise left out; remembered so that it can be erased."""
        hovered = active.hovered
        place = QRectF() if hovered is None else self._labels.place_of(hovered, self._viewport, self._style)
        self._hover_label = place
        return place

    def show_focus(self, is_shown: bool) -> None:
        """Show the focus ring, for users of the keyboard; the mouse needs none."""
        if is_shown != self.has_focus_ring:
            self.has_focus_ring = is_shown
            self._widget.update()

    @property
    def _has_crosshair(self) -> bool:
        return self._style.shows_crosshair or self._is_pointed_by_keys

    def point_at(self, place: QPoint | None, *, is_by_keys: bool = False) -> None:
        """Move the crosshair; None hides it. Under a pointer moved by keys it is always painted: nothing else is."""
        if self._has_crosshair or is_by_keys:
            for at in (self.pointer, place):
                if at is not None:
                    self._widget.update(at.x() - 1, 0, 3, self._widget.height())
                    self._widget.update(0, at.y() - 1, self._widget.width(), 3)
        self.pointer, self._is_pointed_by_keys = place, is_by_keys

    def _lay_out_labels(self) -> None:
        context, self._has_new_labels = self._context, False
        self._labels.lay_out(context.document, context.index, self._viewport, self._style, context.selection)

    @property
    def _viewport(self) -> Viewport:
        return self._navigator.viewport

    def _on_viewport_changed(self) -> None:
        self._settle_timer.start(_SETTLE_MS)

    def paint(self, event: QPaintEvent) -> None:
        """Paint the event's region on the widget."""
        if self._has_new_labels and not self._settle_timer.isActive():
            self._lay_out_labels()
        self._layer.prepare(self._viewport, self._widget.devicePixelRatioF())
        painter = QPainter(self._widget)
        # the bounding box of two thin strips far apart (the crosshair) would cover the whole area between them
        areas = list(cast("Iterable[QRect]", event.region()))  # the stubs do not know that a region is iterable
        for area in areas if len(areas) <= _MANY_RECTS else [event.rect()]:
            painter.setClipRect(area)
            self._paint_pixels(painter, area, is_alone=len(areas) == 1)
            self._paint(painter, QRectF(area))
        painter.end()

    def _paint_pixels(self, painter: QPainter, area: QRect, *, is_alone: bool) -> None:
        """Paint the image and the ground around it. is_alone: whether the painter is clipped to one rectangle only."""
        ratio = self._widget.devicePixelRatioF()
        if is_alone or not ratio.is_integer() or not self._image.is_enlarged(self._viewport, ratio):
            self._paint_image(painter, QRectF(area), ratio)
            return
        # Within several rectangles Qt enlarges pixels differently, up to a pixel beside those painted before. (With
        # a pixel ratio of 1.5 the copy itself would fall between device pixels.)
        picture = QImage(area.size() * ratio, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(ratio)
        inner = QPainter(picture)
        inner.translate(-area.topLeft())
        self._paint_image(inner, QRectF(area), ratio)
        inner.end()
        painter.drawImage(area.topLeft(), picture)

    def _paint_image(self, painter: QPainter, clip: QRectF, ratio: float) -> None:
        # not `fillRect`: after it Qt blends the scaled layer three times slower while zooming (2.7 ms instead of 0.9)
        for rest in self._image.uncovered(clip, self._viewport):
            painter.drawImage(QRectF(rest), self._ground)
        self._image.draw(painter, self._viewport, ratio, is_moving=self._settle_timer.isActive())

    def _paint(self, painter: QPainter, clip: QRectF) -> None:
        if self.shows_objects:
            self._paint_objects(painter, clip, self._widget.devicePixelRatioF())
        if self.has_focus_ring:
            paint_focus_ring(painter, self._widget.size())
        if self._has_crosshair and self.pointer is not None:
            paint_crosshair(painter, self.pointer, self._widget.size())

    def _paint_objects(self, painter: QPainter, clip: QRectF, ratio: float) -> None:
        self._layer.draw(painter, self._viewport)
        if outlines := self.previews:
            has_words = any(outline.label for outline in outlines)
            taken = self._labels.areas(self._viewport) if has_words else ()
            paint_previews(painter, self._viewport, outlines, clip, taken)
        active = self._active()
        if not active.drafts:
            active.paint_bodies(painter, self._viewport, clip)
        self._labels.paint(painter, self._viewport, clip, ratio, active.drafts)
        if active.hovered is not None and not (place := self._hover_label_of(active)).isEmpty():
            self._labels.paint_one(painter, active.hovered, place, self._style, ratio)
        if active.drafts:  # an outline being dragged covers the labels in its way
            active.paint_bodies(painter, self._viewport, clip)
        active.paint_marks(painter, self._viewport, clip)  # last: no label covers a handle


def _plain_image(colour: Rgb) -> QImage:
    image = QImage(16, 16, QImage.Format.Format_RGB32)
    image.fill(QColor(*colour))
    return image


def boxes_of(change: Change) -> list[Box]:
    """Where the instances of a change were and are."""
    sides = (side for _, before, after in change for side in (before, after))
    return [side.bounds_xyxy for side in sides if side is not None and side.polygons]
