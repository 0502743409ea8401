"""Whether another round is worth it, and when one is offered."""

from dataclasses import replace
from pathlib import Path

import pytest

from learning_builders import learning_project, octagon
from maskwright.document.change import Change, UserEffort
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.learning.gate import Figures, classes_left_to
from maskwright.learning.rounds import RoundRecord, add_round, learning_folder
from maskwright.learning.worth import RoundWorth, advised, offer, worth_of
from maskwright.project import ModelProposal, Project

FIGURES = Figures(f1=0.8, precision=0.8, recall=0.8, ap50=0.8, ap=0.5, score=0.4, images=2, objects=6)
RECORD = RoundRecord(
    number=1, model="set-round-1", model_hash="one", is_installed=True, reason="", base="general", classes=("disc",),
    training=(1, 2, 3, 4), held_out=(5,), objects=9, seconds=120.0, steps=100, at="2026-01-01T00:00:00+00:00",
    figures=FIGURES,
)  # fmt: skip


def rounds(*seconds: float) -> list[RoundWorth]:
    return [
        RoundWorth("before" if at == 0 else f"round {at}", 5, 2.0, value, FIGURES) for at, value in enumerate(seconds)
    ]


def test_another_round_is_worth_it_while_it_saves_more_than_it_takes() -> None:
    text, is_over = advised(rounds(90, 30), 100, 120.0)

    assert not is_over
    assert "about 50 of your minutes on the 100 images left, and takes 2 to learn" in text


def test_stop_is_suggested_when_rounds_save_nothing_any_more() -> None:
    text, is_over = advised(rounds(90, 30, 29.5), 100, 120.0)

    assert is_over
    assert "better continue with the present model" in text


@pytest.mark.parametrize(("known", "left", "over"), [((90,), 100, False), ((90, 30), 0, True)], ids=["new", "all done"])
def test_without_a_comparison_nothing_is_claimed(known: tuple[float, ...], left: int, over: bool) -> None:
    text, is_over = advised(rounds(*known), left, 120.0)

    assert is_over == over
    assert "would save" not in text


def test_corrections_are_counted_under_the_model_that_proposed(tmp_path: Path) -> None:
    with learning_project(tmp_path, images=3, objects=0, state=ImageState.UNSEEN) as project:
        noted(project, training=(1,), held_out=())
        run = project.runs.start("set-round-1", "one", {})
        outlines = [ModelProposal(1, 0.9, (octagon(x, 5, 20),)) for x in (0, 40, 80)]
        project.proposals.put(2, outlines, run_id=run)
        project.proposals.put(3, [], run_id=run)
        drawn(project, 1)
        answer(project, 2)
        drawn(project, 3)

        worth = worth_of(project)

    assert [(entry.label, entry.images, entry.corrections) for entry in worth.rounds] == [
        ("before", 1, 1.0),
        ("round 1", 2, 1.5),  # one accepted, one rejected, one given another class; on the other nothing was found
    ]
    assert [entry.seconds for entry in worth.rounds] == [20.0, 11.5]


def noted(project: Project, **changes: tuple[int, ...]) -> None:
    learning_folder(project.path).mkdir()
    add_round(project.path, replace(RECORD, **changes))  # type: ignore[arg-type]  # fields by their names


def drawn(project: Project, image_id: int) -> None:
    new = Instance(project.instances.reserve_ids(1)[0], 1, (octagon(5, 5, 20),))
    project.instances.apply(image_id, Change.create([new]), label="Draw", gesture=UserEffort(9, 0, 20.0))
    project.images.set_state(image_id, ImageState.DONE)


def answer(project: Project, image_id: int) -> None:
    first, second, third = project.instances.of(image_id)
    changes = [
        (first, replace(first, state=InstanceState.ACCEPTED)),
        (second, replace(second, state=InstanceState.REJECTED)),
        (third, replace(third, state=InstanceState.EDITED, category_id=2)),
    ]
    project.instances.apply(image_id, Change.of(changes), label="Answer", gesture=UserEffort(3, 0, 3.0))
    project.images.set_state(image_id, ImageState.DONE)


@pytest.mark.parametrize(
    ("images", "objects", "told"),
    [(9, 3, None), (10, 3, "10 images are done"), (5, 20, "100 objects are done"), (5, 19, None)],
)
def test_first_round_is_offered_at_ten_images_or_a_hundred_objects(
    tmp_path: Path, images: int, objects: int, told: str | None
) -> None:
    with learning_project(tmp_path, images=images, objects=objects, side=64) as project:
        assert offer(project) == told


@pytest.mark.parametrize(("images", "told"), [(6, None), (9, "4 more images done since set-round-1")])
def test_next_round_is_offered_when_the_rule_says_so(tmp_path: Path, images: int, told: str | None) -> None:
    with learning_project(tmp_path, images=images, side=64) as project:
        noted(project)
        assert offer(project) == told


def test_round_that_was_not_installed_is_tried_again_with_more_images(tmp_path: Path) -> None:
    with learning_project(tmp_path, images=9, side=64) as project:
        learning_folder(project.path).mkdir()
        add_round(project.path, replace(RECORD, is_installed=False))
        assert offer(project) == "4 more images done since the last round"


def test_classes_that_the_old_model_finds_better_are_left_to_it() -> None:
    old = replace(FIGURES, f1_by_class=((1, 0.9), (2, 0.5)))
    new = replace(FIGURES, f1_by_class=((1, 0.8), (2, 0.9)))

    assert classes_left_to(old, new) == (1,)
    assert classes_left_to(None, new) == ()


def test_round_without_corrected_images_compares_nothing() -> None:
    fresh = RoundWorth("round 2", 0, 0.0, 0.0, FIGURES)

    text, is_over = advised([*rounds(90, 30), fresh], 100, 120.0)

    assert not is_over
    assert "would save" not in text
