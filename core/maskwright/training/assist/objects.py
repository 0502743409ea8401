"""Annotated objects held in memory to be cropped: pictures at three sizes, each mask cut to its box."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.samples.scenes import SCENES, Scene, make_scene
from maskwright.training.dataset import decode_mask, read_rgb

SMALLEST_AREA_PX = 40
SMALLEST_PART_PX = 100
FULL_WEIGHT_AREA_PX = 40**2
Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Object:
    """One object of a picture: `mask` (h, w) uint8 0/1 lies with its upper left pixel at `corner_xy`."""

    mask: Mask
    corner_xy: tuple[int, int]
    area: int

    @property
    def box_xyxy(self) -> tuple[float, float, float, float]:
        (x, y), (height, width) = self.corner_xy, self.mask.shape
        return x, y, x + width, y + height


@dataclass(frozen=True, slots=True)
class Picture:
    """`levels[i]` is the picture (H / 2^i, W / 2^i, 3) RGB uint8."""

    levels: tuple[NDArray[np.uint8], ...]
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class ObjectSet:
    """Pictures of one origin. `share` says how often it is drawn, `turns` whether up and down mean nothing in it,
    `parts` whether its objects are parts of others, which a click alone can hardly mean.
    """

    name: str
    pictures: tuple[Picture, ...]
    share: float
    turns: bool = False
    parts: bool = False

    def chances(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(N, 2) int64 picture and object numbers and their chances (N,); small objects are drawn less often."""
        pairs = [(i, j) for i, picture in enumerate(self.pictures) for j in range(len(picture.objects))]
        areas = [self.pictures[i].objects[j].area for i, j in pairs]
        weights = np.clip(np.array(areas) / FULL_WEIGHT_AREA_PX, 0.2, 1) if not self.turns else np.ones(len(pairs))
        return np.array(pairs, np.int64), weights / weights.sum()


def read_objects(
    name: str, coco_file: Path, image_folder: Path, *, share: float, turns: bool = False, parts: bool = False
) -> ObjectSet:
    """Read a COCO file with polygons or RLE; crowds and specks are left out, with `parts` each piece is an object.

    Raises ImageError where a picture cannot be read, KeyError or ValueError where the file is not COCO.
    """
    content: dict[str, Any] = json.loads(coco_file.read_text(encoding="utf-8"))
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd", 0):
            annotations[annotation["image_id"]].append(annotation)
    pictures: list[Picture] = []
    for image in content["images"]:
        size_hw = (int(image["height"]), int(image["width"]))
        masks = [decode_mask(one["segmentation"], size_hw).astype(np.uint8) for one in annotations[image["id"]]]
        whole = [cut for mask in masks if (cut := cut_object(mask)) is not None]
        objects = tuple(piece for one in whole for piece in pieces(one)) if parts else tuple(whole)
        if objects:
            pictures.append(Picture(levels_of(read_rgb(image_folder / image["file_name"])), objects))
    return ObjectSet(name, tuple(pictures), share, turns, parts)


def generated_objects(*, variants: int, share: float) -> ObjectSet:
    """The sample project's scenes with other seeds: `variants` pictures of each."""
    pictures: list[Picture] = []
    for scene in SCENES:
        for variant in range(variants):
            other = Scene(scene.name, scene.size_wh, 1000 * (variant + 1) + scene.seed, scene.shapes, scene.render)
            picture, labels = make_scene(other)
            numbers = range(1, int(labels.max()) + 1)
            cuts = (cut_object((labels == number).astype(np.uint8)) for number in numbers)
            rgb = np.ascontiguousarray(picture[..., ::-1])
            pictures.append(Picture(levels_of(rgb), tuple(cut for cut in cuts if cut is not None)))
    return ObjectSet("generated", tuple(pictures), share, turns=True)


def cut_object(mask: Mask) -> Object | None:
    """`mask` (H, W) 0/1 cut to its box; None for a speck."""
    x, y, width, height = cv2.boundingRect(mask)
    cut = mask[y : y + height, x : x + width].copy()
    area = int(np.count_nonzero(cut))
    return Object(cut, (x, y), area) if area >= SMALLEST_AREA_PX else None


def pieces(whole: Object) -> Iterator[Object]:
    """The connected pieces of an object that are large enough to be pointed at."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(whole.mask, connectivity=8)
    for number in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[number])
        if area >= SMALLEST_PART_PX:
            cut = (numbers[y : y + height, x : x + width] == number).astype(np.uint8)
            yield Object(cut, (whole.corner_xy[0] + x, whole.corner_xy[1] + y), area)


def levels_of(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """`rgb` (H, W, 3), half of it and a quarter of it."""
    levels = [rgb]
    for _ in range(2):
        height, width = levels[-1].shape[:2]
        half = (max(1, width // 2), max(1, height // 2))
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(levels)
