"""Vertices, fidelity and cost of masks turned into polygons, beside the usual recipes. One process, one thread.

    python tests/benchmarks/bench_polygons.py [COCO_FILE ...] [--masks 300] [--min-side 100] [--max-side 600]

Masks come from COCO files (ground truth or detections with run lengths); without any, from generated blobs. IoU is
judged by pycocotools' raster for all. The recipes are our own wording of what the named tools do.
"""

import argparse
import io
import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import mask_iou, polygons_to_mask
from maskwright.geometry.trace import trace_mask

Mask = NDArray[np.uint8]
Recipe = Callable[[Mask], list[Polygon]]

MIN_IOU = 0.98
TOLERANCES_PX = np.geomspace(0.4, 40, 60)
ROUNDS = 3


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", message="__array__ implementation")
    sets = {path.stem: list(_masks_of_file(path, arguments)) for path in arguments.files} or {
        "blobs": list(_blobs(200))
    }
    for name, masks in sets.items():
        step = max(1, len(masks) // arguments.masks)
        _print_table(name, masks[::step])


def _print_table(name: str, masks: list[Mask]) -> None:
    recipes: dict[str, Recipe] = {
        f"ours, IoU >= {MIN_IOU}": lambda mask: list(mask_to_polygons(mask, min_iou=MIN_IOU)),
        "ours, exact": lambda mask: list(mask_to_polygons(mask, min_iou=None)),
        f"approxPolyDP, best tolerance for {MIN_IOU}": _best_tolerance,
        "pixel centres, largest part, 0.4 % of the box (labelme)": _largest_part,
        "pixel centres, no holes, 0.1 % of the perimeter (X-AnyLabeling SAM)": lambda mask: _centres(mask, 0.001),
        "pixel centres, no holes, 0.5 % of the perimeter (X-AnyLabeling YOLO)": lambda mask: _centres(mask, 0.005),
    }
    sides = [max(mask.shape) for mask in masks]
    print(f"\n{name}: {len(masks)} masks, longer side {min(sides)}..{max(sides)} px, {_holes(masks):.0%} with holes")
    print(f"{'':70}{'vertices':>16}{'IoU':>16}{'CPU us':>16}")
    print(f"{'recipe':70}{'median':>8}{'mean':>8}{'mean':>8}{'least':>8}{'median':>8}{'mean':>8}")
    counts: dict[str, NDArray[np.int64]] = {}
    for recipe_name, recipe in recipes.items():
        ious, vertices, costs = zip(*(_measured(recipe, mask) for mask in masks), strict=True)
        counts[recipe_name] = np.array(vertices)
        print(
            f"{recipe_name:70}{np.median(vertices):8.0f}{np.mean(vertices):8.1f}{np.mean(ious):8.4f}{min(ious):8.3f}"
            f"{np.median(costs):8.0f}{np.mean(costs):8.0f}"
        )
    ours, _, best = list(counts.values())[:3]
    print(
        f"vertices, ours / best tolerance: {ours.sum() / best.sum():.2f}; fewer or equal on {np.mean(ours <= best):.0%}"
    )


def _measured(recipe: Recipe, mask: Mask) -> tuple[float, int, float]:
    costs = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        polygons = recipe(mask)
        costs.append((time.process_time_ns() - start) / 1e3)
    raster = polygons_to_mask(polygons, (mask.shape[1], mask.shape[0]))
    return mask_iou(raster, mask), sum(polygon.vertex_count for polygon in polygons), min(costs)


def _best_tolerance(mask: Mask) -> list[Polygon]:
    """The fewest vertices that any one tolerance gives at the promised IoU; pixel edges, holes kept."""
    parts = trace_mask(mask)
    best = [Polygon.of(part.exterior, part.holes) for part in parts]
    for tolerance in TOLERANCES_PX:
        rings = [[cv2.approxPolyDP(ring, tolerance, True)[:, 0] for ring in part.rings] for part in parts]
        found = [
            Polygon.of(outer, [hole for hole in holes if len(hole) > 2]) for outer, *holes in rings if len(outer) > 2
        ]
        if not found or mask_iou(polygons_to_mask(found, (mask.shape[1], mask.shape[0])), mask) < MIN_IOU:
            continue
        if sum(p.vertex_count for p in found) < sum(p.vertex_count for p in best):
            best = found
    return best


def _largest_part(mask: Mask) -> list[Polygon]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    return _polygons([cv2.approxPolyDP(largest, 0.004 * max(mask.shape), True)])


def _centres(mask: Mask, share_of_perimeter: float) -> list[Polygon]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return _polygons([cv2.approxPolyDP(c, share_of_perimeter * cv2.arcLength(c, True), True) for c in contours])


def _polygons(contours: list[Any]) -> list[Polygon]:
    return [Polygon.of(contour[:, 0]) for contour in contours if len(contour) > 2]


def _holes(masks: list[Mask]) -> float:
    return float(np.mean([any(part.holes for part in trace_mask(mask)) for mask in masks]))


def _masks_of_file(path: Path, arguments: argparse.Namespace) -> Iterator[Mask]:
    """Crops of the masks whose longer side is within the asked range; crowds left out."""
    content = json.loads(path.read_text())
    if isinstance(content, list):
        found: Iterator[Any] = (coco_mask.decode(detection["segmentation"]) for detection in content)
    elif "dets" in content["images"][0]:  # what the YOLACT authors publish
        found = (coco_mask.decode(each["mask"]) for image in content["images"] for each in image["dets"])
    else:
        with redirect_stdout(io.StringIO()):
            coco = COCO(str(path))
        found = (coco.annToMask(each) for each in coco.anns.values() if not each.get("iscrowd"))
    for mask in found:
        x, y, w, h = cv2.boundingRect(mask)
        if arguments.min_side <= max(w, h) <= arguments.max_side:
            yield np.ascontiguousarray(mask[y : y + h, x : x + w])


def _blobs(count: int) -> Iterator[Mask]:
    generator = np.random.default_rng(7)
    for _ in range(count):
        side = int(generator.integers(100, 500))
        noise = cv2.resize(generator.random((9, 9)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        mask = (np.hypot(x, y) + 0.4 * noise < 0.9).astype(np.uint8)
        left, top, w, h = cv2.boundingRect(mask)
        yield np.ascontiguousarray(mask[top : top + h, left : left + w])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--masks", type=int, default=300)
    parser.add_argument("--min-side", type=int, default=100)
    parser.add_argument("--max-side", type=int, default=600)
    return parser.parse_args()


if __name__ == "__main__":
    main()
