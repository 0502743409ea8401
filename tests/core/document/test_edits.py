import numpy as np
import pytest

from canvas_support import document_of, ring_with_hole, square
from maskwright.document import edits
from maskwright.document.spatial import VertexRef
from maskwright.document.values import Instance, InstanceState, Provenance

PROVENANCE = Provenance("nuclei", "abc", 0.5, 0.5, "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (InstanceState.PROPOSED, InstanceState.EDITED),
        (InstanceState.ACCEPTED, InstanceState.EDITED),
        (InstanceState.EDITED, InstanceState.EDITED),
        (InstanceState.DRAWN, InstanceState.DRAWN),
    ],
    ids=lambda state: state.value,
)
def test_an_edit_is_a_persons_word(before: InstanceState, after: InstanceState) -> None:
    document = document_of(square(1, state=before))
    assert document.apply(edits.move(document, [1], 5, 5))[1].state is after


def test_accepting_keeps_what_a_person_decided() -> None:
    document = document_of(square(1, state=InstanceState.PROPOSED), square(2, state=InstanceState.EDITED))
    change = edits.accept(document, [1, 2])
    assert list(change.entries) == [1]
    assert document.apply(change)[1].state is InstanceState.ACCEPTED


def test_what_a_model_proposed_is_remembered_when_deleted() -> None:
    document = document_of(square(1, state=InstanceState.EDITED, provenance=PROVENANCE), square(2))
    later = document.apply(edits.delete(document, [1, 2]))
    assert later[1].state is InstanceState.REJECTED
    assert 2 not in later


def test_locked_instances_are_left_out_of_edits() -> None:
    document = document_of(square(1, is_locked=True))
    assert edits.move(document, [1], 5, 5).is_empty
    assert edits.delete(document, [1]).is_empty
    assert edits.set_category(document, [1], 7).is_empty
    assert not edits.set_locked(document, [1], False).is_empty


def test_moving_stops_at_the_image_border() -> None:
    document = document_of(square(1, at=(170, 10)))
    assert document.apply(edits.move(document, [1], 500, -500))[1].bounds_xyxy == (180, 0, 200, 20)


def test_moving_keeps_holes_in_place() -> None:
    document = document_of(ring_with_hole(1))
    (polygon,) = document.apply(edits.move(document, [1], 3, 4))[1].polygons
    assert tuple(polygon.holes[0][0]) == (13, 14)


def test_rings_of_a_change_are_read_only() -> None:
    document = document_of(ring_with_hole(1))
    for change in (edits.move(document, [1], 1, 1), edits.move_vertices(document, {VertexRef(1, 0, 0, 0): (1.0, 1.0)})):
        after = change.entries[1][1]
        assert after is not None
        assert not any(ring.flags.writeable for polygon in after.polygons for ring in polygon.rings)


def test_a_hole_left_with_two_vertices_is_closed() -> None:
    document = document_of(ring_with_hole(1))
    change = edits.delete_vertices(document, [VertexRef(1, 0, 1, 0), VertexRef(1, 0, 1, 1)])
    assert document.apply(change)[1].polygons[0].holes == ()


def test_a_part_goes_with_its_outer_ring() -> None:
    two_parts = Instance(1, 1, (*square(1).polygons, *square(1, at=(50, 50)).polygons))
    document = document_of(two_parts)
    change = edits.delete_vertices(document, [VertexRef(1, 1, 0, 0), VertexRef(1, 1, 0, 1)])
    assert document.apply(change)[1].polygons == square(1).polygons


def test_changing_to_the_same_class_changes_nothing() -> None:
    document = document_of(square(1, state=InstanceState.PROPOSED))
    assert edits.set_category(document, [1], 1).is_empty


def test_turning_back_restores_the_outline_with_its_holes() -> None:
    document = document_of(ring_with_hole(1, at=(60, 40)))
    turned = document.apply(edits.turn(document, [1], 30))
    assert turned[1].polygons != document[1].polygons
    back = turned.apply(edits.turn(turned, [1], -30))
    for part, before in zip(back[1].polygons, document[1].polygons, strict=True):
        for ring, known in zip(part.rings, before.rings, strict=True):
            np.testing.assert_allclose(ring, known, atol=1e-9)


def test_turning_is_clockwise_about_the_centre_of_mass() -> None:
    document = document_of(square(1, at=(60, 40), side=20))
    (part,) = document.apply(edits.turn(document, [1], 90))[1].polygons
    np.testing.assert_allclose(part.exterior, [(80, 40), (80, 60), (60, 60), (60, 40)], atol=1e-9)


def test_what_is_turned_out_of_the_image_is_cut_off() -> None:
    document = document_of(square(1, at=(0, 40), side=40))
    x1, *_ = document.apply(edits.turn(document, [1], 45))[1].bounds_xyxy
    assert x1 == 0


def test_nothing_locked_is_turned() -> None:
    document = document_of(square(1, is_locked=True))
    assert edits.turn(document, [1], 30).is_empty
