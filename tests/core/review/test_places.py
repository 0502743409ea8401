"""Where a user should look, from what a project keeps of what is uncertain."""

import json
from dataclasses import replace

import pytest

from maskwright.document.values import Instance, InstanceState
from maskwright.project import ModelProposal
from maskwright.review.disagreement import disagreement
from maskwright.review.places import disagreement_places, uncertainty_places
from project_builders import drawn, square


def proposed(id_: int, at: int, *, score: float = 0.9) -> Instance:
    return replace(drawn(id_, square(at, side=20)), state=InstanceState.PROPOSED, score=score)


def stored(here: list[Instance], there: list[ModelProposal]) -> object:
    """As it comes back from the project."""
    return json.loads(json.dumps(disagreement(here, there).detail))


def by_id(*instances: Instance) -> dict[int, Instance]:
    return {instance.id: instance for instance in instances}


def test_what_only_the_other_model_sees_comes_with_its_outline() -> None:
    missed = ModelProposal(2, 0.8, (square(200, side=20),))
    (place,) = disagreement_places(stored([], [missed]), {})
    assert (place.kind, place.category_id, place.score, place.polygons) == ("only there", 2, 0.8, missed.polygons)


def test_what_has_been_answered_is_no_place_any_more() -> None:
    alone = proposed(1, 0)
    detail = stored([alone], [])
    assert [place.instance_id for place in disagreement_places(detail, by_id(alone))] == [1]
    assert disagreement_places(detail, by_id(replace(alone, state=InstanceState.ACCEPTED))) == ()
    assert disagreement_places(detail, {}) == ()


def test_what_was_missed_and_drawn_since_is_no_place_any_more() -> None:
    detail = stored([], [ModelProposal(1, 0.8, (square(200, side=20),))])
    assert disagreement_places(detail, by_id(drawn(5, square(201, side=20)))) == ()


def test_another_class_names_that_of_the_other_model() -> None:
    here = proposed(1, 0)
    (place,) = disagreement_places(stored([here], [ModelProposal(2, 0.7, here.polygons)]), by_id(here))
    assert (place.kind, place.instance_id, place.category_id) == ("class", 1, 2)


def test_a_second_model_does_not_bring_back_what_a_person_rejected() -> None:
    refused = replace(proposed(1, 0), state=InstanceState.REJECTED)
    assert disagreement([refused], [ModelProposal(1, 0.9, refused.polygons)]).findings == ()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(InstanceState.PROPOSED, [1], id="a proposal is uncertain"),
        pytest.param(InstanceState.ACCEPTED, [], id="accepted"),
        pytest.param(InstanceState.REJECTED, [], id="rejected"),
    ],
)
def test_doubts_about_a_proposal_end_with_its_answer(state: InstanceState, expected: list[int]) -> None:
    here = replace(proposed(1, 0), state=state)
    detail = {"reason": "", "boxes_xyxy": [list(here.bounds_xyxy)]}
    assert [place.instance_id for place in uncertainty_places(detail, by_id(here))] == expected


def test_a_doubt_where_nothing_is_may_be_a_missed_object() -> None:
    (place,) = uncertainty_places({"reason": "", "boxes_xyxy": [[0, 0, 9, 9]]}, {})
    assert place.instance_id is None


def test_a_doubt_says_what_it_is_about() -> None:
    here = [replace(proposed(1, 0), score=0.9), replace(proposed(2, 100), score=0.52)]
    boxes = [list(item.bounds_xyxy) for item in here]
    detail = {"boxes_xyxy": boxes, "kinds": ["class", "score"], "rivals": ["dog", ""]}
    places = uncertainty_places(detail, by_id(*here))
    assert [(place.kind, place.rival) for place in places] == [("rival", "dog"), ("doubt", "")]


@pytest.mark.parametrize("detail", [None, {}, {"reason": "older version"}])
def test_nothing_known_is_no_place(detail: object) -> None:
    assert disagreement_places(detail, {}) == ()
    assert uncertainty_places(detail, {}) == ()
