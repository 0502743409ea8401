"""A model's figures on held-out images: AP by the product's own evaluation, and F1 at a score threshold."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.evaluation.figures import CocoResult
from maskwright.evaluation.model_run import detections, judged
from maskwright.evaluation.truth import read_truth
from maskwright.inference.model import Model
from maskwright.learning.gate import Figures

_LEAST_IOU = 0.5
_PLATEAU = 0.01
DEFAULT_SCORE = 0.35
LEAST_SCORE, MOST_SCORE = 0.02, 0.95
"""Bounds of a suggested score threshold."""
_UNSEEN_SHARE, _LEAST_PRECISION = 0.8, 0.6
"""New images need the first as a fraction of the threshold that is best on the training images; the second is the
precision there below which it is not lowered.

Measured on models after 3 to 20 images of five sets; utility (hits - 0.3 false ones per object on unseen images),
summed over eleven rounds: 6.2 at the best F1 of the held-out or else the training images, 6.5 at the best on the
training images, 7.1, 7.4 and 6.9 at 0.9, 0.8 and 0.7 of that (7.3 to 7.4 with any least precision up to 0.7), 7.6 at
the best possible.
"""
FALSE, ON_CROWD = -1, -2


def figures_of(
    model: Model,
    truth: Path,
    images_dir: Path,
    *,
    only: Sequence[int] | None = None,
    classes: Mapping[int, int] | None = None,
    score: float | None = None,
    check: Callable[[], None] | None = None,
) -> Figures | None:
    """Evaluate a model. only: ids of the images to use; None for all. classes: as `detections` takes them.

    score: threshold for F1, precision and recall; None for the one with the best F1.
    check: called between images; an exception from it ends the work. Returns None if there is no object to find or the
    model has none of their classes. Raises FormatError for a file that is not a ground truth.
    """
    dataset = read_truth(truth)
    if only is not None:
        kept = set(only)
        dataset["images"] = [image for image in dataset["images"] if image["id"] in kept]
        dataset["annotations"] = [entry for entry in dataset["annotations"] if entry["image_id"] in kept]
    real = [entry for entry in dataset["annotations"] if not entry.get("iscrowd")]
    on_progress = (lambda *_: check()) if check is not None else None
    found = detections(model, dataset, images_dir, classes=classes, on_progress=on_progress)
    if not real or not found.category_ids:
        return None
    report = judged(dataset, list(found.results), max_dets=max(model.max_instances, 100))
    scores, hits = matched(found.results, dataset["annotations"])
    if score is None:
        score, f1, precision, recall = best_cut(scores, hits, len(real))
    else:
        f1, precision, recall = figures_at(score, scores, hits, len(real))
    return Figures(
        f1=f1,
        precision=precision,
        recall=recall,
        ap50=max(report.segm["AP50"], 0.0),
        ap=max(report.segm["AP"], 0.0),
        score=score,
        images=len(dataset["images"]),
        objects=len(real),
        f1_by_class=f1_by_class(found.results, dataset["annotations"], score),
    )


def score_of_training(
    model: Model, truth: Path, images_dir: Path, *, classes: Mapping[int, int] | None = None, lowers: bool
) -> float | None:
    """A score threshold for images never seen, from the training images.

    lowers: for a model that has learned from them, see `lowered_cut`. Returns None if there is no object or none of the
    model's classes among them. Raises as `figures_of` does.
    """
    dataset = read_truth(truth)
    found = detections(model, dataset, images_dir, classes=classes)
    objects = sum(not entry.get("iscrowd") for entry in dataset["annotations"])
    if not objects or not found.category_ids:
        return None
    scores, hits = matched(found.results, dataset["annotations"])
    return lowered_cut(scores, hits, objects) if lowers else best_cut(scores, hits, objects)[0]


def lowered_cut(scores: NDArray[np.float64], hits: NDArray[np.bool_], objects: int) -> float:
    """The threshold with the best F1 on training images, lowered for new ones, on which a model is less sure.

    It is lowered only as far as most proposals on the training images remain right: a model that has hardly learned
    anything scores its hits little higher than the rest.
    """
    best = best_cut(scores, hits, objects)[0]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    right = np.flatnonzero(precision >= _LEAST_PRECISION)
    least = float(scores[right[-1]]) if len(right) else best
    return max(min(best, max(_UNSEEN_SHARE * best, least)), LEAST_SCORE)


def f1_by_class(
    results: Sequence[CocoResult], annotations: Sequence[dict[str, Any]], score: float
) -> tuple[tuple[int, float], ...]:
    """(category id, F1) of the results scoring at least `score`, for the classes that have an object."""
    real = [entry for entry in annotations if not entry.get("iscrowd")]
    told = []
    for category in sorted({entry["category_id"] for entry in real}):
        of_class = [result for result in results if result["category_id"] == category and result["score"] >= score]
        _, hits = matched(of_class, [entry for entry in annotations if entry["category_id"] == category])
        objects = sum(entry["category_id"] == category for entry in real)
        told.append((int(category), float(2 * hits.sum() / (len(hits) + objects))))
    return tuple(told)


def matched(
    results: Sequence[CocoResult], annotations: Sequence[dict[str, Any]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(N,) scores, descending, and (N,) bool whether each is a hit: an object of its class, not yet found, at IoU 0.5.

    Results on a crowd are neither hit nor miss and are left out.
    """
    truths: defaultdict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for entry in annotations:
        truths[entry["image_id"], entry["category_id"]].append(entry)
    found: defaultdict[tuple[int, int], list[CocoResult]] = defaultdict(list)
    for result in results:
        found[result["image_id"], result["category_id"]].append(result)
    scores: list[float] = []
    hits: list[bool] = []
    for key, group in found.items():
        for score, hit in _matched_group(sorted(group, key=lambda result: -result["score"]), truths[key]):
            scores.append(score)
            hits.append(hit)
    order = np.argsort(-np.array(scores), kind="stable")
    return np.array(scores, np.float64)[order], np.array(hits, np.bool_)[order]


def _matched_group(results: list[CocoResult], truths: list[dict[str, Any]]) -> list[tuple[float, bool]]:
    numbers = assigned(results, truths)
    told = zip(results, numbers, strict=True)
    return [(result["score"], number != FALSE) for result, number in told if number != ON_CROWD]


def assigned(results: Sequence[CocoResult], truths: Sequence[dict[str, Any]]) -> list[int]:
    """For each result, best first, the index of the object that it finds, else FALSE or ON_CROWD.

    results: of one image and class, scores descending; truths: the objects of that class there.
    """
    if not truths:
        return [FALSE] * len(results)
    crowd = np.array([bool(entry.get("iscrowd")) for entry in truths])
    overlap = coco_mask.iou(
        [result["segmentation"] for result in results],
        [_encoded(entry["segmentation"]) for entry in truths],
        crowd.astype(np.uint8).tolist(),
    )
    free = ~crowd
    numbers = []
    for row in range(len(results)):
        open_iou = np.where(free, overlap[row], -1.0)
        best = int(open_iou.argmax())
        if open_iou[best] >= _LEAST_IOU:
            free[best] = False
            numbers.append(best)
        else:
            numbers.append(ON_CROWD if (crowd & (overlap[row] >= _LEAST_IOU)).any() else FALSE)
    return numbers


def best_cut(scores: NDArray[np.float64], hits: NDArray[np.bool_], objects: int) -> tuple[float, float, float, float]:
    """The score threshold with the best F1, and F1, precision and recall there.

    Of thresholds within a hundredth of the best the middle one is taken: with few objects the very best is chance.
    """
    if not len(scores) or not objects or not hits.any():
        return DEFAULT_SCORE, 0.0, 0.0, 0.0
    true = np.cumsum(hits)
    count = np.arange(1, len(hits) + 1)
    f1 = 2 * true / (count + objects)
    # Equal scores are accepted or rejected together.
    last = np.append(scores[1:] < scores[:-1], True)
    good = np.flatnonzero(last & (f1 >= f1[last].max() - _PLATEAU))
    chosen = int(good[len(good) // 2])
    below = scores[chosen + 1] if chosen + 1 < len(scores) else max(scores[chosen] - 0.02, 0.0)
    score = float(np.clip((scores[chosen] + below) / 2, LEAST_SCORE, MOST_SCORE))
    return score, float(f1[chosen]), float(true[chosen] / count[chosen]), float(true[chosen] / objects)


def figures_at(
    score: float, scores: NDArray[np.float64], hits: NDArray[np.bool_], objects: int
) -> tuple[float, float, float]:
    """F1, precision and recall of the results scoring at least `score`."""
    found = hits[scores >= score]
    true, count = int(found.sum()), len(found)
    return 2 * true / max(count + objects, 1), true / max(count, 1), true / max(objects, 1)


def _encoded(segmentation: dict[str, Any]) -> dict[str, Any]:
    counts = segmentation["counts"]
    return {"size": segmentation["size"], "counts": counts.encode() if isinstance(counts, str) else counts}
