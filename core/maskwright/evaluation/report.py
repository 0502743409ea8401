"""The outcome of an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR", "ARs", "ARm", "ARl")
"""Names of COCO's twelve figures in the order in which COCOeval prints them; AR is at the largest maxDets."""


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """COCO's figures for boxes and masks, 0..1; -1 where the ground truth has no such instance."""

    bbox: Mapping[str, float]
    segm: Mapping[str, float]
    max_dets: int
    """Detections per image that count: 100 as usual, or the model's own limit where that is higher."""
    image_count: int
    """Images of the ground truth, failed ones included."""
    truth_count: int
    prediction_count: int
    failures: tuple[tuple[str, str], ...] = ()
    """File name and reason, for images that gave no prediction."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures has to know."""
