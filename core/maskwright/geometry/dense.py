"""A packed copy of an outline before anyone simplified it, from which the detail slider restores it exactly.

Layout, little-endian: a byte for the kind, the offset (x, y) as two float64, then, for kind 0 (a mask, usually a
model's), height and width as uint32 and pycocotools run lengths through zlib, half a kilobyte for an object of 300 px;
for kind 1 (any outline), the vertices through zlib."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import pycocotools.mask as coco_mask
from numpy.typing import NDArray

from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.rle import counts_to_mask, rle_counts
from maskwright.inflating import inflate

MAX_BYTES = 1 << 18
"""Larger ones are not kept; a mask of 12,000 x 9,000 px with a ragged edge takes 60 kB."""
_MASK, _OUTLINE = 0, 1
_HEAD, _SIZE = struct.Struct("<Bdd"), struct.Struct("<II")
_LEVEL = 1
_MOST_PLAIN_BYTES = 64 * MAX_BYTES


def mask_to_dense(mask: NDArray[np.bool_], corner_xy: tuple[int, int]) -> bytes | None:
    """Pack an (H, W) mask whose corner is at `corner_xy` in the image; None if the result is too large."""
    runs = coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))["counts"]
    return _bounded(_HEAD.pack(_MASK, *corner_xy) + _SIZE.pack(*mask.shape) + zlib.compress(runs, _LEVEL))


def polygons_to_dense(polygons: Sequence[Polygon]) -> bytes | None:
    """Pack any outline, vertex by vertex; None if the result is too large."""
    layout = [len(polygons)]
    for polygon in polygons:
        layout += [len(polygon.rings), *(len(ring) for ring in polygon.rings)]
    vertices = [ring for polygon in polygons for ring in polygon.rings]
    content = np.array([len(layout), *layout], "<i4").tobytes() + b"".join(ring.tobytes() for ring in vertices)
    return _bounded(_HEAD.pack(_OUTLINE, 0.0, 0.0) + zlib.compress(content, _LEVEL))


def dense_to_polygons(dense: bytes) -> tuple[Polygon, ...]:
    """The outline with all vertices. Raises ValueError for damaged bytes."""
    try:
        kind, *offset_xy = _HEAD.unpack_from(dense)
        polygons = _mask_outline(dense[_HEAD.size :]) if kind == _MASK else _plain_outline(dense[_HEAD.size :])
    except (struct.error, IndexError, OverflowError, ValueError) as error:
        raise ValueError(f"damaged dense outline: {error}") from error
    offset = np.array(offset_xy)
    return tuple(
        Polygon.of(polygon.exterior + offset, [hole + offset for hole in polygon.holes]) for polygon in polygons
    )


def dense_moved(dense: bytes, dx: float, dy: float) -> bytes:
    """The packed outline shifted by (dx, dy) pixels."""
    kind, x, y = _HEAD.unpack_from(dense)
    return _HEAD.pack(kind, x + dx, y + dy) + dense[_HEAD.size :]


def _mask_outline(content: bytes) -> tuple[Polygon, ...]:
    height, width = _SIZE.unpack_from(content)
    runs = rle_counts(inflate(content[_SIZE.size :], _MOST_PLAIN_BYTES))
    return mask_to_polygons(counts_to_mask(runs, (height, width)), min_iou=None)


def _plain_outline(content: bytes) -> tuple[Polygon, ...]:
    plain = inflate(content, _MOST_PLAIN_BYTES)
    length = int(np.frombuffer(plain, "<i4", count=1)[0])
    layout = np.frombuffer(plain, "<i4", count=length, offset=4).tolist()
    vertices = np.frombuffer(plain, "<f8", offset=4 + 4 * length).reshape(-1, 2)
    polygons, at, start = [], 1, 0
    for _ in range(layout[0]):
        rings = []
        for count in layout[at + 1 : at + 1 + layout[at]]:
            rings.append(vertices[start : start + count])
            start += count
        at += 1 + layout[at]
        polygons.append(Polygon.of(rings[0], rings[1:]))
    return tuple(polygons)


def _bounded(dense: bytes) -> bytes | None:
    return dense if len(dense) <= MAX_BYTES else None
