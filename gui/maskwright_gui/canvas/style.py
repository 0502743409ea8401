"""How the canvas looks: the switches that the user sets, and fixed measures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from maskwright.document.palette import Rgb, category_colour, stable_colour
from maskwright.document.values import Category
from maskwright.words import shown

PLATE: Rgb = (24, 25, 28)
"""The plate below all text on the canvas."""
INK: Rgb = (245, 245, 245)
"""15:1 on the plate, which is opaque, so that nothing below it reduces the contrast."""


class LabelMode(StrEnum):
    """Which objects show their label."""

    NONE = "none"
    SELECTED = "selected"
    ALL = "all"


def _nothing() -> Mapping[int, str]:
    return MappingProxyType({})


def _no_colours() -> Mapping[int, Rgb]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CanvasStyle:
    """The look of the canvas. Change it by `replace` and pass it to `CanvasView.set_style`."""

    label_mode: LabelMode = LabelMode.ALL
    fill_opacity: float = 0.2
    proposal_fill_opacity: float = 0.13
    shows_outlines: bool = True
    shows_crosshair: bool = False
    background: Rgb = (43, 44, 46)
    """Neutral dark grey in both themes, so that the image stands out."""
    colours: Mapping[int, Rgb] = field(default_factory=_no_colours)
    names: Mapping[int, str] = field(default_factory=_nothing)

    def colour(self, category_id: int) -> Rgb:
        """The colour of a class."""
        return self.colours.get(category_id) or stable_colour(category_id)

    def name(self, category_id: int) -> str:
        """The name of a class; its number if it has none."""
        return self.names.get(category_id, f"class {category_id}")

    def with_categories(self, categories: Iterable[Category]) -> "CanvasStyle":
        """The same style with other classes."""
        known = tuple(categories)
        return replace(
            self,
            colours=MappingProxyType({category.id: category_colour(category) for category in known}),
            names=MappingProxyType({category.id: shown(category.name) for category in known}),
        )
