"""A large picture turned with no second copy of it: a quarter turn of 108 megapixels would take 650 MB."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.images.exif import upright
from maskwright.images.parts import Part, turned_part

_BLOCK_PX = 512


def turned_away(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """`samples` (H, W[, C]), an array that owns its memory, upright; it is empty afterwards.

    It is cut into blocks from below and becomes shorter, then the blocks are laid out and dropped one after the other.
    """
    if not samples.flags.owndata:
        return upright(samples, orientation)
    height, width = samples.shape[:2]
    blocks: list[Part] = []
    for top in reversed(range(0, height, _BLOCK_PX)):
        for left in range(0, width, _BLOCK_PX):
            block = Part(left, top, samples[top:, left : left + _BLOCK_PX])
            blocks.append(_on_own_pages(turned_part(block, (width, height), orientation)))
            del block
        samples.resize((top, *samples.shape[1:]), refcheck=False)
    turned_wh = (width, height) if orientation < 5 else (height, width)
    whole = np.empty((turned_wh[1], turned_wh[0], *samples.shape[2:]), samples.dtype)
    blocks.sort(key=lambda block: (-block.top, block.left))
    while blocks:
        block = blocks.pop()
        whole[block.places] = block.pixels
    return whole


def _on_own_pages(part: Part) -> Part:
    """Memory that goes back to the system when it is dropped; the allocator would keep pieces of this size."""
    pages = mmap.mmap(-1, part.pixels.nbytes)
    pixels = np.frombuffer(pages, part.pixels.dtype).reshape(part.pixels.shape)
    pixels[:] = part.pixels
    return Part(part.left, part.top, pixels)
