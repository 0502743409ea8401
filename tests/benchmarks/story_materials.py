"""What the stories are told on: images, what is on them, a model, and a file of annotations that is partly wrong."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from assist_protocol import Mask, true_mask
from story_user import Thing

from maskwright.geometry.convert import mask_to_polygons
from maskwright.samples.scenes import GROUND_TRUTH, write_samples

LEAST_SIDE_PX = 20
MOST_OBJECTS = 14
MODEL = "models/standin_maskrcnn_interface/standin-maskrcnn-nchw.xml"


@dataclass(frozen=True, slots=True)
class Material:
    folder: Path
    truth: Mapping[str, Sequence[Thing]]
    model: str
    source: str

    @property
    def class_names(self) -> list[str]:
        """Those that occur, the commonest first."""
        names = [thing.name for things in self.truth.values() for thing in things]
        return sorted(set(names), key=lambda name: (-names.count(name), name))

    @property
    def object_count(self) -> int:
        return sum(map(len, self.truth.values()))

    def copied(self, folder: Path) -> "Material":
        """On images of its own, so that no story finds the project of another."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)


def materials(shared: Path, folder: Path, count: int) -> Material:
    """`count` images in `folder`: photographs of `shared` where it has them, else samples."""
    folder.mkdir(parents=True)
    file = shared / "coco" / "val.json"
    if not file.is_file():
        write_samples(folder)
        truth = _truth(json.loads((folder / GROUND_TRUTH).read_text()))
        (folder / GROUND_TRUTH).unlink()
        chosen = dict(list(truth.items())[:count])
        for name in truth.keys() - chosen.keys():
            (folder / name).unlink()
        return Material(folder, chosen, "nuclei", "the samples, with the bundled model")
    truth = _truth(json.loads(file.read_text()))
    fitting = [name for name, things in truth.items() if 3 <= len(things) <= MOST_OBJECTS]
    names = sorted(np.random.default_rng(0).permutation(fitting)[:count].tolist())
    for name in names:
        shutil.copyfile(file.parent / "val" / name, folder / name)
    return Material(folder, {name: truth[name] for name in names}, str(shared / MODEL), "photographs of coco/val")


def spoilt_file(material: Material, path: Path) -> Path:
    """COCO: of ten objects one has another class, two are shifted and swollen, one is missing, one is there twice."""
    random = np.random.default_rng(1)
    names = material.class_names
    content: dict[str, Any] = {
        "categories": [{"id": at, "name": name} for at, name in enumerate(names, 1)],
        "images": [],
        "annotations": [],
    }
    for image_id, (file_name, things) in enumerate(sorted(material.truth.items()), 1):
        height, width = cv2.imread(str(material.folder / file_name)).shape[:2]
        content["images"].append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        for thing in things:
            for name, mask in _spoilt(thing, names, random):
                rings = [p.exterior.ravel().tolist() for p in mask_to_polygons(mask, min_iou=0.95)]
                if rings:
                    id_ = len(content["annotations"]) + 1
                    entry = {"id": id_, "image_id": image_id, "category_id": names.index(name) + 1, "iscrowd": 0}
                    content["annotations"].append(entry | {"segmentation": rings, "area": float(mask.sum())})
    path.write_text(json.dumps(content))
    return path


def _spoilt(thing: Thing, names: Sequence[str], random: np.random.Generator) -> list[tuple[str, Mask]]:
    match int(random.integers(10)):
        case 0:
            others = [name for name in names if name != thing.name] or [thing.name]
            return [(str(random.choice(others)), thing.mask)]
        case 1 | 2:
            size = max(int(np.sqrt(thing.mask.sum()) / 5), 2)
            swollen = cv2.dilate(thing.mask.view(np.uint8), np.ones((size, size), np.uint8)) > 0
            return [(thing.name, np.roll(swollen, size, axis=1))]
        case 3:
            return []
        case 4:
            surplus = np.roll(thing.mask, thing.mask.shape[1] // 2, axis=1)
            return [(thing.name, thing.mask), (thing.name, surplus)]
        case _:
            return [(thing.name, thing.mask)]


def _truth(dataset: Mapping[str, Any]) -> dict[str, list[Thing]]:
    """{file name: its objects}."""
    images = {image["id"]: image for image in dataset["images"]}
    named = {category["id"]: category["name"] for category in dataset["categories"]}
    found: dict[str, list[Thing]] = {image["file_name"]: [] for image in dataset["images"]}
    for one in dataset["annotations"]:
        if one.get("iscrowd") or one["area"] < LEAST_SIDE_PX**2:
            continue
        image = images[one["image_id"]]
        mask = true_mask(one, image)
        if mask.any():
            found[image["file_name"]].append(Thing(named[one["category_id"]], mask))
    return found
