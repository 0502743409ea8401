"""What of a project is learned, what is background, and what is neither."""

from pathlib import Path

import pytest

from learning_builders import box, learning_project, octagon, put
from maskwright.document.values import ImageState, InstanceState
from maskwright.learning.selection import classes_exclude, example_of, material_of, truth_of
from maskwright.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four images that nobody has looked at."""
    return learning_project(tmp_path, images=4, objects=0, state=ImageState.UNSEEN)


def first(project: Project) -> int:
    return int(project.images.ids()[0])


def test_unseen_and_prelabelled_images_are_not_learned_from(project: Project) -> None:
    put(project, first(project), (box(5, 5, 20), 1))
    project.images.set_state(first(project), ImageState.PRELABELLED)

    assert material_of(project).images == ()


@pytest.mark.parametrize("state", [InstanceState.ACCEPTED, InstanceState.EDITED, InstanceState.DRAWN], ids=str)
def test_what_a_user_decided_on_a_done_image_is_learned(project: Project, state: InstanceState) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), state=state)
    project.images.set_state(first(project), ImageState.DONE)

    (image,) = material_of(project).images

    assert [item.category_id for item in image.objects] == [1]


def test_empty_image_is_background(project: Project) -> None:
    project.images.set_state(first(project), ImageState.EMPTY)

    (image,) = material_of(project).images

    assert image.is_whole
    assert image.objects == image.ignored == ()


def test_open_proposal_is_neither_object_nor_background(project: Project) -> None:
    image_id = first(project)
    put(project, image_id, (octagon(5, 5, 20), 1), state=InstanceState.ACCEPTED)
    put(project, image_id, (octagon(60, 60, 20), 1), state=InstanceState.PROPOSED)
    project.images.set_state(image_id, ImageState.IN_PROGRESS)

    (image,) = material_of(project).images
    example = example_of(image, "x.png", {1: 0})

    assert not image.is_whole
    assert (len(example.objects), len(example.ignored)) == (1, 1)


def test_what_is_still_proposed_on_a_done_image_is_background(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), state=InstanceState.PROPOSED)
    project.images.set_state(first(project), ImageState.DONE)

    (image,) = material_of(project).images

    assert image.ignored == image.objects == ()


def test_rejected_proposal_is_background_that_is_looked_at_more_often(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), state=InstanceState.REJECTED)
    project.images.set_state(first(project), ImageState.EMPTY)

    (image,) = material_of(project).images
    example = example_of(image, "x.png", {1: 0})

    assert example.objects == example.ignored == ()
    assert len(example.rejected) == 1


def test_image_in_progress_without_any_model_is_left_alone(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1))
    project.images.set_state(first(project), ImageState.IN_PROGRESS)

    material = material_of(project)

    assert material.images == ()
    assert material.unused_in_progress == 1


def test_classes_that_are_not_wanted_are_background(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), (octagon(50, 50, 20), 2))
    project.images.set_state(first(project), ImageState.DONE)

    material = material_of(project, {2})

    assert [category.name for category in material.categories] == ["square"]
    assert [each.category_id for image in material.images for each in image.objects] == [2]


def test_merged_class_is_learned_under_its_new_name(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), (octagon(50, 50, 20), 2))
    project.images.set_state(first(project), ImageState.DONE)
    project.merges.make(1, 2)

    material = material_of(project)

    assert [category.name for category in material.categories] == ["square"]
    assert [each.category_id for image in material.images for each in image.objects] == [2, 2]


def test_object_outside_the_image_is_left_out(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), (octagon(500, 500, 20), 1))
    project.images.set_state(first(project), ImageState.DONE)

    (image,) = material_of(project).images

    assert len(example_of(image, "x.png", {1: 0}).objects) == 1


def test_object_that_leaves_the_image_is_learned_up_to_its_border(project: Project) -> None:
    put(project, first(project), (box(-10, 100, 40), 1))
    project.images.set_state(first(project), ImageState.DONE)
    (image,) = material_of(project).images

    (patch,) = example_of(image, "x.png", {1: 0}).objects

    assert (patch.x, patch.y, patch.width, patch.height) == (0, 100, 30, 28)


def test_boxes_are_told_from_outlines(project: Project) -> None:
    put(project, first(project), (box(5, 5, 20), 1), (box(50, 50, 20), 1), (octagon(80, 80, 20), 1))
    project.images.set_state(first(project), ImageState.DONE)

    assert material_of(project).box_share() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("second", "category", "exclude"),
    [((6, 6, 20), 2, False), ((6, 6, 20), 1, True), ((22, 22, 20), 2, True)],
    ids=["two classes in one place", "one class in one place", "two classes side by side"],
)
def test_classes_exclude_each_other_unless_they_share_places(
    project: Project, second: tuple[float, float, float], category: int, exclude: bool
) -> None:
    put(project, first(project), (box(5, 5, 20), 1), (box(*second), category))
    project.images.set_state(first(project), ImageState.DONE)

    assert classes_exclude(material_of(project).images) == exclude


def test_truth_holds_every_object_under_its_file_name(project: Project) -> None:
    put(project, first(project), (octagon(5, 5, 20), 1), (octagon(50, 50, 20), 2))
    project.images.set_state(first(project), ImageState.DONE)
    material = material_of(project)

    truth = truth_of(material.images, material.categories)

    assert [image["file_name"] for image in truth["images"]] == ["000.png"]
    assert [entry["category_id"] for entry in truth["annotations"]] == [1, 2]


@pytest.mark.parametrize(
    ("category", "side", "objects"),
    [(1, 40, 1), (1, 39, 1), (1, 34, 2), (2, 40, 2)],
    ids=["same outline", "a pixel smaller", "inside", "another class"],
)
def test_object_that_is_there_twice_is_learned_once(project: Project, category: int, side: int, objects: int) -> None:
    put(project, first(project), (octagon(5, 5, 40), 1), (octagon(70, 70, 40), 1), (octagon(5, 5, side), category))
    project.images.set_state(first(project), ImageState.DONE)

    material = material_of(project)

    assert len(material.images[0].objects) == 1 + objects
    assert material.doubles == 2 - objects


def test_object_that_is_there_three_times_is_learned_once(project: Project) -> None:
    put(project, first(project), *[(octagon(5, 5, 40), 1)] * 3)
    project.images.set_state(first(project), ImageState.DONE)

    assert len(material_of(project).images[0].objects) == 1
