"""Where the strips or tiles of a TIFF page lie in the file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import tifffile

from maskwright.images.tiff_crop import NONE, OLD_JPEG

_YCBCR = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """Segments are strips or tiles; all of the first plane come before those of the second."""

    width: int
    height: int
    rows: int
    """Rows of each segment; the last strip may have fewer, a tile reaches over the edge."""
    tile_width: int | None
    """None: strips."""
    plane_count: int
    row_bytes: int
    """Of one row of a segment of one plane, when it is not compressed."""
    offsets: Sequence[int]
    counts: Sequence[int]
    compression: int

    @classmethod
    def of(cls, page: Any) -> "Layout":
        """Of a `tifffile` page. Raises ValueError for what cannot be taken to pieces."""
        if page.imagedepth != 1 or page.compression == OLD_JPEG:
            raise ValueError("a volume, or JPEG of the old kind")
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
            raise ValueError("the table of strips or tiles has another length than the size asks for")
        is_raw = page.compression == NONE and not page.is_tiled and page.photometric != _YCBCR
        return layout._by_rows() if is_raw else layout

    @property
    def down(self) -> int:
        return -(-self.height // self.rows)

    @property
    def across(self) -> int:
        return -(-self.width // self.tile_width) if self.tile_width else 1

    @property
    def segment_width(self) -> int:
        return self.tile_width or self.width

    @property
    def is_sparse(self) -> bool:
        """Whether segments are left out, as GDAL does for what is empty."""
        return 0 in self.counts

    def rows_of(self, row: int) -> int:
        """How many rows of the image the segments of segment row `row` hold."""
        return min(self.rows, self.height - row * self.rows)

    def numbers(self, rows: Iterable[int], columns: Sequence[int]) -> list[int]:
        """Of these segment rows and columns, plane by plane."""
        places = [row * self.across + column for row in rows for column in columns]
        return [plane * self.down * self.across + place for plane in range(self.plane_count) for place in places]

    def read(self, file: IO[bytes], numbers: Iterable[int], *, most_bytes: int | None = None) -> list[bytes]:
        """The bytes of these segments, of each no more than `most_bytes`."""
        found = []
        for number in numbers:
            file.seek(self.offsets[number])
            count = self.counts[number]
            found.append(file.read(count if most_bytes is None else min(count, most_bytes)))
        return found

    def _by_rows(self) -> "Layout":
        """Strips that are not compressed, each row a strip of its own."""
        offsets: list[int] = []
        for number, (offset, count) in enumerate(zip(self.offsets, self.counts, strict=True)):
            rows = self.rows_of(number % self.down)
            if count < rows * self.row_bytes:
                raise ValueError("a strip is shorter than its rows")
            offsets.extend(range(offset, offset + rows * self.row_bytes, self.row_bytes))
        counts = [self.row_bytes] * len(offsets)
        return Layout(
            self.width, self.height, 1, None, self.plane_count, self.row_bytes, offsets, counts, self.compression
        )
