from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from canvas_support import document_of, ring_with_hole, square
from maskwright.document import edits
from maskwright.document.packed import PackedOutlines
from maskwright.document.spatial import SpatialIndex, contains
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon


def blob(seed: int) -> Instance:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radii = rng.uniform(10, 50, 9)
    return Instance(1, 1, (Polygon.of(np.column_stack((60 + radii * np.cos(angles), 60 + radii * np.sin(angles)))),))


@given(st.integers(0, 10_000), st.floats(5, 115), st.floats(5, 115))
def test_containment_agrees_with_shapely(seed: int, x: float, y: float) -> None:
    instance = blob(seed)
    area = shapely.Polygon(instance.polygons[0].exterior)
    if area.is_valid and shapely.distance(area.exterior, shapely.Point(x, y)) > 1e-6:
        assert contains(instance, x, y) == bool(shapely.contains_xy(area, x, y))


@given(st.integers(0, 10_000), st.floats(5, 115), st.floats(5, 115))
def test_distance_to_the_nearest_edge_agrees_with_shapely(seed: int, x: float, y: float) -> None:
    index = SpatialIndex(document_of(blob(seed)))
    found = index.nearest_edge(x, y, tolerance=1000.0, among=[1])
    outline = shapely.Polygon(blob(seed).polygons[0].exterior).exterior
    assert found is not None
    assert found.distance == pytest.approx(float(shapely.distance(outline, shapely.Point(x, y))), abs=1e-9)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(5, 115), st.floats(5, 115))
def test_the_nearest_vertex_is_that_of_all_objects(one: int, other: int, x: float, y: float) -> None:
    instances = [blob(one), replace(blob(other), id=2)]
    found = SpatialIndex(document_of(*instances)).nearest_vertex(x, y, tolerance=1000.0)
    assert found is not None
    ring = next(each for each in instances if each.id == found.instance_id).polygons[0].exterior
    every = np.concatenate([each.polygons[0].exterior for each in instances])
    assert np.hypot(*(ring[found.vertex] - (x, y))) == np.hypot(*(every - (x, y)).T).min()


def test_topmost_comes_first() -> None:
    index = SpatialIndex(document_of(square(1, side=50), square(2, side=50), square(3, side=50, z=-1)))
    assert index.at(20, 20) == [2, 1, 3]


def test_a_point_in_a_hole_is_outside() -> None:
    index = SpatialIndex(document_of(ring_with_hole(1)))
    assert index.at(20, 20) == []
    assert index.at(5, 20) == [1]


def test_thin_objects_are_hit_within_the_tolerance() -> None:
    thin = Instance(1, 1, (Polygon.of([(10, 10), (90, 10.2), (90, 10.4)]),))
    index = SpatialIndex(document_of(thin))
    assert index.at(50, 12) == []
    assert index.at(50, 12, tolerance=2) == [1]


def test_hidden_and_rejected_instances_are_never_hit() -> None:
    index = SpatialIndex(document_of(square(1, is_visible=False), square(2, state=InstanceState.REJECTED)))
    assert index.at(10, 10) == []


def test_boxes_select_what_is_inside_or_touched() -> None:
    index = SpatialIndex(document_of(square(1, at=(10, 10)), square(2, at=(40, 10)), ring_with_hole(3, at=(80, 0))))
    assert index.inside((0, 0, 50, 50)) == [1]
    assert index.touched((0, 0, 50, 50)) == [1, 2]
    assert index.touched((95, 15, 105, 25)) == []


def test_index_after_a_change_equals_a_new_one() -> None:
    document = document_of(square(1), square(2, at=(60, 60)), square(3, at=(100, 0)))
    change = (
        edits.move(document, [2], 30, 0).then(edits.delete(document, [1])).then(edits.create(9, 1, square(9).polygons))
    )
    later = document.apply(change)
    kept, fresh = SpatialIndex(document).after(change, later), SpatialIndex(later)
    for x, y in [(10, 10), (65, 65), (95, 65), (105, 5)]:
        assert kept.at(x, y) == fresh.at(x, y)


def test_packed_outlines_keep_every_ring_of_the_rows_taken() -> None:
    two_parts = Instance(2, 1, (*square(2).polygons, *ring_with_hole(2, at=(50, 50)).polygons))
    packed = PackedOutlines.of([square(1), two_parts, square(3, at=(9, 9))])
    taken = packed.taken(np.array([1]))
    assert taken.instance_ids.tolist() == [2]
    assert np.diff(taken.ring_starts).tolist() == [4, 4, 4]
    assert np.diff(taken.part_starts).tolist() == [1, 2]
    assert taken.bounds_xyxy.tolist() == [[0, 0, 90, 90]]


def test_nothing_packed_has_no_rows() -> None:
    assert len(PackedOutlines.of([])) == 0
    assert PackedOutlines.of([]).rows_touching((0, 0, 9, 9)).tolist() == []


def test_of_too_many_the_largest_are_taken() -> None:
    index = SpatialIndex(document_of(square(1, side=10), square(2, side=30), square(3, side=5), square(4, side=20)))
    assert index.ids_touching((0, 0, 50, 50), most=2) == [2, 4]
    assert index.ids_touching((0, 0, 50, 50), at_least=8) == [1, 2, 4]
