"""How many corrections a model's output on one image is likely to need, from the output alone.

The sum of three expectations: proposals that are false (1 - score each), objects that were missed (score of each
candidate under the threshold), outlines to mend (how much of a mask depends on where its probability is cut).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.candidates import Candidates
from maskwright.inference.nms import nms_indices

NAME = "uncertainty"
"""Of the signal in a project."""
LOWEST_SCORE = 0.1
"""Candidates below say more about the model's background than about the image."""
_FIRM, _LOOSE = 0.7, 0.3
_MOST = 300


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Expected numbers of corrections of each kind, and the proposals that they are about."""

    false: float
    missed: float
    outlines: float
    doubtful_boxes: tuple[tuple[float, float, float, float], ...] = ()
    """xyxy, image pixels, most doubtful first, at most five."""

    @property
    def value(self) -> float:
        return self.false + self.missed + self.outlines

    @property
    def reason(self) -> str:
        """The largest part in words."""
        parts = (
            (self.false, "proposals with scores near the threshold"),
            (self.missed, "objects that may have been missed"),
            (self.outlines, "unclear outlines"),
        )
        value, text = max(parts)
        return f"{text} (about {value:.1f})" if value >= 0.05 else "nothing doubtful"

    @property
    def detail(self) -> dict[str, Any]:
        """What JSON can hold, for the project."""
        return {"reason": self.reason, "boxes_xyxy": [list(box) for box in self.doubtful_boxes]}


def image_uncertainty(
    candidates: Candidates, score: float | None = None, nms_iou: float | None = None, *, class_agnostic: bool = False
) -> Uncertainty:
    """For the proposals that `candidates.select` would choose with these thresholds; None: the model's own."""
    score = candidates.defaults.score if score is None else score
    nms_iou = candidates.defaults.nms_iou if nms_iou is None else nms_iou
    pairs = np.flatnonzero(candidates.scores > min(score, LOWEST_SCORE))
    boxes = candidates.boxes_xyxy[candidates.rows[pairs]]
    classes = None if class_agnostic else candidates.classes[pairs]
    kept = pairs[nms_indices(boxes, classes, max_iou=nms_iou, limit=_MOST)]
    scores = candidates.scores[kept]
    shown, hidden = kept[scores > score], scores[scores <= score]
    looseness = np.array([_looseness(candidates, int(pair)) for pair in shown])
    doubt = np.concatenate([1 - candidates.scores[shown], hidden])
    order = np.argsort(-doubt)[:5]
    worst = candidates.boxes_xyxy[candidates.rows[np.concatenate([shown, kept[scores <= score]])[order]]]
    return Uncertainty(
        float((1 - candidates.scores[shown]).sum()), float(hidden.sum()), float(looseness.sum()), _as_tuples(worst)
    )


def _looseness(candidates: Candidates, pair: int) -> float:
    """1 - IoU of the mask cut high and cut low: these masks lie within one another, so areas suffice."""
    row = int(candidates.rows[pair])
    box = candidates.boxes_xyxy[row]
    firm, loose = (
        int(candidates.masks.crop(row, box, candidates.frame, threshold)[0].sum()) for threshold in (_FIRM, _LOOSE)
    )
    return 1 - firm / loose if loose else 0.0


def _as_tuples(boxes: NDArray[np.float32]) -> tuple[tuple[float, float, float, float], ...]:
    return tuple(
        (round(float(a), 1), round(float(b), 1), round(float(c), 1), round(float(d), 1)) for a, b, c, d in boxes
    )
