"""Importing into a project: all or nothing, ids kept, untouched objects written back as they were."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from coco_sources import square
from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState, Provenance
from maskwright.errors import FormatError
from maskwright.formats import json_stream
from maskwright.formats.coco import CocoExportOptions, export_coco, read_coco
from maskwright.formats.coco.options import PROFILES, profile_named
from maskwright.formats.coco.verify import verify_coco
from maskwright.project import Project
from maskwright.project.import_values import ImportOptions
from shared_data import shared_path


@dataclass(frozen=True)
class Found:
    file_name: str
    width: int = 20
    height: int = 10


def annotation(id_: int, image_id: int, **changes: Any) -> dict[str, Any]:
    plain = {"id": id_, "image_id": image_id, "category_id": 18, "segmentation": [[2, 2, 6.125, 2, 6, 6]]}
    return plain | {"area": 8, "bbox": [2, 2, 4, 4], "iscrowd": 0, "note": {"a": [1]}} | changes


CONTENT = {
    "info": {"year": 2017},
    "images": [
        {"license": 3, "file_name": "b.png", "height": 10, "width": 20, "id": 50},
        {"license": 1, "file_name": "c/a.png", "height": 10, "width": 20, "id": 7},
    ],
    "annotations": [
        annotation(900, 7),
        annotation(3, 50, segmentation={"counts": [5, 10, 185], "size": [10, 20]}, iscrowd=1),
        annotation(41, 7),
    ],
    "categories": [{"supercategory": "animal", "id": 18, "name": "dog"}],
    "licenses": [],
}


@pytest.fixture
def project(tmp_path: Path) -> Any:
    (tmp_path / "images").mkdir()
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path / "images") as created:
        yield created


def take_in(project: Project, tmp_path: Path, content: Any = CONTENT) -> Any:
    (tmp_path / "in.json").write_text(json.dumps(content))
    return project.imports.add(read_coco(tmp_path / "in.json"))


def stream_in(project: Project, tmp_path: Path, content: Any = CONTENT) -> Any:
    (tmp_path / "in.json").write_text(json.dumps(content))
    return project.imports.add_coco(tmp_path / "in.json")


@pytest.fixture(params=[take_in, stream_in], ids=["whole", "stream"])
def brought_in(request: pytest.FixtureRequest) -> Any:
    return request.param


def exported(project: Project, tmp_path: Path) -> Any:
    export_coco(project.source, tmp_path / "out.json")
    return json.loads((tmp_path / "out.json").read_text())


def test_import_and_export_give_the_same_content(project: Project, tmp_path: Path, brought_in: Any) -> None:
    brought_in(project, tmp_path)
    assert json.dumps(exported(project, tmp_path)) == json.dumps(CONTENT)


def test_images_of_a_scanned_folder_keep_their_ids_and_leave_under_those_of_the_file(
    project: Project, tmp_path: Path, brought_in: Any
) -> None:
    project.images.add([Found("a.png"), Found("b.png")])
    brought_in(project, tmp_path)
    assert [(image.id, image.file_name) for image in project.images.all()] == [
        (1, "a.png"),
        (2, "b.png"),
        (7, "c/a.png"),
    ]
    assert json.dumps(exported(project, tmp_path)) == json.dumps(CONTENT)


def test_ids_that_were_given_are_not_given_again(project: Project, tmp_path: Path, brought_in: Any) -> None:
    given = project.instances.reserve_ids(1000)  # as an open window does
    project.images.add([Found("c/a.png"), Found("b.png")])
    project.categories.add("mine")
    brought_in(project, tmp_path)
    assert not {instance.id for image_id in (1, 2) for instance in project.instances.of(image_id)} & set(given)
    assert json.dumps(exported(project, tmp_path)["annotations"]) == json.dumps(CONTENT["annotations"])


def test_an_object_drawn_before_the_import_gets_a_number_of_its_own_in_the_file(
    project: Project, tmp_path: Path, brought_in: Any
) -> None:
    project.instances.reserve_ids(1000)
    project.images.add([Found("c/a.png"), Found("b.png")])
    mine = project.categories.add("mine")
    brought_in(project, tmp_path)
    project.instances.apply(2, Change.create([Instance(900, mine.id, (square(1, 1),))]), label="Draw")
    written = exported(project, tmp_path)
    ids = [each["id"] for each in written["annotations"]]
    assert len(set(ids)) == 4
    assert ids[:3] == [900, 3, 41]
    assert list(verify_coco(tmp_path / "out.json", project.source, CocoExportOptions())) == []


def test_ids_that_leave_no_room_above_are_the_files_own(project: Project, tmp_path: Path, brought_in: Any) -> None:
    content = {**CONTENT, "annotations": [annotation(2**53 - 1, 7), annotation(3, 50)]}
    brought_in(project, tmp_path, content)
    assert project.instances.reserve_ids(1)[0] < 2**52
    assert json.dumps(exported(project, tmp_path)) == json.dumps(content)


def test_classes_that_differ_by_case_stay_two_in_the_next_file(
    project: Project, tmp_path: Path, brought_in: Any
) -> None:
    classes = [*CONTENT["categories"], {"id": 19, "name": "Dog", "supercategory": "none"}]
    annotations = [annotation(1, 7), annotation(2, 7, category_id=19)]
    brought_in(project, tmp_path, {**CONTENT, "categories": classes, "annotations": annotations})
    written = exported(project, tmp_path)
    assert [each["id"] for each in written["categories"]] == [18, 19]
    assert [each["category_id"] for each in written["annotations"]] == [18, 19]


def test_merging_an_imported_class_and_taking_that_back_leaves_the_file_as_it_was(
    project: Project, tmp_path: Path, brought_in: Any
) -> None:
    project.categories.add("first")
    project.categories.add("Dog")
    content = {**CONTENT, "categories": [*CONTENT["categories"], {"supercategory": "none", "id": 1, "name": "cat"}]}
    brought_in(project, tmp_path, content)
    before = exported(project, tmp_path)
    dog, cat = (next(c.id for c in project.categories.listed() if c.name == name) for name in ("dog", "cat"))
    merge = project.merges.make(dog, cat)
    assert {each["category_id"] for each in exported(project, tmp_path)["annotations"]} == {1}
    assert list(verify_coco(tmp_path / "out.json", project.source, CocoExportOptions())) == []
    project.merges.undo(merge.id)
    assert exported(project, tmp_path) == before


def test_changing_one_object_changes_one_object_in_the_file(project: Project, tmp_path: Path, brought_in: Any) -> None:
    brought_in(project, tmp_path)
    before = project.instances.document(7)[41]
    after = replace(before, polygons=(square(1, 1),))
    project.instances.apply(7, Change.of([(before, after)]), label="Move")
    written = exported(project, tmp_path)
    changed = written["annotations"].pop(2)
    assert changed == annotation(41, 7, segmentation=[[1, 1, 5, 1, 5, 5, 1, 5]], area=16, bbox=[1, 1, 4, 4])
    assert json.dumps(written) == json.dumps({**CONTENT, "annotations": CONTENT["annotations"][:2]})


def test_new_objects_come_last_with_ids_never_used(project: Project, tmp_path: Path, brought_in: Any) -> None:
    brought_in(project, tmp_path)
    (id_,) = project.instances.reserve_ids(1)
    project.instances.apply(50, Change.create([Instance(id_, 18, (square(1, 1),))]), label="Draw")
    assert [each["id"] for each in exported(project, tmp_path)["annotations"]] == [900, 3, 41, 901]


def test_what_a_project_wrote_passes_the_second_look(project: Project, tmp_path: Path, brought_in: Any) -> None:
    brought_in(project, tmp_path)
    before = project.instances.document(7)[41]
    project.instances.apply(7, Change.of([(before, replace(before, polygons=(square(1, 1),)))]), label="Move")
    written = exported(project, tmp_path)
    assert list(verify_coco(tmp_path / "out.json", project.source, CocoExportOptions())) == []
    written["annotations"][0]["area"] = 99
    written["annotations"].pop()
    (tmp_path / "out.json").write_text(json.dumps(written))
    assert len(list(verify_coco(tmp_path / "out.json", project.source, CocoExportOptions()))) >= 1


@pytest.mark.parametrize("profile", [profile.name for profile in PROFILES if profile.format_name == "coco"])
@pytest.mark.parametrize("category_ids", ["project", "contiguous"])
def test_every_profile_of_an_imported_set_passes_the_second_look(
    project: Project, tmp_path: Path, profile: str, category_ids: Any
) -> None:
    stream_in(project, tmp_path)
    options = profile_named(profile).applied(CocoExportOptions(category_ids=category_ids, include_provenance=True))
    export_coco(project.source, tmp_path / "out.json", options)
    assert list(verify_coco(tmp_path / "out.json", project.source, options)) == []


def test_images_are_done(project: Project, tmp_path: Path, brought_in: Any) -> None:
    brought_in(project, tmp_path)
    assert project.images.record(7).state is ImageState.DONE
    assert project.images.record(7).instance_count == 2


def test_a_second_import_gets_new_ids_where_they_are_taken(project: Project, tmp_path: Path) -> None:
    take_in(project, tmp_path)
    report = project.imports.add(read_coco(tmp_path / "in.json"), ImportOptions(adds_again=True))
    assert report.renumbered_count == 3
    assert [instance.id for instance in project.instances.of(7)] == [41, 900, 902, 903]
    assert project.images.record(7).instance_count == 4


def test_categories_are_matched_by_name(project: Project, tmp_path: Path) -> None:
    take_in(project, tmp_path)
    content = json.loads(json.dumps(CONTENT).replace('"category_id": 18', '"category_id": 1'))
    content["categories"] = [{"id": 1, "name": "Dog"}]
    take_in(project, tmp_path, content)
    assert {instance.category_id for instance in project.instances.of(7)} == {18}


def test_classes_made_before_the_import_stay(project: Project, tmp_path: Path, brought_in: Any) -> None:
    project.categories.add("mine", id=18, colour="#112233")
    project.categories.add("Dog", id=3, colour="#445566")
    brought_in(project, tmp_path)
    found = [(category.id, category.name, category.colour) for category in project.categories.listed()]
    assert found == [(3, "dog", "#445566"), (18, "mine", "#112233")]
    assert [(each["id"], each["name"]) for each in exported(project, tmp_path)["categories"]] == [
        (18, "dog"),
        (19, "mine"),
    ]


def test_annotations_for_an_image_of_another_size_are_left_out(project: Project, tmp_path: Path) -> None:
    project.images.add([Found("b.png", 10, 20)])
    report = take_in(project, tmp_path)
    assert report.resized == ("b.png",)
    assert report.instance_count == 2


@pytest.mark.parametrize("separator", [",", ", ", ",\n"], ids=repr)
def test_a_file_read_in_pieces_comes_out_the_same(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separator: str
) -> None:
    monkeypatch.setattr(json_stream, "WHOLE_BYTES", 0)
    monkeypatch.setattr(json_stream, "WINDOW_BYTES", 900)
    nested = annotation(0, 7, attributes={"list": [{"a": 1}, {"b": "},{"}]})
    many = [annotation(i, 7) if i % 9 else {**nested, "id": i} for i in range(1, 60)]
    content = {**CONTENT, "images": CONTENT["images"][::-1], "annotations": many}
    (tmp_path / "in.json").write_text(json.dumps(content).replace("}, {", "}" + separator + "{"))
    project.imports.add_coco(tmp_path / "in.json")
    assert exported(project, tmp_path) == json.loads((tmp_path / "in.json").read_text())


def test_a_stream_reads_what_is_not_plain_with_care(project: Project, tmp_path: Path) -> None:
    odd = [annotation(5, 7, segmentation=[[1, 2]]), annotation("x", 7), annotation(41, 7), annotation(6, 7, iscrowd=1)]
    odd += [annotation(8, 7, segmentation=[[1, 1, 1e99, 1, 1, 2]]), annotation(9, 7, category_id=3), 5, None]
    result, problems = stream_in(project, tmp_path, {**CONTENT, "annotations": [*CONTENT["annotations"], *odd]})
    assert result.instance_count == 6
    assert [problem.effect for problem in problems].count("skipped") == 5
    assert [instance.id for instance in project.instances.of(7)] == [6, 41, 900, 901, 902]


@pytest.mark.parametrize(
    "keys", [("annotations", "images", "categories"), ("images", "annotations", "categories")], ids=str
)
def test_sections_may_come_in_any_order(project: Project, tmp_path: Path, keys: tuple[str, ...]) -> None:
    stream_in(project, tmp_path, {key: CONTENT[key] for key in keys})
    assert list(exported(project, tmp_path))[:3] == list(keys)


def test_a_file_cut_in_the_middle_leaves_the_project_as_it_was(project: Project, tmp_path: Path) -> None:
    project.images.add([Found("b.png")])
    text = json.dumps({key: CONTENT[key] for key in ("images", "categories", "annotations")})
    (tmp_path / "in.json").write_text(text[:-60])
    with pytest.raises(FormatError, match="byte"):
        project.imports.add_coco(tmp_path / "in.json")
    assert [image.id for image in project.images.all()] == [1]


def test_a_failure_leaves_the_project_as_it_was(project: Project, tmp_path: Path) -> None:
    project.images.add([Found("b.png")])
    (tmp_path / "in.json").write_text(json.dumps(CONTENT))
    data = read_coco(tmp_path / "in.json")
    broken = replace(data, category_list=())
    with pytest.raises(KeyError):
        project.imports.add(broken)
    assert [image.file_name for image in project.images.all()] == ["b.png"]


@pytest.mark.parametrize("name", ["coco/val.json", "nuclei/val.json"])
def test_published_files_survive_a_project(project: Project, tmp_path: Path, name: str) -> None:
    path = shared_path(name)
    project.imports.add_coco(path)
    assert json.dumps(exported(project, tmp_path)) == json.dumps(json.loads(path.read_text()))


ORIGIN = {"model": "nuclei", "model_hash": "ab12", "proposed_at": "2026-01-01T00:00:00Z", "score_threshold": 0.3}
ORIGIN |= {"nms_iou": 0.5}


@pytest.mark.parametrize("result", [take_in, stream_in], ids=["whole", "stream"])
def test_provenance_comes_back_and_other_attributes_stay(project: Project, tmp_path: Path, result: Any) -> None:
    mine = {"seen by": "Ada", "state": "edited", "score": 1, **ORIGIN}
    proposal = {"state": "proposed", "score": 0.25, **ORIGIN, "colours": [1, 2]}
    content = {**CONTENT, "annotations": [annotation(900, 7, attributes=mine), annotation(3, 50, attributes=proposal)]}
    result(project, tmp_path, content)
    ((edited,), (proposed,)) = (project.instances.of(image_id) for image_id in (7, 50))
    assert (edited.state, edited.score) == (InstanceState.EDITED, 1.0)
    assert (proposed.state, proposed.score) == (InstanceState.PROPOSED, 0.25)
    assert proposed.provenance == edited.provenance == Provenance("nuclei", "ab12", 0.3, 0.5, "2026-01-01T00:00:00Z")
    assert [project.images.record(image_id).state for image_id in (7, 50)] == [ImageState.DONE, ImageState.PRELABELLED]
    for include_provenance in (None, True):
        options = CocoExportOptions(include_proposals=True, include_provenance=include_provenance)
        export_coco(project.source, tmp_path / "out.json", options)
        assert json.dumps(json.loads((tmp_path / "out.json").read_text())) == json.dumps(content)


def test_an_object_that_was_edited_says_so_in_the_attributes_it_came_with(project: Project, tmp_path: Path) -> None:
    stream_in(project, tmp_path, {**CONTENT, "annotations": [annotation(900, 7, attributes={"state": "accepted"})]})
    (before,) = project.instances.of(7)
    after = replace(before, polygons=(square(3, 3),), state=InstanceState.EDITED)
    project.instances.apply(7, Change.of([(before, after)]), label="Move")
    (record,) = exported(project, tmp_path)["annotations"]
    assert record["attributes"]["state"] == "edited"
    assert record["attributes"]["edited_at"]


@pytest.mark.parametrize(
    "attributes",
    [{"state": "CA"}, {"state": 5}, {"state": "rejected"}, {"score": 0.5}, ["state"], {"state": "drawn", "score": "x"}],
    ids=str,
)
def test_attributes_of_others_change_nothing(project: Project, tmp_path: Path, attributes: Any) -> None:
    content = {**CONTENT, "annotations": [annotation(900, 7, attributes=attributes)]}
    stream_in(project, tmp_path, content)
    (found,) = project.instances.of(7)
    assert found.score is None
    assert found.provenance is None
    assert exported(project, tmp_path)["annotations"][0]["attributes"] == attributes
