"""What the readers of whole TIFFs and of their pieces share."""

from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from maskwright.images.header import open_plugin
from maskwright.images.pages import page_at, plane_samples


def open_tiff_page(stream: IO[bytes], page: int) -> Image.Image:
    """Pillow's image of one page, not decoded yet. Raises DECODER_ERRORS."""
    image = open_plugin(stream, "TIFF")
    image.seek(page - 1)
    return image


def require_whole(stream: IO[bytes], number: int) -> None:
    """libtiff fills missing data with zeros, so compare the file's length with the page's own table."""
    size = stream.seek(0, 2)
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = page_at(file, number)
        ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if ends and max(ends) > size:
        raise EOFError(f"data should end at byte {max(ends)}, but the file has {size}")


def channel_samples(stream: IO[bytes], number: int) -> NDArray[Any]:
    """(H, W) or (H, W, C) with C of 1, 3 (BGR) or 4 (BGRA); further channels are dropped."""
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = page_at(file, number)
        plane = plane_samples(file, stream, number)
        samples = np.asarray(plane if plane is not None else page.asarray())
        planar = samples.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    if planar:
        samples = np.moveaxis(samples, 0, -1)
    if samples.ndim != 3:
        return samples.reshape(samples.shape[-2:])
    if samples.shape[2] in (1, 2):
        return samples[:, :, 0]
    order = [2, 1, 0, 3] if samples.shape[2] == 4 else [2, 1, 0]
    return samples[:, :, order]
