"""One stable colour per category, distinguishable for most eyes and readable on photographs.

The first eight follow the hues of Okabe and Ito, "Color Universal Design" (2008), lightened where they would disappear
in a dark image. Each of the next 88 is the colour of a grid (L* 46 to 93, chroma above 22) with the largest CIEDE2000
distance to all before it, taken as the minimum over normal vision, protanopia, deuteranopia and tritanopia (matrices of
Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009). So the fewer classes, the greater the distances; among the
first twelve it is at least 6.5. Later colours walk the hue circle by the golden angle."""

import colorsys
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from maskwright.document.values import Category

Rgb = tuple[int, int, int]

_FIRST: tuple[Rgb, ...] = (
    (86, 180, 233),
    (240, 160, 20),
    (20, 190, 140),
    (225, 130, 190),
    (245, 230, 70),
    (235, 105, 40),
    (90, 130, 250),
    (190, 220, 120),
)
_LATER = """
965a87 4b785a 87ffd2 d22d1e ffc3e1 e10fb4 4b9687 78a55a 4b78b4 b46978 3c5aff 78875a 87d2b4 b4e1a5
96c378 e1a5c3 b4d2ff 87693c ff5aa5 8787d2 f03c78 8796ff 00a5a5 78961e f0c34b a5ffa5 d20f78 5a7800
d29687 2d8778 b400f0 87e1e1 f0a5a5 a55a5a b487a5 96783c a56996 d2b4e1 c37887 e1f078 b44bd2 96c3ff
96b45a e15ad2 a5f0ff f00f5a a57896 b4a5d2 c3c396 c35af0 0f7887 69a596 78c32d a5e1b4 d296b4 87a53c
a5c35a e1d200 00d2c3 b44b69 96692d 965aa5 78c3a5 ff2dc3 f07878 a5d287 5a9669 d26969 ff0000 69f0d2
4ba5e1 b4a5ff c32d96 ffb4c3 87784b ffe196 87a578 3c87b4 69b496 c3784b e1b4d2 a56969 f096a5 78e15a
c3f0b4 69fff0 696996 7878a5
"""
_LEAST_LIGHT = 0.3
"""Least relative luminance of a line: over 3:1 against its dark seam, except on the brightest ground, where the seam
shows."""
_ALIKE = 22.0
"""Colours less than this apart (CIE 1976) are hard to tell apart on a photograph."""
_MOST_APART = 24
"""Up to this many classes can each have a colour of their own."""
_GOLDEN_ANGLE = 0.381966
_LIGHTNESS = (0.62, 0.74, 0.54)


@lru_cache(maxsize=4096)
def stable_colour(category_id: int) -> Rgb:
    """The default colour of a category; depends on the id alone, so it survives any reordering."""
    place = max(category_id, 1) - 1
    if place < len(known := _known()):
        return known[place]
    turn = (place * _GOLDEN_ANGLE) % 1.0
    red, green, blue = colorsys.hls_to_rgb(turn, _LIGHTNESS[place % len(_LIGHTNESS)], 0.75)
    return round(red * 255), round(green * 255), round(blue * 255)


@lru_cache(maxsize=1)
def _known() -> tuple[Rgb, ...]:
    later = (parse_colour(f"#{digits}") for digits in _LATER.split())
    return _FIRST + tuple(colour for colour in later if colour is not None)


def category_colour(category: Category) -> Rgb:
    """The category's own `#rrggbb`, or the stable colour of its id if that is empty or invalid."""
    return parse_colour(category.colour) or stable_colour(category.id)


def colours_apart(categories: Sequence[Category], decided: Mapping[int, str]) -> dict[int, str]:
    """{id: `#rrggbb`} of classes that are listed together, apart from those whose colour a user chose.

    Of 80 classes, two that occur may have similar stable colours: the later one gets another. decided: what this
    returned before; it stays, also while a class is not listed, so that no class changes its colour when others come
    or go.
    """
    taken = {category.id: colour for category in categories if (colour := parse_colour(category.colour))}
    known = {id_: colour for id_, text in decided.items() if (colour := parse_colour(text)) and id_ not in taken}
    there = {category.id for category in categories}
    listed = taken | {id_: colour for id_, colour in known.items() if id_ in there}
    for category in sorted(categories, key=lambda each: each.id):
        if category.id not in listed:
            wanted, gone = stable_colour(category.id), [known[id_] for id_ in known.keys() - there]
            new = _apart(wanted, [*listed.values(), *gone]) or _apart(wanted, list(listed.values())) or wanted
            listed[category.id] = known[category.id] = new
    return {id_: _text(colour) for id_, colour in known.items()}


def coloured(categories: Iterable[Category], decided: Mapping[int, str]) -> tuple[Category, ...]:
    """The same categories in the colours of `colours_apart`, where no user chose one."""
    return tuple(
        each if parse_colour(each.colour) else replace(each, colour=decided.get(each.id, "")) for each in categories
    )


def _text(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _apart(wanted: Rgb, taken: Sequence[Rgb]) -> Rgb | None:
    """`wanted`, or the first colour of the palette that resembles none of `taken`; None if all do."""
    if len(taken) > _MOST_APART:
        return None
    return next((each for each in (wanted, *_known()) if all(_distance(each, o) >= _ALIKE for o in taken)), None)


@lru_cache(maxsize=1 << 14)
def _distance(one: Rgb, other: Rgb) -> float:
    """Distance by CIE 1976."""
    return math.dist(_lab(one), _lab(other))


@lru_cache(maxsize=4096)
def _lab(colour: Rgb) -> tuple[float, float, float]:
    """CIELAB under D65."""
    encoded = (channel / 255 for channel in colour)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded]
    # scaled so that white is (1, 1, 1)
    rows = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0178, 0.1095, 0.8727))
    x, y, z = (
        t ** (1 / 3) if (t := sum(a * b for a, b in zip(row, linear, strict=True))) > 0.008856 else 7.787 * t + 16 / 116
        for row in rows
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@lru_cache(maxsize=4096)
def line_colour(colour: Rgb) -> Rgb:
    """The colour of a line over a photograph: mixed with white until it is light enough for a dark background."""
    return next(mixed for step in range(21) if _luminance(mixed := _lighter(colour, step / 20)) >= _LEAST_LIGHT)


def _lighter(colour: Rgb, share: float) -> Rgb:
    red, green, blue = (round(channel + (255 - channel) * share) for channel in colour)
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    """Relative luminance, WCAG 2.2."""
    encoded = (channel / 255 for channel in colour)
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def parse_colour(text: str) -> Rgb | None:
    """`#rrggbb` as (red, green, blue); None for anything else."""
    digits = text.removeprefix("#")
    if len(digits) != 6 or len(text) != 7:
        return None
    try:
        value = int(digits, 16)
    except ValueError:
        return None
    return value >> 16, (value >> 8) & 0xFF, value & 0xFF
