"""Decoding YOLACT's tensors: this project's way against a plain full-frame decoder, in one run.

    PYTHONPATH=core:resources:tests python tests/benchmarks/bench_decode.py

Prints, for two image sizes, CPU milliseconds of the plain decoder (`plain_decoder`; with its own polygons of IoU 0.98,
and with this project's tracer one mask at a time) and of ours, from tensors to polygons of IoU 0.98, microseconds per
instance and the peak of memory. Then what a step of each slider costs: the first selection from stored candidates, and
another score, mask threshold or fidelity after it.
The tensors are those of the shared oracle where it is present (soft noise, an unkind case), else random ellipses.
"""

import argparse
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.plain_decoder import Tensors, full_frame_masks, plain_polygons
from maskwright.geometry.convert import mask_to_polygons
from maskwright.inference.adapters.yolact import YolactAdapter
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec

SIZES = ((640, 427), (4000, 3000))
SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data"))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--smooth", action="store_true", help="random ellipses instead of the oracle's tensors")
    smooth = arguments.parse_args().smooth
    cv2.setNumThreads(1)
    stored = SHARED / "oracle" / "yolact.npz"
    is_oracle = stored.exists() and not smooth
    tensors = oracle(stored) if is_oracle else ellipses()
    print("tensors: oracle/yolact.npz" if is_oracle else "tensors: random ellipses")
    for size_wh in SIZES:
        compare(tensors, size_wh)
        print_steps(tensors, size_wh)


def compare(tensors: Tensors, size_wh: tuple[int, int]) -> None:
    adapter, frame = bound_adapter(tensors), Frame.stretched(size_wh)
    count = len(polygons(adapter.candidates(tensors, frame)))
    ways: dict[str, Callable[[], object]] = {
        "full frame, best tolerance by bisection": lambda: [
            plain_polygons(mask) for mask in full_frame_masks(tensors, size_wh)
        ],
        "the same, contours in the window": lambda: [
            plain_polygons(mask, in_window=True) for mask in full_frame_masks(tensors, size_wh)
        ],
        "full frame, our tracer mask by mask": lambda: [
            mask_to_polygons(mask) for mask in full_frame_masks(tensors, size_wh)
        ],
        "full frame, masks only": lambda: sum(1 for _ in full_frame_masks(tensors, size_wh)),
        "ours": lambda: polygons(adapter.candidates(tensors, frame)),
    }
    costs = {name: measured(work, 9 if name == "ours" else 3) for name, work in ways.items()}
    ours = costs["ours"][0]
    print(f"\n{size_wh[0]} x {size_wh[1]}, {count} instances{'CPU':>25}  per instance   peak   ratio")
    for name, (cost_ms, peak) in costs.items():
        print(f"  {name:40}{cost_ms:8.1f} ms{cost_ms / count * 1e3:9.0f} us{peak:8.1f} MB{cost_ms / ours:7.1f}x")


def print_steps(tensors: Tensors, size_wh: tuple[int, int]) -> None:
    candidates = bound_adapter(tensors).candidates(tensors, Frame.stretched(size_wh))
    stored = candidates.to_bytes()
    polygons(candidates)
    steps: dict[str, Callable[[], object]] = {
        "reading the stored candidates": lambda: Candidates.from_bytes(stored),
        "first selection": lambda: polygons(Candidates.from_bytes(stored)),
        "another score": lambda: polygons(candidates, score=0.06),
        "another mask threshold (0.45, 0.55)": lambda: [polygons(candidates, mask_threshold=t) for t in (0.45, 0.55)],
        "another fidelity (0.97, 0.99)": lambda: [polygons(candidates, min_iou=q) for q in (0.97, 0.99)],
    }
    for name, step in steps.items():
        print(f"  from candidates: {name:36}{measured(step)[0] / (2 if ',' in name else 1):8.2f} ms")


def oracle(path: Path) -> Tensors:
    stored = np.load(path)
    return {name: stored[f"raw_{name}"] for name in ("conf", "boxes", "mask", "proto")}


def ellipses(count: int = 100, cells: int = 138) -> Tensors:
    """Smooth objects, one prototype each."""
    rng = np.random.default_rng(0)
    centre, radius = rng.uniform(0.15, 0.85, (count, 2)), rng.uniform(0.02, 0.12, (count, 2))
    grid = (np.arange(cells) + 0.5) / cells
    distance = ((grid[None, :] - centre[:, :1]) / radius[:, :1])[:, None] ** 2
    distance = distance + (((grid[None, :] - centre[:, 1:]) / radius[:, 1:])[:, :, None]) ** 2
    conf = np.zeros((1, count, 81), np.float32)
    conf[0, np.arange(count), rng.integers(1, 81, count)] = rng.uniform(0.3, 1, count)
    boxes = np.concatenate([centre - radius, centre + radius], 1)[None]
    proto = np.moveaxis(6 * (1 - distance), 0, -1)[None]
    parts = {"conf": conf, "boxes": boxes, "mask": np.eye(count)[None], "proto": proto}
    return {name: np.ascontiguousarray(value, np.float32) for name, value in parts.items()}


def bound_adapter(tensors: Tensors) -> YolactAdapter:
    outputs = tuple(TensorSpec(frozenset({name}), array.shape) for name, array in tensors.items())
    image = TensorSpec(frozenset({"input.1"}), (1, 3, 550, 550))
    adapter = YolactAdapter.recognised(NetworkInterface((image,), outputs), None)
    assert adapter is not None
    return adapter


def polygons(candidates: Candidates, score: float = 0.05, **thresholds: float) -> list[Any]:
    return [instance.polygons for instance in candidates.select(score, **thresholds)]


def measured(work: Callable[[], object], repeats: int = 9) -> tuple[float, float]:
    """Best CPU milliseconds of several runs (other programs do not count), and the peak of memory in MB of one more."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return min(times) * 1e3, peak / 1e6


if __name__ == "__main__":
    main()
