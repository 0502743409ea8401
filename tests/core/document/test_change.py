import pytest

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon


def square(id_: int, *, at: float = 0.0, side: float = 4.0, state: InstanceState = InstanceState.DRAWN) -> Instance:
    ring = [(at, at), (at + side, at), (at + side, at + side), (at, at + side)]
    return Instance(id_, 1, (Polygon.of(ring),), state)


def test_inverse_takes_a_change_back() -> None:
    document = Document.of(1, (10, 10), [square(1), square(2)])
    change = Change.of([(square(1), None), (square(2), square(2, at=3.0)), (None, square(3))])
    assert dict(document.apply(change).apply(change.inverse()).instances) == dict(document.instances)


def test_then_equals_applying_one_after_the_other() -> None:
    document = Document.of(1, (10, 10), [square(1)])
    first = Change.of([(square(1), square(1, at=2.0)), (None, square(2))])
    second = Change.of([(square(2), None), (square(1, at=2.0), square(1, at=5.0))])
    joined = document.apply(first.then(second))
    assert dict(joined.instances) == dict(document.apply(first).apply(second).instances)


def test_a_change_and_its_inverse_join_to_nothing() -> None:
    change = Change.create([square(1)])
    assert change.then(change.inverse()).is_empty


def test_stale_change_is_refused() -> None:
    document = Document.of(1, (10, 10), [square(1)])
    with pytest.raises(ValueError, match="not in the state"):
        document.apply(Change.of([(square(1, at=1.0), None)]))


def test_unchanged_pairs_are_left_out() -> None:
    assert Change.of([(square(1), square(1))]).is_empty


def test_proposals_are_not_exported() -> None:
    exported = {state for state in InstanceState if state.is_exported}
    assert exported == {InstanceState.ACCEPTED, InstanceState.EDITED, InstanceState.DRAWN}


def test_undone_deletion_returns_to_its_place_in_the_drawing_order() -> None:
    document = Document.of(1, (10, 10), [square(1), square(2), square(3)])
    change = Change.delete([square(2)])
    assert list(document.apply(change).apply(change.inverse()).instances) == [1, 2, 3]
