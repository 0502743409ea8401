"""One instance that a model proposes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.dense import mask_to_dense
from maskwright.geometry.polygon import Polygon


@dataclass(frozen=True, eq=False)
class Prediction:
    """An instance as a model sees it; frozen, its polygons are traced when first asked for.

    bbox_xyxy: the detector's box in image pixels, clipped to the image (the mask may reach a little beyond it).
    crop_mask: (h, w) bool, the smallest window around the mask, whose corner lies at `crop_xy` in the image.
    """

    category_id: int
    category_name: str
    score: float
    bbox_xyxy: tuple[float, float, float, float]
    crop_mask: NDArray[np.bool_]
    crop_xy: tuple[int, int]
    image_size_wh: tuple[int, int]
    min_iou: float | None = 0.98

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool at the image's size, made anew at each call."""
        full = np.zeros(self.image_size_wh[::-1], np.bool_)
        (x, y), (height, width) = self.crop_xy, self.crop_mask.shape
        full[y : y + height, x : x + width] = self.crop_mask
        return full

    @cached_property
    def polygons(self) -> tuple[Polygon, ...]:
        """Parts with holes on pixel edges, true to the mask by at least `min_iou`."""
        return mask_to_polygons(self.crop_mask, min_iou=self.min_iou, offset_xy=self.crop_xy)

    @cached_property
    def dense(self) -> bytes | None:
        """The exact outline, packed (`geometry.dense`); None where `polygons` is exact itself."""
        is_exact = self.min_iou is None or self.min_iou == 1
        return None if is_exact else mask_to_dense(self.crop_mask, self.crop_xy)
