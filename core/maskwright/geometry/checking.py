"""Checks the outlines of many masks against their guarantee, all at once, with pycocotools and shapely."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.geometry.fitting import GRID
from maskwright.geometry.raster import Rle, one_walk

MaskOutline: TypeAlias = list[list[NDArray[np.float64]]]
"""The parts of one mask, each its exterior followed by its holes, (N, 2) float64."""

MOST_TOGETHER = 128
"""pycocotools 2.0.11 overflows when computing the areas of more than 255 masks at once."""
MOST_PIXELS = 1 << 31
"""pycocotools counts runs in 32 bits."""


class StackedMasks:
    """References stacked in one frame, so that few calls of pycocotools check many outlines.

    The masks are stacked without overlap, so no outline reaches another's reference. Moving an outline by whole pixels
    moves its raster and changes nothing else, because coordinates are quarters of a pixel.
    """

    def __init__(self, references: Sequence[MaskOutline], sizes_wh: Sequence[tuple[int, int]]) -> None:
        self._width = max(width for width, _ in sizes_wh)
        tops = list(accumulate((height for _, height in sizes_wh), initial=0))
        self._height = tops.pop()
        self._tops = tops
        # The parts of a traced mask do not overlap: as one even-odd walk each they rasterise like their union.
        walks = [[[ring for rings in outline for ring in rings]] for outline in references]
        self._references = self._rles(range(len(references)), walks)
        self.areas: list[int] = coco_mask.area(self._references).tolist()
        """Pixels of each reference."""

    def ious(self, numbers: Sequence[int], outlines: Sequence[MaskOutline]) -> list[float]:
        """IoU of each rasterised outline (at least one part each) with the reference of that number."""
        rles = self._rles(numbers, outlines)
        references = [self._references[number] for number in numbers]
        if len(rles) > 1:
            # All with all, but pycocotools compares the runs only of masks whose boxes intersect.
            ious: list[float] = coco_mask.iou(rles, references, [0] * len(rles)).diagonal().tolist()
            return ious
        shared = coco_mask.merge(rles + references, intersect=True)
        area, both = coco_mask.area([*rles, shared]).tolist()
        return [both / (self.areas[numbers[0]] + area - both)]

    def _rles(self, numbers: Sequence[int], outlines: Sequence[MaskOutline]) -> list[Rle]:
        walks = self._placed([one_walk(rings) for outline in outlines for rings in outline], numbers, outlines)
        # pycocotools would take a ring of two vertices for a box; rings have at least three by construction.
        rles: list[Rle] = coco_mask.frPyObjects(walks, self._height, self._width)
        if len(rles) == len(outlines):
            return rles
        parts = iter(rles)
        return [_united(list(islice(parts, len(outline)))) for outline in outlines]

    def _placed(
        self, walks: list[NDArray[np.float64]], numbers: Sequence[int], outlines: Sequence[MaskOutline]
    ) -> list[NDArray[np.float64]]:
        """The walks of the outlines, in order, moved to their masks' places in the frame: x0, y0, x1, y1, ..."""
        tops = [self._tops[number] for number, outline in zip(numbers, outlines, strict=True) for _ in outline]
        lengths = [len(walk) for walk in walks]
        placed = np.concatenate(walks)
        placed[:, 1] += np.repeat(tops, lengths)
        flat = placed.ravel()
        return [flat[2 * start : 2 * end] for start, end in pairwise(accumulate(lengths, initial=0))]


def are_valid(outlines: Sequence[MaskOutline]) -> list[bool]:
    """For each outline whether its rings are simple, its holes inside and its parts disjoint."""
    if len(outlines) == 1 and len(outlines[0]) == 1 and len(outlines[0][0]) == 1:
        return [bool(shapely.is_valid(shapely.polygons(outlines[0][0][0])))]  # the usual case of a single mask
    parts = [rings for outline in outlines for rings in outline]
    rings = [ring for part in parts for ring in part]
    lengths, holes = [len(ring) for ring in rings], [len(part) for part in parts]
    linear = shapely.linearrings(np.concatenate(rings), indices=np.repeat(np.arange(len(rings)), lengths))
    shapes = shapely.polygons(linear, indices=np.repeat(np.arange(len(parts)), holes))
    if len(parts) > len(outlines):
        owners = np.repeat(np.arange(len(outlines)), [len(outline) for outline in outlines])
        shapes = shapely.multipolygons(shapes, indices=owners)
    valid: list[bool] = shapely.is_valid(shapes).tolist()
    return valid


def uncrossed(outline: MaskOutline) -> MaskOutline:
    """The same area with rings that neither cross nor share an edge, on the same grid; may need checking again."""
    shapes = [shapely.make_valid(shapely.Polygon(rings[0], rings[1:])) for rings in outline]
    whole = shapely.union_all(shapes, grid_size=1 / GRID)
    parts = [shape for shape in shapely.get_parts(whole) if shape.geom_type == "Polygon"]
    return [[shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)] for part in parts]


def batches(sizes_wh: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Numbers of the masks that fit into one frame together."""
    batch: list[int] = []
    width = height = 0
    for number, (w, h) in enumerate(sizes_wh):
        width, height = max(width, w), height + h
        if batch and (len(batch) >= MOST_TOGETHER or width * height > MOST_PIXELS):
            yield batch
            batch, width, height = [], w, h
        batch.append(number)
    if batch:
        yield batch


def _united(parts: list[Rle]) -> Rle:
    united: Rle = parts[0] if len(parts) == 1 else coco_mask.merge(parts)
    return united
