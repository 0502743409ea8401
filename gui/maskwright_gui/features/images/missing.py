"""Which images have no file, so that they count neither as done nor as left to do."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskwright.document.values import ImageState
from maskwright_gui.session import Session

if TYPE_CHECKING:
    from maskwright_gui.workers.thumbnails import ThumbnailLoader

_DONE = (ImageState.DONE, ImageState.EMPTY)


class MissingImages(QObject):
    """Known from searches of the whole image folder, and from each file that could not be opened since."""

    changed = Signal()

    def __init__(self, session: Session, thumbnails: "ThumbnailLoader", parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._thumbnails = session, thumbnails
        self._ids: frozenset[int] = frozenset()
        thumbnails.loaded.connect(self._on_thumbnail)

    @property
    def ids(self) -> frozenset[int]:
        """Ids of the images without a file, as far as is known."""
        return self._ids

    def set_ids(self, ids: Collection[int]) -> None:
        """A search of the whole folder has found these missing, and no others."""
        if self._ids != (wanted := frozenset(ids)):
            self._ids = wanted
            self.changed.emit()

    def note(self, image_id: int, *, is_missing: bool) -> None:
        """The file of an image was looked for."""
        self.set_ids(self._ids | {image_id} if is_missing else self._ids - {image_id})

    def progress(self, counts: Mapping[ImageState, int]) -> tuple[int, int, int]:
        """(images done, images, missing images, which are not among the others). counts: of all images by state.

        Raises NoAnswerError.
        """
        project, gone = self._session.project, dict.fromkeys(ImageState, 0)
        if project is not None and self._ids:
            gone = project.ask(lambda stored: stored.images.state_counts(among=self._ids))
        missing = sum(gone.values())
        return sum(counts[state] - gone[state] for state in _DONE), sum(counts.values()) - missing, missing

    def open_count(self) -> int:
        """Number of images that have a file and are not done. Raises NoAnswerError."""
        if self._session.project is None:
            return 0
        done, total, _ = self.progress(self._session.project.state_counts())
        return total - done

    def _on_thumbnail(self, image_id: int) -> None:
        is_missing = self._thumbnails.is_missing(image_id)
        if is_missing != (image_id in self._ids):
            self.note(image_id, is_missing=is_missing)
