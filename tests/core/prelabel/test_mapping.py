"""Classes of a model become the project's: as decided, else by name, else anew."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from maskwright.document.values import Category
from maskwright.inference.labels import ModelCategory
from maskwright.prelabel import guess_mapping, project_categories, store_mapping, stored_mapping
from maskwright.prelabel.mapping import parse_mapping
from maskwright.project import Project
from maskwright.project.learned_classes import ROUNDS_FILE
from project_builders import make_project

LABELS = (ModelCategory(3, "Cells"), ModelCategory(17, "traffic_light"), ModelCategory(18, "dog"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path, categories=("cell", "traffic light", "animal")) as project:
        yield project


def test_names_are_guessed_past_case_plural_and_separators(project: Project) -> None:
    assert guess_mapping(LABELS, project.categories.listed()) == {3: 1, 17: 2}


def test_a_class_without_a_category_gets_one_that_is_not_listed_yet(project: Project) -> None:
    assert project_categories(project, LABELS, "hash") == {3: 1, 17: 2, 18: 18}
    assert [category.name for category in project.categories.offered()] == ["dog"]
    assert project.categories.listed()[-1].name == "animal"


def test_decisions_come_first_and_are_kept_per_model(project: Project) -> None:
    store_mapping(project, "hash", {18: 3, 17: None})
    store_mapping(project, "other", {18: 1})

    assert project_categories(project, LABELS, "hash") == {3: 1, 18: 3}
    assert stored_mapping(project, "hash") == {18: 3, 17: None}
    assert len(project.categories.listed()) == 3


def test_a_mapping_is_written_as_pairs(project: Project) -> None:
    mapping = parse_mapping("dog=animal, traffic_light=, Cells=tissue", project, LABELS)

    assert mapping == {18: 3, 17: None, 3: 4}
    assert project.categories.listed()[-1].name == "tissue"


def test_another_word_for_the_same_thing_is_guessed_where_the_very_name_is_missing() -> None:
    labels = [ModelCategory(k, name) for k, name in enumerate(("couch", "TV", "person", "cup"))]
    voc = [Category(1, "sofa"), Category(2, "tvmonitor"), Category(3, "human"), Category(4, "Person")]
    assert guess_mapping(labels, voc) == {0: 1, 1: 2, 2: 4}


@pytest.fixture
def own_labels(project: Project) -> tuple[ModelCategory, ...]:
    """Of a model that was learned in the project as it is now."""
    categories = project.categories.listed()
    record = {"model_hash": "own", "category_ids": [category.id for category in categories]}
    path = project.path / ROUNDS_FILE
    path.parent.mkdir()
    path.write_bytes(orjson.dumps([record]))
    return tuple(ModelCategory(category.id, category.name) for category in categories)


def test_a_learned_model_knows_its_classes_after_they_were_renamed(project: Project, own_labels) -> None:
    project.categories.rename(1, "nucleus")
    project.categories.rename(2, "cell")

    assert project_categories(project, own_labels, "own") == {1: 1, 2: 2, 3: 3}
    assert project.categories.offered() == ()


def test_a_learned_model_follows_merges_and_leaves_out_what_was_deleted(project: Project, own_labels) -> None:
    project.categories.rename(2, "lamp")
    project.merges.make(2, 1)
    project.categories.rename(3, "beast")
    project.categories.delete(3)

    assert project_categories(project, own_labels, "own") == {1: 1, 2: 1}


def test_a_record_of_rounds_that_cannot_be_read_leaves_it_to_the_names(project: Project, own_labels) -> None:
    (project.path / ROUNDS_FILE).write_text("[3]")

    assert project_categories(project, own_labels, "own") == {1: 1, 2: 2, 3: 3}
