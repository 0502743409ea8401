from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import shapely

from canvas_support import document_of, ring_with_hole, square, square_polygon
from maskwright.document import combine
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.algebra import to_shapely
from maskwright.geometry.dense import polygons_to_dense
from maskwright.geometry.polygon import Polygon

SQUARE = [(5, 5), (25, 5), (25, 25), (5, 25)]


def ids():
    numbers = count(100)
    return lambda: next(numbers)


def area(document: Document, instance_id: int) -> float:
    return float(to_shapely(document[instance_id].polygons).area)


OVERLAPPING = document_of(square(1, side=40), square(2, at=(20, 0), side=40, category_id=2))


def test_merging_keeps_the_topmost_class() -> None:
    merged = OVERLAPPING.apply(combine.merge(OVERLAPPING, [1, 2]))
    assert list(merged.instances) == [2]
    assert merged[2].category_id == 2
    assert area(merged, 2) == 60 * 40


def test_merging_distant_objects_gives_one_of_several_parts() -> None:
    document = document_of(square(1), square(2, at=(60, 60)))
    assert len(document.apply(combine.merge(document, [1, 2]))[2].polygons) == 2


def test_subtracting_the_topmost_from_the_others() -> None:
    cut = OVERLAPPING.apply(combine.subtract_topmost(OVERLAPPING, [1, 2]))
    assert area(cut, 1) == 20 * 40
    assert cut[2] == OVERLAPPING[2]


def test_an_area_inside_becomes_a_hole() -> None:
    document = document_of(square(1, side=40))
    cut = document.apply(combine.subtract(document, [1], [square_polygon((10, 10), 10)]))
    assert len(cut[1].polygons[0].holes) == 1
    assert area(cut, 1) == 1500


def test_subtracting_everything_deletes() -> None:
    document = document_of(square(1, at=(10, 10)))
    assert 1 not in document.apply(combine.subtract(document, [1], [square_polygon((0, 0), 100)]))


def test_subtracting_beside_an_object_changes_nothing() -> None:
    document = document_of(square(1))
    assert combine.subtract(document, [1], [square_polygon((100, 100), 10)]).is_empty


def test_intersection_keeps_what_all_share() -> None:
    common = OVERLAPPING.apply(combine.intersect(OVERLAPPING, [1, 2]))
    assert list(common.instances) == [2]
    assert area(common, 2) == 20 * 40


def test_intersection_of_distant_objects_changes_nothing() -> None:
    document = document_of(square(1), square(2, at=(60, 60)))
    assert combine.intersect(document, [1, 2]).is_empty


def test_group_and_ungroup_keep_every_outline() -> None:
    document = document_of(square(1), square(2, at=(60, 60), side=30))
    grouped = document.apply(combine.group(document, [1, 2]))
    assert len(grouped[2].polygons) == 2
    apart = grouped.apply(combine.ungroup(grouped, [2], ids()))
    assert sorted(len(one.polygons) for one in apart) == [1, 1]
    assert {one.polygons for one in apart} == {one.polygons for one in document}


def test_splitting_by_a_line() -> None:
    document = document_of(square(1, at=(10, 10), side=40, state=InstanceState.PROPOSED))
    parts = document.apply(combine.split(document, [1], [(0, 20), (100, 20)], ids()))
    assert sorted(area(parts, one.id) for one in parts) == [400, 1200]
    assert area(parts, 1) == 1200
    assert all(one.state is InstanceState.EDITED for one in parts)


def test_a_line_that_does_not_cross_wholly_changes_nothing() -> None:
    document = document_of(square(1, at=(10, 10), side=40))
    assert combine.split(document, [1], [(0, 20), (30, 20)], ids()).is_empty


def test_splitting_through_a_hole_keeps_the_area() -> None:
    document = document_of(ring_with_hole(1, side=40))
    parts = document.apply(combine.split(document, [1], [(-5, 20), (50, 20)], ids()))
    assert [area(parts, one.id) for one in parts] == [600, 600]


def test_filling_holes() -> None:
    document = document_of(ring_with_hole(1, side=40))
    assert area(document.apply(combine.fill_holes(document, [1])), 1) == 1600


@pytest.mark.parametrize("operation", [combine.fill_holes, combine.to_box])
def test_a_proposal_that_stays_as_it_is_stays_a_proposal(operation) -> None:
    document = document_of(replace(square(1), state=InstanceState.PROPOSED, polygons=(Polygon.of(SQUARE),)))
    assert operation(document, [1]).is_empty


def test_only_the_largest_part_is_kept_with_its_holes() -> None:
    scraps = square(2, at=(60, 0), side=3).polygons + square(3, at=(0, 60), side=5).polygons
    whole = ring_with_hole(1, side=40)
    document = document_of(replace(whole, polygons=scraps + whole.polygons), square(4, at=(80, 80)))
    change = combine.keep_largest_part(document, [1, 4])
    assert document.apply(change)[1].polygons == whole.polygons
    assert set(change.entries) == {1}


def test_box_of_an_object() -> None:
    document = document_of(ring_with_hole(1, at=(5, 6), side=40))
    boxed = document.apply(combine.to_box(document, [1]))[1]
    assert boxed.vertex_count == 4
    assert boxed.bounds_xyxy == (5, 6, 45, 46)


@pytest.mark.parametrize("tolerance", [0.5, 2.0, 8.0], ids=str)
def test_simplifying_drops_vertices_within_the_tolerance(tolerance: float) -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.column_stack((70 + 40 * np.cos(angles), 70 + 40 * np.sin(angles)))
    document = document_of(Instance(1, 1, (Polygon.of(circle),)))
    thin = document.apply(combine.simplify(document, [1], tolerance))[1]
    assert thin.vertex_count < 100
    apart = shapely.hausdorff_distance(shapely.LinearRing(thin.polygons[0].exterior), shapely.LinearRing(circle))
    assert apart <= tolerance + 0.01


def test_smoothing_cuts_corners() -> None:
    document = document_of(square(1, side=40))
    smooth = document.apply(combine.smooth(document, [1]))
    assert smooth[1].vertex_count >= 8
    assert 1300 < area(smooth, 1) < 1600


def test_pasted_copies_are_new_and_a_persons() -> None:
    source = square(1, state=InstanceState.PROPOSED, score=0.7, is_locked=True)
    pasted = document_of().apply(combine.paste(document_of(), [source], ids(), offset=(8, 8)))
    (copy,) = pasted
    assert (copy.id, copy.state, copy.score, copy.is_locked) == (100, InstanceState.DRAWN, None, False)
    assert copy.bounds_xyxy == (8, 8, 28, 28)


def test_drawing_order() -> None:
    document = document_of(square(1), square(2), square(3))
    assert list(document.apply(combine.bring_forward(document, [1])).instances) == [2, 3, 1]
    assert list(document.apply(combine.send_backward(document, [3])).instances) == [3, 1, 2]


OPERATIONS = {
    "merge": combine.merge,
    "subtract": combine.subtract_topmost,
    "intersect": combine.intersect,
    "group": combine.group,
    "fill": combine.fill_holes,
    "box": combine.to_box,
    "largest": combine.keep_largest_part,
    "smooth": combine.smooth,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_can_be_taken_back(name: str) -> None:
    document = document_of(square(1, side=40), square(2, at=(20, 0), side=40), ring_with_hole(3))
    change: Change = OPERATIONS[name](document, [1, 2, 3])
    assert dict(document.apply(change).apply(change.inverse()).instances) == dict(document.instances)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_operation_touches_locked_objects(name: str) -> None:
    document = document_of(square(1, side=40, is_locked=True), square(2, at=(20, 0), side=40, is_locked=True))
    assert OPERATIONS[name](document, [1, 2]).is_empty


def test_what_is_pasted_from_a_larger_image_is_cut_to_this_one() -> None:
    inside, across, outside = (
        square(id_, at=at, side=40) for id_, at in enumerate([(10, 10), (180, 10), (300, 10)], 1)
    )
    change = combine.paste(document_of(), [inside, across, outside], ids())
    pasted = [after for _, _, after in change if after is not None]
    assert [one.bounds_xyxy for one in pasted] == [(10, 10, 50, 50), (180, 10, 200, 50)]


def test_a_cut_copy_has_no_detail_of_what_was_cut_off() -> None:
    dense = polygons_to_dense(square(1, side=40).polygons)
    whole, across = square(1, at=(10, 10), side=40, dense=dense), square(2, at=(180, 10), side=40, dense=dense)
    change = combine.paste(document_of(), [whole, across], ids())
    assert [after.dense for _, _, after in change if after is not None] == [dense, None]
