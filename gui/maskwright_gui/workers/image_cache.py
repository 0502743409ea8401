"""Decoded images by the request that asked for them, within a number of bytes."""

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
    """Least recently used first; bounded by bytes, but never less than the newest image. Not for several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._images: OrderedDict[ImageRequest, ImagePyramid] = OrderedDict()

    def __contains__(self, request: ImageRequest) -> bool:
        return request in self._images

    def get(self, request: ImageRequest) -> "ImagePyramid | None":
        """None where it is not kept."""
        image = self._images.get(request)
        if image is not None:
            self._images.move_to_end(request)
        return image

    def put(self, request: ImageRequest, image: "ImagePyramid") -> None:
        """The newest; the oldest give way."""
        self.make_room(image.byte_count)
        self._images[request] = image
        self._images.move_to_end(request)

    def make_room(self, byte_count: int) -> None:
        """Drop the oldest until so much more fits, or nothing is left."""
        while self._images and sum(image.byte_count for image in self._images.values()) + byte_count > self._max_bytes:
            self._images.popitem(last=False)

    def has_room_beside(self, kept: ImageRequest | None, byte_count: int) -> bool:
        """Whether so much more fits without `kept`, which is on screen, being dropped."""
        image = self._images.get(kept) if kept is not None else None
        return (image.byte_count if image is not None else 0) + byte_count <= self._max_bytes

    def clear(self) -> None:
        """Keep nothing."""
        self._images.clear()
