"""Polygons as pixels. pycocotools is the reference: its raster defines what a mask, an area and an IoU mean here.

pycocotools fills one ring by counting its crossings of the pixel columns (even-odd) and unites the rings of an object.
A polygon with holes is therefore passed as one walk through all its rings: the bridges between them are walked twice,
in both directions, and cancel exactly."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.geometry.polygon import Polygon, Ring

DECIMALS = 2
"""Coordinates are rasterised, shown and written with this many decimals; pycocotools resolves a fifth of a pixel."""


class Rle(TypedDict):
    """Compressed column-major run lengths in pycocotools' format: `size` is [h, w]."""

    size: list[int]
    counts: bytes


def rounded(ring: Ring) -> NDArray[np.float64]:
    """The ring as in every file and every raster."""
    return np.round(ring, DECIMALS)


def one_walk(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(M, 2): all rings as one closed walk from the first ring's first vertex, exact in an even-odd raster.

    The bridges between the rings may cross anything; to show or write a walk use `keyhole.cut_keyholes`.
    """
    if len(rings) == 1:
        return rings[0]
    home = rings[0][:1]
    pieces = [rings[0], home]
    for ring in rings[1:]:
        pieces += [ring, ring[:1], home]
    return np.concatenate(pieces)


def polygons_to_rle(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> Rle:
    """The union of the polygons on an image; no polygons give an empty mask.

    Raises ValueError for a size that is not positive.
    """
    width, height = size_wh
    if width <= 0 or height <= 0:
        raise ValueError(f"expected a positive size, got {width} x {height}")
    walks = [one_walk([rounded(ring) for ring in polygon.rings]).ravel() for polygon in polygons]
    return walks_to_rle(walks, size_wh)


def walks_to_rle(walks: list[NDArray[np.float64]], size_wh: tuple[int, int]) -> Rle:
    """The union of rings given as flat arrays x0, y0, x1, y1, ..."""
    width, height = size_wh
    if not walks:
        empty: Rle = coco_mask.encode(np.zeros((height, width), np.uint8, order="F"))
        return empty
    # pycocotools would take a ring of two vertices for a box; rings have at least three by construction.
    rles = coco_mask.frPyObjects(walks, height, width)
    merged: Rle = rles[0] if len(rles) == 1 else coco_mask.merge(rles)
    return merged


def polygons_to_mask(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels that pycocotools fills for these polygons as exported."""
    return rle_to_mask(polygons_to_rle(polygons, size_wh))


def full_mask(crop_mask: NDArray[np.bool_], crop_xy: tuple[int, int], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool at the size of the image, from an object's window (h, w) with its corner at `crop_xy`."""
    full = np.zeros(size_wh[::-1], np.bool_)
    (x, y), (height, width) = crop_xy, crop_mask.shape
    full[y : y + height, x : x + width] = crop_mask
    return full


def mask_to_rle(mask: NDArray[np.bool_ | np.uint8]) -> Rle:
    """Run lengths of an (H, W) mask; nonzero is foreground."""
    pixels = mask if mask.dtype == np.bool_ else mask != 0
    rle: Rle = coco_mask.encode(np.asfortranarray(pixels.view(np.uint8)))
    return rle


def rle_to_mask(rle: Rle) -> NDArray[np.bool_]:
    """(H, W) bool, C order."""
    return np.ascontiguousarray(coco_mask.decode(rle)).view(np.bool_)


def rle_area(rle: Rle) -> int:
    """Number of foreground pixels."""
    return int(coco_mask.area(rle))


def rle_bbox_xywh(rle: Rle) -> tuple[float, float, float, float]:
    """Bounds of the foreground pixels; all zero for an empty mask."""
    x, y, w, h = coco_mask.toBbox(rle).tolist()
    return x, y, w, h


def rle_iou(a: Rle, b: Rle) -> float:
    """0..1; 1 for two empty masks."""
    if not rle_area(a) and not rle_area(b):
        return 1.0
    return float(coco_mask.iou([a], [b], [0])[0, 0])


def mask_iou(a: NDArray[np.bool_ | np.uint8], b: NDArray[np.bool_ | np.uint8]) -> float:
    """IoU of two (H, W) masks, 0..1; 1 for two empty masks. Raises ValueError if their shapes differ."""
    if a.shape != b.shape:
        raise ValueError(f"expected masks of one shape, got {a.shape} and {b.shape}")
    is_a, is_b = a != 0, b != 0
    union = np.count_nonzero(is_a | is_b)
    return np.count_nonzero(is_a & is_b) / union if union else 1.0


def polygons_area(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> int:
    """Number of pixels filled."""
    return rle_area(polygons_to_rle(polygons, size_wh))


def polygons_bbox_xywh(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> tuple[float, float, float, float]:
    """Bounds of the pixels filled; all zero if there are none."""
    return rle_bbox_xywh(polygons_to_rle(polygons, size_wh))


def polygons_iou(a: Sequence[Polygon], b: Sequence[Polygon], size_wh: tuple[int, int]) -> float:
    """IoU of the pixels filled, 0..1."""
    return rle_iou(polygons_to_rle(a, size_wh), polygons_to_rle(b, size_wh))
