"""In which order a person should look at the images, and why."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from maskwright.project import Project
from maskwright.review import disagreement, uncertainty

Order = Literal["name", "uncertainty", "disagreement", "rarity"]
ORDERS: tuple[Order, ...] = get_args(Order)


def ordered_images(project: Project, order: Order) -> NDArray[np.int64]:
    """(N,) int64, all images, the most rewarding first; images of which nothing is known come last, by name."""
    ids = project.image_ids()
    match order:
        case "name":
            return ids
        case "rarity":
            return _descending(ids, *rarities(project))
        case "uncertainty":
            return _descending(ids, *project.signal_values(uncertainty.NAME))
        case "disagreement":
            return _descending(ids, *project.signal_values(disagreement.NAME))


class Reasons:
    """Why each image stands where it does, in a few words; empty where the order gives no reason."""

    def __init__(self, project: Project, order: Order) -> None:
        self._project, self._order = project, order
        self._rare: _RareClasses | None = None

    def of(self, image_id: int) -> str:
        """Of one image: a query by key. The classes are counted over the whole project once, when first needed."""
        match self._order:
            case "uncertainty" | "disagreement":
                known = self._project.signal(self._order, image_id)
                return str(known[1]["reason"]) if known is not None and known[1] else ""
            case "rarity":
                rarest = self.rarest_class(image_id)
                return f"{rarest[1]}: {rarest[2]} in the project" if rarest is not None else ""
            case "name":
                return ""

    def rarest_class(self, image_id: int) -> tuple[int, str, int] | None:
        """(id, name, number of instances in the project) of the rarest class on the image; None without any."""
        if self._rare is None:
            self._rare = _RareClasses(self._project)
        return self._rare.on(image_id)


def reason(project: Project, order: Order, image_id: int) -> str:
    """That of one image alone."""
    return Reasons(project, order).of(image_id)


def rarities(project: Project) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(image ids, values): the sum over an image's classes of 1 / number of instances of that class."""
    image_ids, category_ids, counts = project.category_images()
    categories, places = np.unique(category_ids, return_inverse=True)
    totals = np.bincount(places, weights=counts, minlength=len(categories))
    found, owners = np.unique(image_ids, return_inverse=True)
    return found, np.bincount(owners, weights=1 / totals[places], minlength=len(found)).astype(np.float64)


def _descending(ids: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    rank = np.full(len(ids), -np.inf)
    rank[np.searchsorted(ids, known)] = values
    return ids[np.argsort(-rank, kind="stable")]


class _RareClasses:
    """The classes of all images, counted once."""

    def __init__(self, project: Project) -> None:
        self._image_ids, self._category_ids, counts = project.category_images()
        categories, places = np.unique(self._category_ids, return_inverse=True)
        totals = np.bincount(places, weights=counts, minlength=len(categories))
        self._totals = dict(zip(categories.tolist(), totals.astype(np.int64).tolist(), strict=True))
        self._names = {category.id: category.name for category in project.categories()}

    def on(self, image_id: int) -> tuple[int, str, int] | None:
        here = self._category_ids[self._image_ids == image_id].tolist()
        if not here:
            return None
        rarest = min(here, key=lambda id_: self._totals[id_])
        return rarest, self._names.get(rarest, f"class {rarest}"), self._totals[rarest]
