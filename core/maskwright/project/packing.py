"""Packs polygons into bytes and back, exactly.

Layout, little-endian: int32 version (1), kind, number of polygons; per polygon its number of rings and each ring's
number of vertices; one int32 of padding if needed to reach a multiple of 8; then all vertices as x, y pairs. Kind 0:
float64; 1: int16 and 2: int32 for integer coordinates, which untouched model outlines have (a quarter of the size).
Kind 3: the JSON of an imported COCO annotation that nobody has changed, parsed on demand, because most of a million are
never looked at."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.polygon import Polygon, Ring

_VERSION = 1
VERTEX_KINDS = (np.dtype("<f8"), np.dtype("<i2"), np.dtype("<i4"))
_WHOLE_LIMITS = ((1, 2**15 - 1), (2, 2**31 - 1))
_FARTHEST_PX = 2.0**31
_RECORD = 3
_RECORD_START = np.array([_VERSION, _RECORD, 0, 0], "<i4").tobytes()


def pack_record(record: bytes) -> bytes:
    """Pack a COCO annotation's JSON in place of its polygons."""
    return _RECORD_START + record


def packed_record(data: bytes) -> bytes | None:
    """The JSON given to `pack_record`; None for polygons."""
    return data[len(_RECORD_START) :] if data.startswith(_RECORD_START) else None


def pack_polygons(polygons: Sequence[Polygon]) -> bytes:
    """Pack polygons."""
    header = [_VERSION, 0, len(polygons)]
    rings: list[Ring] = []
    for polygon in polygons:
        header += [len(polygon.rings), *(len(ring) for ring in polygon.rings)]
        rings += polygon.rings
    vertices = np.concatenate(rings) if rings else np.empty((0, 2))
    header[1] = _smallest_kind(vertices)
    header += [0] * (len(header) % 2)
    return np.array(header, "<i4").tobytes() + vertices.astype(VERTEX_KINDS[header[1]]).tobytes()


def unpack_polygons(data: bytes) -> tuple[Polygon, ...]:
    """Unpack polygons. Raises ValueError for data that is damaged, from a newer version or not in pixels."""
    vertices, layout = _unpacked(data)
    if not np.abs(vertices).max(initial=0.0) <= _FARTHEST_PX:  # written so that NaN is refused
        raise ValueError("expected coordinates in pixels")
    return _cut(vertices, layout)


def _unpacked(data: bytes) -> tuple[NDArray[np.float64], list[list[int]]]:
    """All vertices, and the number of vertices of each ring of each polygon."""
    whole = len(data) // 4
    header = np.frombuffer(data, "<i4", count=whole) if whole >= 4 else np.zeros(4, np.int32)
    version, kind, count = header[:3].tolist()
    if version != _VERSION or not 0 <= kind < len(VERTEX_KINDS):
        raise ValueError(f"expected polygons packed as version {_VERSION}, got version {version}, kind {kind}")
    layout: list[list[int]] = []
    at = 3
    for _ in range(count):
        ring_count = int(header[at]) if at < whole else 0
        lengths = header[at + 1 : at + 1 + ring_count].tolist()
        if ring_count < 1 or len(lengths) < ring_count or min(lengths) < 0:
            raise ValueError(f"expected a number of rings and their lengths, got {ring_count} and {lengths[:3]}")
        layout.append(lengths)
        at += 1 + ring_count
    vertices = (
        np.frombuffer(data, VERTEX_KINDS[kind], offset=4 * (at + at % 2)).astype(np.float64, copy=False).reshape(-1, 2)
    )
    if len(vertices) != sum(sum(lengths) for lengths in layout):
        raise ValueError(f"expected {sum(map(sum, layout))} vertices, got {len(vertices)}")
    return vertices, layout


def _smallest_kind(vertices: NDArray[np.float64]) -> int:
    for kind, limit in _WHOLE_LIMITS:
        if (np.abs(vertices) <= limit).all():
            whole = vertices.astype(VERTEX_KINDS[kind]).astype(np.float64)
            if whole.tobytes() == vertices.tobytes():  # bytes, because -0.0 must stay -0.0
                return kind
    return 0


def _cut(vertices: NDArray[np.float64], layout: list[list[int]]) -> tuple[Polygon, ...]:
    vertices.flags.writeable = False
    polygons: list[Polygon] = []
    start = 0
    for lengths in layout:
        rings: list[Ring] = []
        for length in lengths:
            rings.append(vertices[start : start + length])
            start += length
        polygons.append(Polygon(rings[0], tuple(rings[1:])))
    return tuple(polygons)
