"""Presses an object by a simulated annotator, as a ratio to drawing: model, model and assistant, assistant alone.

    python tests/benchmarks/bench_gestures.py --model MODEL [--set coco|nuclei] [--most 60] [--score S]

`annotator.py` says what counts as a press, `experience.py` how the annotator chooses: by what clicks did on other
images, "foreseen" also by what the window shows of the next one. Each figure twice: over the sparsest drawing that is
found, and over drawing with one tolerance for all parts and holes, about what the goals were written with. The model's
proposals come from its operating point (or --score) and are matched by class and IoU, best first; refining them all is
one press an image. Objects: all that are no crowd and at least --least-area large, of the first --most images of a
shuffled truth. "hindsight" takes the cheapest of all roads and is a bound, not a figure.
"""

import argparse
import pickle
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from annotator import (
    LEVELS,
    SPOTS,
    Case,
    Trace,
    clicking,
    correcting,
    drawing_presses,
    pointing,
    simple_drawing_presses,
)
from assist_protocol import Mask, iou, true_mask
from experience import Experience, by_hand, with_hindsight

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
MATCHED = 0.5
FOLDS = 5
"""The annotator of each fifth of the images has learned from the others."""
SIZES = {
    "all": (0, 10**12),
    "over 32": (32**2, 10**12),
    "under 32": (0, 32**2),
    "32 to 96": (32**2, 96**2),
    "over 96": (96**2, 10**12),
}
"""Of objects, as COCO has them: areas from, to."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One object by two annotators: clicks made unseen, and foreseen ones."""

    unseen: Case
    foreseen: Case

    @property
    def image(self) -> int:
        return self.unseen.image

    def drawn_simply(self) -> "Pair":
        return Pair(self.unseen.drawn_simply(), self.foreseen.drawn_simply())


class Learned:
    """What both have learned from other images."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.unseen = Experience([pair.unseen for pair in pairs])
        self.foreseen = Experience([pair.foreseen for pair in pairs], foresees=True)


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    cases = [case for file in arguments.cases for case in pickle.loads(file.read_bytes())] or _cases(arguments)
    if arguments.keep:
        arguments.keep.write_bytes(pickle.dumps(cases))
    for basis, paired in (("sparsest drawing", cases), ("one tolerance", [pair.drawn_simply() for pair in cases])):
        known = [Learned([pair for pair in paired if pair.image % FOLDS != fold]) for fold in range(FOLDS)]
        for name, (least, most) in SIZES.items():
            some = [pair for pair in paired if least <= pair.unseen.area < most]
            images = len({pair.image for pair in some})
            print(f"{basis}; {arguments.set}, {name}: {len(some)} objects on {images} images")
            if some:
                _report(some, known)


def _cases(arguments: argparse.Namespace) -> list[Pair]:
    file, folder = (arguments.shared / part for part in SETS[arguments.set])
    dataset = read_truth(file)
    assistant = load_assistant(arguments.assistant, precision=arguments.precision, num_threads=1)
    model = load_model(arguments.model, precision=arguments.precision) if arguments.model else None
    order = np.random.default_rng(0).permutation(len(dataset["images"]))[arguments.first :][: arguments.most].tolist()
    truths: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in dataset["annotations"]:
        if not one.get("iscrowd") and one["area"] >= arguments.least_area:
            truths[one["image_id"]].append(one)
    cases: list[Pair] = []
    for place, number in enumerate(order, start=arguments.first):
        entry = dataset["images"][number]
        image = read_image(folder / entry["file_name"]).bgr_u8
        chosen = np.random.default_rng(number).permutation(len(truths[entry["id"]]))[: arguments.most_objects]
        objects = [truths[entry["id"]][index] for index in sorted(chosen.tolist())]
        wanted = [(one["category_id"], true_mask(one, entry)) for one in objects]
        wanted = [(category, mask) for category, mask in wanted if mask.any()]
        starts = _starts(model, image, assistant.open(image), wanted, dataset, arguments) if model else {}
        view = assistant.open(image)
        cases += [_case(place, view, mask, starts.get(index)) for index, (_, mask) in enumerate(wanted)]
        print(f"... {len(cases)} objects, {time.process_time():.0f} CPU s", file=sys.stderr, flush=True)
    return cases


def _case(place: int, view: View, truth: Mask, starts: tuple["Found | None", "Found | None"] | None) -> Pair:
    drawing = tuple(drawing_presses(truth, level) for level in LEVELS)
    simple = tuple(simple_drawing_presses(truth, level) for level in LEVELS)

    def made(spots: int, click: Trace | None) -> Case:
        traces = [
            correcting(view, one.polygons, one.mask, truth, drawing, spots=spots) if one else None
            for one in starts or (None, None)
        ]
        box = pointing(view, truth, drawing, spots=spots)
        return Case(place, int(np.count_nonzero(truth)), drawing, box, traces[0], traces[1], click, simple)

    return Pair(made(1, None), made(SPOTS, clicking(view, truth, drawing)))


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


def _report(pairs: list[Pair], known: list[Learned]) -> None:
    images = len({pair.image for pair in pairs})
    cases = [pair.unseen for pair in pairs]
    for level in LEVELS:
        drawn = [case.drawing[LEVELS.index(level)] for case in cases]
        words = [f"drawing {sum(drawn) / len(cases):.2f}"]
        sums: dict[str, int] = {}
        if any(case.plain is not None for case in cases):
            accepted = [case.plain is not None and case.plain.ious[0] >= level for case in cases]
            sums["model alone"] = sum(1 if ok else count for ok, count in zip(accepted, drawn, strict=True))
            sums["model, mended by hand"] = sum(by_hand(case, case.plain, level) for case in cases)
            sums["model, assistant"] = _presses(pairs, known, level, "plain", foreseen=False)
            sums["foreseen"] = _presses(pairs, known, level, "plain", foreseen=True)
            sums["refined, foreseen"] = _presses(pairs, known, level, "refined", foreseen=True) + images
            sums["hindsight"] = sum(with_hindsight(case, case.plain, level) for case in cases)
        sums["assistant alone"] = _presses(pairs, known, level, None, foreseen=False)
        sums["alone, foreseen"] = _presses(pairs, known, level, None, foreseen=True)
        sums["alone, hindsight"] = sum(with_hindsight(case, None, level) for case in cases)
        words += [f"{way} {presses / len(cases):.2f} = {presses / sum(drawn):.2f}" for way, presses in sums.items()]
        print(f"  IoU {level:.2f}: " + "; ".join(words), flush=True)


def _presses(pairs: list[Pair], known: list[Learned], level: float, proposal: str | None, *, foreseen: bool) -> int:
    total = 0
    for pair in pairs:
        learned, case = known[pair.image % FOLDS], pair.foreseen if foreseen else pair.unseen
        shown: Trace | None = getattr(case, proposal) if proposal is not None else None
        total += (learned.foreseen if foreseen else learned.unseen).presses(case, shown, level)
    return total


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a file or name that `load_model` takes; without one the assistant alone")
    parser.add_argument("--assistant", default="bundled")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--set", default="coco", choices=sorted(SETS))
    parser.add_argument("--first", type=int, default=0, help="pass over so many images of the shuffled truth")
    parser.add_argument("--most", type=int, default=60, help="images")
    parser.add_argument("--most-objects", type=int, default=10**6, help="of an image, drawn at random")
    parser.add_argument("--least-area", type=float, default=0)
    parser.add_argument("--score", type=float, help="default: the model's own operating point")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--cases", type=Path, nargs="+", default=[], help="files kept before: nothing is run again")
    parser.add_argument("--keep", type=Path, help="a file for what was measured, to look into")
    return parser.parse_args()


if __name__ == "__main__":
    main()
