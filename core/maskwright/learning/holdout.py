"""Chooses the done images that evaluate a model and never train one: about one in five, the same in every round."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LEAST_IMAGES = 10
"""With fewer done images all are used for training, and there are no figures."""
_SHARE = 5


@dataclass(frozen=True, slots=True)
class Split:
    """Image ids, in the given order."""

    training: tuple[int, ...]
    held_out: tuple[int, ...]


def split_images(
    names: Mapping[int, str],
    classes: Mapping[int, frozenset[int]],
    *,
    held_before: Iterable[int],
    taught: Iterable[int],
) -> Split:
    """names: file name by image id; classes: category ids in each image.

    Images held out before stay held out; images that trained an earlier round are held out only if no others are left,
    so that an old model can be evaluated on unseen images. Pages of one file stay together. A class that occurs only in
    held-out images could not be learned, so such images are used for training.
    """
    groups = _groups(names)
    wanted = max(2, round(len(names) / _SHARE)) if len(names) >= LEAST_IMAGES else 0
    before, used = set(held_before), set(taught)
    ranked = sorted(
        groups, key=lambda group: (not before & set(group), bool(used & set(group)), stable_rank(names[group[0]]))
    )
    held: list[int] = []
    for group in ranked:
        if len(held) >= wanted:
            break
        if len(held) + len(group) <= max(wanted, 1) and _leaves_each_class(classes, {*held, *group}):
            held += group
    chosen = set(held)
    return Split(tuple(id_ for id_ in names if id_ not in chosen), tuple(id_ for id_ in names if id_ in chosen))


def _leaves_each_class(classes: Mapping[int, frozenset[int]], held: set[int]) -> bool:
    left = {category for id_, kinds in classes.items() if id_ not in held for category in kinds}
    return all(classes.get(id_, frozenset()) <= left for id_ in held)


def _groups(names: Mapping[int, str]) -> list[Sequence[int]]:
    """Groups of images that are pages of one file."""
    found: dict[str, list[int]] = {}
    for id_, name in names.items():
        found.setdefault(name.split("#page=")[0], []).append(id_)
    return list(found.values())


def stable_rank(name: str) -> str:
    """A stable, arbitrary order of images by file name, the same on every machine and in every round."""
    return hashlib.sha256(name.split("#page=")[0].encode()).hexdigest()
