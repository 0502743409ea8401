"""The categories of a model, and COCO's: one table with the official ids and spelling."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_COCO_NAMES = (
    "1:person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant;13:stop sign,"
    "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe;27:backpack,umbrella;31:handbag,"
    "tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,"
    "tennis racket,bottle;46:wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed;67:dining table;70:toilet;72:tv,laptop,mouse,remote,"
    "keyboard,cell phone,microwave,oven,toaster,sink,refrigerator;84:book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush"
)
"""Runs of consecutive official ids, `first id:names` (cocodataset.org, instances_val2017.json)."""


@dataclass(frozen=True, slots=True)
class ModelCategory:
    """A class of a model; `id` is the official one (COCO's have gaps)."""

    id: int
    name: str


def _coco_categories() -> tuple[ModelCategory, ...]:
    found: list[ModelCategory] = []
    for run in _COCO_NAMES.split(";"):
        first, names = run.split(":")
        found.extend(ModelCategory(int(first) + k, name) for k, name in enumerate(names.split(",")))
    return tuple(found)


COCO_CATEGORIES = _coco_categories()
"""COCO's 80 categories, ids 1..90 ascending. A contiguous class c (from 0) is `COCO_CATEGORIES[c]`."""

_COCO_BY_ID = {category.id: category for category in COCO_CATEGORIES}


def coco_category(category_id: int) -> ModelCategory:
    """COCO's category of that id; an id that COCO never used gets a name such as "category 12"."""
    return _COCO_BY_ID.get(category_id) or ModelCategory(category_id, f"category {category_id}")


def categories_for(count: int, names: Sequence[str], ids: Sequence[int] = ()) -> tuple[ModelCategory, ...]:
    """Categories of a model with `count` contiguous classes.

    Without names, 80 classes are COCO's and any other number gets plain names. Without ids they count from 1. Raises
    ValueError if names or ids do not match the count, or ids repeat or are not positive.
    """
    if not names:
        if count == len(COCO_CATEGORIES) and not ids:
            return COCO_CATEGORIES
        names = [f"category {k}" for k in (ids or range(1, count + 1))]
    if len(names) != count:
        raise ValueError(f"{len(names)} labels for {count} classes")
    if not ids and _are_coco_names(names):
        return COCO_CATEGORIES
    ids = ids or range(1, count + 1)
    if len(ids) != count or len(set(ids)) != count or min(ids, default=1) < 1:
        raise ValueError(f"expected {count} distinct positive category ids, got {list(ids)}")
    return tuple(ModelCategory(int(k), name) for k, name in zip(ids, names, strict=True))


def categories_named(names: Sequence[str], ids: Sequence[int] = ()) -> tuple[ModelCategory, ...]:
    """Categories of those names; without ids they get COCO's if the names are COCO's, else they count from 1.

    Also accepts lists that follow COCO's ids with placeholders for unused ones ("N/A"). Raises ValueError as
    `categories_for` does.
    """
    if not ids and len(names) == COCO_CATEGORIES[-1].id:
        named = [(k, _squeezed(name)) for k, name in enumerate(names, 1) if k in _COCO_BY_ID]
        if all(name == _squeezed(_COCO_BY_ID[k].name) for k, name in named):
            return tuple(coco_category(k) for k in range(1, len(names) + 1))
    return categories_for(len(names), names, ids)


def _are_coco_names(names: Iterable[str]) -> bool:
    """Whether these are COCO's 80 in order, with any spacing ("trafficlight", "traffic_light")."""
    return [_squeezed(name) for name in names] == [_squeezed(category.name) for category in COCO_CATEGORIES]


def _squeezed(name: str) -> str:
    return name.replace(" ", "").replace("_", "").lower()
