"""Masks of COCO files: ground truth, detections, and what the YOLACT authors publish."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask


def masks_of_file(path: Path, *, every: int = 1, crowds: bool = True) -> Iterator[NDArray[np.bool_]]:
    """Every n-th mask that has a pixel, (h, w) bool, cut to its window."""
    for rle in list(_run_lengths(json.loads(path.read_text()), crowds))[::every]:
        mask = coco_mask.decode(rle)
        x, y, w, h = cv2.boundingRect(mask)
        if w:
            yield np.ascontiguousarray(mask[y : y + h, x : x + w]).view(np.bool_)


def _run_lengths(content: Any, crowds: bool) -> Iterator[Any]:
    if isinstance(content, list):
        yield from (detection["segmentation"] for detection in content)
    elif "annotations" not in content:
        yield from (found["mask"] for image in content["images"] for found in image["dets"])
    else:
        sizes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
        for annotation in content["annotations"]:
            if crowds or not annotation.get("iscrowd"):
                yield _run_length(annotation["segmentation"], sizes[annotation["image_id"]])


def _run_length(segmentation: Any, size_hw: tuple[int, int]) -> Any:
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, *size_hw))
    if isinstance(segmentation["counts"], list):
        return coco_mask.frPyObjects(segmentation, *segmentation["size"])
    return segmentation
