"""What other tools write and Maskwright reads, by the tools' own code.

    python tests/benchmarks/bench_tools.py ENVS [SOURCE IMAGES] [--images 30] [--keep FOLDER]

ENVS holds an environment per tool (labelme, xanylabeling, isat, labelstudio, datumaro, supervision, ultralytics);
what is not installed is said. SOURCE: annotations of any known format and the folder of their images; by default the
samples. Objects without holes are handed to the tool, every seventh as a box, classes under names that are hard to
spell; what it writes is recognised, read and compared mask by mask. The other way, tools that read what Maskwright
writes, is `try_consumers.py`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import MaskwrightError
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import format_of
from maskwright.geometry.polygon import polygons_bounds_xyxy
from maskwright.geometry.raster import Rle, polygons_to_rle, rle_iou
from maskwright.samples.project import GROUND_TRUTH, open_sample_project

ODD_NAMES = ("Müll & „Rest“", "猫", "o'clock", "a, b", "yes", "0: x", "# hash", "- dash", "{brace}", "null")
BOX_EVERY = 7


@dataclass(frozen=True, slots=True)
class Trial:
    """`env`: the folder of the environment. `format_name`: as what Maskwright must recognise it."""

    producer: str
    env: str
    format_name: str
    place: str = ""
    """Below what was written; empty: the folder itself."""
    has_boxes_only: bool = False
    """Whether the tool writes nothing else in this format."""


TRIALS = (
    Trial("labelme", "labelme", "labelme"),
    Trial("supervision_labelme", "supervision", "labelme"),
    Trial("xanylabeling", "xanylabeling", "xanylabeling"),
    Trial("isat", "isat", "isat"),
    Trial("labelstudio", "labelstudio", "labelstudio", "export.json"),
    Trial("datumaro_cvat", "datumaro", "cvat"),
    Trial("datumaro_coco", "datumaro", "coco-folder"),
    Trial("supervision_coco", "supervision", "coco", "annotations.json"),
    Trial("datumaro_panoptic", "datumaro", "panoptic"),
    Trial("datumaro_voc", "datumaro", "voc"),
    Trial("supervision_voc", "supervision", "voc"),
    Trial("datumaro_yolo", "datumaro", "yolo", has_boxes_only=True),
    Trial("supervision_yolo", "supervision", "yolo"),
    Trial("ultralytics", "ultralytics", "yolo"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("envs", type=Path)
    parser.add_argument("source", type=Path, nargs="*")
    parser.add_argument("--images", type=int, default=30)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path, help="folder for what the tools write, which stays there")
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as name:
        scratch = given.keep or Path(name)
        data, images = _source(given.source, scratch)
        neutral, boxes = (_neutral(data, given.images, every) for every in (BOX_EVERY, 1))
        count = sum(len(image["objects"]) for image in neutral["images"])
        print(f"{count} objects on {len(neutral['images'])} images, {len(neutral['classes'])} classes\n")
        print("| written by | read as | objects | read | identical | mean IoU | lowest | said |\n" + "|---" * 8 + "|")
        for trial in TRIALS:
            if given.only in trial.producer:
                handed = boxes if trial.has_boxes_only else neutral
                line, is_whole = _tried(trial, handed, images, scratch / trial.producer, given.envs)
                failed |= not is_whole
                print(f"| {trial.producer} | {line} |", flush=True)
    return int(failed)


def _source(given: list[Path], scratch: Path) -> tuple[DataSet, Path]:
    if given:
        return format_of(given[0]).read(given[0]), given[1]
    with open_sample_project(scratch / "samples") as project:
        file = project.image_root / GROUND_TRUTH
        return format_of(file).read(file), project.image_root


def _neutral(data: DataSet, most: int, box_every: int) -> dict[str, Any]:
    """What every tool can be handed: no holes, no crowds."""
    names = {c.id: ODD_NAMES[i] if i < len(ODD_NAMES) else c.name for i, c in enumerate(data.categories())}
    images = []
    for number, image in enumerate(data.image_list[:most]):
        taken = [each for each in data.instances(image.id) if _is_plain(each, image)]
        size_hw = image.height, image.width
        objects = [
            _object(each, names[each.category_id], size_hw, is_box=(i + 1) % box_every == 0)
            for i, each in enumerate(taken)
        ]
        folder = ("Straße/ü", "日本", "")[number % 3]
        name = f"{folder}/{Path(image.file_name).name}".lstrip("/")
        images.append({
            "name": name, "file": image.file_name, "width": image.width, "height": image.height, "objects": objects,
        })  # fmt: skip
    return {"images": images, "classes": list(names.values())}


def _is_plain(instance: Instance, image: ImageRecord) -> bool:
    has_holes = any(polygon.holes for polygon in instance.polygons)
    x1, y1, x2, y2 = instance.bounds_xyxy
    is_inside = x1 >= 0 and y1 >= 0 and x2 <= image.width and y2 <= image.height
    return not has_holes and not instance.is_crowd and is_inside


def _object(instance: Instance, label: str, size_hw: tuple[int, int], *, is_box: bool) -> dict[str, Any]:
    rings = [polygon.exterior.round(2).ravel().tolist() for polygon in instance.polygons]
    if is_box:
        x1, y1, x2, y2 = polygons_bounds_xyxy(instance.polygons)
        rings = [[x1, y1, x2, y1, x2, y2, x1, y2]]
    mask = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(rings, *size_hw)))
    flat = mask.ravel(order="F")
    runs = np.diff([0, *(np.flatnonzero(np.diff(flat, prepend=0))), flat.size])
    return {"label": label, "rings": rings, "box": is_box, "runs": runs.tolist()}


def _tried(trial: Trial, neutral: Any, images: Path, folder: Path, envs: Path) -> tuple[str, bool]:
    shutil.rmtree(folder, ignore_errors=True)
    for image in neutral["images"]:
        place = folder / "images" / image["name"]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(images / image["file"], place)
    (folder / "neutral.json").write_text(json.dumps(neutral))
    python = envs / trial.env / "bin" / "python"
    if not python.exists():
        return "not installed here" + " | " * 6, True
    probe = Path(__file__).with_name("producer_probes.py")
    done = subprocess.run([python, probe, trial.producer, folder], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return "not installed here" + " | " * 6, True
    if done.returncode:
        return "the tool failed: " + (done.stderr.strip().splitlines() or ["?"])[-1][:200] + " | " * 6, False
    try:
        kind = format_of(folder / "out" / trial.place)
        sizes = {image["name"]: (image["width"], image["height"]) for image in neutral["images"]}
        path = folder / "out" / trial.place
        data = kind.read_sized(path, sizes) if kind.read_sized is not None else kind.read(path)
    except MaskwrightError as error:
        return f"refused: {error.message}" + " | " * 6, False
    line, is_whole = _compared(neutral, data)
    return f"{kind.name} | {line}", is_whole and kind.name == trial.format_name


def _compared(neutral: Any, data: DataSet) -> tuple[str, bool]:
    names = {category.id: category.name for category in data.categories()}
    there: dict[str, list[tuple[str, Rle]]] = defaultdict(list)
    for image in data.images():
        size_wh = image.width, image.height
        key = Path(image.file_name).stem
        there[key] += [(names[each.category_id], polygons_to_rle(each.polygons, size_wh))
                       for each in data.instances(image.id)]  # fmt: skip
    ious = []
    for image in neutral["images"]:
        left = there[Path(image["name"]).stem]
        for each in image["objects"]:
            rles = coco_mask.frPyObjects(each["rings"], image["height"], image["width"])
            meant = coco_mask.merge(rles)
            fits = [(rle_iou(rle, meant), i) for i, (label, rle) in enumerate(left) if label == each["label"]]
            best = max(fits, default=(0.0, -1))
            ious.append(best[0])
            if fits:
                left.pop(best[1])
    count = sum(len(data.instances(image.id)) for image in data.images())
    said = Counter(problem.effect for problem in data.problems)
    told = ", ".join(f"{number} {effect}" for effect, number in said.items()) or "nothing"
    told += f": {data.problems[0]}"[:120] if data.problems else ""
    exact = sum(iou == 1 for iou in ious)
    line = f"{len(ious)} | {count} | {exact} | {np.mean(ious):.4f} | {min(ious):.4f} | {told}"
    return line, count == len(ious)


if __name__ == "__main__":
    sys.exit(main())
