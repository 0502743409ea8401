"""Annotated images held in memory, read from a COCO file with polygons or RLE."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from maskwright.errors import MaskwrightError
from maskwright.images.decode import read_image


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """One image with its instances as a label map, which is small and warps in one call.

    Where instances overlap, the smaller one is kept whole, so that nothing inside a larger one disappears.
    """

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    labels: NDArray[np.int16]  # (H, W), 0 background, i + 1 the i-th instance
    categories: NDArray[np.int64]  # (N,), 0-based position in `Dataset.category_names`


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples, and the categories that their numbers refer to."""

    samples: list[TrainingSample]
    category_names: list[str]
    category_ids: list[int]


def read_dataset(coco_file: Path, image_folder: Path) -> Dataset:
    """Read every image of `coco_file` with at least one instance that is not a crowd.

    Raises MaskwrightError if an image cannot be read or its size differs from the file's.
    """
    content: dict[str, Any] = json.loads(coco_file.read_text(encoding="utf-8"))
    categories = sorted(content["categories"], key=lambda category: category["id"])
    position = {category["id"]: index for index, category in enumerate(categories)}
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd", 0):
            annotations[annotation["image_id"]].append(annotation)
    samples = [
        _sample(image_folder / image["file_name"], image, annotations[image["id"]], position=position)
        for image in content["images"]
        if annotations[image["id"]]
    ]
    if not samples:
        raise MaskwrightError(f"{coco_file} holds no annotated image")
    return Dataset(
        samples=samples,
        category_names=[category["name"] for category in categories],
        category_ids=[category["id"] for category in categories],
    )


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, upright; raises ImageError as `read_image` does."""
    return np.ascontiguousarray(read_image(path).bgr_u8[..., ::-1])


def _sample(
    path: Path, image: dict[str, Any], annotations: list[dict[str, Any]], *, position: dict[int, int]
) -> TrainingSample:
    pixels = read_rgb(path)
    size_hw = (image["height"], image["width"])
    if pixels.shape[:2] != size_hw:
        raise MaskwrightError(f"{path} is {pixels.shape[:2]} (h, w), its COCO file says {size_hw}")
    masks = [decode_mask(annotation["segmentation"], size_hw) for annotation in annotations]
    labels = np.zeros(size_hw, np.int16)
    for index in sorted(range(len(masks)), key=lambda index: -int(masks[index].sum())):
        labels[masks[index]] = index + 1
    categories = np.array([position[annotation["category_id"]] for annotation in annotations], np.int64)
    return TrainingSample(pixels, labels, categories)


def decode_mask(segmentation: Any, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """COCO polygons, uncompressed or compressed RLE to (H, W) bool."""
    if isinstance(segmentation, list):
        encoded = rle.merge(rle.frPyObjects(segmentation, *size_hw))
    elif isinstance(segmentation["counts"], list):
        encoded = rle.frPyObjects(segmentation, *size_hw)
    else:
        encoded = segmentation
    return np.asarray(rle.decode(encoded), dtype=bool)
