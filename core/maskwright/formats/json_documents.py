"""Formats with one small JSON file per image: going through the files, and checks of the values in them."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from maskwright.errors import FormatError
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.json_stream import parsed

MAX_SIDE = 1 << 20


def json_documents(path: Path, builder: DataSetBuilder) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """(place for people, folder from the set's root, content) of each JSON object below a folder, or of one file.

    What cannot be read is listed as a problem.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    for file in files:
        where = file.relative_to(root).as_posix()
        try:
            content = parsed(file.read_bytes().removeprefix(b"\xef\xbb\xbf"), file)
        except (OSError, FormatError) as error:
            builder.skip(where, error)
            continue
        if isinstance(content, dict):
            yield where, file.parent.relative_to(root), content


def whole_size(width: Any, height: Any) -> tuple[int, int]:
    """Both sides as whole numbers; 640.0 is one. Raises ValueError for anything that is no size of an image."""
    sides = [int(side) for side in (width, height) if is_number(side) and float(side).is_integer()]
    if len(sides) != 2 or min(sides) <= 0 or max(sides) > MAX_SIDE:
        raise ValueError(f"expected a width and a height, got {width!r} x {height!r}")
    return sides[0], sides[1]


def is_number(value: Any) -> TypeGuard[float]:
    """Finite; true and false are none."""
    return type(value) in (int, float) and math.isfinite(value)


def is_share(value: Any) -> TypeGuard[float]:
    """A number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1


def is_plain(value: Any) -> TypeGuard[str | float | bool]:
    """Text, a number, true or false: what every consumer of attributes takes."""
    return isinstance(value, str | bool) or is_number(value)
