"""Images of tens of megapixels: the same pixels as any other image, but never a second copy of them in memory.

TIFF, PNG and BMP are decoded piece by piece into the final array. The rest goes through `cv2.imread`, which decodes
from disk into a given array: Pillow keeps four bytes per pixel of its own beside the array made from them. But OpenCV
returns half an image for a truncated file, so only files with a proper end are accepted here."""

import io
import mmap
import os
import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.images.bmp_bands import bmp_look, bmp_parts
from maskwright.images.exif import upright
from maskwright.images.header import ImageHeader, open_plugin
from maskwright.images.parts import Part, Watcher, joined, turned_part, upright_parts
from maskwright.images.png_bands import first_pass, png_parts
from maskwright.images.sketch import Sketch

_BLOCK_PX = 512


def turned_away(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """`samples` (H, W[, C]), an array that owns its memory, rotated upright; the argument is empty afterwards.

    It is cut into blocks from below while it shrinks; then the blocks are placed and dropped one by one.
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
    """Memory that returns to the system when dropped; the allocator would keep pieces of this size."""
    pages = mmap.mmap(-1, part.pixels.nbytes)
    pixels = np.frombuffer(pages, part.pixels.dtype).reshape(part.pixels.shape)
    pixels[:] = part.pixels
    return Part(part.left, part.top, pixels)


_MOST_WEBP_FILE_BYTES = 64 * 2**20
"""OpenCV decodes larger ones only from memory; 108 lossless megapixels are larger."""
_MARK_BYTES = 64
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_TAIL_BYTES = 1024
_JPEG_END = b"\xff\xd9"
_RIFF_HEAD_BYTES = 8


def read_large(file: IO[bytes], source: Path, header: ImageHeader, watcher: Watcher | None) -> NDArray[Any] | None:
    """(H, W, 3) uint8 BGR or deeper samples, upright; None for files that must be decoded the usual way, including
    errors.

    `file` is `source`, opened. Raises one of DECODER_ERRORS for damaged data, and any exception of `watcher`.
    """
    if (parts := _parts(file, header)) is not None:
        return joined(parts, _stored_wh(header), header.orientation, watcher)
    if not _is_plain(file, header):
        return None
    pixels = _by_opencv(source, header)
    if pixels is None or header.orientation == 1:
        return pixels
    return turned_away(pixels, header.orientation)


def quick_look(file: IO[bytes], header: ImageHeader, max_side_px: int) -> NDArray[Any] | None:
    """A reduced version, upright, if the file allows one without full decoding; else None."""
    look: NDArray[Any] | None = None
    if header.format == "PNG":
        look = first_pass(file)
    elif header.format == "BMP":
        look = bmp_look(file, max_side_px)
    elif header.format == "TIFF":
        from maskwright.images.tiff_look import tiff_look

        look = tiff_look(file, header.page, max_side_px)
    return upright(look, header.orientation) if look is not None else None


def sketched(
    file: IO[bytes], header: ImageHeader, max_side_px: int, watcher: Watcher | None
) -> NDArray[np.uint8] | None:
    """A reduced version in the memory of one piece, as slow as a full decode; None for other files."""
    if (parts := _parts(file, header)) is None:
        return None
    sketch = Sketch(header.size_wh, max_side_px)
    for part in upright_parts(parts, _stored_wh(header), header.orientation):
        sketch.take(part)
        if watcher is not None:
            watcher(part)
    return sketch.picture()


def _stored_wh(header: ImageHeader) -> tuple[int, int]:
    return header.size_wh if header.orientation < 5 else header.size_wh[::-1]


def _parts(file: IO[bytes], header: ImageHeader) -> Iterator[Part] | None:
    """The pieces of a file as stored, not rotated; None if it cannot be read in pieces."""
    parts: Iterator[Part] | None = None
    if header.format == "PNG":
        parts = png_parts(file)
    elif header.format == "BMP":
        parts = bmp_parts(file)
    elif header.format == "TIFF":
        from maskwright.images.tiff_bands import tiff_parts

        parts = tiff_parts(file, header.page)
    if parts is None:
        return None
    try:
        return chain([next(parts)], parts)
    except (ValueError, MemoryError):
        raise  # a wrong checksum, which not every decoder checks
    except Exception:  # noqa: BLE001  (whatever a decoder raises)
        return None  # the usual way knows more formats, or says what is missing


def _is_plain(file: IO[bytes], header: ImageHeader) -> bool:
    """Whether it is a complete JPEG, WebP or TIFF that both decoders read identically."""
    if header.format not in ("JPEG", "WebP", "TIFF") or header.page != 1 or not _ends_whole(file, header):
        return False
    if header.format == "TIFF" and header.orientation != 1:
        return False  # OpenCV always rotates TIFFs, whatever it is told
    image = open_plugin(file, header.format)
    modes = ("L", "RGB", "CMYK") if header.format == "JPEG" else ("L", "RGB")
    return image.mode in modes and not image.has_transparency_data and getattr(image, "n_frames", 1) == 1


def _by_opencv(source: Path, header: ImageHeader) -> NDArray[np.uint8] | None:
    """As stored; None if OpenCV cannot read it: not every version can, nor every path on every system.

    On failure OpenCV returns a given array unchanged, without an error.
    """
    if header.format == "WebP" and source.stat().st_size > _MOST_WEBP_FILE_BYTES:
        decoded = cv2.imdecode(np.fromfile(source, np.uint8), _FLAGS)
        return np.asarray(decoded, np.uint8) if decoded is not None else None
    width, height = _stored_wh(header)
    pixels = np.empty((height, width, 3), np.uint8)
    mark = pixels.reshape(-1)[:_MARK_BYTES]
    mark[:] = unread = np.frombuffer(os.urandom(len(mark)), np.uint8)
    try:
        filled = cv2.imread(str(source), pixels, _FLAGS)
    except (cv2.error, TypeError):
        return None
    return pixels if filled is pixels and not np.array_equal(mark, unread) else None


def _ends_whole(file: IO[bytes], header: ImageHeader) -> bool:
    """Whether a JPEG has its end marker (ignoring padding), a WebP its declared length, and a TIFF all its data."""
    size = file.seek(0, io.SEEK_END)
    if header.format == "TIFF":
        from maskwright.images.tiff_samples import require_whole

        require_whole(file, header.page)
        return header.depth == 8
    if header.format == "WebP":
        file.seek(0)
        return bool(struct.unpack("<4xI", file.read(_RIFF_HEAD_BYTES))[0] + _RIFF_HEAD_BYTES <= size)
    file.seek(-min(_TAIL_BYTES, size), io.SEEK_END)
    return file.read().rstrip(b"\0").endswith(_JPEG_END)
