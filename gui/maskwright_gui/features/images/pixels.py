"""Puts the pixels of the current image on the canvas, at the zoom and position of the last visit."""

import logging

from PySide6.QtCore import QObject, QTimer, Signal

from maskwright.document.values import ImageRecord
from maskwright.errors import ImageError, ProjectError
from maskwright.words import shown
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.canvas.viewport import ViewportState
from maskwright_gui.features.images.walk import RowWalk
from maskwright_gui.open_project import OpenProject
from maskwright_gui.session import Session
from maskwright_gui.workers.decoding import PREVIEW_FROM_PIXELS
from maskwright_gui.workers.images import ImageLoader, ImageRequest

VIEWPORTS_SETTING = "window.viewports"
"""Name of a project setting."""
MOST_KEPT = 300
log = logging.getLogger(__name__)


def read_viewports(project: OpenProject) -> dict[int, ViewportState]:
    """The views by image id, the latest last; nothing if they cannot be read."""
    stored = project.setting(VIEWPORTS_SETTING)
    try:
        return {int(id_): ViewportState.from_json(values) for id_, values in (stored or {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.info("the views of the images are forgotten: %r", error)
        return {}


def store_viewports(project: OpenProject, viewports: dict[int, ViewportState]) -> None:
    """Store the views; a failure is only logged, since little is lost."""
    if project.is_read_only:
        return
    zoomed = [(id_, state) for id_, state in viewports.items() if not state.is_fit]
    try:
        project.set_setting(VIEWPORTS_SETTING, {str(id_): state.to_json() for id_, state in zoomed[-MOST_KEPT:]})
    except ProjectError as error:
        log.warning("the views of the images are not kept: %s", error)


GATHER_MS = 200


class Gatherer(QObject):
    """Collects image ids and emits them together."""

    gathered = Signal(object)
    """frozenset of the ids collected since the last time."""

    def __init__(self, parent: QObject | None = None, *, gather_ms: int = GATHER_MS) -> None:
        super().__init__(parent)
        self._ids: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(gather_ms)
        self._timer.timeout.connect(self._tell)

    def note(self, image_id: int) -> None:
        """Emit the id soon, together with others."""
        self._ids.add(image_id)
        if not self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        ids, self._ids = frozenset(self._ids), set()
        self.gathered.emit(ids)


AHEAD = (1, -1, 2)
"""Rows relative to the current one that are decoded ahead, most likely first."""
LATE_MS = 1500
"""An image that takes longer gets a message in the status bar."""
LOOK_AHEAD_MS = 30
"""Delay after a step, whose frame comes first."""


class ImageOnCanvas(QObject):
    """Has the current image decoded, then those that are likely to come next."""

    failed = Signal(str, object)
    """(what failed, ImageError)."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None) while a large image is decoded; an empty text when it is."""

    def __init__(self, session: Session, canvas: CanvasView, walk: RowWalk, loader: ImageLoader) -> None:
        super().__init__(canvas)
        self._session, self._canvas, self._walk, self._loader = session, canvas, walk, loader
        self._viewports: dict[int, ViewportState] = {}
        self.on_screen: int | None = None
        """Id of the image whose pixels are on the canvas; None while they are being decoded."""
        self._is_decoding = False
        self._late_timer = QTimer(self, singleShot=True, interval=LATE_MS)
        self._late_timer.timeout.connect(self._tell_late)
        self._ahead_timer = QTimer(self, singleShot=True, interval=LOOK_AHEAD_MS)
        self._ahead_timer.timeout.connect(self._look_ahead)
        session.image_changed.connect(self._on_image_changed)
        loader.previewed.connect(self._on_previewed)
        loader.loaded.connect(self._on_loaded)
        loader.failed.connect(self._on_failed)
        for news in (session.neighbour_read, session.record_changed, loader.prefetched):
            news.connect(self.look_ahead_soon)
        session.classes.changed.connect(self.look_ahead_soon)  # a write makes all known stale

    def forget(self) -> None:
        """Forget the images of the previous project, or of the state before a change."""
        project = self._session.project
        self._viewports = read_viewports(project) if project is not None else {}
        self._loader.forget()

    def look_ahead_soon(self) -> None:
        """Read the neighbours as soon as the current frame is painted."""
        self._ahead_timer.start()

    def _request(self, record: ImageRecord) -> ImageRequest:
        assert self._session.project is not None
        return ImageRequest(record.id, self._session.project.image_path(record))

    def _neighbours(self) -> list[ImageRequest]:
        records = [self._walk.record(offset) for offset in AHEAD]
        return [self._request(record) for record in records if record is not None]

    def _look_ahead(self) -> None:
        """Have the neighbours' objects read, and the next image in the direction of the last step drawn, both in
        threads.
        """
        if self._session.project is None or self._walk.row is None:
            return
        self._session.read_ahead([request.image_id for request in self._neighbours()])
        if (record := self._walk.record(self._walk.direction)) is None:
            return
        image, document = self._loader.prefetched_image(self._request(record)), self._session.neighbour(record.id)
        if image is not None and document is not None:
            self._canvas.renderer.look_ahead(document, image, self._viewports.get(record.id))

    def _on_image_changed(self, record: ImageRecord | None) -> None:
        if self.on_screen is not None:
            self._viewports.pop(self.on_screen, None)  # the latest is last
            self._viewports[self.on_screen] = self._canvas.navigator.viewport.state
        self.on_screen = None
        self._end_decoding()
        if record is None:
            self._canvas.renderer.set_image(None, (1, 1))
            if self._session.project is not None and self._viewports:
                store_viewports(self._session.project, self._viewports)
            return
        image = self._loader.request(self._request(record), self._neighbours())
        if image is not None:
            self._show(record, image)
        else:
            self._canvas.renderer.set_image(None, (record.width, record.height))
            self._late_timer.start()
            self._tell_decoding(record)
        # only once, before any pixels: a user who zooms into the preview is not thrown back when the full image arrives
        if (state := self._viewports.get(record.id)) is not None:
            self._canvas.navigator.go_back_to(state)
        else:
            self._canvas.navigator.zoom_to_fit()
        self.look_ahead_soon()

    def _on_previewed(self, image_id: int, image: ImagePyramid) -> None:
        record = self._session.image
        if record is not None and record.id == image_id and self.on_screen != image_id:
            self._canvas.renderer.set_image(image, (record.width, record.height))

    def _on_loaded(self, image_id: int, image: ImagePyramid) -> None:
        record = self._session.image
        if record is not None and record.id == image_id:
            self._show(record, image)

    def _on_failed(self, image_id: int, error: ImageError) -> None:
        record = self._session.image
        if record is not None and record.id == image_id:
            self._end_decoding()
            self.failed.emit("The image cannot be shown", error)

    def _show(self, record: ImageRecord, image: ImagePyramid) -> None:
        self._canvas.renderer.set_image(image, (record.width, record.height))
        self.on_screen = record.id
        self._end_decoding()

    def _tell_decoding(self, record: ImageRecord) -> None:
        """Say that a large image is being decoded: that takes seconds, and not every format has a preview."""
        megapixels = record.width * record.height / 1e6
        if megapixels * 1e6 >= PREVIEW_FROM_PIXELS:
            self._is_decoding = True
            self.work_changed.emit(f"Decoding {megapixels:.0f} megapixels", 0, None)

    def _tell_late(self) -> None:
        if self._session.image is not None and self.on_screen is None and not self._is_decoding:
            self._is_decoding = True
            self.work_changed.emit(f"Waiting for {shown(self._session.image.file_name)}", 0, None)

    def _end_decoding(self) -> None:
        self._late_timer.stop()
        if self._is_decoding:
            self._is_decoding = False
            self.work_changed.emit("", 0, None)
