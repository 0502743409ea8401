"""From candidates to instances: score threshold, suppression, masks. Cheap enough for every step of a slider."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.nms import nms_indices
from maskwright.inference.prediction import Prediction
from maskwright.inference.sampling import largest_component

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates


@dataclass(frozen=True, slots=True)
class Selection:
    """The thresholds of one choice; meanings as in `Candidates.select`."""

    score: float
    nms_iou: float
    max_instances: int
    is_class_agnostic: bool = False
    mask_threshold: float = 0.5
    categories: frozenset[int] | None = None
    min_iou: float | None = 0.98
    clips_to_box: bool = False


class Remembered:
    """Instances of earlier choices, so that moving a score or suppression threshold does not trace masks again.

    Only those of the last mask threshold and fidelity are kept.
    """

    def __init__(self) -> None:
        self._latest: tuple[tuple[object, ...], dict[int, Prediction | None]] = ((), {})

    def of(self, style: tuple[object, ...]) -> dict[int, Prediction | None]:
        """What is known of pairs in this style; to be filled by the caller."""
        if self._latest[0] != style:
            self._latest = (style, {})
        return self._latest[1]


def selected(candidates: "Candidates", wanted: Selection) -> tuple[Prediction, ...]:
    """The instances that pass, best first."""
    pairs = _passing(candidates, wanted)
    boxes = candidates.boxes_xyxy[candidates.rows[pairs]]
    classes = None if wanted.is_class_agnostic else candidates.classes[pairs]
    kept = pairs[nms_indices(boxes, classes, max_iou=wanted.nms_iou, limit=wanted.max_instances)]
    known = candidates.remembered.of((wanted.mask_threshold, wanted.clips_to_box, wanted.min_iou))
    found = []
    for pair in kept.tolist():
        if pair not in known:
            known[pair] = _prediction(candidates, pair, wanted)
        found.append(known[pair])
    return tuple(prediction for prediction in found if prediction is not None)


def _passing(candidates: "Candidates", wanted: Selection) -> NDArray[np.intp]:
    """Pairs above the score and of a wanted category, best first as the candidates are."""
    passes = candidates.scores > wanted.score
    if wanted.categories is not None:
        allowed = np.array([category.id in wanted.categories for category in candidates.categories], np.bool_)
        passes &= allowed[candidates.classes]
    return np.flatnonzero(passes)


def _prediction(candidates: "Candidates", pair: int, wanted: Selection) -> Prediction | None:
    """The instance of one pair, None where its mask has no pixel."""
    row = int(candidates.rows[pair])
    box = candidates.boxes_xyxy[row]
    mask, corner_xy = candidates.masks.crop(
        row, box, candidates.frame, wanted.mask_threshold, clips=wanted.clips_to_box
    )
    if candidates.defaults.keeps_largest_part:
        mask, corner_xy = largest_component(mask, corner_xy)
    if not mask.size:
        return None
    width, height = candidates.frame.size_wh
    clipped = np.clip(box, 0, (width, height, width, height))
    category = candidates.categories[int(candidates.classes[pair])]
    return Prediction(
        category_id=category.id,
        category_name=category.name,
        score=float(candidates.scores[pair]),
        bbox_xyxy=(float(clipped[0]), float(clipped[1]), float(clipped[2]), float(clipped[3])),
        crop_mask=mask,
        crop_xy=corner_xy,
        image_size_wh=candidates.frame.size_wh,
        min_iou=wanted.min_iou,
    )
