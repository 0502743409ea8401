"""Small pictures of the images in the list, made beside the GUI thread for the rows in view only."""

from collections import OrderedDict
from collections.abc import Callable, Set
from pathlib import Path
from threading import Condition

from PySide6.QtCore import QObject, QSize, Qt, QThread, Signal
from PySide6.QtGui import QImage

from maskwright.errors import ImageError
from maskwright_gui.canvas.pyramid import ImagePyramid, bgr_to_qimage

THUMBNAIL_SIZE = QSize(88, 66)
MAX_WAITING = 64
"""Rows that were scrolled past are not worth decoding."""
MAX_KEPT = 2000
WHOLE_UP_TO_PIXELS = 40_000_000
"""A larger file without a short way to a small picture gets it from the canvas: two decodes take a gigabyte."""
Read = Callable[[int, Path, int], QImage | None]


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
        self._outdated: set[int] = set()
        self._max_side_px = max_side_px
        self.loaded.connect(self._keep)

    def thumbnail(self, image_id: int, path: Path) -> QImage | None:
        """The thumbnail if there is one; if it is missing or outdated, `loaded` follows while the row stays in view."""
        image = self._kept.get(image_id)
        if image is not None and image_id not in self._outdated:
            return image
        with self._condition:
            self._waiting[image_id] = path
            self._waiting.move_to_end(image_id)
            while len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)
            self._condition.notify()
        return image

    def renew(self, image_ids: Set[int]) -> None:
        """Make these again when they are asked for; until then the old ones are shown."""
        self._outdated.update(self._kept.keys() & image_ids)

    def offer(self, image_id: int, pyramid: ImagePyramid) -> None:
        """An image has been decoded for the canvas: the thumbnail of a large one comes from there."""
        width, height = pyramid.size_wh
        if image_id in self._kept or width * height < WHOLE_UP_TO_PIXELS:
            return
        side, smooth = self._max_side_px, Qt.TransformationMode.SmoothTransformation
        small = pyramid.levels[-1].scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        self.loaded.emit(image_id, small)

    def forget(self) -> None:
        with self._condition:
            self._waiting.clear()
        self._kept.clear()
        self._outdated.clear()

    def stop(self) -> None:
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self.wait()

    def _keep(self, image_id: int, image: QImage) -> None:
        self._kept[image_id] = image
        self._outdated.discard(image_id)
        while len(self._kept) > MAX_KEPT:
            self._outdated.discard(self._kept.popitem(last=False)[0])

    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._is_stopping or bool(self._waiting))
                if self._is_stopping:
                    return
                image_id, path = self._waiting.popitem(last=True)
            if (small := self._read(image_id, path, self._max_side_px)) is not None:
                self.loaded.emit(image_id, small)


def read_small_image(path: Path, max_side_px: int) -> QImage | None:
    """The image upright, its longer side at most `max_side_px`; null where the file cannot be read.

    None where it has to wait until the image is on the canvas.
    """
    # the decoders are not needed for the first paint
    from maskwright.images.decode import read_preview, read_thumbnail
    from maskwright.images.header import probe_image

    try:
        header = probe_image(path)
        if header.width * header.height < WHOLE_UP_TO_PIXELS:
            return bgr_to_qimage(read_thumbnail(path, max_side_px=max_side_px))
        reduced = read_preview(path, max_side_px=max_side_px)
        return bgr_to_qimage(reduced) if reduced is not None else None
    except ImageError:
        return QImage()
