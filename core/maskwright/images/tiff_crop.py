"""A piece of a TIFF page as a small TIFF that ordinary decoders read.

Strips and tiles are compressed independently (TIFF 6.0, sections 3 and 15). A file with the page's tags and some of
them is decoded by the same library, to the same pixels, in the memory of that piece."""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import IO, Any

NONE, OLD_JPEG, JPEG, DEFLATE, OLD_DEFLATE = 1, 6, 7, 8, 32946
"""Values of the tag Compression."""
_WIDTH, _LENGTH, _OFFSETS, _ROWS, _COUNTS = 256, 257, 273, 278, 279
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_COPIED = (258, 259, 262, 266, 277, 284, 292, 293, 317, 320, 332, 338, 339, 347, 529, 530, 531, 532)
"""Tags that say how samples are stored: bits, compression, colours, predictor, JPEG tables, chroma sampling."""
_PER_CHANNEL, _OF_SEVERAL_CHANNELS = (258, 339), (332, 338, 529, 530, 531, 532)
_GREY = {262: 1, 277: 1, 284: 1}
"""Black is zero, one sample per pixel, interleaved."""
_SHORT, _LONG, _MOST_TYPE = 3, 4, 12
_PIECE_BYTES = 1 << 20


class PageTags:
    """The tags of a `tifffile` page that its pieces need, read once."""

    def __init__(self, tags: "Mapping[int, _Tag]", order: str) -> None:
        self._tags, self._order = dict(tags), order

    @classmethod
    def of(cls, file: IO[bytes], page: Any) -> "PageTags":
        """Raises ValueError for number types that a TIFF of less than 4 GB cannot have."""
        tags: dict[int, _Tag] = {}
        for code in _COPIED:
            if (tag := page.tags.get(code)) is not None:
                if int(tag.dtype) > _MOST_TYPE:
                    raise ValueError(f"tag {code} is of type {tag.dtype}")
                file.seek(tag.valueoffset)
                tags[code] = int(tag.dtype), tag.count, file.read(tag.valuebytecount)
        return cls(tags, page.parent.byteorder)

    def of_one_plane(self) -> "PageTags":
        """For pieces of one of several planes, each a grey image."""
        tags = {code: tag for code, tag in self._tags.items() if code not in _OF_SEVERAL_CHANNELS}
        tags |= {code: (_SHORT, 1, tags[code][2][:2]) for code in _PER_CHANNEL if code in tags}
        tags |= {code: (_SHORT, 1, struct.pack(self._order + "H", value)) for code, value in _GREY.items()}
        return PageTags(tags, self._order)

    def of_strips(self, width: int, rows: int, rows_each: int, strips: Sequence[bytes]) -> bytes:
        """A TIFF of `rows` rows in strips of `rows_each`; of several planes, the first one's come first."""
        return self._file({_WIDTH: width, _LENGTH: rows, _ROWS: rows_each}, strips, _OFFSETS, _COUNTS)

    def of_tiles(self, width: int, rows: int, tile_wh: tuple[int, int], tiles: Sequence[bytes]) -> bytes:
        """Like `of_strips`, for tiles."""
        sides = {_WIDTH: width, _LENGTH: rows, _TILE_WIDTH: tile_wh[0], _TILE_LENGTH: tile_wh[1]}
        return self._file(sides, tiles, _TILE_OFFSETS, _TILE_COUNTS)

    def _file(self, sides: Mapping[int, int], segments: Sequence[bytes], offsets: int, counts: int) -> bytes:
        sizes = [len(segment) for segment in segments]
        tags = self._tags | {code: self._longs([side]) for code, side in sides.items()}
        tags |= {counts: self._longs(sizes), offsets: self._longs(sizes)}
        start = len(_directory(tags, self._order))
        tags[offsets] = self._longs(list(accumulate(sizes[:-1], initial=start)))
        return b"".join((_directory(tags, self._order), *segments))

    def _longs(self, values: Sequence[int]) -> "_Tag":
        return _LONG, len(values), struct.pack(f"{self._order}{len(values)}I", *values)


_Tag = tuple[int, int, bytes]
"""(type, count, value)."""


def _directory(tags: Mapping[int, _Tag], order: str) -> bytes:
    """The header of a file, its one directory and the values that do not fit into it (TIFF 6.0, section 2)."""
    entries = [b"II*\0" if order == "<" else b"MM\0*", struct.pack(order + "IH", 8, len(tags))]
    values: list[bytes] = []
    place = 8 + 2 + 12 * len(tags) + 4
    for code in sorted(tags):
        kind, count, value = tags[code]
        if len(value) > 4:
            values.append(value + b"\0" * (len(value) % 2))
            value, place = struct.pack(order + "I", place), place + len(values[-1])
        entries.append(struct.pack(order + "HHI", code, kind, count) + value.ljust(4, b"\0"))
    return b"".join((*entries, b"\0\0\0\0", *values))


def checked(segment: bytes) -> bytes:
    """A Deflate strip or tile repacked uncompressed, because libtiff does not verify the checksum.

    Raises ValueError for damage.
    """
    try:
        return zlib.compress(zlib.decompress(segment), 0)
    except zlib.error as error:
        raise ValueError(str(error)) from error


def inflated(file: IO[bytes], offset: int, count: int, sizes: Iterable[int]) -> Iterator[bytes]:
    """A Deflate strip too long for one piece, split into pieces of these sizes, each repacked uncompressed.

    The predictor is left for the decoder to undo. Raises EOFError if the data ends early, ValueError for damage.
    """
    stream, read, waiting = zlib.decompressobj(), 0, b""
    for size in sizes:
        rows: list[bytes] = []
        missing = size
        while missing:
            if not waiting and read < count:
                file.seek(offset + read)
                waiting = file.read(min(_PIECE_BYTES, count - read))
                read += _PIECE_BYTES
            try:
                rows.append(stream.decompress(waiting, missing))
            except zlib.error as error:
                raise ValueError(str(error)) from error
            if not rows[-1] and (stream.eof or not waiting):
                raise EOFError("image data is truncated")
            waiting = stream.unconsumed_tail
            missing -= len(rows[-1])
        yield zlib.compress(b"".join(rows), 0)
