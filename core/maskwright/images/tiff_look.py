"""A preview of a large TIFF page before it is decoded.

Either an overview stored in the file, or the first row of every strip or tile: codecs decode no more rows than
requested. If strips or tiles are high, the preview is coarse vertically."""

from collections.abc import Iterator
from itertools import takewhile
from typing import IO, Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from maskwright.images.pages import page_at
from maskwright.images.parts import joined
from maskwright.images.tiff_bands import Pieces, page_parts
from maskwright.images.tiff_crop import JPEG
from maskwright.images.tiff_samples import require_whole

_LEAST_ROWS = 12
"""A preview of fewer rows would be a smear."""
_ROWS_AT_A_TIME = 32
_LEAST_BYTES = 1 << 16
_REDUCED = 1
_LEAST_OVERVIEW_PX = 256
_MOST_OVERVIEW_PIXELS = 16_000_000
_MOST_ASPECT_ERROR = 0.02
_BLENDED = (np.uint8, np.uint16, np.int16, np.float32, np.float64)
"""Dtypes that cv2 can interpolate."""


def tiff_look(file: IO[bytes], number: int, max_side_px: int) -> NDArray[Any] | None:
    """A reduced version of page `number` as stored, BGR uint8 or samples; None if there is no shortcut.

    Raises one of DECODER_ERRORS for damaged data.
    """
    require_whole(file, number)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        if number > len(tiff.pages):
            return None
        page = page_at(tiff, number)
        overview = _overview(tiff, page, max_side_px)
        if overview is not None and (parts := page_parts(file, overview)) is not None:
            return joined(parts, (overview.imagewidth, overview.imagelength), 1, None)
        return _of_rows(file, page, max_side_px)


def _of_rows(file: IO[bytes], page: Any, max_side_px: int) -> NDArray[Any] | None:
    try:
        pieces = Pieces(file, page)
    except ValueError:
        return None
    layout = pieces.layout
    step = max(max(layout.width, layout.height) // max_side_px, 1)
    rows = range(0, layout.down, max(step // layout.rows, 1))
    if len(rows) < _LEAST_ROWS or layout.is_sparse:
        return None
    columns = _evenly(layout.width, step)
    bands = [rows[start : start + _ROWS_AT_A_TIME] for start in range(0, len(rows), _ROWS_AT_A_TIME)]
    known = [np.hstack(list(_first_rows(file, pieces, band, columns))) for band in bands]
    return _spread(np.vstack(known), rows.step * layout.rows, layout.height, step)


def _overview(tiff: Any, page: Any, max_side_px: int) -> Any:
    """The smallest overview that fills `max_side_px`, else the largest useful one; None if there is none."""
    beside = takewhile(lambda other: int(other.subfiletype) & _REDUCED, tiff.pages[page.index + 1 :])
    known = [*(page.pages or ()), *beside]
    aspect = page.imagewidth / page.imagelength
    fitting = [
        one
        for one in known
        if max(one.imagewidth, one.imagelength) >= _LEAST_OVERVIEW_PX
        and one.imagewidth * one.imagelength <= _MOST_OVERVIEW_PIXELS
        and abs(one.imagewidth / one.imagelength / aspect - 1) <= _MOST_ASPECT_ERROR
        and (one.dtype, one.samplesperpixel, one.photometric) == (page.dtype, page.samplesperpixel, page.photometric)
    ]
    large = [one for one in fitting if max(one.imagewidth, one.imagelength) >= max_side_px]
    return min(large, key=lambda one: one.size, default=max(fitting, key=lambda one: one.size, default=None))


def _first_rows(file: IO[bytes], pieces: Pieces, rows: range, columns: NDArray[np.intp]) -> Iterator[NDArray[Any]]:
    """(len(rows), w[, channels]) for each column of segments: their first rows, reduced to `columns`."""
    layout = pieces.layout
    for column in range(layout.across):
        left = column * layout.segment_width
        inside = columns[(columns >= left) & (columns < left + layout.segment_width)] - left
        yield _decoded_rows(file, pieces, rows, column)[:, inside]


def _decoded_rows(file: IO[bytes], pieces: Pieces, rows: range, column: int) -> NDArray[Any]:
    """Each segment is read as a strip of one row, however many it has."""
    layout = pieces.layout
    if layout.compression != JPEG:
        most = _LEAST_BYTES + 2 * layout.row_bytes
        return pieces.decode_strips(len(rows), 1, layout.read(file, layout.numbers(rows, [column]), most_bytes=most))
    # only the last strip of a file may hold more JPEG rows than the image has there
    each = (layout.read(file, layout.numbers([row], [column])) for row in rows)
    return np.vstack([pieces.decode_strips(1, 1, segments) for segments in each])


def _evenly(whole: int, step: int) -> NDArray[np.intp]:
    count = max(whole // step, 1)
    return np.asarray((np.arange(count) + 0.5) * whole / count).astype(np.intp)


def _spread(known: NDArray[Any], spacing: int, height: int, step: int) -> NDArray[Any]:
    """Rows of the image `spacing` apart, spread to evenly reduced ones."""
    count = max(height // step, 1)
    scale = height / count / spacing
    start = (0.5 * height / count - 0.5) / spacing
    if known.dtype not in _BLENDED:
        nearest = np.rint(np.arange(count) * scale + start).astype(np.intp)
        return np.asarray(known[np.minimum(nearest, len(known) - 1)])
    inverse = np.array([[1.0, 0.0, 0.0], [0.0, scale, start]])
    flags, size_wh = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (known.shape[1], count)
    return np.asarray(cv2.warpAffine(known, inverse, size_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE))
