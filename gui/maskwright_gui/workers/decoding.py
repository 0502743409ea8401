"""Decodes a file for the canvas: a quick preview of a large image, then the image itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ImageError

if TYPE_CHECKING:
    from maskwright.images.header import ImageHeader
    from maskwright.images.parts import Part, Watcher
    from maskwright_gui.canvas.pyramid import ImagePyramid

PREVIEW_FROM_PIXELS = 24_000_000
PREVIEW_SIDE_PX = 750
"""A JPEG of 12,000 x 9,000 pixels is then decoded at an eighth of its size: 0.2 s of CPU time instead of 0.8 s."""
_NEWS_EVERY_S = 0.25
_FIRST_NEWS_AFTER_S = 0.1
_TURN_S = 0.05


_is_free = Event()
_is_free.set()
"""Cleared while an image that the user wants to see is being decoded."""


_one_small = Lock()


class NotWantedError(Exception):
    """Raised by a watcher: another image must be decoded now."""


@contextmanager
def shown_first() -> Iterator[None]:
    """While the user waits for an image, thumbnails take no CPU time."""
    _is_free.clear()
    try:
        yield
    finally:
        _is_free.set()


def require_turn(is_wanted: Callable[[], bool]) -> None:
    """Wait until nobody waits for an image; raises NotWantedError."""
    while not _is_free.wait(_TURN_S):
        if not is_wanted():
            raise NotWantedError


@contextmanager
def one_at_a_time(is_wanted: Callable[[], bool]) -> Iterator[None]:
    """Admit one large thumbnail at a time, from list and grid; raises NotWantedError."""
    require_turn(is_wanted)
    while not _one_small.acquire(timeout=_TURN_S):
        if not is_wanted():
            raise NotWantedError
    try:
        yield
    finally:
        _one_small.release()


def needed_bytes(header: "ImageHeader") -> int:
    """Approximate size of the decoded image in bytes."""
    pixels = header.width * header.height
    return 4 * pixels + (pixels * header.depth // 8 if header.depth > 8 else 0)


def decode_preview(path: Path) -> "NDArray[np.uint8] | None":
    """BGR; None for a file that decodes quickly, or that has no quick preview and was never decoded before."""
    from maskwright.images.decode import read_preview
    from maskwright.images.header import probe_image
    from maskwright.images.kept import kept_preview

    header = probe_image(path)
    if header.width * header.height < PREVIEW_FROM_PIXELS:
        return None
    kept = kept_preview(path)
    return kept if kept is not None else read_preview(path, max_side_px=PREVIEW_SIDE_PX)


def decode_pyramid(path: Path, watcher: "Watcher | None" = None) -> "ImagePyramid":
    """Decode and shrink, upright; raises ImageError with path and reason."""
    from maskwright.images.decode import read_image, read_samples  # the first paint does without the decoders
    from maskwright.images.header import probe_image
    from maskwright.images.identity import SeenFile
    from maskwright_gui.canvas.pyramid import ImagePyramid

    try:
        if probe_image(path).depth > 8:
            return ImagePyramid.of_samples(read_samples(path, watcher=watcher))
        seen = SeenFile.now(path)
        return replace(ImagePyramid.of_bgr(read_image(path, watcher=watcher).bgr_u8), seen=seen)
    except MemoryError as error:
        raise ImageError("not enough memory to show the image", path=path) from error


def keep_small(path: Path, image: "ImagePyramid") -> None:
    """Store a small version for the next opening, if decoding takes long."""
    import cv2

    from maskwright.images.kept import KEPT_SIDE_PX, keep_preview
    from maskwright_gui.canvas.pyramid import image_pixels

    if image.size_wh[0] * image.size_wh[1] < PREVIEW_FROM_PIXELS:
        return
    level = image.level_for(min(1.0, KEPT_SIDE_PX / max(image.size_wh)))
    pixels = image_pixels(level)
    known = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}.get(pixels.shape[2])
    keep_preview(path, np.asarray(cv2.cvtColor(pixels, known), np.uint8) if known is not None else pixels)


class Filling:
    """Watches a large image being decoded: the preview gets sharp part by part."""

    def __init__(
        self,
        header: "ImageHeader",
        behind: "NDArray[np.uint8] | None",
        show: "Callable[[NDArray[np.uint8]], None] | None",
        is_wanted: Callable[[], bool],
    ) -> None:
        """show: called with a picture now and then; None: the preview is sharp enough."""
        from maskwright.images.sketch import Sketch

        self._sketch = Sketch(header.size_wh, PREVIEW_SIDE_PX)
        self._behind, self._show, self._is_wanted = behind, show, is_wanted
        self._next_news = time.monotonic() + (_FIRST_NEWS_AFTER_S if behind is None else _NEWS_EVERY_S)

    def __call__(self, part: "Part") -> None:
        """Raises NotWantedError."""
        if not self._is_wanted():
            raise NotWantedError
        if self._show is None:
            return
        self._sketch.take(part)
        if time.monotonic() >= self._next_news and (picture := self._sketch.picture(self._behind)) is not None:
            self._next_news = time.monotonic() + _NEWS_EVERY_S
            self._show(picture)
