"""The colours of Pascal VOC's PNG masks as numbers: the devkit's own, and those of a `labelmap.txt`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import FormatError
from maskwright.regular_files import read_regular

LABEL_MAP = "labelmap.txt"
BACKGROUND = "background"
_FIELDS = 3
"""Behind the name, which may hold colons: colour, parts, actions."""
Colour = tuple[int, int, int]


def voc_colour(number: int) -> Colour:
    """The devkit's colour of a number: its bits, three at a time, from the highest bit of each channel down."""
    bits = [[number >> (3 * i + channel) & 1 for i in range(8)] for channel in range(3)]
    red, green, blue = (sum(bit << (7 - i) for i, bit in enumerate(channel)) for channel in bits)
    return red, green, blue


def read_label_map(folder: Path) -> dict[str, Colour] | None:
    """{class: colour} in the order of the file; None where there is none. Raises FormatError for a damaged one.

    A class without a colour has the devkit's of its place.
    """
    file = folder / LABEL_MAP
    if not file.is_file():
        return None
    found: dict[str, Colour] = {}
    try:
        lines = read_regular(file).decode("utf-8-sig").splitlines()
        for line in lines:
            if line.strip() and not _is_comment(line):
                name, colour = line.rsplit(":", _FIELDS)[:2] if line.count(":") >= _FIELDS else line.split(":")[:2]
                found[name.strip()] = _colour(colour) if colour.strip() else voc_colour(len(found))
    except (OSError, ValueError) as error:
        raise FormatError(f"expected lines such as `car:128,0,0::` ({error})", path=file) from error
    if len(set(found.values())) < len(found):
        raise FormatError("two classes have one colour", path=file)
    return found


def _is_comment(line: str) -> bool:
    """A class may be called `# 1`; the heading has as many colons and says so itself."""
    return line.startswith("#") and (line.count(":") < _FIELDS or line.startswith("# label:"))


def colours_to_numbers(pixels: NDArray[Any], numbers: Mapping[Colour, int] | None = None) -> NDArray[np.int64]:
    """(H, W) numbers of (H, W, 3) colours, by default the devkit's.

    Raises ValueError for a colour that is none of them: nearest ones would be a guess.
    """
    known = numbers if numbers is not None else _devkit_numbers()
    packed = pixels[..., 0].astype(np.int64) << 16 | pixels[..., 1].astype(np.int64) << 8 | pixels[..., 2]
    values, places = np.unique(packed, return_inverse=True)
    colours = [(value >> 16, value >> 8 & 255, value & 255) for value in values.tolist()]
    unknown = [colour for colour in colours if colour not in known]
    if unknown:
        raise ValueError(f"the colour {unknown[0]} stands for nothing ({len(unknown)} such colours)")
    return np.array([known[colour] for colour in colours], np.int64)[places].reshape(packed.shape)


@cache
def _devkit_numbers() -> Mapping[Colour, int]:
    return {voc_colour(number): number for number in range(256)}


def _colour(text: str) -> Colour:
    red, green, blue = (int(part) for part in text.split(","))
    if not all(0 <= channel <= 255 for channel in (red, green, blue)):
        raise ValueError(f"{text} is no colour")
    return red, green, blue
