"""Which of a model's candidates become objects, and how exact their outlines are; shared by all callers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from maskwright.errors import InputError


@dataclass(frozen=True, slots=True)
class Defaults:
    """A model's own operating point, used unless the caller gives another."""

    score: float = 0.5
    nms_iou: float = 0.5
    max_instances: int = 100
    keeps_largest_part: bool = False
    """Objects are always in one piece, such as nuclei: slivers of neighbours are removed from their masks."""
    is_multi_label: bool = True
    """A box may be several objects, each of its own class; otherwise only of its best class."""
    is_class_agnostic: bool = False
    """An object has one class: boxes of different classes always suppress each other."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """None for the first three means the model's own operating point; see `Candidates.select`."""

    score: float | None = None
    """An object's score must be above this."""
    nms_iou: float | None = None
    """Of two boxes that overlap by more, the one with the lower score is dropped."""
    max_instances: int | None = None
    is_class_agnostic: bool = False
    """Boxes of different classes suppress each other, too."""
    mask_threshold: float = 0.5
    """Probability above which a pixel belongs to an object."""
    min_iou: float = 0.98
    """Least IoU of a polygon with its mask; 1 for exact."""
    categories: tuple[int, ...] | None = None
    """The model's ids; None for all."""
    left_out: tuple[int, ...] = ()
    """Ids of the project's categories that are not proposed; `within` translates them to the model's."""
    clips_to_box: bool = True
    is_multi_label: bool | None = None

    def __post_init__(self) -> None:
        for name in ("score", "nms_iou", "mask_threshold", "min_iou"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:  # a NaN makes both comparisons false
                raise InputError(f"expected {name} from 0 to 1, got {value!r}")
        if self.max_instances is not None and not self.max_instances >= 1:
            raise InputError(f"expected max_instances of 1 or more, got {self.max_instances!r}")

    def over(self, defaults: Defaults) -> Defaults:
        """Score, overlap and limit to use: these, or the model's own."""
        return replace(
            defaults,
            score=defaults.score if self.score is None else self.score,
            nms_iou=defaults.nms_iou if self.nms_iou is None else self.nms_iou,
            max_instances=defaults.max_instances if self.max_instances is None else self.max_instances,
            is_multi_label=defaults.is_multi_label if self.is_multi_label is None else self.is_multi_label,
            is_class_agnostic=defaults.is_class_agnostic or self.is_class_agnostic,
        )

    def filled(self, defaults: Defaults) -> Self:
        """The same with every None replaced by the model's own."""
        own = self.over(defaults)
        return replace(self, score=own.score, nms_iou=own.nms_iou, max_instances=own.max_instances)

    def within(self, category_ids: Mapping[int, int]) -> Self:
        """The same in terms of the model, including `left_out`: objects of a class left out are not even traced.

        category_ids: {the model's id: the project's}.
        """
        if not self.left_out:
            return self
        proposed = sorted(own for own, id_ in category_ids.items() if id_ not in self.left_out)
        kept = proposed if self.categories is None else [own for own in proposed if own in self.categories]
        return replace(self, categories=tuple(kept), left_out=())

    def to_json(self) -> dict[str, Any]:
        """Plain values for storing with a run; equal thresholds give equal dictionaries."""
        return {
            "score": self.score,
            "nms_iou": self.nms_iou,
            "max_instances": self.max_instances,
            "is_class_agnostic": self.is_class_agnostic,
            "mask_threshold": self.mask_threshold,
            "min_iou": self.min_iou,
            "categories": list(self.categories) if self.categories is not None else None,
            **({} if self.is_multi_label is None else {"is_multi_label": self.is_multi_label}),
        }

    @classmethod
    def from_json(cls, stored: object) -> Self:
        """The stored numbers and classes; the defaults for anything else.

        A restriction to one model's classes, or in number, applied to that run only.
        """
        if not isinstance(stored, dict):
            return cls()
        names = ("score", "nms_iou", "mask_threshold", "min_iou")
        known: dict[str, Any] = {name: float(stored[name]) for name in names if _is_share(stored.get(name))}
        left_out = stored.get("left_out")
        ids = tuple(id_ for id_ in left_out if isinstance(id_, int)) if isinstance(left_out, list) else ()
        return cls(**known, is_class_agnostic=stored.get("is_class_agnostic") is True, left_out=ids)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
