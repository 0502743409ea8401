"""Large plain TIFFs strip by strip or tile by tile into the final array, and a quick look at them before that.

OpenCV and Pillow hold a second copy of the pixels while they decode; here it is one strip or tile. A quick look takes
an overview that the file holds, or every so many rows where strips are thin enough for that to save work.
"""

import zlib
from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from maskwright.images.pages import page_at

_NONE, _DEFLATE, _OLD_DEFLATE = 1, 8, 32946
_BAND_ROWS = 64
_REDUCED = 1
_LEAST_OVERVIEW_PX = 256
_MOST_ASPECT_ERROR = 0.02


def read_bands(file: IO[bytes], number: int) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8 BGR of page `number` as stored, not turned; None for kinds that are not read so.

    Raises one of DECODER_ERRORS for damaged data.
    """
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = page_at(tiff, number)
        if not _is_plain(page) or (len(page.dataoffsets) == 1 and not _is_raw(page)):
            return None
        pixels = np.zeros((page.imagelength, page.imagewidth, 3), np.uint8)
        if _is_raw(page):
            for top in range(0, page.imagelength, _BAND_ROWS):
                band = pixels[top : top + _BAND_ROWS]
                band[:] = _bgr(_raw_rows(file, page, top, len(band)))
            return pixels
        try:
            for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
                file.seek(offset)
                data, (_, _, y, x, _), _ = page.decode(file.read(count) if count else None, index)
                if data is not None:
                    place = pixels[y : y + data.shape[1], x : x + data.shape[2]]  # tiles reach over the edge
                    place[:] = _bgr(data[0, : place.shape[0], : place.shape[1]])
        except zlib.error as error:
            raise ValueError(str(error)) from error
    return pixels


def quick_look(file: IO[bytes], number: int, max_side_px: int) -> NDArray[np.uint8] | None:
    """(h, w, 3) uint8 BGR, a reduced version as stored; None where that would take as long as the whole page.

    Raises one of DECODER_ERRORS for damaged data.
    """
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = page_at(tiff, number)
        if not _is_plain(page):
            return None
        overview = _overview(tiff, page, number, max_side_px)
        step = max(max(page.imagelength, page.imagewidth) // max_side_px, 1)
        try:
            if overview is not None:
                return _bgr(overview.asarray().reshape(overview.imagelength, overview.imagewidth, -1))
            if _is_raw(page):
                rows = [_raw_rows(file, page, y, 1)[0, ::step] for y in range(0, page.imagelength, step)]
            elif not page.is_tiled and 2 * page.rowsperstrip <= step:
                rows = [_strip(file, page, y)[0, ::step] for y in range(0, page.imagelength, step)]
            else:
                return None
        except zlib.error as error:
            raise ValueError(str(error)) from error
    return _bgr(np.stack(rows))


def _is_plain(page: Any) -> bool:
    """8-bit grey or RGB, interleaved, upright, not compressed or by zlib: no further library is needed."""
    kind = page.photometric, page.samplesperpixel
    orientation = page.tags.get(274)
    return bool(
        kind in ((tifffile.PHOTOMETRIC.MINISBLACK, 1), (tifffile.PHOTOMETRIC.RGB, 3))
        and page.dtype == np.uint8
        and page.bitspersample == 8
        and page.imagedepth == 1
        and (page.samplesperpixel == 1 or page.planarconfig == tifffile.PLANARCONFIG.CONTIG)
        and page.compression in (_NONE, _DEFLATE, _OLD_DEFLATE)
        and page.predictor in (1, 2)
        and page.fillorder == 1
        and (orientation is None or orientation.value == 1)
    )


def _is_raw(page: Any) -> bool:
    """Whether all rows follow each other without compression."""
    return bool(page.compression == _NONE and page.predictor == 1 and not page.is_tiled and page.is_contiguous)


def _overview(tiff: Any, page: Any, number: int, max_side_px: int) -> Any:
    """The smallest reduced version that fills `max_side_px`, else the largest of use; None without any."""
    known = [*(page.pages or ()), *(other for other in tiff.pages[number:] if int(other.subfiletype) & _REDUCED)]
    aspect = page.imagewidth / page.imagelength
    fitting = [
        one
        for one in known
        if _is_plain(one)
        and max(one.imagewidth, one.imagelength) >= _LEAST_OVERVIEW_PX
        and abs(one.imagewidth / one.imagelength / aspect - 1) <= _MOST_ASPECT_ERROR
    ]
    large = [one for one in fitting if max(one.imagewidth, one.imagelength) >= max_side_px]
    return min(large, key=lambda one: one.size, default=max(fitting, key=lambda one: one.size, default=None))


def _raw_rows(file: IO[bytes], page: Any, top: int, count: int) -> NDArray[np.uint8]:
    row = page.imagewidth * page.samplesperpixel
    file.seek(page.dataoffsets[0] + top * row)
    data = file.read(count * row)
    if len(data) < count * row:
        raise EOFError("image data is truncated")
    return np.frombuffer(data, np.uint8).reshape(count, page.imagewidth, page.samplesperpixel)


def _strip(file: IO[bytes], page: Any, y: int) -> NDArray[np.uint8]:
    """The strip that holds row `y`."""
    index = y // page.rowsperstrip
    file.seek(page.dataoffsets[index])
    data, _, shape = page.decode(file.read(page.databytecounts[index]), index)
    return np.asarray(data[0, : shape[1]])


def _bgr(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 1) grey or (H, W, 3) RGB to (H, W, 3) BGR; a view where it can be."""
    return np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else samples[:, :, ::-1]
