"""Classes that a model knows are listed once they occur; official ids stay official; deleted classes stay deleted."""

import json
from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright.errors import ProjectError
from maskwright.formats.coco.writer import export_coco
from maskwright.inference.labels import COCO_CATEGORIES, ModelCategory
from maskwright.prelabel import project_categories
from maskwright.project import ModelProposal, Project
from project_builders import drawn, make_project, square

NUCLEI = [ModelCategory(1, "nucleus")]
PERSON, CAR = 1, 3


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "p", images=3, categories=())


def names(project: Project) -> list[str]:
    return [category.name for category in project.categories.listed()]


def found(project: Project, mapping: dict[int, int], *model_ids: int, image_id: int = 1) -> None:
    project.put_proposals(
        image_id, [ModelProposal(mapping[id_], 0.9, (square(),)) for id_ in model_ids], provenance=None
    )


def in_file(project: Project, path: Path) -> dict[str, int]:
    export_coco(project.source, path)
    return {category["name"]: category["id"] for category in json.loads(path.read_text())["categories"]}


def test_only_classes_that_occur_are_taken_from_a_model(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    assert (len(mapping), names(project)) == (80, [])

    found(project, mapping, CAR)

    assert names(project) == ["car"]
    assert len(project.categories.offered()) == 79


def test_official_ids_stay_official_after_another_model_was_tried(project: Project, tmp_path: Path) -> None:
    project_categories(project, NUCLEI, "nuclei")
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, PERSON, CAR)

    assert in_file(project, tmp_path / "a.json") == {"person": PERSON, "car": CAR}


def test_a_model_of_no_official_classes_gives_way_in_files(project: Project, tmp_path: Path) -> None:
    nuclei = project_categories(project, NUCLEI, "nuclei")
    found(project, nuclei, 1)
    assert in_file(project, tmp_path / "a.json") == {"nucleus": 1}
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    assert in_file(project, tmp_path / "a.json") == {"nucleus": 1}, "nothing of COCO has occurred"

    found(project, mapping, PERSON, CAR, image_id=2)

    numbers = in_file(project, tmp_path / "a.json")
    assert {name: numbers[name] for name in ("person", "car")} == {"person": PERSON, "car": CAR}
    assert numbers["nucleus"] > max(category.id for category in COCO_CATEGORIES)
    found(project, mapping, 90, image_id=3)
    assert in_file(project, tmp_path / "a.json") == {**numbers, "toothbrush": 90}


def test_own_classes_keep_their_numbers_when_a_model_is_tried(project: Project, tmp_path: Path) -> None:
    project.categories.add("leaf")
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, PERSON, CAR)

    numbers = in_file(project, tmp_path / "a.json")

    assert (numbers["leaf"], numbers["car"]) == (1, CAR)
    assert len(set(numbers.values())) == 3


def test_an_offered_class_that_is_asked_for_is_the_users(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")

    assert project.categories.add("Car").id == mapping[CAR]
    assert names(project) == ["Car"]
    with pytest.raises(ProjectError, match="already"):
        project.categories.add("car")


def test_a_deleted_class_takes_its_objects_along_and_stays_away(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    for image_id in (1, 2):
        found(project, mapping, PERSON, CAR, CAR, image_id=image_id)

    assert project.categories.delete(mapping[CAR]) == 4

    assert names(project) == ["person"]
    assert [len(project.instances.of(id_)) for id_ in (1, 2)] == [1, 1]
    assert [project.images.record(id_).instance_count for id_ in (1, 2)] == [1, 1]
    assert CAR not in project_categories(project, COCO_CATEGORIES, "coco")
    with pytest.raises(ProjectError, match="no category"):
        project.categories.delete(mapping[CAR])


def test_undoing_the_deletion_on_an_image_brings_the_class_back(project: Project) -> None:
    project.categories.add("cell")
    project.instances.apply(1, Change.of([(None, drawn(7))]), label="draw")
    project.categories.delete(1)
    [*_, step] = project.history.undo_steps(1).undo

    project.instances.apply(1, step.change.inverse(), label=step.label, kind="undo")

    assert (step.label, names(project)) == ("delete the class “cell”", ["cell"])
    assert [each.state for each in project.instances.of(1)] == [InstanceState.DRAWN]


def test_a_deleted_class_that_is_added_again_is_proposed_again(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, CAR)
    project.categories.delete(mapping[CAR])

    assert project.categories.add("car").id == mapping[CAR]
    assert project_categories(project, COCO_CATEGORIES, "coco") == mapping


def test_a_class_may_be_renamed_to_what_a_deleted_or_offered_one_was_called(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, CAR)
    project.categories.delete(mapping[CAR])
    own = project.categories.add("vehicle")

    project.categories.rename(own.id, "car")
    project.categories.rename(project.categories.add("folk").id, "person")

    assert sorted(names(project)) == ["car", "person"]
    assert project_categories(project, COCO_CATEGORIES, "coco")[CAR] == own.id
    [*_, step] = project.history.undo_steps(1).undo
    project.instances.apply(1, step.change.inverse(), label=step.label, kind="undo")
    assert sorted(names(project)) == ["car", "car 2", "person"]
