"""Annotated objects in memory, ready for cropping: images at three sizes, each mask cut to its box.

Besides photographs there are generated grounds with pits and domes: objects that differ from their surroundings only by
shading."""

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

from maskwright.samples.scenes import SCENES, SampleScene, make_scene
from maskwright.training.dataset import decode_mask, read_rgb

SMALLEST_AREA_PX = 40
SMALLEST_PART_PX = 100
FULL_WEIGHT_AREA_PX = 40**2
CoverMask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Object:
    """One object of an image: `mask` (h, w) uint8 0/1 with its upper left pixel at `corner_xy`."""

    mask: CoverMask
    corner_xy: tuple[int, int]
    area: int

    @property
    def box_xyxy(self) -> tuple[float, float, float, float]:
        (x, y), (height, width) = self.corner_xy, self.mask.shape
        return x, y, x + width, y + height


@dataclass(frozen=True, slots=True)
class PicturePyramid:
    """`levels[i]` is the image (H / 2^i, W / 2^i, 3) RGB uint8."""

    levels: tuple[NDArray[np.uint8], ...]
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class ObjectSet:
    """Images of one origin. `share`: how often it is sampled; `turns`: whether orientation has no meaning in it;
    `parts`: whether its objects are parts of others, which a single click can hardly mean.
    """

    name: str
    pictures: tuple[PicturePyramid, ...]
    share: float
    turns: bool = False
    parts: bool = False

    def chances(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(N, 2) int64 image and object indices, and their probabilities (N,); small objects are sampled less often."""
        pairs = [(i, j) for i, picture in enumerate(self.pictures) for j in range(len(picture.objects))]
        areas = [self.pictures[i].objects[j].area for i, j in pairs]
        weights = np.clip(np.array(areas) / FULL_WEIGHT_AREA_PX, 0.2, 1) if not self.turns else np.ones(len(pairs))
        return np.array(pairs, np.int64), weights / weights.sum()


def read_objects(
    name: str, coco_file: Path, image_folder: Path, *, share: float, turns: bool = False, parts: bool = False
) -> ObjectSet:
    """Read a COCO file with polygons or RLE, without crowds and specks; with `parts` each piece is an object.

    Raises ImageError if an image cannot be read, KeyError or ValueError if the file is not COCO.
    """
    content: dict[str, Any] = json.loads(coco_file.read_text(encoding="utf-8"))
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd", 0):
            annotations[annotation["image_id"]].append(annotation)
    pictures: list[PicturePyramid] = []
    for image in content["images"]:
        size_hw = (int(image["height"]), int(image["width"]))
        masks = [decode_mask(one["segmentation"], size_hw).astype(np.uint8) for one in annotations[image["id"]]]
        whole = [cut for mask in masks if (cut := cut_object(mask)) is not None]
        objects = tuple(piece for one in whole for piece in pieces(one)) if parts else tuple(whole)
        if objects:
            pictures.append(PicturePyramid(levels_of(read_rgb(image_folder / image["file_name"])), objects))
    return ObjectSet(name, tuple(pictures), share, turns, parts)


def generated_objects(*, variants: int, share: float) -> ObjectSet:
    """The sample project's scenes with other seeds: `variants` images of each."""
    pictures: list[PicturePyramid] = []
    for scene in SCENES:
        for variant in range(variants):
            other = SampleScene(
                scene.name, scene.size_wh, 1000 * (variant + 1) + scene.seed, scene.shapes, scene.render
            )
            picture, labels = make_scene(other)
            numbers = range(1, int(labels.max()) + 1)
            cuts = (cut_object((labels == number).astype(np.uint8)) for number in numbers)
            rgb = np.ascontiguousarray(picture[..., ::-1])
            pictures.append(PicturePyramid(levels_of(rgb), tuple(cut for cut in cuts if cut is not None)))
    return ObjectSet("generated", tuple(pictures), share, turns=True)


def cut_object(mask: CoverMask) -> Object | None:
    """`mask` (H, W) 0/1 cut to its box; None for a speck."""
    x, y, width, height = cv2.boundingRect(mask)
    cut = mask[y : y + height, x : x + width].copy()
    area = int(np.count_nonzero(cut))
    return Object(cut, (x, y), area) if area >= SMALLEST_AREA_PX else None


def pieces(whole: Object) -> Iterator[Object]:
    """The connected pieces of an object that are large enough to click."""
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


SIDE_PX = 384
RADII_PX = (6.0, 100.0)
MOST_FORMS = 14
Field = NDArray[np.float32]


def relief_objects(*, pictures: int, share: float, seed: int = 0) -> ObjectSet:
    """`pictures` generated grounds, in which orientation has no meaning."""
    made = [_picture(np.random.default_rng((seed, number))) for number in range(pictures)]
    return ObjectSet("relief", tuple(made), share, turns=True)


def _picture(random: np.random.Generator) -> PicturePyramid:
    height = ground(random, SIDE_PX) * np.float32(random.uniform(0.2, 3.0))
    tone = 1 + np.float32(random.uniform(0, 0.25)) * ground(random, SIDE_PX)
    found: list[Object] = []
    for _ in range(int(random.integers(2, MOST_FORMS))):
        inside = _add_form(height, tone, random)
        cut = cut_object(inside)
        if cut is not None:
            found.append(cut)
    if not found:
        return _picture(random)
    return PicturePyramid(levels_of(_lit(height, tone, random)), tuple(found))


def ground(random: np.random.Generator, side: int) -> Field:
    """(side, side) float32 with about unit deviation: noise at several scales, stronger at coarse ones."""
    total = np.zeros((side, side), np.float32)
    fall = random.uniform(0.5, 0.9)
    for octave in range(1, 7):
        cells = random.standard_normal((2**octave + 2, 2**octave + 2), dtype=np.float32)
        total += np.float32(fall**octave) * np.asarray(cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC))
    return np.asarray(total / (total.std() + 1e-6), np.float32)


def _add_form(height: Field, tone: Field, random: np.random.Generator) -> NDArray[np.uint8]:
    """Press a pit or dome into the ground, in place; returns its area, including the rim, as 0/1."""
    radius = float(np.exp(random.uniform(*np.log(RADII_PX))))
    away = _distance(height.shape[0], radius, random)
    crest, floor = random.uniform(0.6, 0.92), random.uniform(0.1, 0.55)
    depth = radius * random.uniform(0.12, 0.5)
    wall = np.clip((away - floor) / (crest - floor), 0, 1) ** random.uniform(1, 2)
    slope = np.clip((1.02 - away) / (1.02 - crest), 0, 1) ** 2
    rim = random.uniform(0.1, 0.5) * np.where(away < crest, wall, slope)
    form = depth * (np.where(away < crest, wall - 1, 0) + rim)
    if random.random() < 0.2:
        form = -form
    old = np.clip((away - 0.5) / 0.5, random.uniform(0.2, 0.9), 1)
    height[:] = height * old + form
    if random.random() < 0.35:
        tone[away < crest] *= np.float32(random.uniform(0.7, 1.25))
    return (away < 1).astype(np.uint8)


def _distance(side: int, radius: float, random: np.random.Generator) -> Field:
    """(side, side): distance from the centre of a form, 1 on its nearly circular outline."""
    x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) + 0.5 - random.uniform(0, side) for _ in "xy"))
    turn, stretch = random.uniform(0, np.pi), random.uniform(1, 1.2)
    across, along = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    angle = np.arctan2(along, across)
    edge, rough = np.ones_like(angle), random.uniform(0, 0.03)
    for order in (2, 3, 4, 5, 7):
        edge += np.float32(random.normal(0, rough)) * np.cos(order * angle + random.uniform(0, 2 * np.pi))
    return np.asarray(np.hypot(across / stretch, along * stretch) / (radius * edge), np.float32)


def _lit(height: Field, tone: Field, random: np.random.Generator) -> NDArray[np.uint8]:
    """(side, side, 3) RGB uint8: the ground in slanting light."""
    down, right = np.gradient(height)
    steep = random.uniform(0.5, 1.5)
    towards, up = random.uniform(0, 2 * np.pi), np.deg2rad(random.uniform(15, 65))
    light = np.cos(up) * np.cos(towards), np.cos(up) * np.sin(towards), np.sin(up)
    facing = (light[2] - steep * (right * light[0] + down * light[1])) / np.sqrt(1 + steep**2 * (right**2 + down**2))
    shade = tone * (random.uniform(0.1, 0.5) + np.clip(facing, 0, None))
    shade = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), random.uniform(0.3, 1.2))
    shade = shade / shade.mean() * random.uniform(70, 170)
    shade += random.normal(0, random.uniform(0.5, 7), shade.shape)
    tint = 1 + random.normal(0, random.choice([0.0, 0.12]), 3)
    return np.asarray(np.clip(shade[..., None] * tint, 0, 255), np.uint8)
