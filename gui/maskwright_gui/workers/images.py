"""Decodes images beside the GUI thread, the requested one first, then its neighbours, and caches them."""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskwright.errors import ImageError, MaskwrightError
from maskwright_gui.workers.decoding import (
    PREVIEW_SIDE_PX,
    Filling,
    NotWantedError,
    decode_preview,
    decode_pyramid,
    keep_small,
    needed_bytes,
    shown_first,
)
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maskwright.images.header import ImageHeader
    from maskwright.images.identity import SeenFile
    from maskwright_gui.canvas.pyramid import ImagePyramid


CACHE_BYTES = 480 * 2**20
"""Size limit of the decoded images kept: seven of 12 megapixels, or one of 108."""
AHEAD_UP_TO_PIXELS = 48_000_000
"""Larger images are not decoded ahead: two of 108 megapixels at a time take a gigabyte."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """An image and the file it is read from."""

    image_id: int
    path: Path


class ImageCache:
    """Evicts the least recently used first, but never the newest image. Not thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._images: OrderedDict[ImageRequest, ImagePyramid] = OrderedDict()

    def __contains__(self, request: ImageRequest) -> bool:
        return request in self._images

    def get(self, request: ImageRequest) -> "ImagePyramid | None":
        """None if it is not cached."""
        image = self._images.get(request)
        if image is not None:
            self._images.move_to_end(request)
        return image

    def put(self, request: ImageRequest, image: "ImagePyramid") -> None:
        """Add the newest image; the oldest are evicted."""
        self.make_room(image.byte_count)
        self._images[request] = image
        self._images.move_to_end(request)

    def make_room(self, byte_count: int) -> None:
        """Drop the oldest until that many more bytes fit, or nothing is left."""
        while self._images and sum(image.byte_count for image in self._images.values()) + byte_count > self._max_bytes:
            self._images.popitem(last=False)

    def has_room_beside(self, kept: ImageRequest | None, byte_count: int) -> bool:
        """Whether that many more bytes fit without dropping `kept`, the image on screen."""
        image = self._images.get(kept) if kept is not None else None
        return (image.byte_count if image is not None else 0) + byte_count <= self._max_bytes

    def clear(self) -> None:
        """Drop everything."""
        self._images.clear()


class ImageLoader(Worker[tuple[ImageRequest, bool]]):
    """Takes one requested image, the newest, and images to prefetch after it.

    Each requested image ends in `loaded` or `failed`, unless a newer one replaces it. The result is an ImagePyramid,
    upright, from the decoder that also feeds the model.
    """

    loaded = Signal(object, object)
    """(image id, ImagePyramid)."""
    previewed = Signal(object, object)
    """(image id, ImagePyramid of a reduced decode): comes before `loaded` if that takes long."""
    failed = Signal(object, object)
    """(image id, ImageError)."""
    prefetched = Signal(object)
    """Image id: `prefetched_image` has it now."""

    def __init__(self, parent: QObject | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(parent)
        self._wanted: ImageRequest | None = None
        self._on_screen: ImageRequest | None = None
        self._ahead: list[ImageRequest] = []
        self._cache = ImageCache(cache_bytes)

    def request(self, wanted: ImageRequest, ahead: Sequence[ImageRequest] = ()) -> "ImagePyramid | None":
        """Returns the image if it was prefetched; otherwise None, and `loaded` or `failed` follows."""
        with self._condition:
            image = self._cache.get(wanted)
            self._on_screen = wanted
            self._wanted = wanted if image is None else None
            self._ahead = [one for one in ahead if one not in self._cache]
            self._condition.notify()
        return image

    def prefetched_image(self, request: ImageRequest) -> "ImagePyramid | None":
        """The image if it is cached; requests nothing."""
        with self._condition:
            return self._cache.get(request)

    def decoded(self, image_id: int, path: Path) -> "tuple[SeenFile, NDArray[np.uint8]] | None":
        """(the file, its pixels as `read_image` returns them) of an image decoded for the canvas.

        None if it was not, or the file has changed since. Thread-safe.
        """
        from maskwright.images.identity import SeenFile

        with self._condition:
            image = self._cache.get(ImageRequest(image_id, path))
        if image is None or image.seen is None or image.seen != SeenFile.now(path):
            return None
        return image.seen, image.bgr()

    def forget(self) -> None:
        """Drop all decoded images and requests, for another project."""
        with self._condition:
            self._wanted = self._on_screen = None
            self._ahead.clear()
            self._cache.clear()

    def _take(self) -> tuple[ImageRequest, bool] | None:
        """The next request and whether it is for the screen."""
        if self._wanted is not None:
            request, self._wanted = self._wanted, None
            return request, True
        return (self._ahead.pop(0), False) if self._ahead else None

    def _do(self, task: tuple[ImageRequest, bool]) -> None:
        request, is_wanted = task
        with shown_first() if is_wanted else nullcontext():
            self._decode(request, is_wanted=is_wanted)

    def _fail(self, task: tuple[ImageRequest, bool], error: MaskwrightError) -> None:
        request, _ = task
        self.failed.emit(request.image_id, ImageError(error.reason, path=request.path, hint=error.hint))

    def _decode(self, request: ImageRequest, *, is_wanted: bool) -> None:
        from maskwright.images.header import probe_image

        try:
            header = probe_image(request.path)
            if not self._made_room(header, is_wanted):
                return
            image = decode_pyramid(request.path, self._shown_early(request, header) if is_wanted else None)
        except NotWantedError:
            return
        except ImageError as error:
            if is_wanted:
                self.failed.emit(request.image_id, error)
            return
        with self._condition:
            self._cache.put(request, image)
            if self._wanted == request:
                is_wanted, self._wanted = True, None  # left and requested again while it was being decoded
        if is_wanted:
            self.loaded.emit(request.image_id, image)
        else:
            self.prefetched.emit(request.image_id)
        keep_small(request.path, image)

    def _made_room(self, header: "ImageHeader", is_wanted: bool) -> bool:
        """False for an image to prefetch if there is no room for it beside the one on screen."""
        with self._condition:
            if not is_wanted and (
                header.width * header.height > AHEAD_UP_TO_PIXELS
                or not self._cache.has_room_beside(self._on_screen, needed_bytes(header))
            ):
                return False
            self._cache.make_room(needed_bytes(header))
        return True

    def _shown_early(self, request: ImageRequest, header: "ImageHeader") -> Filling:
        """Show a preview of a large image at once, sharpened as it is decoded; raises ImageError."""
        from maskwright_gui.canvas.pyramid import ImagePyramid

        def show(picture: "NDArray[np.uint8]") -> None:
            self.previewed.emit(request.image_id, ImagePyramid.of_bgr(picture, header.size_wh))

        preview = decode_preview(request.path)
        if preview is not None:
            show(preview)
        is_sharp = preview is not None and max(preview.shape) > PREVIEW_SIDE_PX
        return Filling(header, preview, None if is_sharp else show, lambda: self._is_still_wanted(request))

    def _is_still_wanted(self, request: ImageRequest) -> bool:
        with self._condition:
            return not self._is_stopping and self._on_screen == request
