"""How assistants are judged: fixed samples of outlined objects, prompts as a careful user gives them, the errors left.

Box, jittered box, one click at the deepest point, the number of clicks to an IoU (NoC, at most `MOST_CLICKS`, a failure
counts as that many) from clicks alone and after a box, boundary IoU (Cheng et al., CVPR 2021; 2 % of the diagonal).
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from maskwright.assist.protocol import Assistant, View
from maskwright.images import read_image

MOST_CLICKS = 20
BAND = 0.02
JITTER = 0.1
LEVELS = (0.85, 0.90)
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """One object that is to be outlined."""

    image: Path
    truth: Mask

    @property
    def box_xyxy(self) -> tuple[int, int, int, int]:
        x, y, width, height = cv2.boundingRect(self.truth.view(np.uint8))
        return x, y, x + width, y + height


def samples(
    coco_file: Path, folder: Path, *, count: int, least_area: float, most_per_image: int, seed: int = 0
) -> list[Sample]:
    """A fixed random sample of a COCO file's objects, in the order of their images."""
    content: dict[str, Any] = json.loads(coco_file.read_text("utf-8"))
    random = np.random.default_rng(seed)
    images = {image["id"]: image for image in content["images"]}
    usable = [one for one in content["annotations"] if not one.get("iscrowd") and one["area"] >= least_area]
    taken: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    total = 0
    for number in random.permutation(len(usable)).tolist():
        one = usable[number]
        if total == count:
            break
        if len(taken[one["image_id"]]) < most_per_image:
            taken[one["image_id"]].append(one)
            total += 1
    return [
        Sample(folder / images[image_id]["file_name"], truth)
        for image_id in sorted(taken)
        for one in taken[image_id]
        if (truth := true_mask(one, images[image_id])).any()
    ]


def opened(chosen: list[Sample], assistant: Assistant) -> Iterator[tuple[Sample, View]]:
    """Each sample with a view of its image; images are read once."""
    path, view = None, None
    for sample in chosen:
        if view is None or path != sample.image:
            path, view = sample.image, assistant.open(read_image(sample.image).bgr_u8)
        yield sample, view


def from_box(sample: Sample, view: View, *, random: np.random.Generator | None = None) -> Mask:
    """The answer to the tight box; with `random` each side is moved by up to a tenth of width or height."""
    box = np.array(sample.box_xyxy, np.float64)
    if random is not None:
        box += random.uniform(-JITTER, JITTER, 4) * np.tile(box[2:] - box[:2], 2)
    return view.outline(box_xyxy=box, min_iou=None).mask


def clicks(sample: Sample, view: View, *, box: bool, most: int = MOST_CLICKS) -> list[float]:
    """The IoU after 0, 1, 2, ... clicks (0: of the box alone, or nothing) until it is 0.90 or `most` were given."""
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    outline = None
    ious = [0.0]
    box_xyxy = sample.box_xyxy if box else None
    answer = np.zeros_like(sample.truth)
    if box:
        outline = view.outline(box_xyxy=box_xyxy, min_iou=None)
        answer, ious = outline.mask, [iou(outline.mask, sample.truth)]
    while ious[-1] < LEVELS[-1] and len(points) < most:
        x, y, positive = next_click(answer, sample.truth)
        points.append((x, y))
        labels.append(int(positive))
        outline = view.outline(points, labels, box_xyxy, previous=outline, min_iou=None)
        answer = outline.mask
        ious.append(iou(answer, sample.truth))
    return ious


def clicks_to(ious: list[float], level: float) -> int:
    """Clicks until `level` was reached first; `MOST_CLICKS` where it was not."""
    return next((number for number, value in enumerate(ious) if value >= level), MOST_CLICKS)


def next_click(answer: Mask, truth: Mask) -> tuple[float, float, bool]:
    """The deepest point of the larger error (by its depth), continuous coordinates, and whether it is inside."""
    left, top, width, height = cv2.boundingRect((answer != truth).view(np.uint8))
    window = slice(top, top + height), slice(left, left + width)
    depths = [_depth(truth[window] & ~answer[window]), _depth(answer[window] & ~truth[window])]
    positive = bool(depths[0].max() >= depths[1].max())
    depth = depths[0 if positive else 1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x + left) + 0.5, float(y + top) + 0.5, positive


def iou(a: Mask, b: Mask) -> float:
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 1.0


def boundary_iou(a: Mask, b: Mask, band: float = BAND) -> float:
    """IoU of the bands inside the two edges; band: their width as a share of the image's diagonal."""
    width = max(1, round(band * float(np.hypot(*a.shape))))
    return iou(a & ~_eroded(a, width), b & ~_eroded(b, width))


@dataclass(slots=True)
class Stopwatch:
    """CPU seconds of the process: on a busy machine the clock on the wall measures the others."""

    seconds: float = 0.0
    presses: int = 0

    def __enter__(self) -> None:
        self.seconds -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.process_time()
        self.presses += 1

    @property
    def ms(self) -> float:
        return 1000 * self.seconds / max(1, self.presses)


def _eroded(mask: Mask, width: int) -> Mask:
    padded = np.pad(mask.view(np.uint8), 1)
    return cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1] > 0


def _depth(mask: Mask) -> NDArray[np.float32]:
    padded = np.pad(mask.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def true_mask(annotation: dict[str, Any], image: dict[str, Any]) -> Mask:
    size = int(image["height"]), int(image["width"])
    segmentation = annotation["segmentation"]
    if isinstance(segmentation, list):
        segmentation = rle.merge(rle.frPyObjects(segmentation, *size))
    elif isinstance(segmentation["counts"], list):
        segmentation = rle.frPyObjects(segmentation, *size)
    return np.asarray(rle.decode(segmentation)).view(np.bool_)
