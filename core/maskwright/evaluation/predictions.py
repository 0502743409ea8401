"""Evaluates predictions in a file (COCO results, or a COCO dataset such as our own export) or in a project."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pycocotools import mask as coco_mask

from maskwright.document.values import InstanceState
from maskwright.errors import FormatError
from maskwright.evaluation.figures import CocoResult, EvaluationReport
from maskwright.evaluation.model_run import judged
from maskwright.evaluation.truth import category_map, read_json, read_truth
from maskwright.geometry.raster import polygons_to_rle
from maskwright.project.store import Project

Size = tuple[int, int]
"""(height, width), as pycocotools expects."""


def evaluate_predictions(
    predictions: Sequence[Mapping[str, Any]] | Mapping[str, Any] | Path, coco_json: Path
) -> EvaluationReport:
    """COCO's metrics for detections against a ground truth.

    predictions: COCO results (image_id, category_id, score, segmentation), a COCO dataset, or the path of a file with
    either. A dataset is matched by file name and category name; annotations without a score, also among their
    attributes, count as certain. The limit of 100 detections per image is raised to the largest number on any image.
    Raises FormatError for a file of neither kind and for a detection that cannot be evaluated.
    """
    dataset = read_truth(coco_json)
    path = predictions if isinstance(predictions, Path) else None
    entries, notes = _entries(read_json(predictions) if isinstance(predictions, Path) else predictions, dataset, path)
    sizes = {image["id"]: (image["height"], image["width"]) for image in dataset["images"]}
    known = [entry for entry in entries if entry.get("image_id") in sizes]
    if len(known) < len(entries):
        notes = (*notes, f"{len(entries) - len(known)} detections on images outside the ground truth were ignored")
    try:
        results = [_result(entry, sizes[entry["image_id"]]) for entry in known]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        lacks = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else "a value has the wrong type"
        raise FormatError(f"invalid detection: {lacks}", path=path) from error
    return judged(dataset, results, max_dets=max(_most_per_image(results), 100), notes=notes)


def _entries(
    content: Any, dataset: Mapping[str, Any], path: Path | None
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Detections with the ground truth's ids."""
    if isinstance(content, dict) and all(key in content for key in ("images", "annotations", "categories")):
        return _translated(content, dataset)
    if isinstance(content, list | tuple) and all(isinstance(entry, Mapping) for entry in content):
        return [dict(entry) for entry in content], ()
    raise FormatError("neither COCO results nor a COCO dataset", path=path)


def _translated(content: Mapping[str, Any], dataset: Mapping[str, Any]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Annotations of another dataset with the ground truth's image and category ids."""
    image_ids = _ids_by_name(dataset["images"])
    own_images = {image["id"]: _found(image["file_name"], image_ids) for image in content["images"]}
    named = [(int(category["id"]), str(category["name"])) for category in content["categories"]]
    category_ids, notes = category_map(named, dataset["categories"])
    return [
        {
            **annotation,
            "score": _score(annotation),
            "image_id": own_images.get(annotation.get("image_id")),
            "category_id": category_ids[annotation["category_id"]],
        }
        for annotation in content["annotations"]
        if annotation.get("category_id") in category_ids
    ], notes


def _score(annotation: Mapping[str, Any]) -> Any:
    """A dataset annotation's own score, else the one among its attributes, where our export stores it."""
    attributes = annotation.get("attributes")
    kept = attributes.get("score", 1.0) if isinstance(attributes, Mapping) else 1.0
    return annotation.get("score", kept)


def _ids_by_name(images: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Image ids by file name and, if unambiguous, by its last part: names may be relative to other folders."""
    lasts = Counter(_last(image["file_name"]) for image in images)
    shorts = {_last(image["file_name"]): image["id"] for image in images if lasts[_last(image["file_name"])] == 1}
    return shorts | {_slashed(image["file_name"]): image["id"] for image in images}


def _found(file_name: str, image_ids: Mapping[str, Any]) -> Any:
    return image_ids.get(_slashed(file_name), image_ids.get(_last(file_name)))


def _slashed(file_name: str) -> str:
    return file_name.replace("\\", "/")


def _last(file_name: str) -> str:
    return PurePosixPath(_slashed(file_name)).name


def _result(entry: Mapping[str, Any], size_hw: Size) -> CocoResult:
    rle = _compressed(entry["segmentation"], size_hw)
    score = float(entry.get("score", 1.0))
    if not math.isfinite(score):
        raise ValueError(f"score {score}")
    return {
        "image_id": entry["image_id"],
        "category_id": int(entry["category_id"]),
        "score": score,
        "bbox": [float(v) for v in entry.get("bbox") or coco_mask.toBbox(rle)],
        "segmentation": rle,
    }


def _compressed(segmentation: Any, size_hw: Size) -> Any:
    """Polygons, plain counts or compressed counts as compressed RLE. Raises ValueError for a wrong size."""
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, *size_hw))
    if tuple(segmentation["size"]) != size_hw:
        raise ValueError(f"segmentation of size {segmentation['size']}, expected {list(size_hw)}")
    if isinstance(segmentation["counts"], list):
        return coco_mask.frPyObjects(segmentation, *size_hw)
    return segmentation


def _most_per_image(results: Sequence[CocoResult]) -> int:
    return max(Counter(result["image_id"] for result in results).values(), default=0)


def evaluate_project(project: Project, coco_json: Path) -> EvaluationReport:
    """Like `evaluate_predictions`, for everything in the project except rejected objects."""
    annotations = []
    records = list(project.images.all())
    for record in records:
        for instance in project.instances.of(record.id):
            if instance.state is InstanceState.REJECTED or not instance.polygons:
                continue
            rle = polygons_to_rle(instance.polygons, (record.width, record.height))
            annotations.append(
                {
                    "image_id": record.id,
                    "category_id": instance.category_id,
                    "segmentation": {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")},
                    "score": instance.score if instance.score is not None else 1.0,
                }
            )
    content = {
        "images": [{"id": record.id, "file_name": record.file_name} for record in records],
        "categories": [{"id": category.id, "name": category.name} for category in project.categories.listed()],
        "annotations": annotations,
    }
    return evaluate_predictions(content, coco_json)
