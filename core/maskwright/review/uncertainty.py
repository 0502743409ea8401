"""Estimates how many corrections a model's output on one image needs, from the output alone.

The sum of four expectations: false proposals (1 - score each), missed objects (score of each candidate below the
threshold), wrong classes (score of the best other class in the same place), inaccurate outlines (how much of a mask
depends on the probability threshold)."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.polygon import box_ious
from maskwright.inference.candidates import Candidates
from maskwright.inference.select import nms_indices
from maskwright.inference.thresholds import Thresholds

NAME = "uncertainty"
"""Name of the signal in a project."""
LOWEST_SCORE = 0.1
"""Lower candidates say more about the model's background than about the image."""
NEAR_SCORE, NARROW_MARGIN, VAGUE_MASK = 0.15, 0.2, 0.7
"""An object is uncertain if its score is this near the threshold, if another class is less than this behind, or if
more than this fraction of its mask depends on the threshold. A quarter of a YOLACT stand-in's outlines on COCO are
that vague."""
MOST_OBJECTS = 5
_MOST = 300

UncertaintyKind = Literal["score", "class", "outline"]


@dataclass(frozen=True, slots=True)
class UncertainObject:
    """Why one object, proposed or just below the threshold, is marked. `box_xyxy` in image pixels."""

    kind: UncertaintyKind
    box_xyxy: tuple[float, float, float, float]
    strength: float
    """From 0, hardly uncertain, to 1."""
    rival: str = ""
    """The model's name of the other class."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Expected numbers of corrections of each kind, and the individual uncertain objects."""

    false: float
    missed: float
    outlines: float
    classes: float = 0.0
    uncertain: tuple[UncertainObject, ...] = ()
    """The most uncertain first, at most MOST_OBJECTS."""

    @property
    def value(self) -> float:
        """The expected number of corrections."""
        return self.false + self.missed + self.classes + self.outlines

    @property
    def reason(self) -> str:
        """The largest contribution, and whether it has an object to look at; a narrow list shows only its beginning."""
        parts = (
            (self.false, "false proposals"),
            (self.missed, "missed objects"),
            (self.classes, "unsure classes"),
            (self.outlines, "unclear outlines"),
        )
        value, text = max(parts)
        if value < 0.05:
            return "nothing uncertain"
        return f"{value:.1f} {text} expected" + ("" if self.uncertain else "; no single object is uncertain")

    @property
    def detail(self) -> dict[str, Any]:
        """JSON details for the project."""
        return {
            "reason": self.reason,
            "boxes_xyxy": [list(each.box_xyxy) for each in self.uncertain],
            "kinds": [each.kind for each in self.uncertain],
            "rivals": [each.rival for each in self.uncertain],
        }


def image_uncertainty(candidates: Candidates, thresholds: Thresholds) -> Uncertainty:
    """Estimate for the proposals that these thresholds select."""
    own, categories = thresholds.over(candidates.defaults), thresholds.categories
    score, nms_iou = own.score, own.nms_iou
    passes = candidates.scores > min(score, LOWEST_SCORE)
    if categories is not None:
        allowed = np.array([category.id in categories for category in candidates.categories], np.bool_)
        passes &= allowed[candidates.classes]
    pairs = np.flatnonzero(passes)
    boxes = candidates.boxes_xyxy[candidates.rows[pairs]]
    classes = None if own.is_class_agnostic else candidates.classes[pairs]
    kept = pairs[nms_indices(boxes, classes, max_iou=nms_iou, limit=_MOST)]
    shown, hidden = kept[candidates.scores[kept] > score], kept[candidates.scores[kept] <= score]
    rivals = _rivals(candidates, shown, pairs, nms_iou)
    hidden = hidden[~_overlaps(candidates, hidden, shown, nms_iou).any(axis=1)]  # an object has been found there
    rival_scores = np.where(rivals >= 0, candidates.scores[rivals], 0)
    remembered = candidates.remembered
    looseness = np.array([remembered.looseness(candidates, row) for row in candidates.rows[shown].tolist()])
    uncertain = [
        *_uncertain_by_score(candidates, np.concatenate([shown, hidden]), score),
        *_uncertain_by_class(candidates, shown, rivals),
        *_uncertain_by_outline(candidates, shown, looseness),
    ]
    return Uncertainty(
        float((1 - candidates.scores[shown]).sum()),
        float(candidates.scores[hidden].sum()),
        float(looseness.sum()),
        float(rival_scores.sum()),
        _strongest(uncertain),
    )


def _overlaps(
    candidates: Candidates, first: NDArray[np.intp], second: NDArray[np.intp], nms_iou: float
) -> NDArray[np.bool_]:
    """(len(first), len(second)) bool: which pairs are in the same place."""
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)), np.bool_)
    boxes = candidates.boxes_xyxy[candidates.rows]
    return np.asarray(box_ious(boxes[first], boxes[second]) > nms_iou)


def _rivals(
    candidates: Candidates, shown: NDArray[np.intp], pairs: NDArray[np.intp], nms_iou: float
) -> NDArray[np.intp]:
    """(len(shown),) the best pair of another class at the same anchor or nearly the same box; -1 if there is none."""
    if not len(shown):
        return np.empty(0, np.intp)
    is_rival = _overlaps(candidates, shown, pairs, nms_iou)
    is_rival &= candidates.classes[shown][:, None] != candidates.classes[pairs]
    best = np.where(is_rival, candidates.scores[pairs], 0).argmax(axis=1)
    return np.where(is_rival.any(axis=1), pairs[best], -1)


def _uncertain_by_score(candidates: Candidates, pairs: NDArray[np.intp], score: float) -> list[UncertainObject]:
    strengths = 1 - np.abs(candidates.scores[pairs] - score) / NEAR_SCORE
    return [
        UncertainObject("score", _box(candidates, pair), float(strength))
        for pair, strength in zip(pairs, strengths, strict=True)
        if strength > 0
    ]


def _uncertain_by_class(
    candidates: Candidates, shown: NDArray[np.intp], rivals: NDArray[np.intp]
) -> list[UncertainObject]:
    margins = candidates.scores[shown] - candidates.scores[rivals]
    return [
        UncertainObject(
            "class",
            _box(candidates, pair),
            float(np.clip(1 - margin / NARROW_MARGIN, 0, 1)),
            candidates.categories[int(candidates.classes[rival])].name,
        )
        for pair, rival, margin in zip(shown, rivals, margins, strict=True)
        if rival >= 0 and margin < NARROW_MARGIN
    ]


def _uncertain_by_outline(
    candidates: Candidates, shown: NDArray[np.intp], looseness: NDArray[np.float64]
) -> list[UncertainObject]:
    return [
        UncertainObject("outline", _box(candidates, pair), float((loose - VAGUE_MASK) / (1 - VAGUE_MASK)))
        for pair, loose in zip(shown, looseness, strict=True)
        if loose > VAGUE_MASK
    ]


def _strongest(uncertain: list[UncertainObject]) -> tuple[UncertainObject, ...]:
    """The strongest reason for each object."""
    by_box: dict[tuple[float, float, float, float], UncertainObject] = {}
    for each in sorted(uncertain, key=lambda each: -each.strength):
        by_box.setdefault(each.box_xyxy, each)
    return tuple(by_box.values())[:MOST_OBJECTS]


def _box(candidates: Candidates, pair: np.intp) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(value), 1) for value in candidates.boxes_xyxy[candidates.rows[pair]])
    return x1, y1, x2, y2
