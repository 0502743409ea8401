"""Thumbnails, made beside the GUI thread for visible rows only; optionally with the objects drawn in."""

from collections import OrderedDict
from collections.abc import Callable, Set
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cachetools import LRUCache
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage

from maskwright.document.palette import category_colour, stable_colour
from maskwright.document.values import Category, Instance, InstanceState
from maskwright.errors import ImageError, MaskwrightError, ProjectError
from maskwright.geometry.polygon import Polygon
from maskwright.images.pages import page_source
from maskwright_gui.canvas.pyramid import ImagePyramid, bgr_to_qimage
from maskwright_gui.workers.decoding import NotWantedError, one_at_a_time, require_turn
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maskwright.project.store import Project

THUMBNAIL_SIZE = QSize(88, 66)
MAX_WAITING = 64
"""Number of requests kept: rows scrolled past are not worth decoding."""
MAX_KEPT = 2000
WHOLE_UP_TO_PIXELS = 40_000_000
"""A larger file that can be read neither in pieces nor at a reduced size gets its thumbnail from the canvas: decoding
two at the same time takes a gigabyte.
"""
ReadThumbnail = Callable[[int, Path, int, Callable[[], bool]], QImage | None]


class ThumbnailLoader(Worker[tuple[int, Path]]):
    """The last request is served first; the latest `MAX_KEPT` results are kept."""

    loaded = Signal(object, QImage)
    """(image id, thumbnail; a null image where the file cannot be read)."""

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        max_side_px: int = THUMBNAIL_SIZE.width(),
        read: "ReadThumbnail | None" = None,
    ) -> None:
        """read: makes the picture of (image id, path, longest side, function that says whether it is still wanted).
        None: the plain image.
        """
        super().__init__(parent)
        self._read: ReadThumbnail = read if read is not None else lambda _id, *wanted: read_small_image(*wanted)
        self._waiting: OrderedDict[int, Path] = OrderedDict()
        self._kept: LRUCache[int, QImage] = LRUCache(MAX_KEPT)
        self._outdated: set[int] = set()
        self._missing: set[int] = set()
        self._max_side_px = max_side_px
        self.loaded.connect(self._keep)

    def thumbnail(self, image_id: int, path: Path) -> QImage | None:
        """The thumbnail if there is one; if it is missing or outdated, `loaded` follows while the row stays visible."""
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

    def is_missing(self, image_id: int) -> bool:
        """Whether its file was not there when its picture was to be made."""
        return image_id in self._missing

    def renew(self, image_ids: Set[int]) -> None:
        """Make these again when requested; until then the old ones are shown."""
        self._outdated.update(self._kept.keys() & image_ids)

    def offer(self, image_id: int, pyramid: ImagePyramid) -> None:
        """An image was decoded for the canvas: make the thumbnail of a large one from it."""
        width, height = pyramid.size_wh
        if image_id in self._kept or width * height < WHOLE_UP_TO_PIXELS:
            return
        side, smooth = self._max_side_px, Qt.TransformationMode.SmoothTransformation
        small = pyramid.levels[-1].scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        self.loaded.emit(image_id, small)

    def forget(self) -> None:
        """Drop everything, for another project."""
        with self._condition:
            self._waiting.clear()
            self._missing.clear()
        self._kept.clear()
        self._outdated.clear()

    def _keep(self, image_id: int, image: QImage) -> None:
        self._kept[image_id] = image
        self._outdated.discard(image_id)

    def _note_missing(self, image_id: int, is_missing: bool) -> None:
        with self._condition:  # `forget` may be called meanwhile
            (self._missing.add if is_missing else self._missing.discard)(image_id)

    def _take(self) -> tuple[int, Path] | None:
        return self._waiting.popitem(last=True) if self._waiting else None

    def _do(self, task: tuple[int, Path]) -> None:
        image_id, path = task
        small = self._read(image_id, path, self._max_side_px, lambda: not self._is_stopping)
        if small is not None:
            self._publish(image_id, path, small)

    def _fail(self, task: tuple[int, Path], _: MaskwrightError) -> None:
        self._publish(*task, QImage())

    def _publish(self, image_id: int, path: Path, small: QImage) -> None:
        self._note_missing(image_id, small.isNull() and not page_source(path)[0].exists())
        self.loaded.emit(image_id, small)


def read_small_image(path: Path, max_side_px: int, is_wanted: Callable[[], bool] = lambda: True) -> QImage | None:
    """The image upright, its longer side at most `max_side_px`; null if the file cannot be read.

    None if it must wait until the image has been on the canvas.
    """
    try:
        small = read_small(path, max_side_px, is_wanted)
    except ImageError:
        return QImage()
    return bgr_to_qimage(small) if small is not None else None


def read_small(
    path: Path, max_side_px: int, is_wanted: Callable[[], bool] = lambda: True
) -> "NDArray[np.uint8] | None":
    """BGR, otherwise like `read_small_image`; raises ImageError. A large image is never in memory as a whole."""
    # the first paint does without the decoders
    from maskwright.images.decode import read_thumbnail, shrunk
    from maskwright.images.header import probe_image
    from maskwright.images.kept import kept_preview

    header = probe_image(path)
    if header.width * header.height < WHOLE_UP_TO_PIXELS:
        return read_thumbnail(path, max_side_px=max_side_px)
    try:
        if (small := kept_preview(path)) is None:
            with one_at_a_time(is_wanted):
                kept = kept_preview(path)  # it may have been on the canvas meanwhile
                small = kept if kept is not None else _read_large(path, max_side_px, is_wanted)
    except NotWantedError:
        return None
    return shrunk(small, max_side_px) if small is not None else None


def _read_large(path: Path, max_side_px: int, is_wanted: Callable[[], bool]) -> "NDArray[np.uint8] | None":
    """At a reduced size, or in pieces: that takes seconds, so the result is stored. Raises NotWantedError."""
    from maskwright.images.decode import read_piecewise, read_preview
    from maskwright.images.kept import KEPT_SIDE_PX, keep_preview

    def watch(_part: object) -> None:
        require_turn(is_wanted)
        if not is_wanted():
            raise NotWantedError

    if (look := read_preview(path, max_side_px=max_side_px)) is not None:
        return look
    if (small := read_piecewise(path, max_side_px=KEPT_SIDE_PX, watcher=watch)) is not None:
        keep_preview(path, small)
    return small


class OverlayReader:
    """Reads an image at a small size and draws its objects; a null image if it cannot be read.

    None if it must be on the canvas first, as for `read_small`.
    """

    def __init__(self, project: "Project", categories: tuple[Category, ...]) -> None:
        self._project = project
        self._colours = {category.id: category_colour(category) for category in categories}

    def __call__(
        self, image_id: int, path: Path, max_side_px: int, is_wanted: Callable[[], bool] = lambda: True
    ) -> QImage | None:
        from maskwright.overlay import draw_overlay

        try:
            if (picture := read_small(path, max_side_px, is_wanted)) is None:
                return None
            document = self._project.instances.document(image_id)
        except (ImageError, ProjectError):
            return QImage()
        scale = picture.shape[1] / document.size_wh[0]
        shown = [scaled(i, scale) for i in document if i.is_visible and i.state is not InstanceState.REJECTED]
        return bgr_to_qimage(draw_overlay(picture, shown, colour_of=self._bgr))

    def _bgr(self, instance: Instance) -> tuple[int, int, int]:
        red, green, blue = self._colours.get(instance.category_id) or stable_colour(instance.category_id)
        return blue, green, red


def scaled(instance: Instance, factor: float) -> Instance:
    """The instance scaled to a picture of another size."""
    polygons = (
        Polygon.of(polygon.exterior * factor, [hole * factor for hole in polygon.holes])
        for polygon in instance.polygons
    )
    return replace(instance, polygons=tuple(polygons))
