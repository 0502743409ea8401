"""What one click changes of a proposal's outline: vertices away from it that stay as they were, and how good it gets.

    python tests/benchmarks/bench_far_side.py MODEL [--images 14]

Proposals of a model on coco/val that cover an object by IoU 0.5 to 0.9, each with one click at the deepest point of the
larger error. Away: further from every pixel that changed than --near pixels.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from assist_protocol import Mask, iou, next_click, true_mask
from bench_gestures import SHARED

from maskwright.assist.loading import load_assistant
from maskwright.evaluation.truth import category_map, read_truth
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_mask
from maskwright.images import read_image
from maskwright.inference.model import load_model

LEAST, MOST = 0.5, 0.9


def main() -> None:
    arguments = _arguments()
    cv2.setNumThreads(1)
    dataset, folder = read_truth(arguments.shared / "coco/val.json"), arguments.shared / "coco/val"
    model = load_model(arguments.model, precision="f32")
    assistant = load_assistant("bundled", precision="f32", num_threads=1)
    ids, _ = category_map(((label.id, label.name) for label in model.labels), dataset["categories"])
    kept, away, vertices = 0, 0, 0
    better, changed = [], []
    for number in np.random.default_rng(0).permutation(len(dataset["images"]))[: arguments.images]:
        entry = dataset["images"][number]
        image = read_image(folder / entry["file_name"]).bgr_u8
        view = assistant.open(image)
        truths = [
            (one["category_id"], true_mask(one, entry))
            for one in dataset["annotations"]
            if one["image_id"] == entry["id"] and not one.get("iscrowd")
        ]
        for one in model.predict(image).select(None, clip_to_box=True):
            found = [mask for category, mask in truths if ids.get(one.category_id) == category]
            truth = max(found, key=lambda mask: iou(one.mask, mask), default=None)
            if truth is None or not LEAST <= iou(one.mask, truth) < MOST:
                continue
            x, y, is_inside = next_click(one.mask, truth)
            answer = view.outline([(x, y)], [int(is_inside)], mask=one.polygons)
            difference = polygons_to_mask(one.polygons, view.size_wh) ^ answer.mask
            same, count = _kept(one.polygons, answer.polygons, difference, arguments.near)
            kept, away = kept + same, away + count
            vertices += sum(polygon.vertex_count for polygon in one.polygons)
            better.append(iou(answer.mask, truth) - iou(one.mask, truth))
            changed.append(np.count_nonzero(difference) / np.count_nonzero(one.mask))
    print(f"{len(better)} proposals with a click each, {vertices} vertices")
    print(f"  {kept} of the {away} vertices away from what changed stay as they were")
    print(f"  pixels changed {np.mean(changed):.1%} of the object's, IoU {np.mean(better):+.3f}")


def _kept(before: tuple[Polygon, ...], after: tuple[Polygon, ...], changed: Mask, near: float) -> tuple[int, int]:
    """Of the old vertices away from all that changed: how many are there still, to the last digit, and all."""
    distance = cv2.distanceTransform((~changed).view(np.uint8), cv2.DIST_L2, 5)
    now = {tuple(vertex) for polygon in after for ring in polygon.rings for vertex in ring.tolist()}
    same = count = 0
    for x, y in (vertex for polygon in before for ring in polygon.rings for vertex in ring.tolist()):
        row, column = min(int(y), distance.shape[0] - 1), min(int(x), distance.shape[1] - 1)
        if distance[row, column] > near:
            count += 1
            same += (x, y) in now
    return same, count


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a file or name that `load_model` takes")
    parser.add_argument("--images", type=int, default=14)
    parser.add_argument("--near", type=float, default=6.0, help="pixels")
    parser.add_argument("--shared", type=Path, default=SHARED)
    return parser.parse_args()


if __name__ == "__main__":
    main()
