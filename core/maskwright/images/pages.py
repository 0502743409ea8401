"""Pages of a multi-page TIFF, each an image of its own.

The first page keeps the file's name, because readers of an annotation file see that page in it. Page 3 of `stack.tif`
is called `stack#page=3.tif`: the suffix stays, and files beside an image (a label file, a mask) get names of their own.
When a set is exported with its images, the page is written as a file of exactly that name, so that every `file_name`
exists on the reader's disk. A file that really has such a name takes precedence."""

import re
from pathlib import Path, PurePath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_PAGE_NAME = re.compile(r"(.+)#page=([1-9][0-9]{0,6})(\.tiff?)", re.IGNORECASE)
_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType (TIFF 6.0, page 36): a reduced version of another page, a transparency mask."""


class NoPageError(IndexError):
    """The file has no such page; the message is for the user."""


def page_name(file_name: str, page: int) -> str:
    """The name of page `page` (from 1) of a file; the file's own name for the first."""
    if page == 1:
        return file_name
    suffix = PurePath(file_name).suffix
    return f"{file_name.removesuffix(suffix)}#page={page}{suffix}"


def page_source(path: Path) -> tuple[Path, int]:
    """The file that contains the image called `path`, and its page there, from 1."""
    named = _PAGE_NAME.fullmatch(path.name)
    if named is None or path.exists():
        return path, 1
    return path.with_name(named[1] + named[3]), int(named[2])


def page_numbers(file: Any) -> list[int]:
    """The pages of an open `tifffile.TiffFile` that are images in their own right, from 1.

    Reduced versions (overviews, thumbnails) and transparency masks are not, but they are counted, as in Pillow,
    ImageMagick and Fiji.
    """
    pages = list(file.pages)
    if len(pages) == 1:
        return list(range(1, 1 + _plane_count(file)))
    kinds = [int(getattr(page, "subfiletype", 0) or 0) for page in pages]
    return [number for number, kind in enumerate(kinds, 1) if number == 1 or not kind & (_REDUCED | _MASK)]


def page_at(file: Any, page: int) -> Any:
    """The `tifffile` page that describes page `page`.

    Raises NoPageError if the file has no such page, IndexError if it has none at all.
    """
    count = len(file.pages)
    if page <= count:
        return file.pages[page - 1]
    if count == 1 and page <= _plane_count(file):
        return file.pages.first
    if page == 1:
        raise IndexError("its page directory cannot be read")  # truncated, not a wrong number
    raise NoPageError(f"the file has no page {page}")


def plane_samples(file: Any, stream: IO[bytes], page: int) -> NDArray[Any] | None:
    """The samples of a page without a directory of its own: ImageJ writes such stacks above 4 GB.

    The planes follow each other uncompressed. None for a page with a directory.
    """
    first = file.pages.first
    if page <= len(file.pages):
        return None
    data = np.empty(first.shape, first.dtype.newbyteorder(file.byteorder))
    stream.seek(first.dataoffsets[0] + (page - 1) * data.nbytes)
    raw = stream.read(data.nbytes)
    if len(raw) < data.nbytes:
        raise EOFError(f"page {page} is truncated")
    return np.frombuffer(raw, data.dtype).reshape(data.shape).astype(first.dtype)


def _plane_count(file: Any) -> int:
    """Number of planes in a file with a single directory, according to its description."""
    if not (file.is_imagej or file.is_shaped):
        return 1
    first, series = file.pages.first, file.series[0]
    is_plain = first.compression == 1 and len(series.pages) >= 1 and first.size
    # The description may claim anything; the file's size limits the number, and the last plane may be cut off.
    most = -(-file.filehandle.size // max(first.nbytes, 1))
    return max(min(int(series.size // first.size), int(most)), 1) if is_plain else 1
