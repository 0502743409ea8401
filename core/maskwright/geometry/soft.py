"""Outlines of soft masks between the pixels: where the heat map passes its threshold, to a quarter of a pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.algebra import make_valid
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.fitting import GRID
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import mask_iou, polygons_to_mask


def soft_mask_to_polygons(
    heat: NDArray[np.float32],
    *,
    threshold: float = 0.5,
    min_iou: float = 0.98,
    offset_xy: tuple[int, int] = (0, 0),
) -> tuple[Polygon, ...]:
    """The parts of a (H, W) heat map above `threshold`, with holes, on pixel edges.

    The map is read between its pixels (bilinear), so that a slanted or round outline follows the object and not the
    pixels. The promise of `mask_to_polygons` is kept towards the thresholded pixels; where the finer outline breaks
    it (objects of a few pixels) the pixels are traced instead. Raises ValueError as `mask_to_polygons` does.
    """
    if heat.ndim != 2:
        raise ValueError(f"expected an (H, W) heat map, got {heat.shape}")
    pixels = heat > threshold
    if not pixels.any():
        return ()
    fine = cv2.resize(heat.astype(np.float32), None, fx=GRID, fy=GRID, interpolation=cv2.INTER_LINEAR) > threshold
    height, width = heat.shape
    rounded = tuple(
        Polygon.of(np.rint(polygon.exterior) / GRID, [np.rint(hole) / GRID for hole in polygon.holes])
        for polygon in mask_to_polygons(fine, min_iou=min_iou)
    )
    polygons = make_valid(rounded)  # what lay a sixteenth of a pixel apart may meet now
    if mask_iou(polygons_to_mask(polygons, (width, height)), pixels) < min_iou:
        return mask_to_polygons(pixels, min_iou=min_iou, offset_xy=offset_xy)
    return tuple(
        Polygon.of(polygon.exterior + offset_xy, [hole + offset_xy for hole in polygon.holes]) for polygon in polygons
    )
