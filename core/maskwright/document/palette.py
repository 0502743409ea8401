"""One stable colour per category, told apart by most eyes and readable on photographs.

The first eight follow the hues of Okabe and Ito, "Color Universal Design" (2008), lightened where they would
drown in a dark image; the later ones walk the hue circle by the golden angle at alternating lightness.
"""

import colorsys
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
_GOLDEN_ANGLE = 0.381966
_LIGHTNESS = (0.62, 0.74, 0.54)


@lru_cache(maxsize=4096)
def stable_colour(category_id: int) -> Rgb:
    """The colour of a category that has none of its own; depends on the id alone, so it survives any reordering."""
    place = max(category_id, 1) - 1
    if place < len(_FIRST):
        return _FIRST[place]
    turn = (place * _GOLDEN_ANGLE) % 1.0
    red, green, blue = colorsys.hls_to_rgb(turn, _LIGHTNESS[place % len(_LIGHTNESS)], 0.75)
    return round(red * 255), round(green * 255), round(blue * 255)


def category_colour(category: Category) -> Rgb:
    """The category's own `#rrggbb`, or the stable colour of its id where that is empty or not a colour."""
    return parse_colour(category.colour) or stable_colour(category.id)


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


def colour_to_text(colour: Rgb) -> str:
    """(red, green, blue) as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
