"""Vertices, fidelity and cost of masks turned into polygons, beside the usual recipes. One process, one thread.

    python tests/benchmarks/bench_polygons.py [COCO_FILE ...] [--model MODEL ... --images FOLDER] [--masks 300]

Masks come from COCO files (ground truth or detections with run lengths) and from what models say about the images of a
folder (score > 0.3, cut at the box, as pre-labelling does). Without any: from the shared data, and where that is not
here from generated blobs. Only masks whose longer side is within --min-side..--max-side. IoU is judged by
pycocotools' raster for all. The recipes are our own wording of what the named tools do.
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from geometry_masks import masks_to_polygons
from mask_files import masks_of_file
from maskwright import load_model
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import mask_iou, polygons_to_mask
from maskwright.geometry.trace import trace_mask
from maskwright.images import read_image

Mask = NDArray[np.uint8]
Recipe = Callable[[Mask], list[Polygon]]

MIN_IOU = 0.98
TOLERANCES_PX = np.geomspace(0.4, 40, 60)
ROUNDS = 3
SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data"))
SHARED_FILES = ("coco/val.json", "nuclei/val.json", "yolact_published/yolact_resnet50.json")
SHARED_MODELS = ("standin_yolact_interface", "standin_maskrcnn_interface")


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", message="__array__ implementation")
    for name, masks in _sources(arguments):
        sized = [mask.view(np.uint8) for mask in masks if arguments.min_side <= max(mask.shape) <= arguments.max_side]
        if sized:
            _print_table(name, sized[:: max(1, len(sized) // arguments.masks)])


def _sources(arguments: argparse.Namespace) -> Iterator[tuple[str, Iterable[NDArray[Any]]]]:
    files, models, images = arguments.files, arguments.model, arguments.images
    if not files and not models:
        files = [path for name in SHARED_FILES if (path := SHARED / name).exists()]
        models = [next((SHARED / "models" / name).glob("*.xml")) for name in SHARED_MODELS if files]
        images = SHARED / "coco" / "val"
        if not files:
            yield "blobs", _blobs(200)
    for path in files:
        yield f"{path.parent.name}/{path.stem}", masks_of_file(path, crowds=False)
    for path in models:
        yield f"{path.parent.name} on {images.parent.name}/{images.name}", _predicted(path, images)


def _predicted(model_path: Path, images: Path) -> Iterator[NDArray[np.bool_]]:
    model = load_model(model_path)
    for path in sorted(images.iterdir()):
        for instance in model.predict(read_image(path).bgr_u8).select(0.3, clip_to_box=True):
            yield instance.crop_mask


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
        f"ours for all masks at once: {_together(masks):.0f} us a mask; vertices, ours / best tolerance: "
        f"{ours.sum() / best.sum():.2f}; more than the best tolerance on {np.mean(ours > best):.1%}"
    )


def _together(masks: list[Mask]) -> float:
    costs = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        masks_to_polygons(masks, min_iou=MIN_IOU)
        costs.append((time.process_time_ns() - start) / 1e3)
    return min(costs) / len(masks)


def _measured(recipe: Recipe, mask: Mask) -> tuple[float, int, float]:
    costs = []
    for _ in range(1 if recipe is _best_tolerance else ROUNDS):
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
    parser.add_argument("--model", action="append", default=[], type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--masks", type=int, default=300)
    parser.add_argument("--min-side", type=int, default=100)
    parser.add_argument("--max-side", type=int, default=600)
    return parser.parse_args()


if __name__ == "__main__":
    main()
