"""Reads ahead what the project stores about the neighbours of the current image, beside the GUI thread.

The step to the next image then needs no query, and while the project's folder hangs there are images to go to. Stale
data is never returned: anything read before the project's last write counts as not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import LRUCache
from PySide6.QtCore import QObject, Signal

from maskwright.document.document import Document
from maskwright.document.values import ImageRecord
from maskwright.errors import ProjectError
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    from maskwright.project.store import Project

MOST_KNOWN = 64


@dataclass(frozen=True, slots=True, eq=False)
class Neighbour:
    """An image as the database had it at a revision."""

    record: ImageRecord
    document: Document
    revision: int


class ReadAhead(Worker[int]):
    """The newest request wins; keeps what is known about the images requested last."""

    read = Signal(object)
    """Image id: `get` knows it now."""

    def __init__(self, project: "Project", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._waiting: list[int] = []
        self._known: LRUCache[int, Neighbour] = LRUCache(MOST_KNOWN)

    def request(self, image_ids: Sequence[int]) -> None:
        """Read these images, unless they are known and nothing was written since."""
        with self._condition:
            self._waiting = list(image_ids)
            self._condition.notify()

    def get(self, image_id: int) -> Neighbour | None:
        """What is known of an image if it is still true; None if another program may write."""
        if self._project.is_read_only:
            return None
        with self._condition:
            known = self._known.get(image_id)
        return known if known is not None and known.revision == self._project.revision else None

    def _keep(self, neighbour: Neighbour) -> None:
        with self._condition:
            self._known[neighbour.record.id] = neighbour

    def _take(self) -> int | None:
        return self._waiting.pop(0) if self._waiting else None

    def _do(self, image_id: int) -> None:
        if self.get(image_id) is None and (found := self._read(image_id)) is not None:
            self._keep(found)
            self.read.emit(image_id)

    def _read(self, image_id: int) -> Neighbour | None:
        revision = self._project.revision  # before reading: a write in between makes it stale, never the reverse
        try:
            return Neighbour(
                self._project.images.record(image_id), self._project.instances.document(image_id), revision
            )
        except ProjectError:
            return None  # whoever goes to that image reads it again and is told
