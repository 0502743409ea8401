"""Checks of single values in files: sizes, numbers, fractions, plain attributes."""

import math
from typing import Any, TypeGuard

MAX_SIDE = 1 << 20


def whole_size(width: Any, height: Any) -> tuple[int, int]:
    """Both sides as integers; 640.0 is accepted. Raises ValueError for anything that cannot be the size of an image."""
    sides = [int(side) for side in (width, height) if is_number(side) and float(side).is_integer()]
    if len(sides) != 2 or min(sides) <= 0 or max(sides) > MAX_SIDE:
        if width is None or height is None:
            raise ValueError("its width and its height are not given")
        raise ValueError(f"expected a width and a height, got {width!r} x {height!r}")
    return sides[0], sides[1]


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number; booleans are not."""
    return type(value) in (int, float) and math.isfinite(value)


def is_share(value: Any) -> TypeGuard[float]:
    """Whether it is a number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1


def is_plain(value: Any) -> TypeGuard[str | float | bool]:
    """Whether it is text, a number or a boolean, which every reader of attributes accepts."""
    return isinstance(value, str | bool) or is_number(value)
