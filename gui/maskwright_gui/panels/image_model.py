"""The project's images as a list model: all ids in one array, records fetched by page for the visible rows.

100,000 images cost 0.8 MB and one query; nothing is done for an image until its row is visible.
"""

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import MaskwrightError
from maskwright.monitor import Monitor
from maskwright.words import shown
from maskwright_gui.open_project import OpenProject
from maskwright_gui.operation import Operation
from maskwright_gui.panels.image_query import ImageQuery
from maskwright_gui.panels.state_marks import record_text
from maskwright_gui.workers.executor import NoAnswerError
from maskwright_gui.workers.thumbnails import ThumbnailLoader

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright.review.order import QueueOrder, RareClasses, Reasons

PAGE = 128
MAX_PAGES = 32
RECORD_ROLE = Qt.ItemDataRole.UserRole
THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole + 1
REASON_ROLE = Qt.ItemDataRole.UserRole + 2
"""Why the image has its place in the queue; empty in the order of names."""
MISSING_ROLE = Qt.ItemDataRole.UserRole + 3
"""Whether the file of the image was not there when its thumbnail was made."""

_Index = QModelIndex | QPersistentModelIndex


class ImageListModel(QAbstractListModel):
    """The rows are the images that pass the filter, in the chosen order.

    The order by rare classes arrives later than the others: all objects are counted for it in the background.
    """

    failed = Signal(str, object)
    """(what failed, MaskwrightError)."""

    def __init__(self, thumbnails: ThumbnailLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._project: OpenProject | None = None
        self._query = ImageQuery()
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._reasons: Reasons | None = None
        self._rare: RareClasses | None = None
        self._operation: Operation | None = None
        self._wanted: ImageQuery | None = None
        """The query to show when the classes have been counted."""
        self._pages: LRUCache[int, dict[int, ImageRecord]] = LRUCache(MAX_PAGES)
        self._stale: dict[int, dict[int, ImageRecord]] = {}
        """Pages to read again: shown until they are, also while the project does not answer."""
        thumbnails.loaded.connect(self._on_thumbnail)

    def set_project(self, project: OpenProject | None) -> None:
        """Show the images of a project; None: an empty list."""
        self.stop()
        self._project, self._rare = project, None
        self.refilter(ImageQuery())

    def stop(self) -> None:
        """Stop counting, and wait until nothing reads the project."""
        self._wanted = None
        if self._operation is not None:
            operation, self._operation = self._operation, None
            operation.stop()

    def refilter(self, query: ImageQuery) -> None:
        """Show the images that the query finds, in its order; also with the same query, after the project has
        changed.
        """
        is_counted = self._rare is not None and self._query.order == "rarity" and query != self._query
        if query.order == "rarity" and self._project is not None and not is_counted:
            self._wanted = query
            self._count(self._project.stored)
        else:
            self._wanted = None
            self._find(query)

    @property
    def is_counting(self) -> bool:
        """Whether the order by rare classes is being prepared."""
        return self._wanted is not None

    def reason(self, image_id: int) -> str:
        """Why the image has its place in the queue; empty in the order of names."""
        reasons = self._reasons
        if reasons is None or self._project is None:
            return ""
        return self._project.ask(lambda _stored: reasons.of(image_id))

    def origin(self, image_id: int) -> str:
        """Which model proposed on the image; empty if none has. A query by key."""
        try:
            name = (
                self._project.ask(lambda stored: stored.runs.proposed_by(image_id))
                if self._project is not None
                else None
            )
        except NoAnswerError:
            return ""
        return f"Proposed by {shown(name)}" if name is not None else ""

    def rarest_class(self, image_id: int) -> tuple[int, str, int] | None:
        """(id, name, number of instances in the project) of the rarest class on the image; only in that order."""
        return self._reasons.rarest_class(image_id) if self._reasons is not None else None

    @property
    def order(self) -> "QueueOrder":
        """Name of the current order."""
        return self._query.order

    @property
    def standings(self) -> tuple[ImageStanding, ...]:
        """The standings of the images shown."""
        return self._query.standings

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) int64, in the order of the rows."""
        return self._ids

    def row_of(self, image_id: int) -> int | None:
        """None if the image is not listed."""
        rows = np.flatnonzero(self._ids == image_id)
        return int(rows[0]) if len(rows) else None

    def record(self, row: int) -> ImageRecord | None:
        """The record of a row; None if the image is no longer in the project."""
        if not 0 <= row < len(self._ids):
            return None
        return self._page(row // PAGE).get(int(self._ids[row]))

    def refresh(self, image_ids: Collection[int]) -> None:
        """Read these images' records again, because their state or count has changed."""
        rows = np.flatnonzero(np.isin(self._ids, np.fromiter(image_ids, np.int64, len(image_ids))))
        if not len(rows):
            return
        for page in np.unique(rows // PAGE).tolist():
            if (stale := self._pages.pop(page, None)) is not None:
                self._stale[page] = stale
        self.dataChanged.emit(self.index(int(rows[0])), self.index(int(rows[-1])))

    def _count(self, project: "Project") -> None:
        def counted(_monitor: Monitor) -> object:
            from maskwright.review.order import RareClasses

            return RareClasses.of(project)

        if self._operation is None:
            operation = self._operation = Operation(counted, self)
            operation.on_success(partial(self._on_counted, operation))
            operation.on_failure(partial(self._on_count_failed, operation)).start()

    def _on_counted(self, operation: Operation, rare: "RareClasses") -> None:
        if operation is self._operation:
            query = self._wanted
            self.stop()
            self._rare = rare
            if query is not None:
                self._find(query)

    def _on_count_failed(self, operation: Operation, error: MaskwrightError) -> None:
        if operation is self._operation:
            self.stop()
            self.failed.emit("The classes were not counted", error)

    def _find(self, query: ImageQuery) -> None:
        no_ids = np.empty(0, np.int64)
        try:
            ids = (
                self._project.ask(lambda stored: query.image_ids(stored, self._rare))
                if self._project is not None
                else no_ids
            )
        except NoAnswerError as error:
            self.failed.emit("The list was not updated", error)
            return
        self._query = query
        self.beginResetModel()
        self._pages.clear()
        self._stale.clear()
        self._ids = ids
        self._reasons = self._make_reasons()
        self.endResetModel()

    def _make_reasons(self) -> "Reasons | None":
        if self._project is None or self._query.order == "name":
            return None
        from maskwright.review.order import Reasons

        return Reasons(self._project.stored, self._query.order, self._rare)

    def _page(self, number: int) -> dict[int, ImageRecord]:
        if number not in self._pages and self._project is not None:
            ids = self._ids[number * PAGE : (number + 1) * PAGE].tolist()
            try:
                self._pages[number] = {
                    record.id: record for record in self._project.ask(lambda stored: stored.images.records(ids))
                }
            except NoAnswerError:
                return self._stale.get(number, {})
            self._stale.pop(number, None)
        return self._pages.get(number, {})

    def _on_thumbnail(self, image_id: int) -> None:
        row = self.row_of(image_id)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row), [THUMBNAIL_ROLE])

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        record = self.record(index.row()) if index.isValid() else None
        if record is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(record.file_name)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            counted = f"{record.instance_count} object" + ("s" if record.instance_count != 1 else "")
            standing = "missing" if self._thumbnails.is_missing(record.id) else record_text(record)
            told = f"{shown(record.file_name)}\n{record.width} × {record.height}, {counted}, {standing}"
            origin = self.origin(record.id) if role == Qt.ItemDataRole.ToolTipRole else ""
            return "\n".join(filter(None, (told, self.reason(record.id), origin)))
        if role == REASON_ROLE:
            return self.reason(record.id)
        if role == MISSING_ROLE:
            return self._thumbnails.is_missing(record.id)
        if role == RECORD_ROLE:
            return record
        if role == THUMBNAIL_ROLE and self._project is not None:
            return self._thumbnails.thumbnail(record.id, self._project.image_path(record))
        return None
