"""How good an assistant's outlines are, and how many clicks they need; several beside each other in one run.

    python tests/benchmarks/bench_assist.py [--assistant bundled] [--assistant grabcut] [--set coco nuclei ...]

An assistant is whatever `load_assistant` takes. The sets lie in the shared data: 300 objects of coco/val (area >= 32^2,
at most 8 a photo), 200 of nuclei/val (area >= 64, at most 5 an image), the val parts of domains, photos/bsds for edges.
Mean IoU with its standard error; NoC over the first --noc objects of the shuffled sample; CPU milliseconds a press.
--what speed: until the first outline of an image that was just opened, and for each further click; weights do not
matter for it, so a SAM with random ones will do (shared data, oracle/sam/sam_oracle.py build FOLDER).
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from assist_protocol import (
    LEVELS,
    Sample,
    Stopwatch,
    boundary_iou,
    clicks,
    clicks_to,
    from_box,
    iou,
    next_click,
    opened,
    samples,
)

from maskwright.assist.loading import load_assistant
from maskwright.assist.protocol import Assistant
from maskwright.images import read_image

SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data"))


WHAT = ("box", "moved", "click", "noc", "speed")


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Where objects come from and how many are asked for."""

    name: str
    file: Path
    folder: Path
    count: int
    least_area: float
    most_per_image: int
    noc: int = 0

    def samples(self) -> list[Sample]:
        return samples(
            self.file, self.folder, count=self.count, least_area=self.least_area, most_per_image=self.most_per_image
        )


def judged_sets(shared: Path, names: list[str], noc: float) -> list[JudgedSet]:
    found: list[JudgedSet] = []
    if "coco" in names:
        found.append(JudgedSet("coco", shared / "coco/val.json", shared / "coco/val", 300, 32**2, 8, round(60 * noc)))
    if "nuclei" in names:
        file, folder = shared / "nuclei/val.json", shared / "nuclei/val"
        found.append(JudgedSet("nuclei", file, folder, 200, 64, 5, round(40 * noc)))
    if "domains" in names:
        folders = sorted(path for path in (shared / "domains").iterdir() if path.is_dir())
        found += [JudgedSet(folder.name, folder / "val.json", folder / "images", 60, 64, 10) for folder in folders]
    if "edges" in names:
        found.append(JudgedSet("bsds", shared / "photos/bsds/bsds.json", shared / "photos/bsds/images", 150, 32**2, 2))
    return found


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    for judged in judged_sets(arguments.shared, arguments.set, arguments.noc):
        chosen = judged.samples()[: arguments.most]
        print(f"{judged.name}: {len(chosen)} objects", flush=True)
        for name in arguments.assistant:
            assistant = load_assistant(name, precision=arguments.precision, num_threads=1)
            print(f"  {name:10} {_figures(assistant, chosen, judged.noc, set(arguments.what))}", flush=True)


def _figures(assistant: Assistant, chosen: list[Sample], noc: int, what: set[str]) -> str:
    random, watch, first = np.random.default_rng(1), Stopwatch(), Stopwatch()
    found: dict[str, list[float]] = {"box": [], "10%": [], "1 click": [], "BIoU": []}
    for sample, view in opened(chosen, assistant):
        if "box" in what:
            with watch:
                mask = from_box(sample, view)
            found["box"].append(iou(mask, sample.truth))
            found["BIoU"].append(boundary_iou(mask, sample.truth))
        if "moved" in what:
            found["10%"].append(iou(from_box(sample, view, random=random), sample.truth))
        if "click" in what:
            with first:
                value = clicks(sample, view, box=False, most=1)[-1]
            found["1 click"].append(value)
    if "speed" in what:
        return _speed(assistant, chosen)
    words = [f"{name} {_mean(values)}" for name, values in found.items() if values]
    if noc and "noc" in what:
        words += [f"NoC {'/'.join(f'{level:.2f}' for level in LEVELS)}: {_noc(assistant, chosen, noc)}"]
    words += [f"{each.ms:.0f} CPU ms {name}" for each, name in ((watch, "a box"), (first, "a click")) if each.presses]
    return "  ".join(words)


def _speed(assistant: Assistant, chosen: list[Sample]) -> str:
    """On one object each of ten images."""
    opening, clicking = Stopwatch(), Stopwatch()
    for sample in list({one.image: one for one in chosen}.values())[:10]:
        view = assistant.open(read_image(sample.image).bgr_u8)
        with opening:
            outline = view.outline(box_xyxy=sample.box_xyxy, min_iou=None)
        x, y, _ = next_click(np.zeros_like(sample.truth), sample.truth)
        with clicking:
            view.outline([(x, y)], [1], sample.box_xyxy, previous=outline, min_iou=None)
    return f"{opening.ms:.0f} CPU ms to the first outline, {clicking.ms:.0f} a further click"


def _noc(assistant: Assistant, chosen: list[Sample], count: int) -> str:
    picked = sorted(np.random.default_rng(2).permutation(len(chosen))[:count].tolist())
    some = [chosen[number] for number in picked]
    words: list[str] = []
    for box, what in ((False, "clicks"), (True, "after box")):
        runs = [clicks(sample, view, box=box) for sample, view in opened(some, assistant)]
        means = [np.mean([clicks_to(run, level) for run in runs]) for level in LEVELS]
        failures = sum(max(run) < LEVELS[0] for run in runs)
        words.append(f"{what} {means[0]:.2f}/{means[1]:.2f} ({failures} of {len(runs)} never)")
    return ", ".join(words)


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ({np.std(values) / max(1, len(values)) ** 0.5:.3f})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assistant", action="append", help="default: bundled")
    parser.add_argument("--set", nargs="+", default=["coco", "nuclei"], choices=["coco", "nuclei", "domains", "edges"])
    parser.add_argument("--what", nargs="+", default=["box", "moved", "click", "noc"], choices=WHAT)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--noc", type=float, default=1.0, help="share of the 60 and 40 objects clicked to the end")
    parser.add_argument("--most", type=int, default=10**6, help="objects a set, for a quick look")
    arguments = parser.parse_args()
    arguments.assistant = arguments.assistant or ["bundled"]
    return arguments


if __name__ == "__main__":
    main()
