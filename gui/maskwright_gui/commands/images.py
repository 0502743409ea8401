"""The Image menu: which image is on screen, its decoding, and its review state."""

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from maskwright.document.values import ImageRecord, ImageState, InstanceState
from maskwright.errors import ImageError
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.canvas.viewport import ViewportState
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.session import Session
from maskwright_gui.viewports import read_viewports, store_viewports
from maskwright_gui.workers.decoding import PREVIEW_FROM_PIXELS
from maskwright_gui.workers.image_cache import ImageRequest
from maskwright_gui.workers.images import ImageLoader

OPEN_STATES = frozenset({ImageState.UNSEEN, ImageState.PRELABELLED, ImageState.IN_PROGRESS})
NEAR_ROWS = 400
AHEAD = (1, -1, 2)
"""Rows relative to the current one that are decoded in advance, most likely first."""


LATE_MS = 1500
"""An image that takes longer is said to be waited for."""
LOOK_AHEAD_MS = 30
"""After the step, whose frame comes first."""


class ImageCommands(QObject):
    """Walks through the rows of the image list and puts pixels on the canvas."""

    failed = Signal(str, object)
    """(what did not work, ImageError)."""
    ended = Signal(str)
    """There is no further image in the direction asked for."""
    left_open = Signal(int, int)
    """(id of an image marked done, number of its proposals that nobody answered)."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None) while a large image is decoded; an empty text when that is over."""
    list_ended = Signal(int)
    """The last image of the list was marked done; so many are still to do."""

    def __init__(
        self,
        session: Session,
        canvas: CanvasView,
        rows: ImageListModel,
        loader: ImageLoader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._canvas, self._rows, self._loader = session, canvas, rows, loader
        self._viewports: dict[int, ViewportState] = {}
        self.on_screen: int | None = None
        """Image whose pixels are on the canvas; None while they are being decoded."""
        session.image_changed.connect(self._on_image_changed)
        loader.previewed.connect(self._on_previewed)
        loader.loaded.connect(self._on_loaded)
        loader.failed.connect(self._on_failed)
        self._direction = 1
        self._is_decoding = False
        self._late_timer = QTimer(self, singleShot=True, interval=LATE_MS)
        self._late_timer.timeout.connect(self._tell_late)
        self._ahead_timer = QTimer(self, singleShot=True, interval=LOOK_AHEAD_MS)
        self._ahead_timer.timeout.connect(self._look_ahead)
        for news in (session.neighbour_read, session.record_changed, loader.prefetched):
            news.connect(lambda _image_id: self._ahead_timer.start())

    def next_image(self) -> None:
        self._step(1)

    def previous_image(self) -> None:
        self._step(-1)

    def next_open(self) -> None:
        self._step_to_open(1)

    def previous_open(self) -> None:
        self._step_to_open(-1)

    def show_first(self) -> None:
        """The first image that is not done: where the work goes on."""
        ids = self._rows.ids
        if not len(ids):
            return
        first = self._rows.record(0)
        row = 0 if first is None or first.state in OPEN_STATES else self._next_open_row(0, 1)
        self._session.show_image(int(ids[row if row is not None else 0]))

    def go_on(self) -> None:
        """A folder answers again: what could not be had before may be there now."""
        self._ahead_timer.start()

    def done(self) -> None:
        """Done (or verified empty where nothing is left, no open proposal either), and on to the next image."""
        document, image = self._session.document, self._session.image
        if document is None or image is None:
            return
        open_count = sum(instance.state is InstanceState.PROPOSED for instance in document)
        is_empty = not open_count and not any(instance.state.is_exported for instance in document)
        self._session.set_image_state(ImageState.EMPTY if is_empty else ImageState.DONE)
        if open_count:
            self.left_open.emit(image.id, open_count)
        if self._current_row() == len(self._rows.ids) - 1:
            self._session.save()
            self.list_ended.emit(self._open_count())
        else:
            self._step(1)

    def _open_count(self) -> int:
        counts = self._session.project.state_counts() if self._session.project is not None else {}
        return sum(count for state, count in counts.items() if state in OPEN_STATES)

    def reopen(self) -> None:
        self._session.set_image_state(ImageState.IN_PROGRESS)

    def forget(self) -> None:
        """Another project: what is remembered here is of another one, or of an earlier day."""
        project = self._session.project
        self._viewports = read_viewports(project) if project is not None else {}
        self._loader.forget()

    def _step(self, direction: int) -> None:
        self._direction = direction
        row = self._current_row()
        target = row + direction if row is not None else 0
        if 0 <= target < len(self._rows.ids):
            self._session.show_image(int(self._rows.ids[target]))
        else:
            self.ended.emit("This is the last image of the list" if direction > 0 else "This is the first image")

    def _step_to_open(self, direction: int) -> None:
        row = self._current_row()
        if row is None:
            return
        target = self._next_open_row(row, direction)
        if target is not None:
            self._session.show_image(int(self._rows.ids[target]))
        else:
            self.ended.emit("No image that is not done follows" if direction > 0 else "All images before are done")

    def _next_open_row(self, row: int, direction: int) -> int | None:
        near = self._near_open_row(row, direction)
        return near if near is not None else self._far_open_row(row, direction)

    def _near_open_row(self, row: int, direction: int) -> int | None:
        """Among the next few pages of the list, which cost a millisecond each."""
        for target in range(row + direction, row + direction * NEAR_ROWS, direction):
            record = self._rows.record(target)
            if record is not None and record.state in OPEN_STATES:
                return target
        return None

    def _far_open_row(self, row: int, direction: int) -> int | None:
        """Among all rows: 160 ms for 100,000."""
        project = self._session.project
        if project is None:
            return None
        places = np.flatnonzero(np.isin(self._rows.ids, project.image_ids(states=OPEN_STATES)))
        places = places[places > row] if direction > 0 else places[places < row][::-1]
        return int(places[0]) if len(places) else None

    def _current_row(self) -> int | None:
        return self._rows.row_of(self._session.image.id) if self._session.image is not None else None

    def _request(self, record: ImageRecord) -> ImageRequest:
        assert self._session.project is not None
        return ImageRequest(record.id, self._session.project.image_path(record))

    def _neighbours(self) -> list[ImageRequest]:
        row = self._current_row()
        if row is None:
            return []
        records = [self._rows.record(row + offset) for offset in AHEAD]
        return [self._request(record) for record in records if record is not None]

    def _look_ahead(self) -> None:
        """Have the neighbours' objects read, and the next image in the direction of the last step drawn, in threads."""
        if self._session.project is None or (row := self._current_row()) is None:
            return
        self._session.read_ahead([request.image_id for request in self._neighbours()])
        if (record := self._rows.record(row + self._direction)) is None:
            return
        image, document = self._loader.prefetched_image(self._request(record)), self._session.neighbour(record.id)
        if image is not None and document is not None:
            self._canvas.look_ahead(document, image, self._viewports.get(record.id))

    def _on_image_changed(self, record: ImageRecord | None) -> None:
        if self.on_screen is not None:
            self._viewports.pop(self.on_screen, None)  # the latest is last
            self._viewports[self.on_screen] = self._canvas.viewport_state()
        self.on_screen = None
        self._end_decoding()
        if record is None:
            self._canvas.set_image(None, (1, 1))
            if self._session.project is not None and self._viewports:
                store_viewports(self._session.project, self._viewports)
            return
        image = self._loader.request(self._request(record), self._neighbours())
        if image is not None:
            self._show(record, image)
        else:
            self._canvas.set_image(None, (record.width, record.height))
            self._late_timer.start()
            self._tell_decoding(record)
        # once, before any pixels: whoever zooms into the preview is not thrown back when the whole image arrives
        if (state := self._viewports.get(record.id)) is not None:
            self._canvas.set_viewport_state(state)
        else:
            self._canvas.zoom_to_fit()
        self._ahead_timer.start()

    def _on_previewed(self, image_id: int, image: ImagePyramid) -> None:
        record = self._session.image
        if record is not None and record.id == image_id and self.on_screen != image_id:
            self._canvas.set_image(image, (record.width, record.height))

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
        self._canvas.set_image(image, (record.width, record.height))
        self.on_screen = record.id
        self._end_decoding()

    def _tell_decoding(self, record: ImageRecord) -> None:
        """A large image takes seconds, and not every format has a preview."""
        megapixels = record.width * record.height / 1e6
        if megapixels * 1e6 >= PREVIEW_FROM_PIXELS:
            self._is_decoding = True
            self.work_changed.emit(f"Decoding {megapixels:.0f} megapixels", 0, None)

    def _tell_late(self) -> None:
        if self._session.image is not None and self.on_screen is None and not self._is_decoding:
            self._is_decoding = True
            self.work_changed.emit(f"Waiting for {self._session.image.file_name}", 0, None)

    def _end_decoding(self) -> None:
        self._late_timer.stop()
        if self._is_decoding:
            self._is_decoding = False
            self.work_changed.emit("", 0, None)
