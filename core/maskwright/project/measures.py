"""Sizes and scores of a project's objects: numbers for plots, a million objects in seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from maskwright.geometry.polygon import Polygon
from maskwright.project.packing import VERTEX_KINDS, packed_record, unpack_polygons
from maskwright.project.rows import from_json
from maskwright.project.schema import images

_BLOCK = 20_000
_ONE_RING = Struct("<5i")
"""Version, kind, one polygon, one ring, its vertices; then four bytes of padding: see packing.py."""
_ONE_RING_BYTES = 24
_QUERY = (
    "SELECT image_id, category_id, score, polygons FROM instances WHERE state != 'rejected' "
    "AND image_id NOT IN (SELECT id FROM images WHERE standing != 'listed')"
)


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """One entry per object, without rejected ones; all arrays (N,)."""

    category_ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    """NaN for objects without a score."""
    areas_px: NDArray[np.float32]
    """Of the outlines minus holes, in square pixels."""
    shares: NDArray[np.float32]
    """Fraction of the image's area."""

    def __len__(self) -> int:
        return len(self.category_ids)


def read_measures(connection: Connection, on_progress: Callable[[int], None]) -> Measures:
    """Measure all objects. `on_progress` gets the number read so far and may raise to stop."""
    blocks = [_Block.of([])]
    done = 0
    sizes = connection.execute(select(images.c.id, images.c.width * images.c.height)).fetchall()
    rows = connection.exec_driver_sql(_QUERY)
    while block := rows.fetchmany(_BLOCK):
        blocks.append(_Block.of([tuple(row) for row in block]))
        done += len(block)
        on_progress(done)
    image_ids = np.concatenate([block.image_ids for block in blocks])
    areas = np.concatenate([block.areas for block in blocks])
    known = np.array([tuple(row) for row in sizes], np.int64).reshape(-1, 2)
    order = np.argsort(known[:, 0])
    at = order[np.searchsorted(known[:, 0], image_ids, sorter=order)] if len(known) else np.empty(0, np.int64)
    return Measures(
        np.concatenate([block.category_ids for block in blocks]),
        np.concatenate([block.scores for block in blocks]),
        areas.astype(np.float32),
        (areas / known[at, 1]).astype(np.float32),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    image_ids: NDArray[np.int64]
    category_ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    areas: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, float | None, bytes]]) -> "_Block":
        return cls(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int32),
            np.array([np.nan if row[2] is None else row[2] for row in rows], np.float32),
            packed_areas([row[3] for row in rows]),
        )


def packed_areas(packed: Sequence[bytes]) -> NDArray[np.float64]:
    """(N,) float64 areas in pixels of packed polygons; those with a single ring, nearly all, are measured together."""
    areas = np.zeros(len(packed))
    simple: dict[int, list[int]] = {kind: [] for kind in range(len(VERTEX_KINDS))}
    counts: dict[int, list[int]] = {kind: [] for kind in simple}
    for index, data in enumerate(packed):
        header = _ONE_RING.unpack_from(data) if _may_be_one_ring(data) else (0,) * 5
        is_simple = header[0] == header[2] == header[3] == 1 and header[1] in simple and header[4] > 0
        if is_simple and len(data) == _ONE_RING_BYTES + 2 * header[4] * VERTEX_KINDS[header[1]].itemsize:
            simple[header[1]].append(index)
            counts[header[1]].append(header[4])
        else:
            areas[index] = _area(data)
    for kind, indices in simple.items():
        if indices:
            joined = b"".join([packed[index][_ONE_RING_BYTES:] for index in indices])
            points = np.frombuffer(joined, VERTEX_KINDS[kind]).astype(np.float64).reshape(-1, 2)
            areas[indices] = ring_areas(points, np.array(counts[kind]))
    return areas


def ring_areas(points: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) areas of N rings by the shoelace formula. points: (M, 2), the rings' vertices one after another."""
    ends = np.cumsum(counts)
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = ends - counts
    x, y = points.T
    crossed = x * y[following] - x[following] * y
    doubled: NDArray[np.float64] = np.abs(np.add.reduceat(crossed, ends - counts))
    return doubled / 2


def _may_be_one_ring(data: object) -> bool:
    return isinstance(data, bytes) and len(data) >= _ONE_RING_BYTES


def _area(data: bytes) -> float:
    """0 for damaged data, which `damaged_rows` lists."""
    try:
        record = packed_record(data)
        if record is not None:
            return float(from_json(record.decode()).get("area", 0.0))
        return sum(_polygon_area(polygon) for polygon in unpack_polygons(data))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return 0.0


def _polygon_area(polygon: Polygon) -> float:
    outer, *holes = (float(ring_areas(ring, np.array([len(ring)]))[0]) for ring in polygon.rings)
    return outer - sum(holes)
