"""Masks that break tracers, for hypothesis and as named cases."""

from collections.abc import Sequence

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from maskwright.geometry.convert import TracedMask, traced_to_polygons, trimmed_to_traced
from maskwright.geometry.polygon import Polygon

Mask = NDArray[np.bool_]


def _parsed(rows: str) -> Mask:
    return np.array([[cell == "#" for cell in row] for row in rows.split()])


def _comb(teeth: int) -> Mask:
    mask = np.zeros((9, 2 * teeth + 1), bool)
    mask[:, ::2] = True
    mask[4] = True
    return mask


def _disc(size: int, radius: float, hole_radius: float = 0) -> Mask:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    distance = np.hypot(x, y)
    return (distance <= radius) & (distance >= hole_radius)


NAMED_MASKS: dict[str, Mask] = {
    "one pixel": _parsed("#"),
    "one pixel inside": _parsed("... .#. ..."),
    "full frame": np.ones((7, 5), bool),
    "horizontal line": _parsed("..... .###. ....."),
    "vertical line": _parsed("... .#. .#. .#. ..."),
    "diagonal": np.eye(9, dtype=bool),
    "both diagonals": np.eye(9, dtype=bool) | np.eye(9, dtype=bool)[::-1],
    "hole": _parsed("##### #...# #...# #####"),
    "one-pixel hole": _parsed("### #.# ###"),
    "holes touching at a corner": _parsed("##### #.### ##.## #####"),
    "hole touching the outline at a corner": _parsed("##### ##.## #.### ##### .#### "),
    "ring closed by a diagonal": _parsed(".### #..# #..# ####"),
    "diamond of four pixels": _parsed(".#. #.# .#."),
    "island in a hole": _parsed("####### #.....# #.###.# #.#.#.# #.###.# #.....# #######"),
    "comb": _comb(12),
    "checkerboard": np.indices((16, 15)).sum(axis=0) % 2 == 0,
    "disc": _disc(64, 30),
    "ring": _disc(80, 38, 21),
    "thin ring": _disc(80, 38, 37),
    "two parts": _parsed("###...### ###...### ...###... ###...###"),
}


def masks_to_traced(several: Sequence[Mask], offsets_xy: Sequence[tuple[int, int]] | None = None) -> list[TracedMask]:
    """Traced together, each no larger than what it shows, as those of a selection are."""
    offsets = offsets_xy or [(0, 0)] * len(several)
    frames = [cv2.boundingRect(mask.view(np.uint8)) for mask in several]
    trimmed = [mask[y : y + h, x : x + w] for mask, (x, y, w, h) in zip(several, frames, strict=True)]
    corners = [(left + x, top + y) for (left, top), (x, y, *_) in zip(offsets, frames, strict=True)]
    return trimmed_to_traced([np.ascontiguousarray(mask).view(np.uint8) for mask in trimmed], corners)


def masks_to_polygons(
    several: Sequence[Mask], *, min_iou: float | None = 0.98, offsets_xy: Sequence[tuple[int, int]] | None = None
) -> list[tuple[Polygon, ...]]:
    """Of each mask what `mask_to_polygons` makes of it alone, in one call."""
    return traced_to_polygons(masks_to_traced(several, offsets_xy), min_iou)


def masks(max_side: int = 14) -> st.SearchStrategy[Mask]:
    """Random masks, denser and sparser, some made of blocks so that outlines get long straight edges."""
    shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=max_side)
    noise = hnp.arrays(np.bool_, shapes)
    blocks = st.tuples(noise, st.integers(2, 5)).map(lambda pair: pair[0].repeat(pair[1], 0).repeat(pair[1], 1))
    return st.one_of(noise, blocks)
