"""The images of an exported set: copied, linked, or rotated upright."""

import os
import shutil
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from maskwright.document.values import ImageRecord
from maskwright.errors import FormatError, ImageError
from maskwright.formats.atomic import atomic_writer, write_error
from maskwright.formats.selection import require_file_name
from maskwright.images.header import ImageHeader, probe_image
from maskwright.images.pages import page_source
from maskwright.regular_files import open_regular

Placing = Literal["copy", "link", "upright"]
_BEST_JPEG = {"quality": 95, "subsampling": 0}


def place_image(image: ImageRecord, image_root: Path, target: Path, how: Placing) -> Path:
    """Put the image file below `target`, in the same subfolder; returns its path.

    `link` makes a hard link if the disk allows, else a copy. `upright` writes the pixels as shown, for readers that
    ignore the EXIF orientation; files without one are copied byte for byte. A further page of a TIFF is written as a
    TIFF of its own, upright, in 8-bit colour or with its deeper samples. Raises FormatError if the image is missing,
    not an image, leads out of a folder, or cannot be written.
    """
    require_file_name(image.file_name)
    root = image_root.resolve()
    source, page = page_source((image_root / image.file_name).resolve())
    place = target / image.file_name
    if not source.is_relative_to(root) or not source.is_file():
        raise FormatError("the image is missing", path=image_root / image.file_name, hint="locate it first")
    header = _header(image_root / image.file_name)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if page > 1:
            _write_page(source, page, place)
        elif how == "upright" and header.orientation != 1:
            _write_upright(source, place)
        elif how == "link":
            _link(source, place)
        else:
            _copy(source, place)
    except OSError as error:
        raise write_error(error, place) from error
    return place


def _header(path: Path) -> ImageHeader:
    """Raises FormatError if it is not an image: an exported set contains nothing else."""
    try:
        return probe_image(path)
    except ImageError as error:
        raise FormatError(f"the image cannot be exported: {error.reason}", path=path) from error


def _write_upright(source: Path, place: Path) -> None:
    with Image.open(source) as opened:
        kind = opened.format or "PNG"
        turned = ImageOps.exif_transpose(opened)
    with atomic_writer(place) as file:
        turned.save(file, kind, **(_BEST_JPEG if kind == "JPEG" else {}))


def _write_page(source: Path, page: int, place: Path) -> None:
    from maskwright.images.tiff import page_as_file  # here, because importing tifffile takes 30 ms

    with atomic_writer(place) as file:
        file.write(page_as_file(source, page))


def _link(source: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    try:
        os.link(source, place)
    except OSError:  # another disk, or one without links
        _copy(source, place)


def _copy(source: Path, place: Path) -> None:
    with open_regular(source) as opened, atomic_writer(place) as file:
        shutil.copyfileobj(opened, file, 1 << 20)
