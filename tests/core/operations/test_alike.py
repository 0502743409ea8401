"""What a search for the like makes of an image's objects."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskwright as mw
from maskwright.assist.like import Gallery, LikeSettings
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.geometry.polygon import polygons_bounds_xyxy
from maskwright.operations.alike import Examples, Found, found_on_image, gathered_examples, like_change, with_ids
from maskwright.project import Project, scan_folder
from project_builders import square

ORIGIN = Provenance("assist net, like 2 objects", "h", 0.0, 1.0, "2026-01-01T00:00:00Z")
EXAMPLES = Examples(Gallery(np.zeros((2, 4), np.float32), np.ones(2), np.ones(2)), 7, 2, ORIGIN)
FOUND = [Found((square(10 * k, 10, 8),), None, 0.9 - 0.2 * k, 100 + k) for k in range(4)]


def document(*instances: Instance) -> Document:
    return Document.of(1, (64, 48), instances)


def proposed(document_: Document) -> list[tuple[int, float | None]]:
    return [(one.id, one.score) for one in document_ if one.state is InstanceState.PROPOSED]


def test_what_is_alike_enough_is_proposed_in_the_examples_class() -> None:
    after = document().apply(like_change(document(), FOUND, EXAMPLES, 0.6))
    assert proposed(after) == [(100, 0.9), (101, 0.7)]
    first = after[100]
    assert first.category_id == 7
    assert first.provenance == replace(ORIGIN, score_threshold=0.6)


def test_another_threshold_adds_and_takes_away_and_leaves_what_was_answered() -> None:
    shown = document().apply(like_change(document(), FOUND, EXAMPLES, 0.4))
    rejected = replace(shown[100], state=InstanceState.REJECTED)
    accepted = replace(shown[102], state=InstanceState.ACCEPTED)
    answered = document(rejected, shown[101], accepted)
    lower = answered.apply(like_change(answered, FOUND, EXAMPLES, 0.2))
    assert proposed(lower) == [(101, 0.7), (103, 0.3)]
    higher = answered.apply(like_change(answered, FOUND, EXAMPLES, 0.95))
    assert proposed(higher) == []
    assert (higher[100], higher[102]) == (rejected, accepted)


def test_a_new_search_replaces_the_open_proposals_of_the_one_before_and_no_others() -> None:
    of_model = Instance(1, 7, (square(0, 0, 5),), InstanceState.PROPOSED, 0.8, replace(ORIGIN, model_name="net"))
    earlier = replace(of_model, id=2, provenance=ORIGIN)
    of_other_class = replace(earlier, id=3, category_id=8)
    before = document(of_model, earlier, of_other_class)
    after = before.apply(like_change(before, FOUND[:1], EXAMPLES, 0.5))
    assert [one.id for one in after] == [1, 3, 100]


def test_every_one_found_gets_an_id() -> None:
    ids = iter([5, 6, 7, 8])
    assert [one.id for one in with_ids(FOUND, lambda: next(ids))] == [5, 6, 7, 8]


def test_the_like_are_found_in_a_project_and_what_was_rejected_is_not(tmp_path: Path) -> None:
    image = np.full((120, 200, 3), 70, np.uint8)
    for x in (40, 100, 160):
        cv2.circle(image, (x, 60), 16, (150, 190, 210), -1)
        cv2.circle(image, (x, 60), 7, (60, 60, 150), -1)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), image)
    assistant = mw.load_assistant("bundled", precision="f32")
    with Project.create(tmp_path / "p", image_root=tmp_path / "images") as project:
        project.images.add(scan_folder(project.image_root))
        outlined = Instance(1, 7, (square(24, 44, 32),))
        rejected = Instance(2, 7, (square(84, 44, 32),), InstanceState.REJECTED)
        examples = gathered_examples(project, 1, [outlined], assistant)
        found = found_on_image(
            project, 1, examples, assistant, instances=[outlined, rejected], settings=LikeSettings(pitch=0.7)
        )
    assert examples.provenance.is_by_assistant
    assert polygons_bounds_xyxy(found[0].polygons) == pytest.approx((144, 44, 177, 77), abs=6)
    assert not any(polygons_bounds_xyxy(one.polygons) == pytest.approx((84, 44, 117, 77), abs=6) for one in found)
