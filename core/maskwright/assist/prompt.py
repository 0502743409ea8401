"""What a user gives a backend: points, a box, an outline to correct. Validated once, here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskwright.assist.placing import SoftMask
from maskwright.errors import PromptError
from maskwright.geometry.polygon import Polygon, polygons_bounds_xyxy
from maskwright.geometry.raster import polygons_to_mask

MAX_POINTS = 1000
"""Strokes need fewer, and in a transformer each point attends to every other."""
MaskLike: TypeAlias = NDArray[np.bool_ | np.uint8] | Sequence[Polygon]
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class MaskCrop:
    """The pixels of an outline, (h, w) bool, and their corner in the image."""

    pixels: NDArray[np.bool_]
    corner_xy: tuple[int, int]

    @property
    def bounds_xyxy(self) -> tuple[int, int, int, int]:
        """Whole image pixels, xyxy."""
        (x, y), (height, width) = self.corner_xy, self.pixels.shape
        return x, y, x + width, y + height

    def inside(self, bounds_xyxy: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """(h, w) bool for any window of whole pixels; False outside the crop."""
        left, top, right, bottom = bounds_xyxy
        window = np.zeros((bottom - top, right - left), np.bool_)
        x1, y1, x2, y2 = self.bounds_xyxy
        a, b, c, d = max(left, x1), max(top, y1), min(right, x2), min(bottom, y2)
        if a < c and b < d:
            window[b - top : d - top, a - left : c - left] = self.pixels[b - y1 : d - y1, a - x1 : c - x1]
        return window


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One question to a backend, valid for an image of `size_wh`.

    points_xy: (N, 2) float64, continuous pixel coordinates (pixel (0, 0) covers 0..1); labels: (N,) int64, 1 inside the
    object, 0 outside. box_xyxy: clipped to the image. mask: an outline to correct. previous: the answer to the prompt
    before its last press, for backends that continue from it.
    """

    size_wh: tuple[int, int]
    points_xy: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    box_xyxy: Box | None = None
    mask: MaskCrop | None = None
    previous: SoftMask | None = None

    @classmethod
    def of(
        cls,
        size_wh: tuple[int, int],
        points_xy: ArrayLike = (),
        labels: ArrayLike | None = None,
        box_xyxy: ArrayLike | None = None,
        mask: MaskLike | None = None,
        previous: SoftMask | None = None,
    ) -> "Prompt":
        """Validate and build; `labels` of None: all inside. Raises PromptError with the reason."""
        points = _points(points_xy, size_wh)
        box = _box(box_xyxy, size_wh) if box_xyxy is not None else None
        crop = mask_crop(mask, size_wh) if mask is not None else None
        if previous is not None and previous.size_wh != size_wh:
            raise PromptError(f"the previous answer is of an image of {_size(previous.size_wh)}, not {_size(size_wh)}")
        prompt = cls(size_wh, points, _labels(labels, len(points)), box, crop, previous)
        if box is None and crop is None and not prompt.labels.any():
            raise PromptError("a prompt needs a point inside the object, a box, or an outline to correct")
        return prompt

    @property
    def extent_xyxy(self) -> Box:
        """The box around everything known to belong to the object: box, outline and points inside."""
        corners = [self.points_xy[self.labels == 1]]
        corners += [np.reshape(box, (2, 2)) for box in (self.box_xyxy, self.mask and self.mask.bounds_xyxy) if box]
        points = np.concatenate(corners)
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return left, top, right, bottom

    def with_previous(self, previous: SoftMask | None) -> "Prompt":
        """The same prompt after another answer."""
        return replace(self, previous=previous)


def mask_crop(mask: MaskLike, size_wh: tuple[int, int]) -> MaskCrop:
    """The smallest window of a mask or outline. Raises PromptError for a wrong size or if nothing is inside."""
    if isinstance(mask, np.ndarray):
        if mask.shape != size_wh[::-1]:
            got = _size(mask.shape[::-1])
            raise PromptError(f"the mask to correct is {got}, its image {_size(size_wh)}")
        crop = _trimmed(mask.view(np.bool_) if mask.dtype == np.bool_ else mask != 0, (0, 0))
    else:
        crop = _rasterised(mask, size_wh)
    if not crop.pixels.size:
        raise PromptError("the outline to correct has no pixel inside the image")
    return crop


def _rasterised(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> MaskCrop:
    """Rasterised in a window around the outline: shifts by whole pixels change no pixel."""
    if not polygons:
        return MaskCrop(np.zeros((0, 0), np.bool_), (0, 0))
    bounds = np.array(polygons_bounds_xyxy(polygons))
    limits = np.array(size_wh)
    low, high = np.clip(np.floor(bounds[:2]) - 1, 0, limits), np.clip(np.ceil(bounds[2:]) + 1, 0, limits)
    (width, height), (left, top) = (high - low).astype(int).tolist(), low.astype(int).tolist()
    if width <= 0 or height <= 0:
        return MaskCrop(np.zeros((0, 0), np.bool_), (0, 0))
    moved = [Polygon.of(one.exterior - low, [hole - low for hole in one.holes]) for one in polygons]
    return _trimmed(polygons_to_mask(moved, (width, height)), (left, top))


def _trimmed(mask: NDArray[np.bool_], corner_xy: tuple[int, int]) -> MaskCrop:
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    window = np.ascontiguousarray(mask[y : y + height, x : x + width])
    window.flags.writeable = False
    return MaskCrop(window, (corner_xy[0] + x, corner_xy[1] + y))


def _points(points_xy: ArrayLike, size_wh: tuple[int, int]) -> NDArray[np.float64]:
    points = np.array(points_xy, np.float64)
    if not points.size:
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2:
        raise PromptError(f"expected (N, 2) points, got {points.shape}")
    if len(points) > MAX_POINTS:
        raise PromptError(f"{len(points)} points, but a prompt can have at most {MAX_POINTS}")
    if not np.isfinite(points).all():
        raise PromptError("a point's coordinates are not numbers")
    outside = np.flatnonzero(((points < 0) | (points > size_wh)).any(axis=1))
    if len(outside):
        x, y = points[outside[0]].tolist()
        raise PromptError(f"the point ({x:g}, {y:g}) lies outside the image of {_size(size_wh)}")
    points.flags.writeable = False
    return points


def _labels(labels: ArrayLike | None, count: int) -> NDArray[np.int64]:
    values = np.ones(count, np.int64) if labels is None else np.array(labels).reshape(-1)
    if len(values) != count:
        raise PromptError(f"expected a label for each of {count} points, got {len(values)}")
    if not np.isin(values, (0, 1)).all():
        raise PromptError(f"a label is 1 (inside) or 0 (outside), got {values.tolist()}")
    return values.astype(np.int64)


def _box(box_xyxy: ArrayLike, size_wh: tuple[int, int]) -> Box:
    box = np.array(box_xyxy, np.float64).reshape(-1)
    if box.shape != (4,) or not np.isfinite(box).all():
        raise PromptError(f"expected a box of x1, y1, x2, y2, got {box.tolist()}")
    x1, y1, x2, y2 = np.clip(box, 0, (*size_wh, *size_wh)).tolist()
    if x2 <= x1 or y2 <= y1:
        raise PromptError(f"the box {np.round(box, 2).tolist()} has no area on the image of {_size(size_wh)}")
    return x1, y1, x2, y2


def _size(size_wh: Sequence[int]) -> str:
    return " x ".join(str(size) for size in size_wh)
