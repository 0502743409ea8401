"""Published masks trace exactly and keep the promised IoU. A sample is tried here, all of them by
`benchmarks/check_masks.py`."""

from collections.abc import Iterator

import numpy as np
import pytest
import shapely

from geometry_masks import Mask
from mask_files import masks_of_file
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
    return masks_of_file(shared_path(path), every=step)


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
