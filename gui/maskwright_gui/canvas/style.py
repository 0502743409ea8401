"""How the canvas looks: the switches that a user sets, and the measures that are ours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from maskwright.document.palette import Rgb, category_colour, stable_colour
from maskwright.document.values import Category
from maskwright.plain_text import shown

PLATE: Rgb = (24, 25, 28)
"""Below all text on the canvas."""
INK: Rgb = (245, 245, 245)
"""15:1 on the plate, which is opaque: nothing that lies below can take from it."""


class LabelMode(StrEnum):
    """Which objects have their name beside them."""

    NONE = "none"
    SELECTED = "selected"
    ALL = "all"


def _nothing() -> Mapping[int, str]:
    return MappingProxyType({})


def _no_colours() -> Mapping[int, Rgb]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CanvasStyle:
    """Replace and hand to `CanvasView.set_style`."""

    label_mode: LabelMode = LabelMode.ALL
    fill_opacity: float = 0.2
    proposal_fill_opacity: float = 0.13
    shows_outlines: bool = True
    shows_crosshair: bool = False
    background: Rgb = (43, 44, 46)
    """Neutral dark grey in both themes: the image is what counts."""
    colours: Mapping[int, Rgb] = field(default_factory=_no_colours)
    names: Mapping[int, str] = field(default_factory=_nothing)

    def colour(self, category_id: int) -> Rgb:
        """Of a class."""
        return self.colours.get(category_id) or stable_colour(category_id)

    def name(self, category_id: int) -> str:
        """Of a class; its number where it has none."""
        return self.names.get(category_id, f"class {category_id}")

    def with_categories(self, categories: Iterable[Category]) -> "CanvasStyle":
        """The same with other classes."""
        known = tuple(categories)
        return replace(
            self,
            colours=MappingProxyType({category.id: category_colour(category) for category in known}),
            names=MappingProxyType({category.id: shown(category.name) for category in known}),
        )
