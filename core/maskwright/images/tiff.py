"""TIFF pixels of any depth: 8 bits through Pillow, deeper samples through OpenCV, the rest through tifffile."""

from typing import IO, Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from maskwright.images.bgr import deep_to_bgr, pillow_to_bgr
from maskwright.images.exif import upright
from maskwright.images.header import ImageHeader, open_plugin


def read_tiff(stream: IO[bytes], header: ImageHeader) -> NDArray[np.uint8]:
    """The first page, upright, (H, W, 3) BGR uint8.

    Raises one of DECODER_ERRORS for damaged or truncated files and compressions that nothing here can decode.
    """
    _require_whole(stream)
    if header.depth <= 8:
        try:
            return pillow_to_bgr(open_plugin(stream, "TIFF"))  # Pillow turns TIFFs, and only TIFFs, by itself
        except SyntaxError:  # "unknown pixel mode": more channels than Pillow knows
            return upright(deep_to_bgr(_read_channels(stream)), header.orientation)
    stream.seek(0)
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    samples = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), flags)
    bgr = deep_to_bgr(np.asarray(samples) if samples is not None else _read_channels(stream))
    return upright(bgr, header.orientation)


def _require_whole(stream: IO[bytes]) -> None:
    """libtiff fills what is missing with zeros; the page's own table says where its data must end."""
    size = stream.seek(0, 2)
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages.first
        ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if ends and max(ends) > size:
        raise EOFError(f"data should end at byte {max(ends)}, the file has {size}")


def _read_channels(stream: IO[bytes]) -> NDArray[Any]:
    """(H, W) or (H, W, C) with C of 1, 3 (BGR) or 4 (BGRA); further channels are left out."""
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages.first
        samples = np.asarray(page.asarray())
        planar = samples.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    if planar:
        samples = np.moveaxis(samples, 0, -1)
    if samples.ndim != 3:
        return samples.reshape(samples.shape[-2:])
    if samples.shape[2] in (1, 2):
        return samples[:, :, 0]
    order = [2, 1, 0, 3] if samples.shape[2] == 4 else [2, 1, 0]
    return samples[:, :, order]
