"""The kinds of micrographs, and quality by kind: evaluates one after the other. Needs no PyTorch."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.evaluation import EvaluationReport, evaluate_model
from maskwright.inference.model import Model
from maskwright.training.dataset import read_rgb

COLOURFUL_SPREAD = 8.0
LARGE_SIDE_PX = 600


class MicrographKind(StrEnum):
    """What the image looks like, not how it was made."""

    STAINED = "stained"
    BRIGHT_FIELD = "bright-field"
    FLUORESCENCE = "fluorescence"
    LARGE_FLUORESCENCE = "large fluorescence"


def image_kind(image: NDArray[np.uint8]) -> MicrographKind:
    """Classify by colourfulness, brightness and size; image (H, W, 3), any channel order."""
    spread = float((image.max(2).astype(np.float32) - image.min(2)).mean())
    if spread > COLOURFUL_SPREAD:
        return MicrographKind.STAINED
    if float(image.mean()) > 127:
        return MicrographKind.BRIGHT_FIELD
    return MicrographKind.LARGE_FLUORESCENCE if max(image.shape[:2]) >= LARGE_SIDE_PX else MicrographKind.FLUORESCENCE


def reports_by_kind(
    model: Model, coco_file: Path, image_folder: Path, *, nms_iou: float | None = None
) -> dict[MicrographKind, EvaluationReport]:
    """The figures for every kind that occurs, predicted and evaluated by the product's own pipeline."""
    content: dict[str, Any] = json.loads(coco_file.read_text(encoding="utf-8"))
    reports = {}
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.json"
        for kind, images in sorted(_images_by_kind(content, image_folder).items()):
            part.write_text(json.dumps(_subset(content, images)), encoding="utf-8")
            reports[kind] = evaluate_model(model, part, image_folder, nms_iou=nms_iou)
    return reports


def _images_by_kind(content: dict[str, Any], image_folder: Path) -> dict[MicrographKind, list[dict[str, Any]]]:
    groups: defaultdict[MicrographKind, list[dict[str, Any]]] = defaultdict(list)
    for image in content["images"]:
        groups[image_kind(read_rgb(image_folder / image["file_name"]))].append(image)
    return groups


def _subset(content: dict[str, Any], images: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = {image["id"] for image in images}
    annotations = [annotation for annotation in content["annotations"] if annotation["image_id"] in wanted]
    return {**content, "images": images, "annotations": annotations}
