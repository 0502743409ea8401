"""What a round learns from few images: COCO figures of the product's own pipeline on images it never saw.

    python tests/benchmarks/bench_learning.py SET_FOLDER IMAGES CPU_SECONDS [--seed 1] [--set key=value ...]

SET_FOLDER holds `images/`, `train.json` and `val.json`. CPU seconds are those of training, augmentation included; run
it with one thread (`taskset -c 0 nice -n 5`, OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive).
"""

import argparse
import ast
import json
import random
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask

from maskwright.evaluation import evaluate_model
from maskwright.inference.model import load_model
from maskwright.learning.batches import BatchMaker
from maskwright.learning.export import export_learned
from maskwright.learning.job import Example, LearningJob, Patch
from maskwright.learning.recipe import Recipe, recipe_for
from maskwright.learning.samples import SampleStore
from maskwright.learning.trainer import Budget, Round, replayed
from maskwright.memory import keep_freed_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("images", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pick", type=int, default=0, help="which images are drawn; 0: evenly spread")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="changes of the recipe")
    parser.add_argument("--one-class", action="store_true", help="judge objects regardless of class, too")
    parser.add_argument("--exclude", action="store_true", help="no two objects of different classes share a place")
    parser.add_argument("--keep", type=Path, help="folder for the model")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    job = _job(options)
    with tempfile.TemporaryDirectory() as place:
        folder = options.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        started = time.process_time()
        spent, steps, model = _learned(job, folder)
        total = time.process_time() - started
        figures = _judged(model, options.folder, one_class=False)
        both = {"all": _judged(model, options.folder, one_class=True)} if options.one_class else {}
        line = {
            "set": options.folder.name,
            "images": len(job.examples),
            "objects": job.object_count,
            "input": job.recipe.input_size,
            "steps": steps,
            "cpu_s": round(spent, 1),
            "with_start_and_export_s": round(total, 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            **figures,
            **both,
            "set_by": options.set,
        }
        print(json.dumps(line), flush=True)


def _learned(job: LearningJob, folder: Path) -> tuple[float, int, Path]:
    round_ = Round(job, folder)
    store = SampleStore(job.examples, input_size=job.recipe.input_size, budget_bytes=600 * 2**20)
    stream = BatchMaker(job.examples, store, job.recipe, seed=job.seed).stream(0)
    seen = replayed((round_.seen(batch) for batch in stream), job.recipe.replays, seed=job.seed)
    budget = Budget(job)
    while (progress := budget.progress(round_.step)) < 1:
        parts = round_.learn(next(seen), progress=progress)
        if round_.step % 50 == 0:
            text = " ".join(f"{name} {float(part):.3f}" for name, part in parts.items())
            print(f"step {round_.step} {budget.seconds:.0f} s {text}", file=sys.stderr, flush=True)
    spent = budget.seconds
    stream.close()
    return spent, round_.step, export_learned(round_.network(), job, to=folder / "model.xml")


def _judged(model_file: Path, folder: Path, *, one_class: bool) -> dict[str, Any]:
    model = load_model(model_file, precision="f32")
    truth = folder / "val.json"
    if not one_class:
        report = evaluate_model(model, truth, folder / "images")
        return {name: round(report.segm[name], 3) for name in ("AP50", "AP", "AR")}
    return regardless_of_class(model, truth, folder / "images")


def regardless_of_class(model: Any, truth: Path, images: Path) -> dict[str, float]:
    """AP50 and AP with all classes taken for one, overlapping proposals of several classes suppressed."""
    from maskwright.evaluation.model_run import judged
    from maskwright.geometry.raster import mask_to_rle
    from maskwright.images.decode import read_image

    dataset = json.loads(truth.read_text())
    dataset["categories"] = [{"id": 1, "name": "object"}]
    for annotation in dataset["annotations"]:
        annotation["category_id"] = 1
    results = []
    for image in dataset["images"]:
        found = model.predict(read_image(images / image["file_name"]).bgr_u8)
        for item in found.select(0.05, class_agnostic=True, clip_to_box=True):
            x1, y1, x2, y2 = item.bbox_xyxy
            segmentation = mask_to_rle(item.mask)
            bbox = [x1, y1, x2 - x1, y2 - y1]
            results.append(
                {"image_id": image["id"], "category_id": 1, "score": item.score, "bbox": bbox}
                | {"segmentation": segmentation}
            )
    report = judged(dataset, results, max_dets=500)
    return {name: round(report.segm[name], 3) for name in ("AP50", "AP")}


def _job(options: argparse.Namespace) -> LearningJob:
    content = json.loads((options.folder / "train.json").read_text())
    categories = sorted(content["categories"], key=lambda category: category["id"])
    position = {category["id"]: index for index, category in enumerate(categories)}
    images = content["images"]
    if options.pick:
        random.Random(options.pick).shuffle(images)
        images = images[: options.images]
    else:
        count = min(options.images, len(images))
        images = [images[k * len(images) // count] for k in range(count)]
    examples = tuple(_example(options.folder / "images", image, content["annotations"], position) for image in images)
    recipe = _recipe(examples, options)
    return LearningJob(
        examples=examples,
        category_names=tuple(category["name"] for category in categories),
        category_ids=tuple(category["id"] for category in categories),
        recipe=recipe,
        name="bench",
        classes_exclude=options.exclude,
        minutes=options.seconds / 60,
        counts_cpu=True,
        seed=options.seed,
    )


def _recipe(examples: tuple[Example, ...], options: argparse.Namespace) -> Recipe:
    shares = [
        float(np.sqrt(coco_mask.area({"size": (o.height, o.width), "counts": o.rle.encode()}))) / max(e.width, e.height)
        for e in examples
        for o in e.objects
    ]
    changes = {key: ast.literal_eval(value) for key, value in (entry.split("=") for entry in options.set)}
    return replace(recipe_for(shares, max(max(e.width, e.height) for e in examples)), **changes)


def _example(
    folder: Path, image: dict[str, Any], annotations: list[dict[str, Any]], position: dict[int, int]
) -> Example:
    size_hw = (image["height"], image["width"])
    objects = []
    for annotation in annotations:
        if annotation["image_id"] == image["id"]:
            rle = annotation["segmentation"]
            if isinstance(rle, list):
                rle = coco_mask.merge(coco_mask.frPyObjects(rle, *size_hw))
            elif isinstance(rle["counts"], list):
                rle = coco_mask.frPyObjects(rle, *size_hw)
            objects.append(_patch(rle, position[annotation["category_id"]]))
    return Example(str(folder / image["file_name"]), image["width"], image["height"], tuple(objects))


def _patch(rle: dict[str, Any], category: int) -> Patch:
    x, y, width, height = (int(value) for value in coco_mask.toBbox(rle))
    window = np.asfortranarray(coco_mask.decode(rle)[y : y + height, x : x + width])
    return Patch(x, y, width, height, coco_mask.encode(window)["counts"].decode(), category)


if __name__ == "__main__":
    main()
