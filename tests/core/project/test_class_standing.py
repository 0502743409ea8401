"""Classes that a model knows are listed once they occur; official ids stay official; deleted classes stay deleted."""

import json
from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright.errors import ProjectError
from maskwright.formats.coco.writer import export_coco
from maskwright.inference.labels import COCO_CATEGORIES, ModelCategory
from maskwright.prelabel import project_categories, store_mapping
from maskwright.project import ModelProposal, Project
from maskwright.project.layer import ImageProposals
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


def test_a_models_class_goes_with_its_last_proposal_and_comes_back_with_its_official_id(
    project: Project, tmp_path: Path
) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, PERSON, CAR)
    found(project, mapping, CAR, image_id=2)

    found(project, mapping, PERSON)
    assert names(project) == ["person", "car"], "the other image has one"
    found(project, mapping, image_id=2)
    assert (names(project), in_file(project, tmp_path / "a.json")) == (["person"], {"person": PERSON})

    found(project, mapping, CAR, image_id=2)
    assert in_file(project, tmp_path / "a.json") == {"person": PERSON, "car": CAR}


def test_a_models_class_goes_at_the_end_of_a_run_over_many_images(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, PERSON, CAR)

    project.proposals.put_many([ImageProposals(1, [ModelProposal(mapping[PERSON], 0.9, (square(),))])])
    project.categories.release()

    assert names(project) == ["person"]


@pytest.mark.parametrize("work", ["accept", "reject", "rename", "colour", "merge", "delete"])
def test_a_models_class_that_the_user_worked_with_stays(project: Project, work: str) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, PERSON, CAR)
    car = mapping[CAR]
    id_ = next(each.id for each in project.instances.of(1) if each.category_id == car)
    match work:
        case "accept" | "reject":
            change = project.accept(1, [id_]) if work == "accept" else project.reject(1, [id_])
            project.instances.apply(1, change.inverse(), label="Accept", kind="undo")
        case "rename":
            project.categories.rename(car, "vehicle")
        case "colour":
            project.categories.set_colour(car, "#ff0000")
        case "merge":
            project.merges.make(mapping[PERSON], car)
        case "delete":
            project.accept(1, [id_])
            project.instances.apply(1, Change.delete([project.instances.document(1)[id_]]), label="Delete")

    found(project, mapping)

    assert [each.id for each in project.categories.listed() if each.id == car] == [car]


def test_undo_brings_back_a_models_class_that_went(project: Project) -> None:
    mapping = project_categories(project, COCO_CATEGORIES, "coco")
    found(project, mapping, CAR)
    [proposal] = project.instances.of(1)
    step = Change.delete([proposal])
    project.instances.apply(1, step, label="Delete")
    project.categories.release()
    assert names(project) == []

    project.instances.apply(1, step.inverse(), label="Delete", kind="undo")

    assert names(project) == ["car"]


def test_a_mapping_onto_a_class_that_went_still_holds(project: Project) -> None:
    first = project_categories(project, NUCLEI, "nuclei")
    found(project, first, 1)
    store_mapping(project, "coco", {CAR: first[1]})
    found(project, first)
    assert names(project) == []

    assert project_categories(project, COCO_CATEGORIES, "coco")[CAR] == first[1]
