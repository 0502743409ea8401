"""Pascal VOC's masks: one number or colour per object, and sets with only masks and a `labelmap.txt`.

Colours are the devkit's own, or those of the `labelmap.txt`."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import FormatError
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.data_set import DataSet
from maskwright.formats.png_masks import objects_to_polygons, read_png
from maskwright.plain_words import in_plain_words
from maskwright.regular_files import open_regular, read_regular

LABEL_MAP = "labelmap.txt"
BACKGROUND = "background"
_FIELDS = 3
"""What follows the name, which may contain colons: colour, parts, actions."""
VocColour = tuple[int, int, int]


def voc_colour(number: int) -> VocColour:
    """The devkit's colour of a number: its bits, three at a time, from the highest bit of each channel down."""
    bits = [[number >> (3 * i + channel) & 1 for i in range(8)] for channel in range(3)]
    red, green, blue = (sum(bit << (7 - i) for i, bit in enumerate(channel)) for channel in bits)
    return red, green, blue


def read_label_map(folder: Path) -> dict[str, VocColour] | None:
    """{class: colour} in the file's order; None if there is no file. Raises FormatError if it is damaged.

    A class without a colour gets the devkit's colour for its position.
    """
    file = folder / LABEL_MAP
    if not file.is_file():
        return None
    found: dict[str, VocColour] = {}
    try:
        lines = read_regular(file).decode("utf-8-sig").splitlines()
        for line in lines:
            if line.strip() and not _is_comment(line):
                name, colour = line.rsplit(":", _FIELDS)[:2] if line.count(":") >= _FIELDS else line.split(":")[:2]
                found[name.strip()] = _colour(colour) if colour.strip() else voc_colour(len(found))
    except (OSError, ValueError) as error:
        raise FormatError(f"expected lines such as `car:128,0,0::` ({in_plain_words(error)})", path=file) from error
    if len(set(found.values())) < len(found):
        raise FormatError("two classes have the same colour", path=file)
    return found


def _is_comment(line: str) -> bool:
    """A class may be called `# 1`; the heading has as many colons, but its own wording."""
    return line.startswith("#") and (line.count(":") < _FIELDS or line.startswith("# label:"))


def colours_to_numbers(pixels: NDArray[Any], numbers: Mapping[VocColour, int] | None = None) -> NDArray[np.int64]:
    """(H, W) numbers from (H, W, 3) colours, by default the devkit's.

    Raises ValueError for any other colour: the nearest one would be a guess.
    """
    known = numbers if numbers is not None else _devkit_numbers()
    packed = pixels[..., 0].astype(np.int64) << 16 | pixels[..., 1].astype(np.int64) << 8 | pixels[..., 2]
    values, places = np.unique(packed, return_inverse=True)
    colours = [(value >> 16, value >> 8 & 255, value & 255) for value in values.tolist()]
    unknown = [colour for colour in colours if colour not in known]
    if unknown:
        raise ValueError(f"unknown colour {unknown[0]} ({len(unknown)} such colours)")
    return np.array([known[colour] for colour in colours], np.int64)[places].reshape(packed.shape)


@cache
def _devkit_numbers() -> Mapping[VocColour, int]:
    return {voc_colour(number): number for number in range(256)}


def _colour(text: str) -> VocColour:
    red, green, blue = (int(part) for part in text.split(","))
    if not all(0 <= channel <= 255 for channel in (red, green, blue)):
        raise ValueError(f"{text} is not a colour")
    return red, green, blue


VOID, _VOID_COLOUR = 255, (224, 224, 192)
_OBJECTS, _CLASSES = "SegmentationObject", "SegmentationClass"


_HEAD_BYTES = 2048


def is_voc(path: Path) -> bool:
    """Whether a folder is a VOC set, with XML files or masks alone."""
    return annotation_folder(path) is not None or (path / _OBJECTS).is_dir()


def annotation_folder(path: Path) -> Path | None:
    """The folder with a set's XML files: `Annotations` as in the devkit, or beside the images as labelImg puts them.

    An empty `Annotations` does not count if there are masks: some exporters create it without using it.
    """
    devkit = path / "Annotations"
    if devkit.is_dir() and (not (path / _OBJECTS).is_dir() or any(devkit.rglob("*.xml"))):
        return devkit
    return next((folder for folder in (path / "annotations", path) if _has_annotation(folder)), None)


def _has_annotation(folder: Path) -> bool:
    file = next(iter(sorted(folder.glob("*.xml"))), None) if folder.is_dir() else None
    if file is None:
        return False
    try:
        with open_regular(file) as opened:
            head = opened.read(_HEAD_BYTES)
    except OSError:
        return False
    return re.search(rb"<annotation[\s>]", head) is not None


def object_numbers(file: Path) -> NDArray[np.int64]:
    """(H, W) object numbers of a mask that is grey, has a palette or the devkit's colours; 0 is background.

    Raises FormatError if it is not a mask and ValueError for a colour without a number.
    """
    pixels = read_png(file, may_be_coloured=True)
    return colours_to_numbers(pixels) if pixels.ndim == 3 else pixels.astype(np.int64)


def read_voc_masks(path: Path) -> DataSet:
    """Read a set without XML. Raises FormatError if masks or classes are missing."""
    folder = path / _OBJECTS
    if not folder.is_dir():
        raise FormatError("no folder `Annotations` here", path=path)
    colours = read_label_map(path)
    if colours is None:
        raise FormatError(f"masks found, but neither `Annotations` nor {LABEL_MAP} names their classes", path=path)
    names = [name for name in colours if name.casefold() != BACKGROUND]
    builder = DataSetBuilder(path, names)
    for file in sorted(folder.rglob("*.png")):
        relative = file.relative_to(folder)
        try:
            numbers = object_numbers(file)
            classes = _class_numbers(path / _CLASSES / relative, colours)
            if classes.shape != numbers.shape:
                raise ValueError("its two masks have different sizes")
        except (FormatError, ValueError) as error:
            builder.skip(relative.as_posix(), error)
            continue
        objects = []
        for number, polygons in objects_to_polygons(numbers).items():
            counts = np.bincount(classes[numbers == number])
            name = list(colours)[int(counts.argmax())] if counts.argmax() < len(colours) else ""
            if number != VOID and name in names:
                objects.append((name, polygons))
            elif number != VOID:
                builder.skip_object(f"{relative.as_posix()} object {number}", "has no class")
        builder.add_image(relative.as_posix(), (numbers.shape[1], numbers.shape[0]), objects)
    return builder.finished()


def _class_numbers(file: Path, colours: dict[str, VocColour]) -> NDArray[Any]:
    """(H, W) positions in the class table."""
    pixels = read_png(file, may_be_coloured=True)
    if pixels.ndim == 2:
        return pixels.astype(np.int64)
    table = {colour: place for place, colour in enumerate(colours.values())}
    return colours_to_numbers(pixels, {_VOID_COLOUR: 0, (0, 0, 0): 0, **table})
