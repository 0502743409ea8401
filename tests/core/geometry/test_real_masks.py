"""Published masks trace exactly and keep the promised IoU. All of them did; a sample is tried at every run."""

import json
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from pycocotools import mask as coco_mask

from geometry_masks import Mask
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.raster import mask_iou, polygons_to_mask
from shared_data import shared_path

SOURCES = {
    "coco val": ("coco/val.json", 4),
    "coco train": ("coco/train.json", 8),
    "nuclei val": ("nuclei/val.json", 12),
    "nuclei train": ("nuclei/train.json", 60),
    "yolact resnet50": ("yolact_published/yolact_resnet50.json", 6),
    "yolact base": ("yolact_published/yolact_base.json", 12),
}


def masks_of(name: str) -> Iterator[Mask]:
    """Crops of every n-th mask of a file, n as in SOURCES."""
    path, step = SOURCES[name]
    content = json.loads(shared_path(path).read_text())
    for rle in list(_run_lengths(content))[::step]:
        mask = coco_mask.decode(rle)
        x, y, w, h = cv2.boundingRect(mask)
        if w:
            yield np.ascontiguousarray(mask[y : y + h, x : x + w]) != 0


def _run_lengths(content: Any) -> Iterator[Any]:
    if "annotations" not in content:
        yield from (found["mask"] for image in content["images"] for found in image["dets"])
        return
    sizes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
    for annotation in content["annotations"]:
        segmentation = annotation["segmentation"]
        if isinstance(segmentation, list):
            segmentation = coco_mask.merge(coco_mask.frPyObjects(segmentation, *sizes[annotation["image_id"]]))
        elif isinstance(segmentation["counts"], list):
            segmentation = coco_mask.frPyObjects(segmentation, *segmentation["size"])
        yield segmentation


@pytest.mark.parametrize("name", SOURCES)
def test_published_masks_trace_exactly(name: str) -> None:
    for mask in masks_of(name):
        polygons = mask_to_polygons(mask, min_iou=None)
        assert np.array_equal(polygons_to_mask(polygons, (mask.shape[1], mask.shape[0])), mask)


@pytest.mark.parametrize("name", SOURCES)
def test_published_masks_keep_the_promise(name: str) -> None:
    for mask in masks_of(name):
        polygons = mask_to_polygons(mask)
        assert mask_iou(polygons_to_mask(polygons, (mask.shape[1], mask.shape[0])), mask) >= 0.98
        shapes = [shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons]
        assert shapely.MultiPolygon(shapes).is_valid
