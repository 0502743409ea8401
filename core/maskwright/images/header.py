"""What an image file declares before any pixel is decoded: format, size, depth, orientation.

Formats are recognised by content, never by suffix, and only known formats reach a decoder."""

import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from maskwright.errors import ImageError
from maskwright.images.border import decoding, opened, os_reason
from maskwright.images.exif import exif_orientation
from maskwright.images.pages import NoPageError, page_at, page_name, page_numbers, page_source

log = logging.getLogger(__name__)

try:
    from PIL import AvifImagePlugin
except ImportError:  # before Pillow 11.3
    _AVIF = None
else:
    _AVIF = AvifImagePlugin if AvifImagePlugin.SUPPORTED else None

ImageFormat = Literal["JPEG", "PNG", "BMP", "WebP", "TIFF", "GIF", "AVIF"]

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif"}
    | {".avif", ".heic", ".heif"}
)
"""Suffixes that count as images when listing a folder. HEIC cannot be read, but users should not have to find out that
photographs are missing."""
MAX_PIXELS = 300_000_000
MAX_SIDE_PX = 1 << 20
"""Annotations of longer images are refused, too (`formats.sizes`, `project.rows`)."""
"""Default limit of width x height: 900 MB as 8-bit colour."""

DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)
"""What Pillow and tifffile mostly raise for damaged files, for callers that then try another way; `border` catches
all."""

# The plugin classes themselves: Image.open tries every plugin there is and applies a process-wide size limit.
_PLUGINS: dict[ImageFormat, Callable[[IO[bytes]], Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
if _AVIF is not None:
    _PLUGINS["AVIF"] = _AVIF.AvifImageFile
_AVIF_BRANDS = (b"avif", b"avis")
_MAGIC: tuple[tuple[bytes, ImageFormat], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
)
_FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8BPS", "a Photoshop document"),
)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Size and format of an image file. `width` and `height` are those after EXIF rotation."""

    path: Path
    width: int
    height: int
    format: ImageFormat
    depth: int = 8
    """Bits per sample, of the deepest channel: 1, 8, 16, 32 or 64."""
    orientation: int = 1
    """EXIF orientation, 1 (upright as stored) to 8."""
    page: int = 1
    """Page number in the file, from 1; see `pages`."""

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.width, self.height


def probe_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read only the header, typically a few hundred bytes; `path` may name a page of a TIFF.

    Raises ImageError for a missing, empty, unreadable, unknown or damaged file, and for more than `max_pixels` pixels.
    """
    with opened(page_source(path)[0], path) as stream:
        return read_header(stream, path, max_pixels=max_pixels)


def probe_pages(path: Path, *, max_pixels: int = MAX_PIXELS) -> Iterator[tuple[Path, ImageHeader | ImageError]]:
    """The image in `path` and, for a multi-page TIFF, the further pages under their names from `pages`.

    An image that `probe_image` would refuse comes with its error.
    """
    first = _tried(partial(probe_image, path, max_pixels=max_pixels))
    yield path, first
    if isinstance(first, ImageError) or first.format != "TIFF" or first.page != 1:
        return
    import tifffile  # takes 30 ms to import, and most folders have no TIFF

    found: list[tuple[int, tuple[int, int, int, int]]] = []
    damage: ImageError | None = None
    try:
        with opened(path, path) as stream, _reading(path, "TIFF"), tifffile.TiffFile(stream) as file:
            found.extend((number, _of_page(page_at(file, number))) for number in page_numbers(file)[1:])
    except ImageError as error:
        damage = error
    for number, values in found:
        place = path.with_name(page_name(path.name, number))
        yield place, _tried(partial(_checked, place, "TIFF", *values, number, max_pixels))
    if damage is not None:
        yield path.with_name(page_name(path.name, found[-1][0] + 1 if found else 2)), damage


def _tried(read: Callable[[], ImageHeader]) -> ImageHeader | ImageError:
    try:
        return read()
    except ImageError as error:
        return error


def read_header(stream: IO[bytes], path: Path, *, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """The header from a seekable `stream`; `path` is used only in messages. Raises ImageError as `probe_image` does."""
    start = stream.read(512)
    if not start:
        raise ImageError("the file is empty (0 bytes)", path=path)
    kind = _kind(start)
    if kind is None:
        raise ImageError(_why_unknown(start), path=path)
    with _reading(path, kind, start):
        page = page_source(path)[1] if kind == "TIFF" else 1
        width, height, depth, orientation = _read_tiff(stream, page) if kind == "TIFF" else _read(stream, kind, start)
    return _checked(path, kind, width, height, depth, orientation, page, max_pixels)


def _checked(
    path: Path, kind: ImageFormat, width: int, height: int, depth: int, orientation: int, page: int, max_pixels: int
) -> ImageHeader:
    if orientation >= 5:
        width, height = height, width
    _require_size(width, height, max_pixels, path)
    return ImageHeader(path, width, height, kind, depth, orientation, page)


def open_plugin(stream: IO[bytes], kind: ImageFormat) -> Image.Image:
    """Pillow's image over `stream`, with the pixels not yet decoded. Raises DECODER_ERRORS."""
    stream.seek(0)
    return _PLUGINS[kind](stream)


def _reading(path: Path, kind: ImageFormat, start: bytes = b"\0") -> AbstractContextManager[None]:
    def reason(error: Exception) -> str:
        if isinstance(error, OSError) and error.errno is not None:
            return os_reason(error)
        if isinstance(error, NoPageError):
            return str(error)
        if _is_text(start):
            return _why_unknown(start)
        log.info("%s: %s", path, error)
        return f"the {kind} header is damaged or truncated"

    return decoding(path, reason)


def _kind(start: bytes) -> ImageFormat | None:
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    if start[4:8] == b"ftyp" and start[8:12] in _AVIF_BRANDS and "AVIF" in _PLUGINS:
        return "AVIF"
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), None)


def _read(stream: IO[bytes], kind: ImageFormat, start: bytes) -> tuple[int, int, int, int]:
    image = open_plugin(stream, kind)
    depth = 16 if kind == "PNG" and start[24] == 16 else 1 if image.mode == "1" else 8
    # EXIF after the pixels of a PNG is ignored: Pillow would have to decode them first.
    exif = image.info.get("exif", b"")
    return *image.size, depth, exif_orientation(exif if isinstance(exif, bytes) else b"")


def _read_tiff(stream: IO[bytes], number: int) -> tuple[int, int, int, int]:
    import tifffile  # takes 30 ms to import, and most folders have no TIFF

    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        return _of_page(page_at(file, number))


def _of_page(page: Any) -> tuple[int, int, int, int]:
    """Width, height, bits per sample and orientation of a `tifffile` page."""
    tag = page.tags.get(274)
    orientation = int(tag.value) if tag is not None and tag.value in range(1, 9) else 1
    return int(page.imagewidth), int(page.imagelength), int(page.bitspersample), orientation


def _require_size(width: int, height: int, max_pixels: int, path: Path) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"the header states a size of {width} x {height} pixels", path=path)
    if max(width, height) > MAX_SIDE_PX:
        raise ImageError(f"{width} x {height} pixels: no side may exceed {MAX_SIDE_PX}", path=path)
    if width * height > max_pixels:
        raise ImageError(
            f"{width} x {height} pixels are {width * height / 1e6:.0f} megapixels, above the limit of "
            f"{max_pixels / 1e6:.0f}",
            path=path,
            hint="split it into tiles first",
        )


def _is_text(start: bytes) -> bool:
    if b"\0" in start:
        return False
    with suppress(UnicodeDecodeError):
        start[: 500 if len(start) == 512 else None].decode("utf-8", "strict")
        return True
    return False


def _why_unknown(start: bytes) -> str:
    if start[4:8] == b"ftyp":
        known = "HEIC and video files are" if "AVIF" in _PLUGINS else "HEIC, AVIF and video files are"
        return f"{known} not supported; convert it to JPEG or PNG"
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            return f"this is {what}, not an image"
    if _is_text(start):
        is_page = any(mark in start.lower() for mark in (b"<html", b"<!doctype"))
        return f"this is {'a web page' if is_page else 'a text file'}, not an image"
    return "not a supported image format (JPEG, PNG, BMP, WebP, TIFF, GIF, AVIF)"
