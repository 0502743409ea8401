"""Judging what is in a project, a model's proposals included."""

from pathlib import Path

from maskwright.document.values import InstanceState
from maskwright.evaluation.predictions import evaluate_predictions
from maskwright.evaluation.report import EvaluationReport
from maskwright.geometry.raster import polygons_to_rle
from maskwright.project.store import Project


def evaluate_project(project: Project, coco_json: Path) -> EvaluationReport:
    """As `evaluate_predictions`, for everything in the project that nobody has rejected."""
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
