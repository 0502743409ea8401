"""Every mask of COCO files, traced and simplified: is each exact, each promise kept? Exits with 1 for a no.

    python tests/benchmarks/check_masks.py [FILE ...] [--every 1]

Of each mask: pycocotools' raster of the exact outline is the mask, as RLE with holes and as keyhole rings; opening the
keyholes gives the same raster again; the simplified polygons keep IoU >= 0.98, their keyhole rings have the same
raster; both are valid. Prints counts of all this. Without files: all of the shared data.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from geometry_masks import masks_to_polygons
from mask_files import masks_of_file
from maskwright.geometry.keyhole import cut_keyholes, join_keyholes
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import mask_iou, polygons_to_mask

MIN_IOU = 0.98
SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILES = (
    "coco/val.json",
    "coco/train.json",
    "nuclei/val.json",
    "nuclei/train.json",
    "yolact_published/yolact_resnet50.json",
    "yolact_published/yolact_base.json",
)
_TOGETHER = 64

Polygons = tuple[Polygon, ...]
Mask = NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every n-th mask")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    total: Counter[str] = Counter()
    for path in arguments.files or [SHARED / name for name in FILES]:
        counts = sum((checked(masks) for masks in _batches(path, arguments.every)), Counter())
        print(f"{path.parent.name}/{path.name}: {_told(counts)}", flush=True)
        total += counts
    print(f"together: {_told(total)}")
    sys.exit(1 if any(count for name, count in total.items() if name.startswith("NOT")) else 0)


def checked(masks: list[Mask]) -> Counter[str]:
    """How many masks, parts, holes and vertices, and how many masks fail each question (names with NOT)."""
    counts = Counter({"masks": len(masks)})
    exact, simplified = masks_to_polygons(masks, min_iou=None), masks_to_polygons(masks, min_iou=MIN_IOU)
    for mask, outline, polygons in zip(masks, exact, simplified, strict=True):
        counts["parts"] += len(outline)
        counts["holes"] += sum(len(polygon.holes) for polygon in outline)
        counts["vertices"] += sum(polygon.vertex_count for polygon in outline)
        counts["vertices simplified"] += sum(polygon.vertex_count for polygon in polygons)
        for failure in _failures(mask, outline, polygons):
            counts[failure] += 1
    return counts


def _failures(mask: Mask, exact: Polygons, simplified: Polygons) -> Iterator[str]:
    size_wh = (mask.shape[1], mask.shape[0])
    rings = [Polygon(cut_keyholes(polygon)) for polygon in exact]
    simplified_rings = [Polygon(cut_keyholes(polygon)) for polygon in simplified]
    raster = polygons_to_mask(simplified, size_wh)
    answers = {
        "exact as RLE": np.array_equal(polygons_to_mask(exact, size_wh), mask),
        "exact as keyholes": np.array_equal(polygons_to_mask(rings, size_wh), mask),
        "exact after opening": np.array_equal(polygons_to_mask(_opened(rings), size_wh), mask),
        "valid when exact": _is_valid(exact),
        "true to IoU 0.98": mask_iou(raster, mask) >= MIN_IOU,
        "the same simplified as keyholes": np.array_equal(polygons_to_mask(simplified_rings, size_wh), raster),
        "the same simplified after opening": np.array_equal(
            polygons_to_mask(_opened(simplified_rings), size_wh), raster
        ),
        "valid when simplified": _is_valid(simplified),
    }
    return (f"NOT {question}" for question, is_so in answers.items() if not is_so)


def _opened(rings: list[Polygon]) -> list[Polygon]:
    return [join_keyholes(ring.exterior) for ring in rings]


def _is_valid(polygons: Polygons) -> bool:
    return bool(shapely.MultiPolygon([(polygon.exterior, polygon.holes) for polygon in polygons]).is_valid)


def _batches(path: Path, every: int) -> Iterator[list[Mask]]:
    masks = masks_of_file(path, every=every)
    while batch := list(islice(masks, _TOGETHER)):
        yield batch


def _told(counts: Counter[str]) -> str:
    failures = [f"{count} {name}" for name, count in counts.items() if name.startswith("NOT")]
    facts = ", ".join(f"{counts[name]} {name}" for name in ("masks", "parts", "holes", "vertices"))
    return f"{facts} ({counts['vertices simplified']} simplified); {', '.join(failures) or 'all exact, true and valid'}"


if __name__ == "__main__":
    main()
