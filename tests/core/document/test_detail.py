"""The dense outline stays with an object that was simplified, and goes when a user reshapes it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from maskwright.document import combine, edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.spatial import VertexRef
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.dense import dense_to_polygons, mask_to_dense


@pytest.fixture
def document() -> Document:
    """Proposal 1, a disc, whose outline was fitted to its mask."""
    y, x = np.mgrid[-30:31, -30:31]
    mask = x * x + y * y <= 900
    outline = mask_to_polygons(mask, offset_xy=(20, 20))
    one = Instance(1, 1, outline, InstanceState.PROPOSED, dense=mask_to_dense(mask, (20, 20)))
    return Document.of(1, (200, 200), [one])


def test_no_tolerance_brings_back_every_vertex_of_the_mask(document: Document) -> None:
    after = document.apply(combine.simplify(document, [1], 0))[1]

    assert after.polygons == dense_to_polygons(document[1].dense)
    assert after.vertex_count > document[1].vertex_count
    assert after.state is InstanceState.EDITED


def test_each_position_of_the_slider_gives_the_same_whatever_was_applied_before(document: Document) -> None:
    at_once = document.apply(combine.simplify(document, [1], 1.5))
    for tolerance in (12.0, 0.3, 4.0):
        document = document.apply(combine.simplify(document, [1], tolerance))
    in_steps = document.apply(combine.simplify(document, [1], 1.5))

    assert in_steps[1].polygons == at_once[1].polygons


def test_a_drawn_object_keeps_what_it_was_before_the_first_step(document: Document) -> None:
    drawn = replace(document[1], dense=None, state=InstanceState.DRAWN)
    document = Document.of(1, (200, 200), [drawn])

    document = document.apply(combine.simplify(document, [1], 9))
    document = document.apply(combine.simplify(document, [1], 3))

    assert combine.dense_outline(document[1]) == drawn.polygons


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: edits.move_vertices(document, {VertexRef(1, 0, 0, 0): (3.0, 3.0)}),
        lambda document: edits.delete_vertices(document, [VertexRef(1, 0, 0, 0)]),
        lambda document: combine.to_box(document, [1]),
        lambda document: combine.smooth(document, [1]),
    ],
    ids=["move a vertex", "delete a vertex", "to a box", "smooth"],
)
def test_reshaping_drops_it(document: Document, edit: Callable[[Document], Change]) -> None:
    after = document.apply(edit(document))[1]

    assert after.dense is None
    assert combine.dense_outline(after) == after.polygons


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: edits.accept(document, [1]),
        lambda document: edits.set_category(document, [1], 2),
        lambda document: edits.set_locked(document, [1], True),
        lambda document: combine.bring_forward(document, [1]),
        lambda document: edits.delete(document, [1]),
    ],
    ids=["accept", "class", "lock", "forward", "reject"],
)
def test_what_leaves_the_outline_alone_keeps_it(document: Document, edit: Callable[[Document], Change]) -> None:
    assert document.apply(edit(document))[1].dense == document[1].dense


def test_moving_takes_it_along(document: Document) -> None:
    after = document.apply(edits.move(document, [1], 5, -7))[1]

    shift = combine.dense_outline(after)[0].exterior - combine.dense_outline(document[1])[0].exterior
    assert (shift == (5, -7)).all()
