"""What the image list shows: states, search text, order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Category, ImageStanding, ImageState
from maskwright_gui.panels.image_search import parse_search

if TYPE_CHECKING:
    from maskwright.project.store import Project
    from maskwright.review.order import QueueOrder, RareClasses


SHOWN = (ImageStanding.LISTED, ImageStanding.EXCLUDED)
"""Images that are listed by default."""


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """states: None for all. text: as typed, see `image_search.HELP`."""

    states: frozenset[ImageState] | None = None
    text: str = ""
    order: "QueueOrder" = "name"
    standings: tuple[ImageStanding, ...] = SHOWN

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return (self.states, self.standings) == (None, SHOWN) and not self.text.strip()

    def image_ids(self, project: "Project", rare: "RareClasses | None" = None) -> NDArray[np.int64]:
        """(N,) int64, the ids found, in order. rare: the counted classes. Raises ProjectError."""
        merged = [Category(id_, name) for name, id_ in project.merges.names().items()]
        name, having = parse_search(self.text, [*project.categories.listed(), *merged])
        standings = self.standings if self.states is None else (ImageStanding.LISTED,)
        passing = project.images.ids(states=self.states, text=name, having=having, standings=standings)
        if self.order == "name":
            return passing
        from maskwright.review.order import ordered_images

        if self.order == "rarity" and rare is not None:
            return rare.ordered(passing)
        ordered = ordered_images(project, self.order)
        found = ordered[np.isin(ordered, passing)]
        return np.concatenate([found, passing[~np.isin(passing, found)]])  # the queue contains only images of the set
