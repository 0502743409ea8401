"""Data sets cut into train, val and test: seeded, by class if asked, with one class table for all."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maskwright.document.file_numbers import FileNumbers
from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.coco.numbers import numbers_of
from maskwright.formats.coco.options import CocoSource


@dataclass(frozen=True, slots=True)
class Subset:
    """Some images of a source, with all of its categories."""

    source: CocoSource
    image_ids: frozenset[int]

    def categories(self) -> Sequence[Category]:
        return self.source.categories()

    def images(self) -> Iterator[ImageRecord]:
        return (image for image in self.source.images() if image.id in self.image_ids)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return self.source.instances(image_id) if image_id in self.image_ids else ()

    def file_numbers(self) -> FileNumbers:
        return numbers_of(self.source)


def split(
    classes_of: Mapping[int, Counter[int]], shares: Mapping[str, float], *, seed: int = 0, by_class: bool = False
) -> dict[str, frozenset[int]]:
    """{name: image ids} with sizes in proportion to `shares`; every image in exactly one.

    `classes_of` counts the instances of each class on each image. With `by_class` the images of the rarest class are
    dealt out first, each to the part that lacks it most (Sechidis et al. 2011, "On the stratification of multi-label
    data"). The same seed gives the same parts. Raises ValueError for shares that are negative or all zero.
    """
    total = sum(shares.values())
    if not shares or min(shares.values()) < 0 or not total > 0 or not math.isfinite(total):
        raise ValueError(f"expected shares of 0 or more with a sum above 0, got {dict(shares)}")
    fractions = {name: share / total for name, share in shares.items()}
    order = np.random.default_rng(seed).permutation(np.array(sorted(classes_of), np.int64)).tolist()
    counts = _whole_numbers(len(order), fractions)
    if by_class:
        return _by_class(order, classes_of, fractions, counts)
    parts: dict[str, frozenset[int]] = {}
    start = 0
    for name, count in counts.items():
        parts[name] = frozenset(order[start : start + count])
        start += count
    return parts


def classes_by_image(source: CocoSource) -> dict[int, Counter[int]]:
    """How many exported instances of each category each image has."""
    return {
        image.id: Counter(i.category_id for i in source.instances(image.id) if i.state.is_exported)
        for image in source.images()
    }


def _by_class(
    order: list[int], classes_of: Mapping[int, Counter[int]], fractions: dict[str, float], counts: dict[str, int]
) -> dict[str, frozenset[int]]:
    room = dict(counts)
    totals: Counter[int] = Counter()
    for classes in classes_of.values():
        totals.update(classes.keys())
    lacking = {name: {c: totals[c] * fraction for c in totals} for name, fraction in fractions.items()}
    parts: dict[str, set[int]] = {name: set() for name in fractions}
    rarest_first = [category for category, _ in sorted(totals.items(), key=lambda item: (item[1], item[0]))]
    left = dict.fromkeys(order)
    for category in [*rarest_first, None]:
        for image_id in [i for i in left if category is None or category in classes_of[i]]:
            open_parts = [name for name in parts if room[name] > 0]
            name = max(open_parts, key=lambda n: (lacking[n].get(category, 0.0) if category else 0.0, room[n]))
            parts[name].add(image_id)
            room[name] -= 1
            for each in classes_of[image_id]:
                lacking[name][each] -= 1
            del left[image_id]
    return {name: frozenset(ids) for name, ids in parts.items()}


def _whole_numbers(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Largest remainders, so that the parts add up."""
    exact = {name: fraction * total for name, fraction in fractions.items()}
    counts = {name: math.floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: exact[name] - counts[name], reverse=True)
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
