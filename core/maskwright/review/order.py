"""The order in which a user should review the images, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from maskwright.project import Project
from maskwright.review import disagreement, uncertainty

QueueOrder = Literal["name", "uncertainty", "disagreement", "rarity"]


def ordered_images(project: Project, order: QueueOrder) -> NDArray[np.int64]:
    """(N,) int64, all images, the most worthwhile first; images without information come last, by name.

    In the order of disagreement, images that no two models were compared on follow by uncertainty.
    """
    ids = project.images.ids()
    match order:
        case "name":
            return ids
        case "rarity":
            return RareClasses.of(project).ordered(ids)
        case "uncertainty":
            return _descending(ids, *project.signals.values(uncertainty.NAME))
        case "disagreement":
            ranks = [_ranks(ids, *project.signals.values(name)) for name in (uncertainty.NAME, disagreement.NAME)]
            return ids[np.lexsort([-rank for rank in ranks])]


class Reasons:
    """Why each image has its place, in a few words; empty if the order gives no reason."""

    def __init__(self, project: Project, order: QueueOrder, rare: "RareClasses | None" = None) -> None:
        """rare: the classes if they have been counted already; otherwise counted when first needed."""
        self._project, self._order, self._rare = project, order, rare

    def of(self, image_id: int) -> str:
        """For one image: a query by key."""
        match self._order:
            case "uncertainty":
                return self._told(uncertainty.NAME, image_id)
            case "disagreement":
                return self._told(disagreement.NAME, image_id) or self._told(uncertainty.NAME, image_id)
            case "rarity":
                rarest = self.rarest_class(image_id)
                return f"{rarest[1]}: {rarest[2]} in the project" if rarest is not None else ""
            case "name":
                return ""

    def _told(self, signal: str, image_id: int) -> str:
        known = self._project.signals.get(signal, image_id)
        return str(known[1]["reason"]) if known is not None and known[1] else ""

    def rarest_class(self, image_id: int) -> tuple[int, str, int] | None:
        """(id, name, number of instances in the project) of the rarest class in the image; None if there is none."""
        if self._rare is None:
            self._rare = RareClasses.of(self._project)
        return self._rare.on(image_id)


def reason(project: Project, order: QueueOrder, image_id: int) -> str:
    """The reason for a single image."""
    return Reasons(project, order).of(image_id)


def _descending(ids: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    return ids[np.argsort(-_ranks(ids, known, values), kind="stable")]


def _ranks(ids: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) values for `ids`, which ascend; minus infinity if unknown. Other images are ignored."""
    is_asked = np.isin(known, ids)
    rank = np.full(len(ids), -np.inf)
    rank[np.searchsorted(ids, known[is_asked])] = values[is_asked]
    return rank


@dataclass(frozen=True, slots=True, eq=False)
class RareClasses:
    """The classes of all images. Arrays (N,) int64, one entry per image and class, without rejected objects."""

    image_ids: NDArray[np.int64]
    category_ids: NDArray[np.int64]
    rarities: tuple[NDArray[np.int64], NDArray[np.float64]]
    """(images with objects, ascending; for each the sum over its classes of 1 / number of objects of that class)."""
    totals: Mapping[int, int]
    """{class: number of its objects in the project}."""
    names: Mapping[int, str]

    @classmethod
    def of(cls, project: Project) -> Self:
        """Counts everything: about a second for a million objects. Raises ProjectError."""
        image_ids, category_ids, counts = project.instances.category_images()
        categories, places = np.unique(category_ids, return_inverse=True)
        totals = np.bincount(places, weights=counts, minlength=len(categories)).astype(np.int64)
        found, owners = np.unique(image_ids, return_inverse=True)
        values = np.bincount(owners, weights=1 / totals[places], minlength=len(found)).astype(np.float64)
        names = {category.id: category.name for category in project.categories.listed()}
        total_of = dict(zip(categories.tolist(), totals.tolist(), strict=True))
        return cls(image_ids, category_ids, (found, values), total_of, names)

    def ordered(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """These images, given in ascending order, those with rare classes first."""
        return _descending(ids, *self.rarities)

    def on(self, image_id: int) -> tuple[int, str, int] | None:
        """(id, name, number of objects) of the rarest class in the image; None if there is none."""
        here = self.category_ids[self.image_ids == image_id].tolist()
        if not here:
            return None
        rarest = min(here, key=lambda id_: self.totals[id_])
        return rarest, self.names.get(rarest, f"class {rarest}"), self.totals[rarest]
