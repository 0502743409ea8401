"""What refining a model's proposals does to COCO's figures, and which gates are best; images/s by CPU time.

    python tests/benchmarks/bench_refine.py MODEL [MODEL ...] [--assistant bundled] [--most IMAGES] [--sweep]

Proposals as `maskwright evaluate` takes them (score above 0.05, masks cut at their boxes), refined as `prelabel
--refine` does it, before and after beside each other; all of them as the polygons that a project keeps. --sweep: over a
grid of gates, from the same answers; choose on other images (--first, --most) than those you report.
"""

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskwright.assist.loading import load_assistant
from maskwright.assist.outline import Outline
from maskwright.assist.protocol import Assistant
from maskwright.assist.refine import RefineSettings, Verdict, refine
from maskwright.evaluation.figures import CocoResult
from maskwright.evaluation.model_run import judged
from maskwright.evaluation.truth import category_map, read_truth
from maskwright.geometry.raster import mask_iou, mask_to_rle, polygons_to_mask
from maskwright.images import read_image
from maskwright.inference.model import Model, load_model
from maskwright.inference.prediction import Prediction

OPEN = RefineSettings(min_score=0, least_iou=0, least_box_iou=0)
SWEPT_SCORES = (0.0, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)
SWEPT_IOUS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class Answered:
    """A proposal as COCO wants it, and the assistant's answer to it before any gate."""

    before: CocoResult
    after: Any
    score: float
    iou: float

    def gated(self, settings: RefineSettings) -> tuple[CocoResult, bool]:
        taken = self.score >= settings.min_score and self.iou >= settings.least_iou
        return ({**self.before, "segmentation": self.after} if taken else self.before), taken


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    dataset = _shortened(read_truth(arguments.truth), arguments.first, arguments.most)
    assistant = load_assistant(arguments.assistant, precision=arguments.precision, num_threads=1)
    for path in arguments.models:
        model = load_model(path, precision=arguments.precision)
        seconds = [0.0, 0.0]
        answers = list(_answers(model, assistant, dataset, arguments.images, seconds))
        print(f"{model.name}: {len(answers)} proposals on {len(dataset['images'])} images", flush=True)
        _report("before", dataset, [one.before for one in answers], "")
        if arguments.sweep:
            _sweep(dataset, answers)
        _gated(dataset, answers, RefineSettings(), "defaults")
        rates = [len(dataset["images"]) / max(spent, 1e-9) for spent in seconds]
        print(f"  images a CPU second: model and decoding {rates[0]:.2f}, refining {rates[1]:.2f}", flush=True)


def _answers(
    model: Model, assistant: Assistant, dataset: dict[str, Any], folder: Path, seconds: list[float]
) -> Iterator[Answered]:
    ids, _ = category_map(((label.id, label.name) for label in model.labels), dataset["categories"])
    for entry in dataset["images"]:
        image = read_image(folder / entry["file_name"]).bgr_u8
        started = time.process_time()
        candidates = model.predict(image)
        chosen = candidates.select(0.05, None, None, clip_to_box=True)
        known = [one for one in chosen if one.category_id in ids and one.crop_mask.any()]
        polygons_made = [one.polygons for one in known]
        between = time.process_time()
        found = refine(known, assistant.open(image), OPEN)
        seconds[0] += between - started
        seconds[1] += time.process_time() - between
        assert len(polygons_made) == len(found)
        for one, refinement in zip(known, found, strict=True):
            yield _answered(one, refinement.outline, entry["id"], ids[one.category_id])


def _answered(one: Prediction, outline: Outline | None, image_id: int, category_id: int) -> Answered:
    x1, y1, x2, y2 = one.bbox_xyxy
    size_wh = one.mask.shape[1], one.mask.shape[0]
    proposed = polygons_to_mask(one.polygons, size_wh)
    before: CocoResult = {
        "image_id": image_id,
        "category_id": category_id,
        "score": one.score,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "segmentation": mask_to_rle(proposed),
    }
    if outline is None or outline.is_empty:
        return Answered(before, before["segmentation"], -1.0, -1.0)
    answered = mask_to_rle(polygons_to_mask(outline.polygons, size_wh))
    return Answered(before, answered, outline.score, mask_iou(outline.mask, proposed))


def _sweep(dataset: dict[str, Any], answers: list[Answered]) -> None:
    for score, least in itertools.product(SWEPT_SCORES, SWEPT_IOUS):
        _gated(dataset, answers, RefineSettings(min_score=score, least_iou=least), f"score {score:.2f} IoU {least:.1f}")


def _gated(dataset: dict[str, Any], answers: list[Answered], settings: RefineSettings, what: str) -> None:
    gated = [one.gated(settings) for one in answers]
    verdicts = Counter(Verdict.TAKEN if taken else Verdict.UNSURE for _, taken in gated)
    share = verdicts[Verdict.TAKEN] / max(1, len(gated))
    _report(what, dataset, [result for result, _ in gated], f"taken {share:.0%}")


def _report(what: str, dataset: dict[str, Any], results: list[CocoResult], note: str) -> None:
    segm = judged(dataset, results, max_dets=100).segm
    figures = "  ".join(f"{name} {segm[name]:.3f}" for name in ("AP", "AP50", "AP75", "APs", "APm", "APl"))
    print(f"  {what:20} {figures}  {note}", flush=True)


def _shortened(dataset: dict[str, Any], first: int, most: int) -> dict[str, Any]:
    """Some of the images of a ground truth, in an order of their own."""
    order = np.random.default_rng(0).permutation(len(dataset["images"])).tolist()[first : first + most]
    images = [dataset["images"][number] for number in sorted(order)]
    ids = {image["id"] for image in images}
    annotations = [one for one in dataset["annotations"] if one["image_id"] in ids]
    return {**json.loads(json.dumps(dataset)), "images": images, "annotations": annotations}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--assistant", default="bundled")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--truth", type=Path, default=shared / "coco/val.json")
    parser.add_argument("--images", type=Path, default=shared / "coco/val")
    parser.add_argument("--first", type=int, default=0, help="pass over so many images of the shuffled truth")
    parser.add_argument("--most", type=int, default=10**6, help="images, for a quick look")
    parser.add_argument("--sweep", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
