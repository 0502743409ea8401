"""Runs a model on the images of a ground truth and evaluates its predictions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ImageError, MaskwrightError
from maskwright.evaluation.figures import CocoResult, EvaluationReport, coco_figures, loaded_truth
from maskwright.evaluation.truth import category_map, read_truth
from maskwright.geometry.raster import mask_to_rle
from maskwright.images.decode import read_image
from maskwright.inference.async_runner import AsyncRunner
from maskwright.inference.model import Model
from maskwright.inference.prediction import Prediction

OnImages = Callable[[int, int], None]
"""Called with the number of images done and the total."""


def evaluate_model(
    model: Model,
    coco_json: Path,
    images_dir: Path,
    *,
    score: float = 0.05,
    nms_iou: float | None = None,
    max_instances: int | None = None,
    on_progress: OnImages | None = None,
) -> EvaluationReport:
    """COCO's metrics for the masks and boxes that `model` proposes on the images of a ground truth.

    nms_iou, max_instances: None for the model's own. The limit of 100 detections per image is raised to `max_instances`
    if that is higher, and a note says so. Masks are evaluated as in pre-labelling: clipped to their box, before
    polygons. Images that cannot be read are listed as failures and count as having no detections. Raises FormatError
    for a file that is not a COCO ground truth.
    """
    dataset = read_truth(coco_json)
    limit = model.max_instances if max_instances is None else max_instances
    found = detections(
        model, dataset, images_dir, score=score, nms_iou=nms_iou, max_instances=limit, on_progress=on_progress
    )
    return judged(dataset, list(found.results), max_dets=max(limit, 100), failures=found.failures, notes=found.notes)


@dataclass(frozen=True, slots=True)
class Detections:
    """What a model proposes on the images of a ground truth, with the ground truth's ids."""

    results: tuple[CocoResult, ...]
    category_ids: dict[int, int]
    """{the model's category: the ground truth's}, for those that both have."""
    failures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def detections(
    model: Model,
    dataset: dict[str, Any],
    images_dir: Path,
    *,
    score: float = 0.05,
    nms_iou: float | None = None,
    max_instances: int | None = None,
    classes: Mapping[int, int] | None = None,
    on_progress: OnImages | None = None,
) -> Detections:
    """Detections as `evaluate_model` uses them; `dataset` is a parsed and validated ground truth.

    classes: {the model's id: the ground truth's}; None to match them by name.
    """
    named = [(label.id, label.name) for label in model.labels]
    ids, notes = category_map(named, dataset["categories"])
    if classes is not None:
        there = {category["id"] for category in dataset["categories"]}
        ids, notes = {id_: classes[id_] for id_, _ in named if classes.get(id_) in there}, ()
    run = _Run(ids, score, nms_iou, model.max_instances if max_instances is None else max_instances)
    with AsyncRunner[int](model) as runner:
        for done, (index, outcome) in enumerate(runner.run(run.images(dataset["images"], images_dir)), 1):
            image = dataset["images"][index]
            if isinstance(outcome, MaskwrightError):
                run.failures.append((image["file_name"], outcome.message))
            else:
                run.collect(image["id"], outcome.select(score, nms_iou, run.limit, clip_to_box=True, multi_label=True))
            if on_progress is not None:
                on_progress(done + len(run.unread), len(dataset["images"]))
    return Detections(tuple(run.results), ids, run.all_failures(), notes)


def judged(
    dataset: dict[str, Any],
    results: list[CocoResult],
    *,
    max_dets: int,
    failures: tuple[tuple[str, str], ...] = (),
    notes: tuple[str, ...] = (),
) -> EvaluationReport:
    """Metrics of results against a ground truth; both have been validated."""
    truth = loaded_truth(dataset)
    if max_dets > 100:
        notes = (*notes, f"maxDets raised from COCO's 100 to {max_dets}")
    return EvaluationReport(
        bbox=coco_figures(truth, results, "bbox", max_dets),
        segm=coco_figures(truth, results, "segm", max_dets),
        max_dets=max_dets,
        image_count=len(dataset["images"]),
        truth_count=len(dataset["annotations"]),
        prediction_count=len(results),
        failures=failures,
        notes=notes,
    )


@dataclass
class _Run:
    """State of a run over the images."""

    category_ids: dict[int, int]
    score: float
    nms_iou: float | None
    limit: int
    results: list[CocoResult] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def images(self, entries: list[dict[str, Any]], folder: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Index in the ground truth and pixels of every readable image."""
        for index, entry in enumerate(entries):
            try:
                yield index, _read(folder / entry["file_name"], (entry["width"], entry["height"]))
            except ImageError as error:
                self.unread.append((entry["file_name"], error.message))

    def collect(self, image_id: int, instances: tuple[Prediction, ...]) -> None:
        """Add the detections of one image."""
        for instance in instances:
            if instance.category_id in self.category_ids:
                self.results.append(_result(instance, image_id, self.category_ids[instance.category_id]))

    def all_failures(self) -> tuple[tuple[str, str], ...]:
        """File name and reason of every image without a prediction."""
        return tuple(sorted(self.failures + self.unread))


def _read(path: Path, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    image = read_image(path).bgr_u8
    height, width = image.shape[:2]
    if (width, height) != size_wh:
        raise ImageError(f"is {width}x{height}, but the ground truth says {size_wh[0]}x{size_wh[1]}", path=path)
    return image


def _result(instance: Prediction, image_id: int, category_id: int) -> CocoResult:
    x1, y1, x2, y2 = instance.bbox_xyxy
    return {
        "image_id": image_id,
        "category_id": category_id,
        "score": instance.score,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "segmentation": mask_to_rle(instance.mask),
    }
