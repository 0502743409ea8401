"""What counts as work on an image."""

from dataclasses import replace

import pytest

from maskwright.document.change import Change, is_work
from maskwright.document.values import Instance, InstanceState

ONE = Instance(1, 1, (), InstanceState.PROPOSED, score=0.8)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ONE, replace(ONE, score=0.9), False),
        (None, ONE, False),
        (ONE, None, False),
        (ONE, replace(ONE, state=InstanceState.ACCEPTED), True),
        (replace(ONE, state=InstanceState.REJECTED), ONE, True),
        (None, replace(ONE, state=InstanceState.DRAWN), True),
    ],
    ids=["refined", "proposed", "withdrawn", "accepted", "proposed again", "drawn"],
)
def test_proposals_among_themselves_are_no_work(before: Instance, after: Instance, expected: bool) -> None:
    assert is_work(Change.of([(before, after)])) is expected
