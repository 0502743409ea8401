"""Polygons survive storage bit by bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.geometry.polygon import Polygon
from maskwright.project.packing import pack_polygons, unpack_polygons

numbers = st.one_of(
    st.integers(-40_000, 40_000).map(float),
    st.floats(-(2.0**31), 2.0**31),
    st.sampled_from([-0.0, 32767.0, 32768.0, 2.0**31, 0.5]),
)
rings = st.lists(st.tuples(numbers, numbers), min_size=4, max_size=9)
polygons = st.builds(Polygon.of, rings, st.lists(rings, max_size=3))


@given(st.lists(polygons, max_size=4))
def test_packing_is_reversed_bit_by_bit(parts: list[Polygon]) -> None:
    again = unpack_polygons(pack_polygons(parts))

    assert [[ring.tobytes() for ring in part.rings] for part in again] == [
        [ring.tobytes() for ring in part.rings] for part in parts
    ]
    assert not any(ring.flags.writeable for part in again for ring in part.rings)


def test_whole_pixels_take_a_quarter_of_the_room() -> None:
    ring = np.random.default_rng(0).integers(0, 2000, (100, 2))

    assert len(pack_polygons([Polygon.of(ring)])) < len(pack_polygons([Polygon.of(ring + 0.25)])) / 3


def test_bytes_of_a_newer_version_are_refused() -> None:
    data = bytearray(pack_polygons([Polygon.of([(0, 0), (1, 0), (1, 1)])]))
    data[0] = 9

    with pytest.raises(ValueError, match="version 9"):
        unpack_polygons(bytes(data))
