"""Images and their label maps at training size, read when first needed and kept as memory allows."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.errors import ImageError
from maskwright.images.decode import read_image
from maskwright.inference.frame import resized
from maskwright.learning.job import Example, Patch

IGNORED = -1
_IGNORED_MARGIN_PX = 2
_DETAIL = 1.5
"""Resolution kept per input resolution, so that enlarged crops stay sharp."""
MOST_LABELS = 32_000


@dataclass(frozen=True, slots=True)
class LearningSample:
    """One image prepared for training. Where objects overlap, the smaller one is kept whole."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    labels: NDArray[np.int16]  # (H, W), 0 background, i + 1 the i-th object, -1 ignored
    categories: NDArray[np.int64]  # (N,)
    centres: NDArray[np.float32]  # (M, 2) x, y of objects and rejected proposals: where crops are centred
    scale: float
    """Pixels of this sample per input pixel when the whole image fills the input."""

    @property
    def byte_count(self) -> int:
        """Bytes in memory."""
        return self.image.nbytes + self.labels.nbytes


class SampleStore:
    """Samples by number, at most `budget_bytes` of them; the least recently used go first."""

    def __init__(self, examples: tuple[Example, ...], *, input_size: int, budget_bytes: int) -> None:
        self._examples = examples
        self._input_size = input_size
        self._budget = budget_bytes
        self._kept: OrderedDict[int, LearningSample] = OrderedDict()
        self._bytes = 0
        self.unreadable: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def byte_count(self) -> int:
        """Bytes of the samples held."""
        return self._bytes

    def sample(self, number: int) -> LearningSample | None:
        """None if the image cannot be read (any more); `unreadable` says why."""
        if number in self.unreadable:
            return None
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        try:
            made = read_sample(self._examples[number], input_size=self._input_size)
        except ImageError as error:
            self.unreadable[number] = error.message
            return None
        self._kept[number] = made
        self._bytes += made.byte_count
        while self._bytes > self._budget and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.byte_count
        return made


def read_sample(example: Example, *, input_size: int) -> LearningSample:
    """Raises ImageError if the image cannot be read or has another size than before."""
    pixels = read_image(Path(example.file)).bgr_u8
    if pixels.shape[:2] != (example.height, example.width):
        raise ImageError(f"is {pixels.shape[1]}x{pixels.shape[0]}, expected {example.width}x{example.height}")
    longest = max(example.width, example.height)
    factor = min(1.0, _DETAIL * input_size / longest)
    size_wh = max(round(example.width * factor), 1), max(round(example.height * factor), 1)
    labels, categories = _label_map(example, size_wh)
    centres = [
        *_centres(labels),
        *(((x1 + x2) / 2 * factor, (y1 + y2) / 2 * factor) for x1, y1, x2, y2 in example.rejected),
    ]
    return LearningSample(
        image=np.ascontiguousarray(resized(pixels, size_wh)[..., ::-1]),
        labels=labels,
        categories=categories,
        centres=np.array(centres, np.float32).reshape(-1, 2),
        scale=max(size_wh) / input_size,
    )


def _label_map(example: Example, size_wh: tuple[int, int]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    objects = example.objects[:MOST_LABELS]
    full_wh = example.width, example.height
    unknown = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    for patch in example.ignored:
        _lay(unknown, patch, full_wh, 1)
    labels = np.zeros_like(unknown, np.int16)
    if example.ignored:
        labels[cv2.dilate(unknown, np.ones((2 * _IGNORED_MARGIN_PX + 1,) * 2, np.uint8)) > 0] = IGNORED
    areas = np.array([coco_mask.area(_encoded(patch)) for patch in objects], np.float64)
    for number in np.argsort(-areas, kind="stable"):
        _lay(labels, objects[number], full_wh, int(number) + 1)
    return labels, np.array([patch.category for patch in objects], np.int64)


def _lay(labels: NDArray[np.int16] | NDArray[np.uint8], patch: Patch, full_wh: tuple[int, int], value: int) -> None:
    """Draw a mask of the full image into the map, which may be smaller, touching only the mask's window."""
    height, width = labels.shape
    x_pitch, y_pitch = full_wh[0] / width, full_wh[1] / height
    x1, y1 = int(patch.x / x_pitch), int(patch.y / y_pitch)
    x2 = min(math.ceil((patch.x + patch.width) / x_pitch), width)
    y2 = min(math.ceil((patch.y + patch.height) / y_pitch), height)
    mask = coco_mask.decode(_encoded(patch))
    columns = ((np.arange(x1, x2) + 0.5) * x_pitch).astype(np.int64) - patch.x
    rows = ((np.arange(y1, y2) + 0.5) * y_pitch).astype(np.int64) - patch.y
    inside = (rows >= 0) & (rows < patch.height), (columns >= 0) & (columns < patch.width)
    shown = mask[rows.clip(0, patch.height - 1)[:, None], columns.clip(0, patch.width - 1)[None]] > 0
    labels[y1:y2, x1:x2][shown & inside[0][:, None] & inside[1][None]] = value


def _encoded(patch: Patch) -> dict[str, object]:
    return {"size": (patch.height, patch.width), "counts": patch.rle.encode()}


def _centres(labels: NDArray[np.int16]) -> list[tuple[float, float]]:
    y, x = np.nonzero(labels > 0)
    values = labels[y, x]
    counts = np.bincount(values)
    present = np.flatnonzero(counts)
    sums_x, sums_y = np.bincount(values, x), np.bincount(values, y)
    return [(float(sums_x[k] / counts[k]), float(sums_y[k] / counts[k])) for k in present]
