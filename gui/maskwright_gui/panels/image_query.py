"""What the image list is asked for: states, words of the search field, order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Category, ImageState, InstanceState

if TYPE_CHECKING:
    from maskwright.project.images import InstanceSearch
    from maskwright.project.store import Project
    from maskwright.review.order import Order, RareClasses

HELP = (
    "A part of the file name, and conditions on one object of the image:\n"
    "class:car   is:proposed   is:edited   score<0.6   score>0.9   model:name"
)
PLACEHOLDER = "Name, class:car, score<0.6"
SEARCH_DELAY_MS = 150
"""Between the last key in a search field and the search."""
_NOT_REJECTED = tuple(sorted(set(InstanceState) - {InstanceState.REJECTED}))
_CONDITION = re.compile(r"^(class|is|state|model):(.+)$|^score([<>])=?([0-9.]+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """`states` None: all. `text` as typed, see HELP."""

    states: frozenset[ImageState] | None = None
    text: str = ""
    order: "Order" = "name"

    @property
    def is_everything(self) -> bool:
        return self.states is None and not self.text.strip()

    def image_ids(self, project: "Project", rare: "RareClasses | None" = None) -> NDArray[np.int64]:
        """(N,) int64, those that pass, in the order asked for; `rare`: the counted classes. Raises ProjectError."""
        merged = [Category(id_, name) for name, id_ in project.merged_names().items()]
        name, having = parse_search(self.text, [*project.categories(), *merged])
        passing = project.image_ids(states=self.states, text=name, having=having)
        if self.order == "name":
            return passing
        from maskwright.review.order import ordered_images

        if self.order == "rarity" and rare is not None:
            return rare.ordered(passing)
        ordered = ordered_images(project, self.order)
        return ordered[np.isin(ordered, passing)]


def parse_search(text: str, categories: Sequence[Category]) -> "tuple[str, InstanceSearch | None]":
    """(what the file name must hold, what one object of the image must be); None: no such condition.

    A class or state that does not exist finds nothing; what was rejected is found by `is:rejected` only.
    """
    from maskwright.project.images import InstanceSearch

    names: list[str] = []
    category_ids: set[int] | None = None
    states: set[InstanceState] | None = None
    model, low, high = None, None, None
    for word in _words(text):
        match = _CONDITION.match(word)
        if match is None:
            names.append(word)
            continue
        kind, wanted, side, number = match.groups()
        if side is not None:
            low, high = (low, _number(number)) if side == "<" else (_number(number), high)
        elif kind.lower() == "class":
            category_ids = (category_ids or set()) | {
                c.id for c in categories if wanted.casefold() in c.name.casefold()
            }
        elif kind.lower() in ("is", "state"):
            states = (states or set()) | {s for s in InstanceState if s.value.startswith(wanted.lower())}
        else:
            model = wanted
    if (category_ids, states, model, low, high) == (None, None, None, None, None):
        return " ".join(names), None
    return " ".join(names), InstanceSearch(
        tuple(sorted(category_ids)) if category_ids is not None else None,
        tuple(sorted(states)) if states is not None else _NOT_REJECTED,
        low,
        high,
        model,
    )


def _words(text: str) -> list[str]:
    """Split at spaces; `class:"potted plant"` is one word."""
    return [word.replace('"', "") for word in re.findall(r'(?:[^\s"]|"[^"]*"?)+', text)]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
