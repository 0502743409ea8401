"""Reads large TIFF pages piece by piece, whatever their layout and compression.

OpenCV and Pillow hold a second copy of the pixels while decoding; this holds only a few strips or tiles."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from maskwright.images.bgr import pillow_to_bgr
from maskwright.images.pages import page_at
from maskwright.images.parts import Part
from maskwright.images.tiff_crop import DEFLATE, NONE, OLD_DEFLATE, OLD_JPEG, PageTags, checked, inflated
from maskwright.images.tiff_samples import channel_samples, open_tiff_page, require_whole

_YCBCR = 6


@dataclass(frozen=True, slots=True)
class SegmentLayout:
    """Segments are strips or tiles; all of the first plane precede those of the second."""

    width: int
    height: int
    rows: int
    """Rows of each segment; the last strip may have fewer, a tile may extend beyond the edge."""
    tile_width: int | None
    """None for strips."""
    plane_count: int
    row_bytes: int
    """Bytes of one uncompressed row of a segment of one plane."""
    offsets: Sequence[int]
    counts: Sequence[int]
    compression: int

    @classmethod
    def of(cls, page: Any) -> "SegmentLayout":
        """The layout of a `tifffile` page. Raises ValueError if it cannot be read in pieces."""
        if page.imagedepth != 1 or page.compression == OLD_JPEG:
            raise ValueError("a volume, or old-style JPEG compression")
        is_planar = page.samplesperpixel > 1 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        tile_width = page.tilewidth if page.is_tiled else None
        rows = page.tilelength if page.is_tiled else min(page.rowsperstrip or page.imagelength, page.imagelength)
        row_bits = (tile_width or page.imagewidth) * page.bitspersample * (1 if is_planar else page.samplesperpixel)
        layout = cls(
            page.imagewidth,
            page.imagelength,
            rows,
            tile_width,
            page.samplesperpixel if is_planar else 1,
            (row_bits + 7) // 8,
            page.dataoffsets,
            page.databytecounts,
            int(page.compression),
        )
        if not len(layout.offsets) == len(layout.counts) == layout.plane_count * layout.down * layout.across:
            raise ValueError("the number of strips or tiles does not match the image size")
        is_raw = page.compression == NONE and not page.is_tiled and page.photometric != _YCBCR
        return layout._by_rows() if is_raw else layout

    @property
    def down(self) -> int:
        """Number of segment rows."""
        return -(-self.height // self.rows)

    @property
    def across(self) -> int:
        """Number of segments side by side."""
        return -(-self.width // self.tile_width) if self.tile_width else 1

    @property
    def segment_width(self) -> int:
        """Width of a segment in pixels."""
        return self.tile_width or self.width

    @property
    def is_sparse(self) -> bool:
        """Whether segments are missing: GDAL omits empty ones."""
        return 0 in self.counts

    def rows_of(self, row: int) -> int:
        """Number of image rows in segment row `row`."""
        return min(self.rows, self.height - row * self.rows)

    def numbers(self, rows: Iterable[int], columns: Sequence[int]) -> list[int]:
        """Numbers of the segments in these rows and columns, plane by plane."""
        places = [row * self.across + column for row in rows for column in columns]
        return [plane * self.down * self.across + place for plane in range(self.plane_count) for place in places]

    def read(self, file: IO[bytes], numbers: Iterable[int], *, most_bytes: int | None = None) -> list[bytes]:
        """The bytes of these segments, at most `most_bytes` of each."""
        found = []
        for number in numbers:
            file.seek(self.offsets[number])
            count = self.counts[number]
            found.append(file.read(count if most_bytes is None else min(count, most_bytes)))
        return found

    def _by_rows(self) -> "SegmentLayout":
        """Uncompressed strips, with each row as a strip of its own."""
        offsets: list[int] = []
        for number, (offset, count) in enumerate(zip(self.offsets, self.counts, strict=True)):
            rows = self.rows_of(number % self.down)
            if count < rows * self.row_bytes:
                raise ValueError("a strip is too short for its rows")
            offsets.extend(range(offset, offset + rows * self.row_bytes, self.row_bytes))
        counts = [self.row_bytes] * len(offsets)
        return SegmentLayout(
            self.width, self.height, 1, None, self.plane_count, self.row_bytes, offsets, counts, self.compression
        )


_BAND_ROWS = 64
_TOGETHER_PIXELS = 2_000_000
"""Bytes of several tiles."""
_MOST_PIXELS = 16_000_000
"""Bytes decoded at a time. A larger strip must be readable as a stream."""


def tiff_parts(file: IO[bytes], number: int) -> Iterator[Part] | None:
    """The pixels of page `number` as stored, not rotated: BGR uint8, or samples as from `read_deep_tiff`.

    None if the page cannot be read in pieces. Iterating raises one of DECODER_ERRORS for damaged data. Raises EOFError
    for a truncated file.
    """
    require_whole(file, number)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        return page_parts(file, page_at(tiff, number)) if number <= len(tiff.pages) else None


def page_parts(file: IO[bytes], page: Any) -> Iterator[Part] | None:
    """Like `tiff_parts`, for a `tifffile` page, which is no longer needed while the pieces are read."""
    try:
        return Pieces(file, page).parts()
    except ValueError:
        return None


class Pieces:
    """Cuts a few strips or tiles at a time out of a page and decodes them."""

    def __init__(self, file: IO[bytes], page: Any) -> None:
        """Raises ValueError for a page that cannot be read in pieces."""
        self._file, self._tags = file, PageTags.of(file, page)
        self.layout = SegmentLayout.of(page)
        self._is_deep = page.bitspersample > 8
        self._is_deflated = self.layout.compression in (DEFLATE, OLD_DEFLATE)

    def parts(self) -> Iterator[Part]:
        """Raises ValueError at once if strips or tiles are too large to be decoded whole."""
        layout = self.layout
        if layout.segment_width * min(layout.rows, layout.height) <= _MOST_PIXELS:
            return self._by_segments()
        if layout.tile_width is None and self._is_deflated and not layout.is_sparse:
            return self._by_streams()
        raise ValueError("a strip or tile is too large")

    def decode_strips(self, rows: int, rows_each: int, segments: Sequence[bytes]) -> NDArray[Any]:
        """(rows, width of a segment[, channels]) from strips of the page, or from tiles treated as strips."""
        return self._decode(
            lambda tags, some: tags.of_strips(self.layout.segment_width, rows, rows_each, some), segments
        )

    def _by_segments(self) -> Iterator[Part]:
        """A few strips, or a few tiles side by side, at a time."""
        layout = self.layout
        together = _TOGETHER_PIXELS // (layout.rows * layout.segment_width)
        wide = max(min(layout.across, together), 1) if not layout.is_sparse else 1
        high = max(_BAND_ROWS // layout.rows, 1) if layout.tile_width is None and not layout.is_sparse else 1
        for row in range(0, layout.down, high):
            rows = range(row, min(row + high, layout.down))
            for column in range(0, layout.across, wide):
                columns = range(column, min(column + wide, layout.across))
                segments = layout.read(self._file, layout.numbers(rows, columns))
                if all(segments):
                    yield self._part(
                        rows, columns, [checked(one) for one in segments] if self._is_deflated else segments
                    )

    def _part(self, rows: range, columns: range, segments: Sequence[bytes]) -> Part:
        layout, height = self.layout, sum(self.layout.rows_of(row) for row in rows)
        top, left = rows.start * layout.rows, columns.start * layout.segment_width
        if layout.tile_width is None:
            return Part(left, top, self.decode_strips(height, min(layout.rows, height), segments))
        width, tile_wh = min(len(columns) * layout.tile_width, layout.width - left), (layout.tile_width, layout.rows)
        return Part(left, top, self._decode(lambda tags, some: tags.of_tiles(width, height, tile_wh, some), segments))

    def _by_streams(self) -> Iterator[Part]:
        """Long Deflate strips, of all planes in parallel, as many rows at a time as other strips have."""
        layout = self.layout
        for strip in range(layout.down):
            count, top = layout.rows_of(strip), strip * layout.rows
            heights = [min(_BAND_ROWS, count - start) for start in range(0, count, _BAND_ROWS)]
            sizes = [height * layout.row_bytes for height in heights]
            streams = [
                inflated(self._file, layout.offsets[number], layout.counts[number], sizes)
                for number in layout.numbers([strip], [0])
            ]
            for height in heights:
                yield Part(0, top, self.decode_strips(height, height, [next(stream) for stream in streams]))
                top += height

    def _decode(self, build: Callable[[PageTags, Sequence[bytes]], bytes], segments: Sequence[bytes]) -> NDArray[Any]:
        """Decode a small file built from the segments. Raises DECODER_ERRORS."""
        if not self._is_deep:
            return pillow_to_bgr(open_tiff_page(io.BytesIO(build(self._tags, segments)), 1))
        count = self.layout.plane_count
        if count == 1:
            return _deep_samples(build(self._tags, segments))
        tags, each = self._tags.of_one_plane(), len(segments) // count
        planes = [_deep_samples(build(tags, segments[at : at + each])) for at in range(0, len(segments), each)]
        return np.dstack([planes[2], planes[1], planes[0], *planes[3 : 4 * (count == 4)]]) if count >= 3 else planes[0]


def _deep_samples(content: bytes) -> NDArray[Any]:
    samples = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(samples) if samples is not None else channel_samples(io.BytesIO(content), 1)
