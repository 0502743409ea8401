"""Reads large BMPs a few rows at a time, and every n-th row for a preview (BITMAPINFOHEADER and later)."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from maskwright.images.bgr import pillow_to_bgr
from maskwright.images.header import open_plugin
from maskwright.images.parts import Part

_BAND_ROWS = 32
_LEAST_HEADER = 40
_RGB, _BITFIELDS, _ALPHA_BITFIELDS = 0, 3, 6
"""Values of biCompression for uncompressed rows."""
_MOST_HEADER_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class _Layout:
    head: bytes
    """Everything before the pixels: headers, masks, palette."""
    height: int
    row_bytes: int
    is_top_down: bool

    def rows(self, file: IO[bytes], rows: range) -> NDArray[np.uint8]:
        """(len(rows), W, 3) BGR. Raises DECODER_ERRORS."""
        found = []
        for row in rows if self.is_top_down else reversed(rows):
            file.seek(len(self.head) + (row if self.is_top_down else self.height - 1 - row) * self.row_bytes)
            found.append(file.read(self.row_bytes))
        if any(len(row) < self.row_bytes for row in found):
            raise EOFError("image data is truncated")
        height = -len(found) if self.is_top_down else len(found)
        head = self.head[:22] + struct.pack("<i", height) + self.head[26:34] + bytes(4) + self.head[38:]
        return pillow_to_bgr(open_plugin(io.BytesIO(b"".join((head, *found))), "BMP"))


def bmp_parts(file: IO[bytes]) -> Iterator[Part] | None:
    """The image in pieces; None if it cannot be read in pieces (run lengths, OS/2 headers).

    Iterating raises one of DECODER_ERRORS for damaged data.
    """
    layout = _read_layout(file)
    if layout is None:
        return None
    tops = range(0, layout.height, _BAND_ROWS)
    return (Part(0, top, layout.rows(file, range(top, min(top + _BAND_ROWS, layout.height)))) for top in tops)


def bmp_look(file: IO[bytes], max_side_px: int) -> NDArray[np.uint8] | None:
    """Every n-th pixel of every n-th row, as many as `max_side_px` needs; None as `bmp_parts`."""
    layout = _read_layout(file)
    if layout is None:
        return None
    width = abs(struct.unpack_from("<i", layout.head, 18)[0])
    step = max(max(width, layout.height) // max_side_px, 1)
    rows = range(min(step // 2, layout.height - 1), layout.height, step)
    first = min(step // 2, width - 1)
    bands = [rows[start : start + _BAND_ROWS] for start in range(0, len(rows), _BAND_ROWS)]
    return np.vstack([layout.rows(file, band)[:, first::step] for band in bands])


def _read_layout(file: IO[bytes]) -> _Layout | None:
    file.seek(0)
    start = file.read(34)
    if len(start) < 34:
        raise EOFError("image data is truncated")
    offset, header_bytes, width, height = struct.unpack_from("<IIii", start, 10)
    bits, compression = struct.unpack_from("<HI", start, 28)
    if header_bytes < _LEAST_HEADER or compression not in (_RGB, _BITFIELDS, _ALPHA_BITFIELDS):
        return None
    if not 14 + header_bytes <= offset <= _MOST_HEADER_BYTES:
        return None
    file.seek(0)
    return _Layout(file.read(offset), abs(height), (abs(width) * bits + 31) // 32 * 4, height < 0)
