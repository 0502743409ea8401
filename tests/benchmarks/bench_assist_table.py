"""Assistants beside each other in one table: how good, in how many clicks, how fast.

    python tests/benchmarks/bench_assist_table.py [--objects 100] [--clicked 15] [--threads 2]

Objects of coco/val as `bench_assist.py` draws them, of which --objects are outlined and --clicked clicked at until IoU
0.90, at most 20 times. The bundled network and GrabCut are judged; networks of SAM's sizes with random weights
(`sam_shapes.py`) are only timed. Times of a run on an image just opened, and of a click after it, at --threads: on the
clock, and of all cores together. The first outline of a network is not counted, in which it allocates its memory.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from assist_protocol import LEVELS, Sample, boundary_iou, clicks, clicks_to, from_box, iou, next_click, opened
from bench_assist import SHARED, judged_sets
from sam_shapes import SHAPES, written

from maskwright.assist.loading import load_assistant
from maskwright.assist.protocol import Assistant
from maskwright.images import read_image

HEAD = "box IoU | boundary | 1 click | clicks after box | clicks alone | first outline ms (CPU) | a click ms (CPU)"


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    (judged,) = judged_sets(arguments.shared, ["coco"], 1)
    chosen = judged.samples()
    chosen = [chosen[number] for number in np.linspace(0, len(chosen) - 1, arguments.objects).astype(int)]
    print(f"| {len(chosen)} objects, {arguments.clicked} clicked to {LEVELS}, {arguments.threads} threads | {HEAD} |")
    print("|---|" + "---|" * len(HEAD.split("|")), flush=True)
    for name, path in _assistants(arguments.only):
        assistant = load_assistant(path, precision=arguments.precision, num_threads=arguments.threads)
        cells = _judged(assistant, chosen, arguments.clicked) if name in ("bundled", "grabcut") else ["-"] * 5
        cells += _timed(assistant, chosen, arguments.images)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _assistants(only: list[str]) -> Iterator[tuple[str, str | Path]]:
    """(name, what to load); a SAM's files are there until the next is asked for."""
    for name in (name for name in ("bundled", "grabcut") if not only or name in only):
        yield name, name
    for name in (name for name in SHAPES if not only or name in only):
        with tempfile.TemporaryDirectory() as folder:
            yield name, written(Path(folder) / "sam", SHAPES[name])


def _judged(assistant: Assistant, chosen: list[Sample], clicked: int) -> list[str]:
    figures = []
    for sample, view in opened(chosen, assistant):
        mask = from_box(sample, view)
        one = clicks(sample, view, box=False, most=1)[-1]
        figures.append((iou(mask, sample.truth), boundary_iou(mask, sample.truth), one))
    words = [f"{value:.3f}" for value in np.mean(figures, axis=0)]
    some = [chosen[number] for number in np.linspace(0, len(chosen) - 1, clicked).astype(int)]
    for box in (True, False):
        runs = [clicks(sample, view, box=box) for sample, view in opened(some, assistant)]
        words.append(" / ".join(f"{np.mean([clicks_to(run, level) for run in runs]):.1f}" for level in LEVELS))
    return words


def _timed(assistant: Assistant, chosen: list[Sample], images: int) -> list[str]:
    firsts, later = [], []
    for number, sample in enumerate(list({one.image: one for one in chosen}.values())[: images + 1]):
        pixels = read_image(sample.image).bgr_u8
        before = _now()
        view = assistant.open(pixels)
        outline = view.outline(box_xyxy=sample.box_xyxy, min_iou=None)
        between = _now()
        x, y, _ = next_click(np.zeros_like(sample.truth), sample.truth)
        start = _now()
        view.outline([(x, y)], [1], sample.box_xyxy, previous=outline, min_iou=None)
        if number:
            firsts.append(between - before)
            later.append(_now() - start)
    return [f"{wall:.0f} ({cpu:.0f})" for wall, cpu in (1000 * np.median(times, axis=0) for times in (firsts, later))]


def _now() -> np.ndarray:
    """Seconds on the clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--objects", type=int, default=100)
    parser.add_argument("--clicked", type=int, default=15, help="of them, to the end")
    parser.add_argument("--images", type=int, default=5, help="on which presses are timed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--only", nargs="+", default=[], help="of the names in the first column")
    return parser.parse_args()


if __name__ == "__main__":
    main()
