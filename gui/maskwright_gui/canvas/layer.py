"""The static layer: every instance that is not being edited, rasterised once and copied until something changes.

A few outlines are rasterised while painting; many in a thread, with the previous picture shown scaled in the meantime.
An edit repaints only the box it touches. A timer polls the thread, which never calls Qt objects, so that a canvas may
be destroyed at any moment.
"""

import math
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QImage, QPainter

from maskwright.document.document import Document
from maskwright.document.spatial import SpatialIndex
from maskwright.document.values import Instance
from maskwright_gui.canvas.layer_view import LINE_PAD_PX, aligned_view, device_area, is_aligned
from maskwright_gui.canvas.pyramid import writable_pixels
from maskwright_gui.canvas.raster import LayerView, OutlineStyle, rasterise
from maskwright_gui.canvas.scene import Scene, SceneLevels
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.viewport import Viewport

_MARGIN_SCREEN_PX = 128
_REFRESH_SCREEN_PX = 48
_RIM_SCREEN_PX = 8
_AT_ONCE_VERTICES = 6_000
_AT_ONCE_INSTANCES = 400
_PATCH_VERTICES = 20_000
_POLL_MS = 4
_AHEAD = 2
"""How many prepared pictures of other documents are kept, each of screen size."""

Box = tuple[float, float, float, float]

pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="canvas-layer")


@dataclass(frozen=True, slots=True, eq=False)
class LayerContent:
    """Everything the picture depends on, apart from the zoom."""

    document: Document
    style: CanvasStyle
    without: frozenset[int] = frozenset()
    """Ids that are painted live and not here."""
    selected: frozenset[int] = frozenset()
    """Ids painted here but brighter: a selection too large to be painted live."""

    def is_same(self, other: "LayerContent") -> bool:
        """Whether both give the same picture."""
        return (
            self.document is other.document
            and self.style is other.style
            and self.without == other.without
            and self.selected == other.selected
        )

    def has_same_scene(self, other: "LayerContent") -> bool:
        """Whether both show the same document in the same style."""
        return self.document is other.document and self.style is other.style


@dataclass(frozen=True, slots=True, eq=False)
class RenderedLayer:
    """A picture, and the content and view it was made for."""

    image: QImage
    view: LayerView
    device_pixel_ratio: float


class StaticLayer(QObject):
    """Call `prepare` before painting, then `draw`."""

    changed = Signal()
    """A sharper picture is ready: paint again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._content = LayerContent(Document.of(0, (1, 1)), CanvasStyle())
        self._index = SpatialIndex(self._content.document)
        self._levels: tuple[LayerContent, SceneLevels] | None = None
        self._layer: RenderedLayer | None = None
        self._is_stale = True
        self._job: _Job | None = None
        self._ahead: deque[_Ahead] = deque(maxlen=_AHEAD)
        self._waiting: tuple[LayerView, float] | None = None
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._collect)

    @property
    def content(self) -> LayerContent:
        """What the layer currently shows."""
        return self._content

    @property
    def is_sharp(self) -> bool:
        """Whether the picture is exact and no better one is being made."""
        return self._job is None and self._waiting is None and not self._is_stale

    def replace_content(self, content: LayerContent, index: SpatialIndex) -> None:
        """Show another document; the current picture is discarded."""
        self._content, self._index = content, index
        self._layer, self._levels, self._waiting = None, None, None
        if self._job is not None:
            self._job.is_worthless = True
        self._layer = self._made_ahead(content)
        self._is_stale = self._layer is None

    def prepare_ahead(self, content: LayerContent, viewport: Viewport, ratio: float) -> None:
        """Rasterise another document in the thread, if it is small enough to be rasterised while painting."""
        document = content.document
        if len(document) > _AT_ONCE_INSTANCES or sum(one.vertex_count for one in document) > _AT_ONCE_VERTICES:
            return
        view = aligned_view(viewport, ratio, margin_screen_px=_MARGIN_SCREEN_PX, rim_screen_px=_RIM_SCREEN_PX)
        if all(not known.content.is_same(content) or known.view != view for known in self._ahead):
            index = SpatialIndex(document)
            instances = [document[id_] for id_ in index.ids_touching(view.box)]
            job = pool.submit(_render_job, content, None, instances, view, ratio)
            self._ahead.append(_Ahead(job, view, content))

    def _made_ahead(self, content: LayerContent) -> RenderedLayer | None:
        for known in self._ahead:
            if known.content.is_same(content) and known.future.done():
                self._ahead.remove(known)  # edits are drawn into it
                return known.future.result()[0]
        return None

    def update_content(self, content: LayerContent, index: SpatialIndex, dirty: Collection[Box]) -> None:
        """Show the same document after an edit or a change of selection; only the inside of `dirty` looks different."""
        if content.is_same(self._content):
            return
        if not content.has_same_scene(self._content):
            self._levels = None
        self._content, self._index = content, index
        if self._job is not None:
            self._job.missed.extend(dirty)
        if self._layer is not None and not self._patch(self._layer, dirty):
            self._is_stale = True

    def prepare(self, viewport: Viewport, device_pixel_ratio: float) -> None:
        """Make the picture fit the viewport: now if that is quick, otherwise in the thread."""
        if not self._is_stale and any(_suffices(view, viewport, device_pixel_ratio) for view in self._views()):
            self._waiting = None
            return
        view = aligned_view(
            viewport, device_pixel_ratio, margin_screen_px=_MARGIN_SCREEN_PX, rim_screen_px=_RIM_SCREEN_PX
        )
        instances = self._few_instances_in(view.box)
        if instances is None or self._still_shows(viewport, device_pixel_ratio):
            self._waiting = (view, device_pixel_ratio)
            self._start_job()
        else:
            self._drop_job()
            scene = Scene.of(instances, self._content.style)
            self._layer = _rendered(scene, self._content, view, device_pixel_ratio)
            self._is_stale = False

    def draw(self, painter: QPainter, viewport: Viewport) -> None:
        """Copy the picture to the painter: exactly at its own zoom, scaled while a sharper one is being made."""
        if self._layer is None:
            return
        ratio, view = self._layer.device_pixel_ratio, self._layer.view
        painter.save()
        if math.isclose(view.scale, viewport.scale * ratio, rel_tol=1e-9):
            # in device pixels the copy is exact; through the painter's scaling it would be resampled
            painter.scale(1 / ratio, 1 / ratio)
            x = round(viewport.offset_x * ratio + view.origin_x)
            y = round(viewport.offset_y * ratio + view.origin_y)
            painter.drawImage(QPointF(x, y), self._layer.image)
        else:
            x1, y1, x2, y2 = view.box
            left, top = viewport.to_screen(x1, y1)
            width, height = (x2 - x1) * viewport.scale, (y2 - y1) * viewport.scale
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(QRectF(left, top, width, height), self._layer.image)
        painter.restore()

    def finish(self) -> None:
        """Wait for the thread and take its picture: for tests and for pictures of the canvas."""
        while self._job is not None:
            self._job.future.exception()
            self._collect()

    def _views(self) -> list[LayerView]:
        """The view of the current picture, and that of the one being made."""
        known = [self._layer.view] if self._layer is not None else []
        return known + ([self._job.view] if self._job is not None and not self._job.is_worthless else [])

    def _still_shows(self, viewport: Viewport, ratio: float) -> bool:
        """Whether the current picture covers the screen; a wider one may then come from the thread."""
        if self._layer is None or self._is_stale:
            return False
        return is_aligned(self._layer.view, viewport, ratio, margin_screen_px=0, rim_screen_px=_RIM_SCREEN_PX)

    def _few_instances_in(self, box: Box) -> list[Instance] | None:
        """The instances to rasterise, if few enough to do so while painting."""
        if self._index.vertices_touching(box) > _AT_ONCE_VERTICES:
            return None
        ids = self._index.ids_touching(box)
        return [self._content.document[id_] for id_ in ids] if len(ids) <= _AT_ONCE_INSTANCES else None

    def _start_job(self) -> None:
        if self._job is not None or self._waiting is None:
            return
        (view, ratio), self._waiting = self._waiting, None
        content, known = self._content, self._levels
        levels = known[1] if known is not None and known[0].has_same_scene(content) else None
        few = self._few_instances_in(view.box) if levels is None else None
        self._job = _Job(pool.submit(_render_job, content, levels, few, view, ratio), view, content)
        self._is_stale = False
        self._poll.start()

    def _collect(self) -> None:
        job = self._job
        if job is None or not job.future.done():
            return
        self._job = None
        layer, levels = job.future.result()
        if levels is not None and job.content.has_same_scene(self._content):
            self._levels = (job.content, levels)
        if not job.is_worthless:
            self._layer = layer
            self._is_stale = not self._patch(layer, job.missed)
        if self._waiting is not None:
            self._start_job()
        else:
            self._poll.stop()
        self.changed.emit()

    def _drop_job(self) -> None:
        self._waiting = None
        if self._job is not None:
            self._job.is_worthless = True  # it runs to its end: a thread cannot be interrupted within cv2

    def _patch(self, layer: RenderedLayer, boxes: Collection[Box]) -> bool:
        """Redraw the boxes in place. False if that would take too long for one frame."""
        areas = [area for area in (device_area(layer.view, box) for box in boxes) if area is not None]
        if not areas:
            return True
        left, top = min(area[0] for area in areas), min(area[1] for area in areas)
        right, bottom = max(area[2] for area in areas), max(area[3] for area in areas)
        pad = LINE_PAD_PX  # drawn and cut off again: lines of objects outside reach into the boxes
        view = layer.view.cropped(left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad)
        if self._index.vertices_touching(view.box) > _PATCH_VERTICES:
            return False
        document = self._content.document
        scene = Scene.of((document[id_] for id_ in self._index.ids_touching(view.box)), self._content.style)
        patch = _rendered(scene, self._content, view, layer.device_pixel_ratio)
        writable_pixels(layer.image)[top:bottom, left:right] = writable_pixels(patch.image)[pad:-pad, pad:-pad]
        return True


@dataclass(slots=True, eq=False)
class _Job:
    future: "Future[tuple[RenderedLayer, SceneLevels | None]]"
    view: LayerView
    content: LayerContent
    missed: list[Box] = field(default_factory=list)
    """Boxes that have changed since the job started."""
    is_worthless: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    future: "Future[tuple[RenderedLayer, SceneLevels | None]]"
    view: LayerView
    content: LayerContent


def _suffices(view: LayerView, viewport: Viewport, ratio: float) -> bool:
    margin, rim = _REFRESH_SCREEN_PX, _RIM_SCREEN_PX
    return is_aligned(view, viewport, ratio, margin_screen_px=margin, rim_screen_px=rim)


def _render_job(
    content: LayerContent, levels: SceneLevels | None, few: Sequence[Instance] | None, view: LayerView, ratio: float
) -> tuple[RenderedLayer, SceneLevels | None]:
    """Render in a thread. few: all instances in view, if too few to justify packing the whole document."""
    if few is not None:
        return _rendered(Scene.of(few, content.style), content, view, ratio), None
    if levels is None:
        levels = SceneLevels(Scene.of(content.document, content.style))
    return _rendered(levels.at(view.scale), content, view, ratio), levels


def _rendered(scene: Scene, content: LayerContent, view: LayerView, ratio: float) -> RenderedLayer:
    image = QImage(view.width, view.height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    visible = scene.within(view.box, without=content.without, selected=content.selected)
    look = OutlineStyle(pixel=max(round(ratio), 1), has_lines=content.style.shows_outlines)
    rasterise(visible, view, writable_pixels(image), look)
    return RenderedLayer(image, view, ratio)
