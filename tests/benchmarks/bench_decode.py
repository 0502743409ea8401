"""Decoding YOLACT's tensors: this project's way against a plain full-frame decoder, in one run.

    PYTHONPATH=core:resources:tests python tests/benchmarks/bench_decode.py

Prints, for two image sizes, CPU milliseconds and the ratio of both, microseconds per instance, the peak of memory taken
while decoding; then what selection and polygons (IoU 0.98) cost from stored candidates, and at the next step of a
slider, when most masks have been traced before.
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
from numpy.typing import NDArray

from maskwright.geometry.convert import mask_to_polygons
from maskwright.inference.adapters.yolact import YolactAdapter
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.nms import nms_indices

Tensors = dict[str, NDArray[Any]]
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
    print(
        "image        full frame     ours   ratio per instance  peak full  peak ours  from cache  next step  instances"
    )
    for size_wh in SIZES:
        print(row(tensors, size_wh))


def row(tensors: Tensors, size_wh: tuple[int, int]) -> str:
    adapter, frame = bound_adapter(tensors), Frame.stretched(size_wh)
    candidates = adapter.candidates(tensors, frame)
    count = len(polygons(candidates))
    plain_ms, plain_peak = measured(lambda: full_frame(tensors, size_wh))
    ours_ms, ours_peak = measured(lambda: polygons(adapter.candidates(tensors, frame)))
    stored = candidates.to_bytes()
    cached_ms, _ = measured(lambda: polygons(Candidates.from_bytes(stored)))
    step_ms, _ = measured(lambda: polygons(candidates))
    return (
        f"{size_wh[0]:4} x {size_wh[1]:4} {plain_ms:8.1f} ms {ours_ms:6.1f} ms {plain_ms / ours_ms:5.1f}x"
        f" {ours_ms / count * 1e3:9.0f} us {plain_peak:7.1f} MB {ours_peak:7.1f} MB"
        f" {cached_ms:8.1f} ms {step_ms:7.2f} ms {count:8}"
    )


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


def polygons(candidates: Candidates) -> list[Any]:
    return [instance.polygons for instance in candidates.select(0.05)]


def full_frame(tensors: Tensors, size_wh: tuple[int, int]) -> list[Any]:
    """The way of the reference implementations, one mask of the whole image at a time."""
    conf, boxes, proto = tensors["conf"][0], tensors["boxes"][0], tensors["proto"][0]
    anchors, classes = np.nonzero(conf[:, 1:] > 0.05)
    scores = conf[anchors, classes + 1]
    order = np.argsort(-scores, kind="stable")
    anchors, classes = anchors[order], classes[order]
    kept = nms_indices(boxes[anchors], classes, max_iou=0.5, limit=100)
    height, width = proto.shape[:2]
    found = []
    for anchor in anchors[kept]:
        with np.errstate(over="ignore"):
            soft = 1 / (1 + np.exp(-(proto @ tensors["mask"][0, anchor])))
        x1, y1, x2, y2 = boxes[anchor] * np.array([width, height, width, height])
        columns, rows = np.arange(width), np.arange(height)[:, None]
        soft[~((columns >= max(x1 - 1, 0)) & (columns < x2 + 1) & (rows >= max(y1 - 1, 0)) & (rows < y2 + 1))] = 0
        mask = cv2.resize(soft, size_wh, interpolation=cv2.INTER_LINEAR) > 0.5
        if mask.any():
            found.append(mask_to_polygons(mask, min_iou=0.98))
    return found


def measured(work: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
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
