"""Two classes become one, and two again: objects, mappings, history, whatever was done in between."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.values import Category, Instance, InstanceState
from maskwright.errors import ProjectError
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.inference.labels import ModelCategory
from maskwright.prelabel.mapping import project_categories, store_mapping, stored_mapping
from maskwright.project import ModelProposal, Project
from maskwright.project.categories import CategoryUse
from project_builders import drawn, make_project, square

CELL, CAT = 1, 2


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Two images; the first with a cell (1) and a cat (2), drawn, and a cell (3) that was refused."""
    with make_project(tmp_path, images=2) as project:
        project.instances.reserve_ids(20)
        objects = [drawn(1), drawn(2, category_id=CAT), drawn(3, square(50), state=InstanceState.REJECTED)]
        project.instances.apply(1, Change.create(objects), label="Draw")
        yield project


def classes(project: Project, image_id: int = 1) -> dict[int, int]:
    return {instance.id: instance.category_id for instance in project.instances.of(image_id)}


def undo(project: Project, image_id: int = 1) -> None:
    step = project.history.undo_steps(image_id).undo[-1]
    project.instances.apply(image_id, step.change.inverse(), label=step.label, kind="undo")


def redo(project: Project, image_id: int = 1) -> None:
    step = project.history.undo_steps(image_id).redo[-1]
    project.instances.apply(image_id, step.change, label=step.label, kind="redo")


def test_all_objects_change_class_and_the_class_goes(project: Project) -> None:
    assert project.categories.use(CELL) == CategoryUse(instances=2, rejected=1, images=1)

    merge = project.merges.make(CELL, CAT)

    assert merge.instance_count == 2
    assert classes(project) == {1: CAT, 2: CAT, 3: CAT}
    assert [category.name for category in project.categories.listed()] == ["cat"]


def test_a_merge_is_taken_back_after_a_restart(project: Project) -> None:
    project.categories.set_colour(CELL, "#123456")
    before = project.categories.listed()
    project.merges.make(CELL, CAT)
    project.close()

    with Project.open(project.path) as opened:
        (merge,) = opened.merges.all()
        opened.merges.undo(merge.id)

        assert opened.categories.listed() == before
        assert classes(opened) == {1: CELL, 2: CAT, 3: CELL}
        assert opened.merges.all() == []


def test_steps_of_before_a_merge_can_be_undone_and_done_again_while_it_stands(project: Project) -> None:
    cell = project.instances.of(1)[0]
    project.instances.apply(1, Change.delete([cell]), label="Delete")
    project.merges.make(CELL, CAT)

    undo(project)
    assert classes(project) == {1: CAT, 2: CAT, 3: CAT}
    redo(project)
    undo(project)
    undo(project)
    assert classes(project) == {}
    redo(project)
    assert classes(project) == {1: CAT, 2: CAT, 3: CAT}


def test_a_step_between_the_two_classes_is_no_step_while_they_are_one(project: Project) -> None:
    project.instances.apply(1, edits.set_category(project.instances.document(1), [1], CAT), label="Change class")
    project.merges.make(CELL, CAT)

    assert [step.label for step in project.history.undo_steps(1).undo] == ["Draw"]


def test_steps_made_while_a_merge_stood_can_be_undone_after_it_was_taken_back(project: Project) -> None:
    merge = project.merges.make(CELL, CAT)
    project.instances.apply(1, edits.move(project.instances.document(1), [1], 5, 5), label="Move")
    project.instances.apply(2, Change.create([drawn(9, category_id=CAT)]), label="Draw")

    project.merges.undo(merge.id)

    assert classes(project)[1] == CELL
    assert classes(project, 2) == {9: CAT}
    undo(project)
    assert project.instances.of(1)[0] == drawn(1)
    undo(project)
    assert project.instances.of(1) == ()
    undo(project, 2)
    redo(project)
    assert classes(project) == {1: CELL, 2: CAT, 3: CELL}


def test_what_a_person_gave_another_class_meanwhile_keeps_it(project: Project) -> None:
    dog = project.categories.add("dog")
    merge = project.merges.make(CELL, CAT)
    project.instances.apply(1, edits.set_category(project.instances.document(1), [1], dog.id), label="Change class")

    project.merges.undo(merge.id)

    assert classes(project) == {1: dog.id, 2: CAT, 3: CELL}
    undo(project)
    assert classes(project)[1] == CELL


def test_an_edit_that_was_on_its_way_during_the_merge_arrives(project: Project) -> None:
    before = project.instances.of(1)[0]
    project.merges.make(CELL, CAT)

    project.instances.apply(1, Change.of([(before, replace(before, z=3))]), label="Raise")
    project.instances.apply(1, Change.create([drawn(10, square(90))]), label="Draw")

    assert classes(project) == {1: CAT, 2: CAT, 3: CAT, 10: CAT}


def test_a_batch_under_way_proposes_the_class_that_is_left(project: Project) -> None:
    project.merges.make(CELL, CAT)

    project.put_proposals(2, [ModelProposal(CELL, 0.9, (square(),))])

    assert list(classes(project, 2).values()) == [CAT]


def test_a_refused_object_stays_refused_after_a_merge(project: Project) -> None:
    project.merges.make(CELL, CAT)

    change = project.put_proposals(1, [ModelProposal(CELL, 0.9, (square(50),))])

    assert change.is_empty


def test_class_mappings_follow_and_come_back(project: Project) -> None:
    store_mapping(project, "hash", {7: CELL, 8: CAT, 9: None})
    merge = project.merges.make(CELL, CAT)
    assert stored_mapping(project, "hash") == {7: CAT, 8: CAT, 9: None}

    project.merges.undo(merge.id)

    assert stored_mapping(project, "hash") == {7: CELL, 8: CAT, 9: None}


def test_a_model_that_knows_the_old_name_does_not_bring_the_class_back(project: Project) -> None:
    project.merges.make(CELL, CAT)

    assert project_categories(project, [ModelCategory(5, "cells")], "hash") == {5: CAT}
    assert [category.name for category in project.categories.listed()] == ["cat"]


def test_merges_in_a_row_are_taken_back_in_turn(project: Project) -> None:
    dog = project.categories.add("dog")
    first, second = project.merges.make(CELL, CAT), project.merges.make(CAT, dog.id)
    assert set(classes(project).values()) == {dog.id}
    assert project.merges.names() == {"cell": dog.id, "cat": dog.id}

    with pytest.raises(ProjectError, match="undo that first"):
        project.merges.undo(first.id)
    project.merges.undo(second.id)
    project.merges.undo(first.id)

    assert classes(project) == {1: CELL, 2: CAT, 3: CELL}
    with pytest.raises(ProjectError, match="already been undone"):
        project.merges.undo(first.id)


def test_ids_of_merged_classes_are_not_given_again(project: Project) -> None:
    project.merges.make(CAT, CELL)

    assert project.categories.add("dog").id == 3
    assert project.ensure_categories([(CAT, "bird")]) == {CAT: 4}


def test_a_name_taken_meanwhile_does_not_stop_the_way_back(project: Project) -> None:
    merge = project.merges.make(CELL, CAT)
    project.categories.add("cell")

    assert project.merges.undo(merge.id) == Category(CELL, "cell 2")


def test_a_class_is_not_merged_into_itself_or_nothing(project: Project) -> None:
    for source, target in ((CELL, CELL), (CELL, 99), (99, CELL)):
        with pytest.raises(ProjectError):
            project.merges.make(source, target)


def test_imported_annotations_are_exported_in_the_class_they_have_now(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "annotations": [
            {"id": k, "image_id": 1, "category_id": k, "segmentation": [[1, 1, 9, 1, 9.5, 9]], "iscrowd": 0,
             "area": 33.0, "bbox": [1, 1, 8.5, 8], **({"deep": {"category_id": 1}} if k == 1 else {})}
            for k in (1, 2)
        ],
        "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "cat"}],
    }  # fmt: skip
    (tmp_path / "in.json").write_text(json.dumps(content), "utf-8")
    (tmp_path / "images").mkdir()
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path / "images") as project:
        project.imports.add_coco(tmp_path / "in.json")
        merge = project.merges.make(1, 2)
        export_coco(project.source, tmp_path / "merged.json", CocoExportOptions())
        project.merges.undo(merge.id)
        export_coco(project.source, tmp_path / "back.json", CocoExportOptions())

    merged, back = (json.loads((tmp_path / name).read_text("utf-8")) for name in ("merged.json", "back.json"))
    assert [(one["category_id"], one.get("deep")) for one in merged["annotations"]] == [
        (2, {"category_id": 1}),
        (2, None),
    ]
    assert back["annotations"] == content["annotations"]


def test_instances_keep_everything_else(project: Project) -> None:
    before = project.instances.of(1)

    project.merges.make(CELL, CAT)

    assert project.instances.of(1) == tuple(replace(one, category_id=CAT) for one in before)
    assert isinstance(before[0], Instance)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_in_between_a_merge_and_its_undo_leave_no_trace(project: Project, seed: int) -> None:
    chance = random.Random(seed)
    project.categories.add("dog")
    for _ in range(25):
        do_something(project, chance)
        known = {category.id for category in project.categories.listed()}
        assert set(classes(project).values()) <= known
        assert all(step.change for step in project.history.undo_steps(1).undo)

    before = (
        project.instances.of(1),
        project.categories.listed(),
        [step.change for step in project.history.undo_steps(1).undo],
    )
    pair = [category.id for category in project.categories.listed()][:2]
    if len(pair) == 2:
        project.merges.undo(project.merges.make(*pair).id)

    assert before == (
        project.instances.of(1),
        project.categories.listed(),
        [s.change for s in project.history.undo_steps(1).undo],
    )


def do_something(project: Project, chance: random.Random) -> None:
    """One step of a user: an edit, undo, redo, a merge, or one taken back; nothing where that is not possible."""
    known, document = [category.id for category in project.categories.listed()], project.instances.document(1)
    some = [chance.choice(list(document.instances))] if len(document) else []
    match chance.choice(["draw", "delete", "class", "undo", "redo", "merge", "undo merge"]):
        case "draw":
            new = drawn(project.instances.reserve_ids(1)[0], category_id=chance.choice(known))
            project.instances.apply(1, Change.create([new]), label="Draw")
        case "delete":
            project.instances.apply(1, edits.delete(document, some), label="Delete")
        case "class":
            project.instances.apply(1, edits.set_category(document, some, chance.choice(known)), label="Change class")
        case "undo" if project.history.undo_steps(1).undo:
            undo(project)
        case "redo" if project.history.undo_steps(1).redo:
            redo(project)
        case "merge" if len(known) > 1:
            project.merges.make(*chance.sample(known, 2))
        case "undo merge" if project.merges.all():
            project.merges.undo(project.merges.all()[-1].id)
