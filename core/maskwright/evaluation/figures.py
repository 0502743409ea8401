"""COCO's twelve metrics, from pycocotools' own matching, and the report that holds them."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR", "ARs", "ARm", "ARl")
"""Names of COCO's twelve metrics in the order in which COCOeval prints them; AR is at the largest maxDets."""


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """COCO's metrics for boxes and masks, 0..1; -1 if the ground truth has no such instance."""

    bbox: Mapping[str, float]
    segm: Mapping[str, float]
    max_dets: int
    """Detections evaluated per image: 100 as usual, or the model's own limit if that is higher."""
    image_count: int
    """Images of the ground truth, including failed ones."""
    truth_count: int
    prediction_count: int
    failures: tuple[tuple[str, str], ...] = ()
    """File name and reason for images without a prediction."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures should know."""


CocoResult = dict[str, Any]
"""One detection in COCO's results format: image_id, category_id, score, bbox (xywh), segmentation (compressed RLE)."""

_ALL, _SMALL, _MEDIUM, _LARGE = range(4)


def coco_figures(truth: COCO, results: Sequence[CocoResult], kind: str, max_dets: int) -> dict[str, float]:
    """Metrics by name; `kind` is "bbox" or "segm".

    The same arithmetic as COCOeval.summarize, which reports AP only at 100 detections.
    """
    if not results:
        return _without_results(truth)
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCOeval(truth, truth.loadRes(list(_for_kind(results, kind))), kind)
        judge.params.maxDets = [1, 10, max_dets]
        judge.evaluate()
        judge.accumulate()
    precision, recall = judge.eval["precision"], judge.eval["recall"]
    values = [
        _mean(precision[:, :, :, _ALL, -1]),
        _mean(precision[0, :, :, _ALL, -1]),
        _mean(precision[5, :, :, _ALL, -1]),
        *(_mean(precision[:, :, :, area, -1]) for area in (_SMALL, _MEDIUM, _LARGE)),
        *(_mean(recall[:, :, _ALL, limit]) for limit in range(3)),
        *(_mean(recall[:, :, area, -1]) for area in (_SMALL, _MEDIUM, _LARGE)),
    ]
    return dict(zip(METRICS, values, strict=True))


def loaded_truth(dataset: dict[str, Any]) -> COCO:
    """pycocotools' index of a ground truth, without its messages."""
    truth = COCO()
    truth.dataset = {"info": {}, **dataset}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def _for_kind(results: Sequence[CocoResult], kind: str) -> list[CocoResult]:
    """loadRes uses whichever of bbox and segmentation it finds first, and modifies its argument."""
    dropped = "segmentation" if kind == "bbox" else "bbox"
    return [{key: value for key, value in result.items() if key != dropped} for result in results]


def _without_results(truth: COCO) -> dict[str, float]:
    """No detections: 0, or -1 where there is nothing to find."""
    return dict.fromkeys(METRICS, 0.0 if truth.anns else -1.0)


def _mean(values: NDArray[np.float64]) -> float:
    valid = values[values > -1]
    return float(valid.mean()) if valid.size else -1.0
