"""One answer of an assistant: pixels near the object; polygons on demand."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import SoftMask
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.dense import mask_to_dense
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import full_mask
from maskwright.inference.sampling import trimmed

MOST_RINGS = 100
"""Limit for parts and holes of an answer. From noise a network can make thousands, which take seconds to trace and
paint."""


@dataclass(frozen=True, eq=False)
class Outline:
    """An outline. Frozen; its polygons are traced on first access.

    crop_mask: (h, w) bool, read-only, the smallest window around the object, with its corner at `crop_xy` in the image;
    empty if the backend found nothing. score: the IoU that the backend expects, 0..1. soft: pass it as `previous` with
    the next press. corrected: the polygons if only part of an outline was changed.
    """

    crop_mask: NDArray[np.bool_]
    crop_xy: tuple[int, int]
    image_size_wh: tuple[int, int]
    score: float
    min_iou: float | None = 0.98
    soft: SoftMask | None = None
    corrected: tuple[Polygon, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the backend found nothing."""
        return not self.crop_mask.size

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool at the size of the image, built on each call."""
        return full_mask(self.crop_mask, self.crop_xy, self.image_size_wh)

    @property
    def area(self) -> int:
        """Number of pixels covered."""
        return int(np.count_nonzero(self.crop_mask))

    @property
    def bounds_xyxy(self) -> tuple[int, int, int, int]:
        """Whole image pixels, xyxy."""
        (x, y), (height, width) = self.crop_xy, self.crop_mask.shape
        return x, y, x + width, y + height

    @cached_property
    def polygons(self) -> tuple[Polygon, ...]:
        """Parts with holes on pixel edges, with an IoU of at least `min_iou` with the mask; none if it is empty."""
        if self.corrected is not None:
            return self.corrected
        if self.is_empty:
            return ()
        return mask_to_polygons(self.crop_mask, min_iou=self.min_iou, offset_xy=self.crop_xy)

    @cached_property
    def dense(self) -> bytes | None:
        """The exact outline, packed (`geometry.dense`); None if `polygons` is exact already or was only corrected."""
        if self.is_empty or self.corrected is not None or self.min_iou is None or self.min_iou == 1:
            return None
        return mask_to_dense(self.crop_mask, self.crop_xy)

    @property
    def others(self) -> "tuple[Outline, ...]":
        """Other candidates for the same prompt, smallest first."""
        softs = self.soft.others if self.soft is not None else ()
        return tuple(outlined(soft, self.min_iou) for soft in softs)


def outlined(soft: SoftMask, min_iou: float | None, *, fine: SoftMask | None = None) -> Outline:
    """The outline of a backend's answer. fine: the same answer on a finer grid, used for the pixels only."""
    mask, corner_xy = (fine or soft).mask()
    if mask.size:
        mask, corner_xy = trimmed(_without_noise(mask), corner_xy)
    mask.flags.writeable = False
    return Outline(mask, corner_xy, soft.size_wh, soft.score, min_iou, soft)


def _without_noise(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only the largest `MOST_RINGS` parts and holes of an (h, w) bool mask; the mask itself if it has no more."""
    rings, tree = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if len(rings) <= MOST_RINGS:
        return mask
    cleaned = np.array(mask, np.uint8)
    order = sorted(range(len(rings)), key=lambda number: -cv2.contourArea(rings[number]))
    for number in reversed(order[MOST_RINGS:]):  # smallest first: a part goes with all that lies in its holes
        is_hole = tree[0][number][3] >= 0
        cv2.drawContours(cleaned, [rings[number]], -1, int(is_hole), cv2.FILLED)
    return cleaned.view(np.bool_)
