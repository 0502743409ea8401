"""Small pictures of the images in the list, made beside the GUI thread for the rows in view only."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Condition

from PySide6.QtCore import QObject, QSize, QThread, Signal
from PySide6.QtGui import QImage

from maskwright.errors import ImageError
from maskwright_gui.canvas.pyramid import bgr_to_qimage

THUMBNAIL_SIZE = QSize(88, 66)
MAX_WAITING = 64
"""Rows that were scrolled past are not worth decoding."""
MAX_KEPT = 2000
Read = Callable[[int, Path, int], QImage]


class ThumbnailLoader(QThread):
    """Last asked, first made; results are kept for the latest `MAX_KEPT` images."""

    loaded = Signal(int, QImage)
    """(image id, thumbnail; a null image where the file cannot be read)."""

    def __init__(
        self, parent: QObject | None = None, *, max_side_px: int = THUMBNAIL_SIZE.width(), read: "Read | None" = None
    ) -> None:
        """`read` makes the picture of (image id, path, longest side); None: the image as it is."""
        super().__init__(parent)
        self._read: Read = read if read is not None else lambda _id, path, side: read_small_image(path, side)
        self._condition = Condition()
        self._waiting: OrderedDict[int, Path] = OrderedDict()
        self._is_stopping = False
        self._kept: OrderedDict[int, QImage] = OrderedDict()
        self._max_side_px = max_side_px
        self.loaded.connect(self._keep)

    def thumbnail(self, image_id: int, path: Path) -> QImage | None:
        """The thumbnail if it is there; otherwise None, and `loaded` follows while the row stays in view."""
        if (image := self._kept.get(image_id)) is not None:
            return image
        with self._condition:
            self._waiting[image_id] = path
            self._waiting.move_to_end(image_id)
            while len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)
            self._condition.notify()
        return None

    def forget(self) -> None:
        with self._condition:
            self._waiting.clear()
        self._kept.clear()

    def stop(self) -> None:
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self.wait()

    def _keep(self, image_id: int, image: QImage) -> None:
        self._kept[image_id] = image
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._is_stopping or bool(self._waiting))
                if self._is_stopping:
                    return
                image_id, path = self._waiting.popitem(last=True)
            self.loaded.emit(image_id, self._read(image_id, path, self._max_side_px))


def read_small_image(path: Path, max_side_px: int) -> QImage:
    """The image upright, its longer side at most `max_side_px`; null where the file cannot be read."""
    from maskwright.images.decode import read_thumbnail  # the decoders are not needed for the first paint

    try:
        return bgr_to_qimage(read_thumbnail(path, max_side_px=max_side_px))
    except ImageError:
        return QImage()
