"""Image files to upright BGR uint8: the one decoder for the model, the canvas and the thumbnails.

What a file may contain and how it is converted:

- more than 8 bits per sample: the range between the 0.1 and 99.9 percentile is stretched to 0..255;
- transparency: on white, as in viewers and browsers;
- CMYK: converted without a colour profile; palette and grey: to BGR; animation: the first frame;
- several pages in a TIFF: one image each, named as in `pages`.

8-bit files are decoded by Pillow instead of cv2.imread: the same pixels, but a damaged file is an error, and nothing is
printed. Flawless colour JPEGs go straight to BGR through libjpeg-turbo instead (`_flawless_jpeg`).

Decision: decoding runs in this process, not in a sandboxed one. A permanent worker with shared memory takes little CPU
time (4.5 against 4.2 ms for 640 x 480, no difference for 1920 x 1080; `bench_decode_worker.py`), one per image 220 ms.
But it needs the memory of the interpreter and libraries again and the pixels twice, and crops, bands and previews would
have to go through it, too. Sizes are checked before pixels are allocated, and of 50,000 damaged files
(`fuzz_images.py`) with 3 GB of memory none ended the process or hung."""

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from maskwright.errors import ImageError
from maskwright.images.bgr import pillow_to_bgr
from maskwright.images.border import damage_reason, decoding, let_through, opened
from maskwright.images.exif import upright
from maskwright.images.header import MAX_PIXELS, ImageHeader, open_plugin, read_header
from maskwright.images.large import quick_look, read_large, sketched
from maskwright.images.pages import page_source
from maskwright.images.parts import Watcher
from maskwright.windowing import deep_to_bgr

LARGE_PIXELS = 40_000_000
_SKETCH_SIDE_PX = 1500
"""A large file in pieces is subsampled; each thumbnail pixel is the mean of several samples."""
_Pixels = TypeVar("_Pixels", bound=NDArray[Any] | None)
_one_large = threading.Lock()
"""Two files of 108 megapixels decoded at the same time would take 650 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """`bgr_u8`: (H, W, 3) uint8, contiguous, upright; `header`: as in the file, its depth before stretching."""

    bgr_u8: NDArray[np.uint8]
    header: ImageHeader


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS, watcher: Watcher | None = None) -> DecodedImage:
    """Decode all of `path`, upright.

    `watcher` receives the parts of a large image as they are decoded, if it is read in parts, in the form of
    `read_samples`; an exception from it ends the decoding. Raises ImageError as `probe_image` does, for damaged or
    truncated pixels, and if memory does not suffice.
    """
    pixels, header = _read(path, max_pixels, watcher)
    return DecodedImage(_tried(partial(_as_bgr, pixels, header), header, path), header)


def read_samples(path: Path, *, max_pixels: int = MAX_PIXELS, watcher: Watcher | None = None) -> NDArray[Any]:
    """The samples of a file of more than 8 bits (see `probe_image`), upright, in their own dtype.

    (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA. `watcher` and errors as for `read_image`.
    """
    return _read(path, max_pixels, watcher)[0]


def _read(path: Path, max_pixels: int, watcher: Watcher | None) -> tuple[NDArray[Any], ImageHeader]:
    """Samples of more than 8 bits unchanged, all others as BGR."""
    source = page_source(path)[0]
    with opened(source, path) as file:
        header = read_header(file, path, max_pixels=max_pixels)
        pixels = _tried(partial(_decode, file, source, header, let_through(watcher)), header, path)
    if pixels.shape[:2] != (header.height, header.width):
        shape = " x ".join(str(side) for side in reversed(pixels.shape[:2]))
        raise ImageError(f"the pixels ({shape}) contradict the header", path=path)
    return pixels, header


def _tried(decode: Callable[[], _Pixels], header: ImageHeader, path: Path) -> _Pixels:
    with decoding(path, partial(_pixel_reason, header)):
        return decode()


def _pixel_reason(header: ImageHeader, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):  # for images that cannot be read in pieces
        megapixels = header.width * header.height / 1e6
        what = f"{megapixels:.0f} megapixels are too many for this kind of {header.format}"
        return f"{what}; save it in strips or tiles, or as PNG"
    return damage_reason(header.format, error)


def read_thumbnail(path: Path, *, max_side_px: int, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """A small upright BGR copy whose longer side is at most `max_side_px`.

    JPEGs are decoded at reduced size, other large files in pieces where possible, so that the whole is never in memory.
    Raises ImageError as `read_image` does.
    """
    with opened(page_source(path)[0], path) as stream:
        header = read_header(stream, path, max_pixels=max_pixels)
        reduced = _tried(partial(_reduced, stream, header, max_side_px), header, path)
    if reduced is None and header.width * header.height >= LARGE_PIXELS:
        reduced = read_piecewise(path, max_side_px=max(max_side_px, _SKETCH_SIDE_PX), max_pixels=max_pixels)
    pixels = reduced if reduced is not None else read_image(path, max_pixels=max_pixels).bgr_u8
    return shrunk(pixels, max_side_px)


def read_preview(path: Path, *, max_side_px: int, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8] | None:
    """Like `read_thumbnail`, but only if that is much less work than decoding the whole file; else None.

    JPEGs are decoded at reduced size; TIFFs have overviews or rows that can be skipped, BMPs rows, interlaced PNGs a
    first pass. The rows of other PNGs depend on each other, so there is no shortcut. Raises ImageError as `read_image`
    does.
    """
    with opened(page_source(path)[0], path) as stream:
        header = read_header(stream, path, max_pixels=max_pixels)
        pixels = _tried(partial(_reduced, stream, header, max_side_px), header, path)
    return shrunk(pixels, max_side_px) if pixels is not None else None


def read_piecewise(
    path: Path, *, max_side_px: int, max_pixels: int = MAX_PIXELS, watcher: Watcher | None = None
) -> NDArray[np.uint8] | None:
    """A reduced upright BGR copy of a large file, as slow as a full decode but in little memory.

    None if the file cannot be read in pieces. `watcher` and errors as for `read_image`.
    """
    with opened(page_source(path)[0], path) as stream:
        header = read_header(stream, path, max_pixels=max_pixels)
        return _tried(partial(sketched, stream, header, max_side_px, let_through(watcher)), header, path)


def _reduced(stream: IO[bytes], header: ImageHeader, max_side_px: int) -> NDArray[Any] | None:
    if header.format == "JPEG":
        image = open_plugin(stream, "JPEG")
        image.draft("RGB", (2 * max_side_px, 2 * max_side_px))
        return upright(pillow_to_bgr(image), header.orientation)
    if header.width * header.height < LARGE_PIXELS:
        return None
    look = quick_look(stream, header, max_side_px)
    return _as_bgr(look, header) if look is not None else None


def _as_bgr(pixels: NDArray[Any], header: ImageHeader) -> NDArray[np.uint8]:
    return deep_to_bgr(pixels) if header.depth > 8 else pixels


def shrunk(pixels: NDArray[Any], max_side_px: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 whose longer side is at most `max_side_px`."""
    scale = min(1.0, max_side_px / max(pixels.shape[:2]))
    size_wh = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _decode(file: IO[bytes], source: Path, header: ImageHeader, watcher: Watcher | None) -> NDArray[Any]:
    if header.width * header.height >= LARGE_PIXELS:
        with _one_large:
            large = read_large(file, source, header, watcher)
            return large if large is not None else _decode_usually(file, header)
    return _decode_usually(file, header)


def _decode_usually(file: IO[bytes], header: ImageHeader) -> NDArray[Any]:
    file.seek(0)
    stream = io.BytesIO(file.read())
    if header.format == "TIFF":
        from maskwright.images.tiff import read_deep_tiff, read_tiff  # tifffile takes 30 ms to import

        return read_tiff(stream, header) if header.depth <= 8 else read_deep_tiff(stream, header)
    image = open_plugin(stream, header.format)
    if header.depth <= 8:
        pixels = _flawless_jpeg(stream, image) if header.format == "JPEG" else None
        return upright(pixels if pixels is not None else pillow_to_bgr(image), header.orientation)
    image.load()  # raises for truncated files, of which OpenCV returns a half-filled image
    data = np.frombuffer(stream.getbuffer(), np.uint8)
    samples = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise ValueError(f"{header.depth}-bit {header.format} data cannot be decoded")
    return upright(np.asarray(samples), header.orientation)


def _flawless_jpeg(stream: io.BytesIO, image: Image.Image) -> NDArray[np.uint8] | None:
    """(H, W, 3) BGR of a three-colour JPEG; None if it is of another kind or has any flaw.

    Pillow stores four bytes per pixel, packs them to three, and the channels must be swapped in another pass; without
    that, 640 x 480 pixels take 1.8 instead of 2.6 ms. Decoding is strict: damaged and truncated files are left to
    Pillow, whose errors the user knows, and which reads files that libjpeg only warns about.
    """
    if image.mode != "RGB":
        return None
    try:
        pixels = simplejpeg.decode_jpeg(stream.getbuffer(), "BGR", strict=True)
    except ValueError:
        return None
    return pixels if pixels.shape[1::-1] == image.size else None
