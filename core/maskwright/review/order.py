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


def reason(project: Project, order: Order, image_id: int) -> str:
    """Why the image stands where it does, in a few words; empty where the order gives no reason."""
    match order:
        case "uncertainty" | "disagreement":
            known = project.signal(order, image_id)
            return str(known[1]["reason"]) if known is not None and known[1] else ""
        case "rarity":
            return _rarest_class(project, image_id)
        case "name":
            return ""


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


def _rarest_class(project: Project, image_id: int) -> str:
    image_ids, category_ids, counts = project.category_images()
    here = category_ids[image_ids == image_id]
    if not len(here):
        return ""
    totals = {int(id_): int(counts[category_ids == id_].sum()) for id_ in here}
    rarest = min(totals, key=lambda id_: totals[id_])
    names = {category.id: category.name for category in project.categories()}
    return f"{names[rarest]}: {totals[rarest]} in the project"
