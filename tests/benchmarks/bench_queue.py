"""How many of a model's errors the first fifth of each review order holds, on images with a ground truth.

    python tests/benchmarks/bench_queue.py MODEL SECOND_MODEL TRUTH.json IMAGES

An error is a proposal without a true object (IoU 0.5, same class), a true object without a proposal, or an outline with
an IoU under 0.75. "best" orders by the errors themselves: no order can hold more.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does

from typing import get_args

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from rich.console import Console
from rich.table import Table

from maskwright.geometry.raster import polygons_to_rle
from maskwright.inference.model import load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.operations.comparing import compare_with
from maskwright.prelabel import run_batch
from maskwright.project import Project, scan_folder
from maskwright.review.order import QueueOrder, ordered_images

_SAME, _GOOD = 0.5, 0.75


def errors_of(project: Project, truth: COCO) -> dict[int, int]:
    """{image id: false + missed + badly outlined}."""
    by_name = {image["file_name"]: image for image in truth.dataset["images"]}
    names = {category["id"]: category["name"] for category in truth.dataset["categories"]}
    known = {category.id: category.name for category in project.categories.listed()}
    counted: dict[int, int] = {}
    for record in project.images.all():
        image = by_name[record.file_name]
        true = [entry for entry in truth.imgToAnns[image["id"]] if not entry.get("iscrowd")]
        found = sorted(project.instances.of(record.id), key=lambda instance: -(instance.score or 0))
        size_wh = (record.width, record.height)
        groups: dict[str, tuple[list, list]] = defaultdict(lambda: ([], []))
        for instance in found:
            groups[known[instance.category_id]][0].append(polygons_to_rle(instance.polygons, size_wh))
        for entry in true:
            groups[names[entry["category_id"]]][1].append(truth.annToRLE(entry))
        counted[record.id] = sum(_class_errors(*sides) for sides in groups.values())
    return counted


def _class_errors(found: list, true: list) -> int:
    if not found or not true:
        return len(found) + len(true)
    ious = np.asarray(coco_mask.iou(found, true, [0] * len(true)))
    errors, free = 0, set(range(len(true)))
    for row in ious:
        best = max(free, key=lambda column: row[column], default=None)
        if best is None or row[best] < _SAME:
            errors += 1
            continue
        free.discard(best)
        errors += row[best] < _GOOD
    return errors + len(free)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "second", "truth", "images"):
        parser.add_argument(name)
    parser.add_argument("--score", type=float, default=None)
    chosen = parser.parse_args()
    truth = COCO(chosen.truth)
    with tempfile.TemporaryDirectory() as place:
        project = Project.create(Path(place) / "queue.maskwright", image_root=Path(chosen.images))
        project.images.add(image for image in scan_folder(Path(chosen.images)) if image.failure is None)
        run_batch(project, load_model(chosen.model, precision="f32"), Thresholds(score=chosen.score))
        compare_with(project, load_model(chosen.second), Thresholds(score=chosen.score))
        errors = errors_of(project, truth)
        first, total = len(errors) // 5, sum(errors.values())
        table = Table("order", f"errors in the first {first}", "share of all", "ordering ms")
        for order in get_args(QueueOrder):
            started = time.perf_counter()
            ids = ordered_images(project, order)
            spent_ms = (time.perf_counter() - started) * 1e3
            held = sum(errors[id_] for id_ in ids[:first].tolist())
            table.add_row(order, str(held), f"{held / total:.1%}", f"{spent_ms:.1f}")
        best = sum(sorted(errors.values(), reverse=True)[:first])
        table.add_row("best", str(best), f"{best / total:.1%}", "")
        Console().print(table, f"{total} errors on {len(errors)} images")
        project.close()


if __name__ == "__main__":
    main()
