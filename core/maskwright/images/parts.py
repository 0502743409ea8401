"""Pieces of an image as stored in a file, and their places in the upright image.

A large file is decoded piece by piece into the final array, so that there is never a second copy of it, rotated or
not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.images.exif import upright
from maskwright.spool import let_go, room

Watcher = Callable[["Part"], None]
"""Called with each decoded part; an exception from it ends the decoding."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """`pixels` (h, w) or (h, w, C), with their upper left corner at column `left`, row `top` of the whole image."""

    left: int
    top: int
    pixels: NDArray[Any]

    @property
    def places(self) -> tuple[slice, slice]:
        """(rows, columns) in the whole image."""
        height, width = self.pixels.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def turned_part(part: Part, stored_wh: tuple[int, int], orientation: int) -> Part:
    """The part with its place in the upright image (EXIF orientation 1 to 8)."""
    if orientation == 1:
        return part
    height, width = part.pixels.shape[:2]
    right, bottom = stored_wh[0] - part.left - width, stored_wh[1] - part.top - height
    left = right if orientation in (2, 3, 7, 8) else part.left
    top = bottom if orientation in (3, 4, 6, 7) else part.top
    if orientation >= 5:
        left, top = top, left
    return Part(left, top, upright(part.pixels, orientation))


def joined(
    parts: Iterable[Part], stored_wh: tuple[int, int], orientation: int, watcher: Watcher | None
) -> NDArray[Any] | None:
    """All parts in one upright array; None if there are none. Raises ValueError if they contradict each other.

    Samples of more than 8 bits may be on disk (`maskwright.spool`).
    """
    whole: NDArray[Any] | None = None
    width, height = stored_wh if orientation < 5 else stored_wh[::-1]
    for part in upright_parts(parts, stored_wh, orientation):
        if whole is None:
            shape, is_deep = (height, width, *part.pixels.shape[2:]), part.pixels.dtype.itemsize > 1
            whole = room(shape, part.pixels.dtype) if is_deep else np.zeros(shape, part.pixels.dtype)
        whole[part.places] = part.pixels
        let_go(whole)
        if watcher is not None:
            watcher(part)
    return whole


def upright_parts(parts: Iterable[Part], stored_wh: tuple[int, int], orientation: int) -> Iterator[Part]:
    """Each part rotated and placed in the upright image."""
    return (turned_part(part, stored_wh, orientation) for part in parts)
