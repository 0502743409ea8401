"""Decodes images beside the GUI thread: the one asked for first, then its neighbours."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from maskwright.errors import ImageError

if TYPE_CHECKING:
    from maskwright_gui.canvas.pyramid import ImagePyramid

CACHE_BYTES = 768 * 2**20
"""Decoded images kept: five of 12 megapixels on either side, or one of 108."""
AHEAD_UP_TO_PIXELS = 48_000_000
"""Larger images are not decoded in advance: two of 108 megapixels at a time take a gigabyte."""
PREVIEW_FROM_PIXELS = 24_000_000
PREVIEW_SIDE_PX = 750
"""A JPEG of 12,000 x 9,000 is then decoded at an eighth of its size: 0.2 s of CPU time instead of 0.8 s."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    image_id: int
    path: Path


class ImageLoader(QThread):
    """A queue of one wanted image, newest wins, and the images to prefetch after it.

    Each wanted image ends in `loaded` or `failed`, unless a newer one took its place. What arrives is an ImagePyramid,
    upright, from the decoder that also feeds the model.
    """

    loaded = Signal(int, object)
    """(image id, ImagePyramid)."""
    previewed = Signal(int, object)
    """(image id, ImagePyramid of a reduced decode): comes before `loaded` where that takes long."""
    failed = Signal(int, object)
    """(image id, ImageError)."""
    prefetched = Signal(int)
    """Image id: `prefetched_image` has it now."""

    def __init__(self, parent: QObject | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(parent)
        self._condition = Condition()
        self._wanted: ImageRequest | None = None
        self._ahead: list[ImageRequest] = []
        self._is_stopping = False
        self._cache = _ImageCache(cache_bytes)

    def request(self, wanted: ImageRequest, ahead: Sequence[ImageRequest] = ()) -> "ImagePyramid | None":
        """The image at once where it was prefetched; otherwise None, and `loaded` or `failed` follows."""
        with self._condition:
            image = self._cache.get(wanted)
            self._wanted = wanted if image is None else None
            self._ahead = [one for one in ahead if one not in self._cache]
            self._condition.notify()
        return image

    def prefetched_image(self, request: ImageRequest) -> "ImagePyramid | None":
        """The image if it is there; nothing is asked for."""
        with self._condition:
            return self._cache.get(request)

    def stop(self) -> None:
        """End the thread after the image it is decoding; returns when it has ended."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self.wait()

    def forget(self) -> None:
        """Drop all decoded images and what waits, for another project."""
        with self._condition:
            self._wanted = None
            self._ahead.clear()
            self._cache.clear()

    def _next(self) -> tuple[ImageRequest, bool] | None:
        """The next request and whether it is wanted on screen; None to end."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_stopping or self._wanted is not None or bool(self._ahead))
            if self._is_stopping:
                return None
            if self._wanted is not None:
                request, self._wanted = self._wanted, None
                return request, True
            return self._ahead.pop(0), False

    def _decode(self, request: ImageRequest, *, is_wanted: bool) -> None:
        try:
            pixels = _pixel_count(request.path)
            if not is_wanted and pixels > AHEAD_UP_TO_PIXELS:
                return
            with self._condition:
                self._cache.make_room(4 * pixels)
            preview = decode_preview(request.path) if is_wanted else None
            if preview is not None:
                self.previewed.emit(request.image_id, preview)
            image = decode_pyramid(request.path)
        except ImageError as error:
            if is_wanted:
                self.failed.emit(request.image_id, error)
            return
        with self._condition:
            self._cache.put(request, image)
        if is_wanted:
            self.loaded.emit(request.image_id, image)
        else:
            self.prefetched.emit(request.image_id)

    def run(self) -> None:
        while (job := self._next()) is not None:
            self._decode(job[0], is_wanted=job[1])


class _ImageCache:
    """Least recently used first; bounded by bytes, but never less than the newest image."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._images: OrderedDict[ImageRequest, ImagePyramid] = OrderedDict()

    def __contains__(self, request: ImageRequest) -> bool:
        return request in self._images

    def get(self, request: ImageRequest) -> "ImagePyramid | None":
        image = self._images.get(request)
        if image is not None:
            self._images.move_to_end(request)
        return image

    def put(self, request: ImageRequest, image: "ImagePyramid") -> None:
        self.make_room(image.byte_count)
        self._images[request] = image
        self._images.move_to_end(request)

    def make_room(self, byte_count: int) -> None:
        """Drop the oldest until so much more fits, or nothing is left."""
        while self._images and sum(image.byte_count for image in self._images.values()) + byte_count > self._max_bytes:
            self._images.popitem(last=False)

    def clear(self) -> None:
        self._images.clear()


def _pixel_count(path: Path) -> int:
    from maskwright.images.header import probe_image

    header = probe_image(path)
    return header.width * header.height


def decode_preview(path: Path) -> "ImagePyramid | None":
    """A reduced picture that stands for the whole, for a file that takes long to decode and has a short way to one."""
    from maskwright.images.decode import read_preview
    from maskwright.images.header import probe_image
    from maskwright_gui.canvas.pyramid import ImagePyramid

    header = probe_image(path)
    if header.width * header.height < PREVIEW_FROM_PIXELS:
        return None
    reduced = read_preview(path, max_side_px=PREVIEW_SIDE_PX)
    return ImagePyramid.of_bgr(reduced, (header.width, header.height)) if reduced is not None else None


def decode_pyramid(path: Path) -> "ImagePyramid":
    """Decode and shrink, upright; raises ImageError with path and reason."""
    from maskwright.images.decode import read_image, read_samples  # the decoders are not needed for the first paint
    from maskwright.images.header import probe_image
    from maskwright_gui.canvas.pyramid import ImagePyramid

    try:
        if probe_image(path).depth > 8:
            return ImagePyramid.of_samples(read_samples(path))
        return ImagePyramid.of_bgr(read_image(path).bgr_u8)
    except MemoryError as error:
        raise ImageError("not enough memory to show the image", path=path) from error
