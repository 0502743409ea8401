"""Reads large PNGs a few rows at a time (PNG specification, third edition, sections 4.9, 7 and 9).

A row is stored as differences to the one before. Each piece becomes a small PNG that starts with the previous row
unfiltered, so that ordinary decoders undo the differences; nothing is compressed twice."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.images.bgr import pillow_to_bgr
from maskwright.images.header import open_plugin
from maskwright.images.parts import Part

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BAND_ROWS = 32
_PIECE_BYTES = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Channels by colour type."""
_GREY, _RGB = 0, 2
_ALIKE_IN_MEMORY = {(_GREY, 16), (_RGB, 16), *((colour, 8) for colour in _CHANNELS)}
"""(colour type, bit depth) whose rows have the same layout in memory as in the file."""
_FIRST_PASS = 8
"""The first pass of an interlaced PNG holds every eighth pixel of every eighth row."""


@dataclass(frozen=True, slots=True)
class _Head:
    width: int
    height: int
    depth: int
    colour: int
    is_interlaced: bool
    palette: bytes
    """The chunks PLTE and tRNS."""

    @property
    def row_bytes(self) -> int:
        """Without the filter byte."""
        return (self.width * self.depth * _CHANNELS[self.colour] + 7) // 8

    def png(self, rows: bytes) -> bytes:
        """A small PNG of these rows."""
        head = struct.pack(">IIBBBBB", self.width, self.height, self.depth, self.colour, 0, 0, 0)
        data = _chunk(b"IDAT", zlib.compress(rows, 0))
        return b"".join((_SIGNATURE, _chunk(b"IHDR", head), self.palette, data, _chunk(b"IEND", b"")))


def png_parts(file: IO[bytes]) -> Iterator[Part] | None:
    """BGR uint8 or 16-bit samples; None for files that cannot be read in pieces: interlaced, or several pixels per
    byte.

    Iterating raises one of DECODER_ERRORS for damaged data.
    """
    head = _read_head(file)
    if head.is_interlaced or (head.colour, head.depth) not in _ALIKE_IN_MEMORY:
        return None
    return _bands(file, head)


def first_pass(file: IO[bytes]) -> NDArray[np.uint8] | None:
    """Every eighth pixel of every eighth row, BGR; None if the file is not interlaced or has more than 8 bits."""
    head = _read_head(file)
    if not head.is_interlaced or head.depth > 8:
        return None
    small = replace(head, width=-(-head.width // _FIRST_PASS), height=-(-head.height // _FIRST_PASS))
    rows = _Rows(file).read(small.height * (small.row_bytes + 1))
    return pillow_to_bgr(open_plugin(io.BytesIO(small.png(rows)), "PNG"))


def _bands(file: IO[bytes], head: _Head) -> Iterator[Part]:
    rows, before = _Rows(file), b""
    for top in range(0, head.height, _BAND_ROWS):
        count = min(_BAND_ROWS, head.height - top)
        band = replace(head, height=count + bool(before))
        content = band.png((b"\0" + before if before else b"") + rows.read(count * (head.row_bytes + 1)))
        if head.palette or head.colour not in (_GREY, _RGB):
            pixels, before = _by_pillow(content)
        else:
            pixels, before = _by_opencv(content, head)
        yield Part(0, top, pixels[-count:])


def _by_pillow(content: bytes) -> tuple[NDArray[np.uint8], bytes]:
    """The pixels, and the last row as in the file."""
    image = open_plugin(io.BytesIO(content), "PNG")
    image.load()
    last = image.crop((0, image.height - 1, image.width, image.height)).tobytes()
    return pillow_to_bgr(image), last


def _by_opencv(content: bytes, head: _Head) -> tuple[NDArray[Any], bytes]:
    """Like `_by_pillow` in two thirds of the time, for grey and colour without transparency."""
    samples = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype.itemsize * 8 != head.depth:
        raise OSError("the rows cannot be decoded")
    last = samples[-1] if samples.ndim == 2 else samples[-1, :, ::-1]
    is_grey = samples.ndim == 2 and head.depth == 8
    pixels = cv2.cvtColor(samples, cv2.COLOR_GRAY2BGR) if is_grey else samples
    return np.asarray(pixels), last.astype(samples.dtype.newbyteorder(">")).tobytes()


def _read_head(file: IO[bytes]) -> _Head:
    """Leaves `file` at the first IDAT chunk."""
    file.seek(len(_SIGNATURE))
    _, _, data = _read_chunk(file)
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", data)
    palette = b""
    while True:
        start = file.tell()
        kind, raw, _ = _read_chunk(file, skip=(b"IDAT",))
        if kind == b"IDAT":
            file.seek(start)
            return _Head(width, height, depth, colour, interlace == 1, palette)
        if kind in (b"PLTE", b"tRNS"):
            palette += raw


def _read_chunk(file: IO[bytes], skip: tuple[bytes, ...] = ()) -> tuple[bytes, bytes, bytes]:
    """(kind, the whole chunk, its data); kinds in `skip` come without data."""
    head = file.read(8)
    if len(head) < 8:
        raise EOFError("image data is truncated")
    length, kind = struct.unpack(">I4s", head)
    if kind in skip:
        return kind, b"", b""
    rest = file.read(length + 4)
    if len(rest) < length + 4:
        raise EOFError("image data is truncated")
    return kind, head + rest, rest[:-4]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


class _Rows:
    """The single Deflate stream that all IDAT chunks form."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._stream = file, zlib.decompressobj()
        self._left, self._sum, self._waiting = 0, 0, b""

    def read(self, size: int) -> bytes:
        """Raises EOFError if the data ends early, ValueError for damage."""
        found: list[bytes] = []
        while size:
            if not self._waiting:
                self._waiting = self._piece()
            try:
                found.append(self._stream.decompress(self._waiting, size))
            except zlib.error as error:
                raise ValueError(str(error)) from error
            if not found[-1] and self._stream.eof:
                raise EOFError("image data is truncated")
            self._waiting = self._stream.unconsumed_tail
            size -= len(found[-1])
        return b"".join(found)

    def _piece(self) -> bytes:
        if self._left == 0:
            head = self._file.read(8)
            if len(head) < 8 or head[4:] != b"IDAT":
                raise EOFError("image data is truncated")
            self._left, self._sum = struct.unpack(">I", head[:4])[0], zlib.crc32(b"IDAT")
        piece = self._file.read(min(self._left, _PIECE_BYTES))
        if not piece and self._left:
            raise EOFError("image data is truncated")
        self._left -= len(piece)
        self._sum = zlib.crc32(piece, self._sum)
        if self._left == 0 and self._file.read(4) != struct.pack(">I", self._sum):
            raise ValueError("the checksum of a piece is wrong")
        return piece
