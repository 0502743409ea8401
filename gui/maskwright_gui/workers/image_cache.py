"""Decoded images by their request, limited in bytes."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskwright_gui.canvas.pyramid import ImagePyramid


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
