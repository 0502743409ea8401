"""Presses an object by a simulated annotator, as a ratio to drawing: model, model and assistant, assistant alone.

    python tests/benchmarks/bench_gestures.py --model MODEL [--set coco|nuclei] [--most 60] [--score S]

`annotator.py` says what counts as a press. The model's proposals come from its operating point (or --score) and are
matched by class and IoU, best first; refining them all is one press an image. Objects: all that are no crowd and at
least --least-area large, of the first --most images of a shuffled truth.
"""

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from annotator import Habits, Trace, correcting, drawing_presses, pointing
from assist_protocol import Mask, iou, true_mask

from maskwright.assist.loading import load_assistant
from maskwright.assist.outline import Outline
from maskwright.assist.protocol import View
from maskwright.assist.refine import RefineSettings, Verdict, refine
from maskwright.evaluation.truth import category_map, read_truth
from maskwright.geometry.polygon import Polygon
from maskwright.images import read_image
from maskwright.inference.model import Model, load_model

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

SETS = {"coco": ("coco/val.json", "coco/val"), "nuclei": ("nuclei/val.json", "nuclei/val")}
LEVELS = (0.85, 0.90)
MATCHED = 0.5
WAYS = ("drawing", "model alone", "model, refined", "model and pointing", "refined and pointing", "pointing alone")


@dataclass(frozen=True, slots=True)
class Start:
    """The proposal that an object is matched with, and what correcting it takes."""

    iou: float
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class Case:
    """One object by every way."""

    drawing: dict[float, int]
    box: Trace
    plain: Start | None
    refined: Start | None

    def presses(self, way: str, level: float, habits: Habits) -> int:
        drawing = self.drawing[level]
        if way == "drawing":
            return drawing
        start = None if way == "pointing alone" else self.refined if "refined" in way else self.plain
        if start is not None and start.iou >= level:
            return 1
        if "pointing" not in way:
            return drawing
        if start is not None and start.trace is not None and start.iou >= habits.worth:
            return start.trace.presses(level, drawing, habits.patience)
        return self.box.presses(level, drawing, habits.patience)


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    file, folder = (SHARED / part for part in SETS[arguments.set])
    dataset = read_truth(file)
    assistant = load_assistant(arguments.assistant, precision=arguments.precision, num_threads=1)
    model = load_model(arguments.model, precision=arguments.precision) if arguments.model else None
    order = np.random.default_rng(0).permutation(len(dataset["images"]))[arguments.first :][: arguments.most].tolist()
    truths: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in dataset["annotations"]:
        if not one.get("iscrowd") and one["area"] >= arguments.least_area:
            truths[one["image_id"]].append(one)
    cases: list[Case] = []
    for number in order:
        entry = dataset["images"][number]
        image = read_image(folder / entry["file_name"]).bgr_u8
        wanted = [(one["category_id"], true_mask(one, entry)) for one in truths[entry["id"]]]
        wanted = [(category, mask) for category, mask in wanted if mask.any()]
        starts = _starts(model, image, assistant.open(image), wanted, dataset, arguments) if model else {}
        cases += [_case(assistant.open(image), mask, starts.get(index)) for index, (_, mask) in enumerate(wanted)]
        if len(cases) % 50 < len(wanted):
            print(f"... {len(cases)} objects", flush=True)
    print(f"{arguments.set}: {len(cases)} objects on {len(order)} images")
    for patience in arguments.patience:
        for worth in arguments.worth:
            _report(cases, Habits(patience, worth), len(order), with_model=model is not None)


def _case(view: View, truth: Mask, starts: tuple["Found | None", "Found | None"] | None) -> Case:
    top, most = max(LEVELS), 12
    drawing = {level: drawing_presses(truth, level) for level in LEVELS}
    box = pointing(view, truth, level=top, most=most)
    plain, refined = (_start(view, one, truth, most) if one else None for one in starts or (None, None))
    return Case(drawing, box, plain, refined)


def _start(view: View, found: "Found", truth: Mask, most: int) -> Start:
    value = iou(found.mask, truth)
    trace = correcting(view, found.polygons, found.mask, truth, level=max(LEVELS), most=most)
    return Start(value, trace)


@dataclass(frozen=True, slots=True)
class Found:
    """A proposal as it is, or as the assistant outlined it again."""

    mask: Mask
    polygons: tuple[Polygon, ...]


def _starts(
    model: Model,
    image: np.ndarray,
    view: View,
    wanted: list[tuple[int, Mask]],
    dataset: dict[str, Any],
    arguments: argparse.Namespace,
) -> dict[int, tuple[Found | None, Found | None]]:
    """For objects by their number: the matched proposal, plain and refined."""
    ids, _ = category_map(((label.id, label.name) for label in model.labels), dataset["categories"])
    chosen = model.predict(image).select(arguments.score, clip_to_box=True)
    known = [one for one in chosen if one.category_id in ids and one.crop_mask.any()]
    refinements = refine(known, view, RefineSettings())
    plain: dict[int, Found] = {}
    refined: dict[int, Found] = {}
    for one, refinement in zip(known, refinements, strict=True):
        found = Found(one.mask, one.polygons)
        _match(plain, found, ids[one.category_id], wanted)
        outline: Outline | None = refinement.outline
        if refinement.verdict is Verdict.TAKEN and outline is not None:
            found = Found(outline.mask, outline.polygons)
        _match(refined, found, ids[one.category_id], wanted)
    return {number: (plain.get(number), refined.get(number)) for number in {*plain, *refined}}


def _match(taken: dict[int, Found], found: Found, category: int, wanted: list[tuple[int, Mask]]) -> None:
    """Give it to the object of its class that it covers best, unless a better proposal came before."""
    values = {
        number: iou(found.mask, mask)
        for number, (other, mask) in enumerate(wanted)
        if other == category and number not in taken
    }
    best = max(values, key=lambda number: values[number], default=None)
    if best is not None and values[best] >= MATCHED:
        taken[best] = found


def _report(cases: list[Case], habits: Habits, images: int, *, with_model: bool) -> None:
    print(f"patience {habits.patience}, corrected from IoU {habits.worth}")
    for level in LEVELS:
        drawing = sum(case.drawing[level] for case in cases)
        words = [f"drawing {drawing / len(cases):.2f}"]
        for way in WAYS[1:] if with_model else WAYS[-1:]:
            presses = sum(case.presses(way, level, habits) for case in cases) + images * ("refined" in way)
            words.append(f"{way} {presses / len(cases):.2f} = {presses / drawing:.2f}")
        print(f"  IoU {level:.2f}: " + "; ".join(words), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a file or name that `load_model` takes; without one the assistant alone")
    parser.add_argument("--assistant", default="bundled")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--set", default="coco", choices=sorted(SETS))
    parser.add_argument("--first", type=int, default=0, help="pass over so many images of the shuffled truth")
    parser.add_argument("--most", type=int, default=60, help="images")
    parser.add_argument("--least-area", type=float, default=0)
    parser.add_argument("--score", type=float, help="default: the model's own operating point")
    parser.add_argument("--patience", type=int, nargs="+", default=[Habits().patience])
    parser.add_argument("--worth", type=float, nargs="+", default=[Habits().worth])
    return parser.parse_args()


if __name__ == "__main__":
    main()
