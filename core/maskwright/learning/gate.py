"""Whether a new model replaces the old one, and whether more images are worth it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

F1_TOLERANCE = 0.02
AP_TOLERANCE = 0.03


@dataclass(frozen=True, slots=True)
class Figures:
    """Quality of a model on held-out images, all 0..1."""

    f1: float
    """At IoU 0.5 and `score`."""
    precision: float
    recall: float
    ap50: float
    ap: float
    score: float
    """The score threshold."""
    images: int
    objects: int
    f1_by_class: tuple[tuple[int, float], ...] = ()
    """(category id, F1 at `score`) for the classes that have an object there."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises TypeError if `values` do not fit."""
        pairs = tuple((int(id_), float(f1)) for id_, f1 in values.get("f1_by_class", ()))
        return cls(**{**values, "f1_by_class": pairs})


@dataclass(frozen=True, slots=True)
class RoundVerdict:
    """Whether the new model is installed, and the reason in words."""

    is_taken: bool
    reason: str


def verdict(new: Figures | None, old: Figures | None, *, old_name: str | None = None) -> RoundVerdict:
    """new, old: on the same held-out images; None if unknown. old_name: None if there is no old model."""
    if new is None:
        return RoundVerdict(True, f"without evaluation, which needs {_TEN} done images")
    told = f"F1 {new.f1:.2f}, AP {new.ap:.2f} on {new.images} held-out images"
    if new.f1 == 0:
        return RoundVerdict(False, f"it finds none of the {new.objects} objects on {new.images} held-out images")
    if old_name is None:
        return RoundVerdict(True, f"{told}; there is no earlier model")
    if old is None:
        return RoundVerdict(True, f"{told}; {old_name} learned from those images or could not be evaluated on them")
    against = f"{told}; {old_name} has F1 {old.f1:.2f}, AP {old.ap:.2f}"
    # A tiny tolerance for sums of floats: 0.90 to 0.88 is a drop of 0.02.
    if new.f1 < old.f1 - F1_TOLERANCE - 1e-9 or new.ap < old.ap - AP_TOLERANCE - 1e-9:
        return RoundVerdict(False, f"{against}: the new model is worse, so the old one stays")
    return RoundVerdict(True, against)


def classes_left_to(old: Figures | None, new: Figures | None) -> tuple[int, ...]:
    """Ids of the classes that the old model finds better than the new one."""
    if old is None or new is None:
        return ()
    ours = dict(new.f1_by_class)
    return tuple(id_ for id_, f1 in old.f1_by_class if f1 > ours.get(id_, 0.0) + F1_TOLERANCE)


_TEN = 10


def images_until_next_round(quality: float, images: int) -> int | None:
    """The number of further images after which another round is worth it; None if more images hardly help.

    Geti's rule: if the fraction p of objects is found with n images, a tenth more takes ln(1 - 1.1 p) / ln(1 - p) - 1
    times as many again.
    """
    if images <= 0 or quality >= 1 / 1.1:
        return None
    if quality <= 0:
        return images
    return math.ceil((math.log(1 - 1.1 * quality) / math.log(1 - quality) - 1) * images)
