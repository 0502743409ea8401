"""Masks to polygons; the way back is `raster.polygons_to_mask`."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.polygon import Polygon, Ring
from maskwright.geometry.simplify import simplify_parts
from maskwright.geometry.trace import trace_mask


def mask_to_polygons(
    mask: NDArray[np.bool_ | np.uint8],
    *,
    min_iou: float | None = 0.98,
    offset_xy: tuple[int, int] = (0, 0),
    min_area: float = 0,
) -> tuple[Polygon, ...]:
    """The parts of a (H, W) mask (anything nonzero is foreground), with holes, on pixel edges.

    `min_iou` of None or 1 traces exactly; less spends as few vertices as it can while pycocotools' raster of the
    result keeps at least that IoU with the mask. Parts under `min_area` pixels are left out first, and the promise
    then holds for what is left. `offset_xy` moves the result, for a mask cropped from an image at that pixel.
    Raises ValueError for another shape or a `min_iou` outside 0..1.
    """
    if min_iou is not None and not 0 < min_iou <= 1:
        raise ValueError(f"expected 0 < min_iou <= 1, got {min_iou}")
    if mask.ndim != 2:
        raise ValueError(f"expected an (H, W) mask, got {mask.shape}")
    pixels = mask.view(np.uint8) if mask.dtype == np.bool_ else np.asarray(mask != 0).view(np.uint8)
    x, y, width, height = cv2.boundingRect(pixels) if pixels.size else (0, 0, 0, 0)
    if not width:
        return ()
    parts = trace_mask(pixels[y : y + height, x : x + width])
    if min_area > 0:
        parts = tuple(part for part in parts if part.area >= min_area)
    offset = np.array((offset_xy[0] + x, offset_xy[1] + y), np.float64)
    if min_iou is None or min_iou == 1:
        outlines: Iterable[list[NDArray[np.float64]]] = (
            [ring.astype(np.float64) for ring in part.rings] for part in parts
        )
    else:
        outlines = simplify_parts(parts, (width, height), min_iou) if parts else ()
    return tuple(
        Polygon(_moved(rings[0], offset), tuple(_moved(ring, offset) for ring in rings[1:])) for rings in outlines
    )


def _moved(ring: NDArray[np.float64], offset: NDArray[np.float64]) -> Ring:
    moved = ring + offset
    moved.flags.writeable = False
    return moved
