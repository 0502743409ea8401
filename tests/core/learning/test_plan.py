"""What a round would do is told before it begins, and what keeps it from learning."""

from pathlib import Path

import pytest

from learning_builders import box, learning_project, octagon, put
from maskwright.document.values import ImageState
from maskwright.errors import MaskwrightError
from maskwright.learning import plan as planning
from maskwright.learning.gate import Figures
from maskwright.learning.plan import LearnOptions, learning_plan
from maskwright.learning.recipe import Recipe, input_size_for
from maskwright.learning.rounds import RoundRecord, add_round, learning_folder, model_name, read_rounds

FIGURES = Figures(f1=0.5, precision=0.5, recall=0.5, ap50=0.5, ap=0.3, score=0.4, images=2, objects=6)


def record(**changes: object) -> RoundRecord:
    values = {
        "number": 1, "model": "set-round-1", "model_hash": "0", "is_installed": True, "reason": "", "base": "general",
        "classes": ("disc",), "training": (1, 2, 3), "held_out": (4,), "objects": 9, "seconds": 60.0, "steps": 100,
        "at": "2026-01-01T00:00:00+00:00", "figures": FIGURES,
    }  # fmt: skip
    return RoundRecord(**(values | changes))  # type: ignore[arg-type]


def test_plan_counts_what_there_is(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=12, objects=3)

    plan = learning_plan(project)

    assert (len(plan.training), len(plan.held_out)) == (10, 2)
    assert sum(plan.objects.values()) == 30
    assert plan.obstacle is None
    assert plan.name == "set-round-1"


def test_planning_writes_nothing(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=3)
    before = project.revision

    learning_plan(project)

    assert project.revision == before
    assert not learning_folder(project.path).exists()


def test_all_done_images_empty_is_told(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=3, objects=0, state=ImageState.EMPTY)

    assert "empty" in str(learning_plan(project).obstacle)


def test_no_done_image_is_told(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=3, state=ImageState.UNSEEN)

    assert "no images are done" in str(learning_plan(project).obstacle)


def test_one_object_of_one_class_is_enough_and_said_to_be_few(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=1, objects=1)

    plan = learning_plan(project)

    assert plan.obstacle is None
    assert plan.few is not None
    assert plan.few.startswith("few objects of ")
    assert any("no images are held out" in note for note in plan.notes)


def test_plain_boxes_are_told(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=2, objects=0)
    for image_id in project.images.ids().tolist():
        put(project, image_id, (box(5, 5, 30), 1))

    assert any("boxes" in note for note in learning_plan(project).notes)


def test_objects_that_are_there_twice_are_told(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=2, objects=0)
    for image_id in project.images.ids().tolist():
        put(project, image_id, (octagon(5, 5, 40), 1), (octagon(5, 5, 40), 1))

    plan = learning_plan(project)

    assert plan.object_count == 2
    assert "2 objects are there twice: one of each is used" in plan.notes


@pytest.mark.parametrize(
    "options",
    [
        LearnOptions(classes=("kite",)),
        LearnOptions(base="magic"),
        LearnOptions(to="a/b"),
        LearnOptions(to="v1.2"),
        LearnOptions(minutes=0),
    ],
    ids=["unknown class", "unknown base", "path as name", "dotted name", "no time"],
)
def test_impossible_wishes_are_refused(tmp_path: Path, options: LearnOptions) -> None:
    with pytest.raises(MaskwrightError):
        learning_plan(learning_project(tmp_path, images=1), options)


def test_rule_for_the_next_round_speaks_after_the_first(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=12)
    learning_folder(project.path).mkdir()
    add_round(project.path, record(training=tuple(range(1, 10)), held_out=(11, 12)))

    plan = learning_plan(project)

    assert plan.number == 2
    assert plan.next_round_after == 2
    assert plan.new_images == 1
    assert {11, 12} <= {image.record.id for image in plan.held_out}


def test_round_that_was_not_installed_decides_nothing(tmp_path: Path) -> None:
    project = learning_project(tmp_path, images=12)
    learning_folder(project.path).mkdir()
    add_round(project.path, record(is_installed=False))

    assert learning_plan(project).old is None
    assert learning_plan(project).number == 2


def test_rounds_survive_being_written(tmp_path: Path) -> None:
    learning_folder(tmp_path).mkdir()
    add_round(tmp_path, record())

    assert read_rounds(tmp_path) == (record(),)


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"number": 1}]'], ids=["empty", "cut", "numbers", "half"])
def test_damaged_rounds_do_not_stop_anybody(tmp_path: Path, text: str) -> None:
    learning_folder(tmp_path).mkdir()
    (learning_folder(tmp_path) / "rounds.json").write_text(text)

    assert read_rounds(tmp_path) == ()


def test_damaged_rounds_are_kept_aside_when_a_new_one_is_noted(tmp_path: Path) -> None:
    learning_folder(tmp_path).mkdir()
    (learning_folder(tmp_path) / "rounds.json").write_text("[1]")

    add_round(tmp_path, record())

    assert read_rounds(tmp_path) == (record(),)
    assert (learning_folder(tmp_path) / "rounds.json.damaged").read_text() == "[1]"


def test_no_more_images_are_read_than_a_round_can_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_IMAGES", 11)
    project = learning_project(tmp_path, images=15)
    learning_folder(project.path).mkdir()
    add_round(project.path, record(training=(1, 2), held_out=(14, 15)))

    plan = learning_plan(project)

    assert len(plan.training) + len(plan.held_out) == 11
    assert {14, 15} <= {image.record.id for image in plan.held_out}
    assert any("4 more are ignored" in note for note in plan.notes)


def test_name_of_a_model_is_never_taken_for_a_path() -> None:
    assert model_name("my work (2).v1", 3) == "my-work-2-v1-round-3"
    assert model_name("...", 1) == "project-round-1"


@pytest.mark.parametrize(
    ("share", "longest", "size"),
    [(0.2, 640, 384), (0.045, 1024, 512), (0.01, 4000, 1536), (0.01, 600, 512), (0.3, 256, 384)],
    ids=["large objects", "small ones", "specks", "specks on a small image", "small image"],
)
def test_input_grows_with_small_objects_but_not_past_the_image(share: float, longest: int, size: int) -> None:
    assert input_size_for([share] * 9, longest) == size


def test_recipe_survives_being_written() -> None:
    recipe = Recipe(input_size=512, scale_range=(0.5, 2.0))

    assert Recipe.from_json(recipe.to_json()) == recipe
