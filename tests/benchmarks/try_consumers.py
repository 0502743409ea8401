"""Exports with each profile and has the program it is for load the result; prints what arrived there.

    python tests/benchmarks/try_consumers.py [--python mmdetection=ENV/bin/python ...] [--folder DIR]

Two data sets: the samples with their exact ground truth, and a small one of all that is hard (holes, parts, crowds,
run lengths, sparse class ids, sub-folders, an EXIF-rotated photograph, a verified empty image). Without --python a
consumer is looked for in this environment. Masks are compared one by one with the project's, class by class.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.coco.options import PROFILES, profile_named
from maskwright.formats.package import export_package
from maskwright.formats.registry import format_named
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.raster import mask_iou, polygons_to_mask
from maskwright.project import Project
from maskwright.samples.project import GROUND_TRUTH, open_sample_project

Masks = dict[tuple[str, str], list[NDArray[np.bool_]]]
"""By (file name, class)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A consumer, and what is exported for it."""

    consumer: str
    profile: str
    format_name: str
    file_name: str = ""


TRIALS = (
    Trial("pycocotools", "generic", "coco", "annotations.json"),
    Trial("detectron2", "detectron2", "coco", "annotations.json"),
    Trial("mmdetection", "mmdetection", "coco", "annotations.json"),
    Trial("ultralytics", "ultralytics", "yolo"),
    Trial("datumaro", "cvat", "coco", "annotations/instances_default.json"),
    Trial("fiftyone", "fiftyone", "coco", "annotations.json"),
    Trial("datumaro_cvat", "generic", "cvat", "annotations.xml"),
    Trial("datumaro_voc", "generic", "voc"),
    Trial("datumaro_panoptic", "generic", "panoptic"),
    Trial("labelme", "generic", "labelme"),
    Trial("isat", "generic", "isat"),
    Trial("labelstudio", "generic", "labelstudio", "export.json"),
    Trial("supervision", "generic", "coco", "annotations.json"),
    Trial("supervision_yolo", "generic", "yolo"),
    Trial("datasets", "generic", "huggingface"),
)
assert {trial.profile for trial in TRIALS} == {profile.name for profile in PROFILES}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], metavar="CONSUMER=PATH")
    parser.add_argument("--envs", type=Path, help="a folder with an environment of the name of each consumer")
    parser.add_argument("--only", default="", help="consumers with this in their name")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    pythons = dict(entry.split("=", 1) for entry in arguments.python)
    failed = False
    print(
        f"{'consumer':16}{'profile':13}{'data':9}{'written':>8}{'loaded':>8}{'exact':>7}{'mean IoU':>10}{'lowest':>9}"
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        for data, project in (("samples", _samples(Path(name))), ("hard", _hard(Path(name)))):
            with project:
                for trial in (trial for trial in TRIALS if arguments.only in trial.consumer):
                    out = Path(name) / "out" / data / f"{trial.consumer}-{trial.profile}"
                    python = pythons.get(trial.consumer.split("_")[0]) or _in_envs(arguments.envs, trial.consumer)
                    line, is_whole = _tried(trial, project, out, python)
                    failed |= not is_whole
                    print(f"{trial.consumer:16}{trial.profile:13}{data:9}{line}", flush=True)
    return int(failed)


def _in_envs(envs: Path | None, consumer: str) -> str:
    found = envs / consumer.split("_")[0] / "bin" / "python" if envs is not None else Path()
    return str(found) if found.is_file() else sys.executable


def _tried(trial: Trial, project: Project, out: Path, python: str) -> tuple[str, bool]:
    out.mkdir(parents=True)
    options = profile_named(trial.profile).applied(CocoExportOptions())
    expected = _masks_of(project, options)
    (out / trial.file_name).parent.mkdir(exist_ok=True)
    (out / "images").mkdir(exist_ok=True)
    export_package(
        project.source, out / trial.file_name, format_named(trial.format_name), options,
        image_root=project.image_root, placing="upright" if "/" not in trial.file_name else None,
    )  # fmt: skip
    probe = Path(__file__).with_name("consumer_probes.py")
    seen_file = out.with_suffix(".npz")
    command = [python, str(probe), trial.consumer, str(out), str(seen_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return "    not installed", True
    if done.returncode:
        return "    FAILED: " + (done.stderr.strip().splitlines() or ["?"])[-1], False
    line, is_whole = _compared(expected, _read(seen_file))
    return line, is_whole or format_named(trial.format_name).has_one_layer


def _compared(expected: Masks, seen: Masks) -> tuple[str, bool]:
    """A line of figures, and whether everything has arrived."""
    written, loaded = (sum(map(len, masks.values())) for masks in (expected, seen))
    ious: list[float] = []
    for key, masks in expected.items():
        left = list(seen.get(key, ()))
        for mask in masks:
            best = max(range(len(left)), key=lambda i: mask_iou(left[i], mask), default=None)
            ious.append(mask_iou(left.pop(best), mask) if best is not None else 0.0)
    exact = sum(iou == 1 for iou in ious)
    line = f"{written:8}{loaded:8}{exact:7}{np.mean(ious or [1]):10.4f}{min(ious, default=1):9.4f}"
    return line, written == loaded and min(ious, default=1) > 0


def _masks_of(project: Project, options: CocoExportOptions) -> Masks:
    names = {category.id: category.name for category in project.categories.listed()}
    found: Masks = defaultdict(list)
    for image in filter(options.takes_image, project.images.all()):
        size_wh = image.width, image.height
        for each in filter(options.takes_instance, project.instances.of(image.id)):
            mask = polygons_to_mask(clip_to_image(each.polygons, size_wh), size_wh)
            found[Path(image.file_name).name, names[each.category_id]].append(mask)
    return found


def _read(file: Path) -> Masks:
    found: Masks = defaultdict(list)
    with np.load(file) as content:
        for i, (name, label) in enumerate(zip(content["images"], content["classes"], strict=True)):
            found[Path(str(name)).name, str(label)].append(content[f"mask{i}"])
    return found


def _samples(folder: Path) -> Project:
    project = open_sample_project(folder / "samples")
    project.imports.add_coco(folder / "samples" / GROUND_TRUTH)
    return project


def _hard(folder: Path) -> Project:
    root = folder / "hard" / "images"
    for name in ("a.jpg", "sub/b.jpg", "c.jpg", "empty.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, 64, 3), 99, np.uint8)).save(root / name)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn to the right
    Image.fromarray(np.full((48, 64, 3), 99, np.uint8)).save(root / "c.jpg", exif=exif)
    (folder / "hard" / "in.json").write_text(json.dumps(_hard_coco()))
    project = Project.create(folder / "hard" / "p.maskwright", image_root=root)
    project.imports.add_coco(folder / "hard" / "in.json")
    return project


def _hard_coco() -> dict[str, Any]:
    hole = [4, 4, 40, 4, 40, 40, 4, 40, 4, 4, 10, 10, 10, 30, 30, 30, 30, 10, 10, 10]
    parts = [[2, 2, 12, 2, 12, 12, 2, 12], [30.5, 20.25, 44, 20, 44, 33.75, 31, 33]]
    run_lengths = {"size": [48, 64], "counts": [100, 20, 28, 20, 28, 20, 2856]}
    images: list[tuple[str, int, int]] = [
        ("a.jpg", 64, 48),
        ("sub/b.jpg", 64, 48),
        ("c.jpg", 48, 64),
        ("empty.jpg", 64, 48),
    ]
    shapes = [(1, 1, [hole], 0), (1, 18, parts, 0), (2, 90, run_lengths, 0), (2, 1, run_lengths, 1), (3, 18, parts, 0)]
    shapes += [(3, 1, [[1, 50, 20, 50, 20, 63, 1, 63]], 0)]
    return {
        "info": {}, "licenses": [],
        "images": [{"id": i, "file_name": n, "width": w, "height": h} for i, (n, w, h) in enumerate(images, start=1)],
        "annotations": [
            {"id": i, "image_id": image, "category_id": category, "segmentation": shape, "iscrowd": crowd,
             **_measured(shape, images[image - 1][1:]), "attributes": {"list": [1], "text": "x"}}
            for i, (image, category, shape, crowd) in enumerate(shapes, start=7)
        ],
        "categories": [{"id": i, "name": f"class {i}", "supercategory": "none"} for i in (1, 18, 90)],
    }  # fmt: skip


def _measured(shape: Any, size_wh: tuple[int, int]) -> dict[str, Any]:
    rles = coco_mask.frPyObjects(shape, size_wh[1], size_wh[0])
    rle = rles if isinstance(shape, dict) else coco_mask.merge(rles)
    return {"area": float(coco_mask.area(rle)), "bbox": coco_mask.toBbox(rle).tolist()}


if __name__ == "__main__":
    sys.exit(main())
