"""Files that come in again, in part, under other names, or only to be looked at."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from coco_sources import square
from maskwright.document.change import Change
from maskwright.document.values import ImageRecord, ImageState, InstanceState
from maskwright.errors import FormatError, IncompleteError
from maskwright.formats.boxes import is_box
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.formats.coco.records import export_results
from maskwright.formats.coco.verify import verify_coco
from maskwright.formats.registry import format_named
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project
from maskwright.project.import_values import ImportOptions
from project_builders import drawn
from project_builders import square as built_square

SQUARE = [2, 2, 6, 2, 6, 6, 2, 6]
AWAY = [12, 2, 16, 2, 16, 6, 12, 6]


def annotation(id_: int, ring: list[int] = SQUARE, **changes: Any) -> dict[str, Any]:
    box = {"area": 16, "bbox": [ring[0], ring[1], 4, 4], "iscrowd": 0}
    return {"id": id_, "image_id": 1, "category_id": 1, "segmentation": [ring]} | box | changes


def content(*annotations: Any, **changes: Any) -> dict[str, Any]:
    return {
        "info": {},
        "licenses": [],
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "cell", "supercategory": "none"}],
    } | changes


@pytest.fixture
def project(tmp_path: Path) -> Any:
    for name in ("a.png", "sub/b.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / name), np.zeros((30, 40), np.uint8))
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path / "images") as created:
        yield created


def take_in(project: Project, value: Any, **options: Any) -> Any:
    """(result, problems)."""
    path = project.path.parent / "in.json"
    path.write_text(json.dumps(value))
    return project.imports.add_file(path, options=ImportOptions(**options))


def exported(project: Project) -> Any:
    path = project.path.parent / "out.json"
    export_coco(project.source, path, CocoExportOptions())
    return json.loads(path.read_text())


# The same file again


def test_the_same_file_again_adds_nothing(project: Project) -> None:
    value = content(annotation(1), annotation(2, AWAY))
    take_in(project, value)
    result, _ = take_in(project, value)
    assert (result.instance_count, result.added_count, result.updated_count) == (2, 0, 0)
    assert exported(project) == value


def test_all_of_it_is_added_again_on_request(project: Project) -> None:
    take_in(project, content(annotation(1)))
    result, _ = take_in(project, content(annotation(1)), adds_again=True)
    assert result.added_count == 1
    assert len(project.instances.of(1)) == 2


def test_a_later_version_of_a_file_brings_what_it_has_changed(project: Project) -> None:
    take_in(project, content(annotation(1), annotation(2, AWAY)))
    later = content(annotation(1, [2, 2, 7, 2, 7, 6, 2, 6], area=20, bbox=[2, 2, 5, 4]), annotation(2, AWAY))
    result, _ = take_in(project, later)
    assert (result.added_count, result.updated_count) == (0, 1)
    assert exported(project)["annotations"] == later["annotations"]


def test_what_a_person_has_changed_since_stays(project: Project) -> None:
    from dataclasses import replace

    take_in(project, content(annotation(1)))
    (before,) = project.instances.of(1)
    edited = replace(before, polygons=(square(3, 3),), state=InstanceState.EDITED)
    project.instances.apply(1, Change.of([(before, edited)]), label="Move")
    result, _ = take_in(project, content(annotation(1)))
    assert (result.added_count, result.kept_count) == (0, 1)
    assert project.instances.of(1)[0].polygons == (square(3, 3),)


def test_what_overlaps_an_edited_object_is_an_object_of_its_own(project: Project, tmp_path: Path) -> None:
    take_in(project, content(annotation(1)))
    project.edit(1, project.instances.of(1)[0].id, polygons=[[(2, 2), (7, 2), (7, 6), (2, 6)]])
    other = tmp_path / "other.geojson"
    ring = [[2, 3], [7, 3], [7, 7], [2, 7], [2, 3]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"classification": {"name": "cell"}},
    }
    image = {"name": "a.png", "width": 40, "height": 30}
    other.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], "image": image}))
    result, _ = project.imports.add_file(other)
    assert (result.added_count, result.kept_count) == (1, 0)


@pytest.mark.parametrize("change", ["outline", "class"])
@pytest.mark.parametrize("name", ["labelme", "yolo", "cvat", "png"])
def test_an_object_of_a_file_without_ids_is_known_by_what_it_was(
    project: Project, tmp_path: Path, name: str, change: str
) -> None:
    kind = format_named(name)
    place = tmp_path / f"set{kind.suffix}"
    with Project.create(tmp_path / "first.maskwright", image_root=project.image_root) as first:
        take_in(first, content(annotation(1, [2.5, 2, 6.25, 2, 6, 6.5, 2, 6])))
        kind.write(first.source, place, CocoExportOptions())
    project.scan()
    project.imports.add_file(place, format_name=name)
    image = project.find("a.png")
    project.categories.add("other")
    (mine,) = project.instances.of(image.id)
    more = {"polygons": [[(20, 20), (30, 20), (30, 28)]]} if change == "outline" else {"category": "other"}
    project.edit(image, mine.id, **more)
    result, _ = project.imports.add_file(place, format_name=name)
    assert (result.added_count, result.kept_count) == (0, 1)


@pytest.mark.parametrize("name", ["labelme", "yolo", "cvat", "png", "labelstudio", "qupath"])
def test_what_the_project_wrote_is_known_in_any_format(project: Project, tmp_path: Path, name: str) -> None:
    project.scan()
    project.ensure_categories([(1, "cell")])
    outer = [(1.23456, 1.5), (17.77777, 2.1), (15.3, 15.98765)]
    hole = [(8.1234, 5.1), (14.1, 5.3333), (13.2, 9.1)]
    project.draw("a.png", "cell", [Polygon.of(outer, [hole]), square(20.111, 20.222, 5)])
    project.draw("a.png", "cell", [square(30.333, 3.777, 5)])
    kind = format_named(name)
    kind.write(project.source, tmp_path / f"set{kind.suffix}", CocoExportOptions())
    before = project.instances.of(project.find("a.png").id)
    result, _ = project.imports.add_file(tmp_path / f"set{kind.suffix}", format_name=name)
    assert (result.added_count, result.updated_count) == (0, 0)
    assert project.instances.of(project.find("a.png").id) == before


@pytest.mark.parametrize("is_undone", [False, True], ids=["it stays deleted", "undone"])
def test_a_number_that_was_free_for_another_file_is_never_written_twice(
    project: Project, tmp_path: Path, is_undone: bool
) -> None:
    """Its object was deleted meanwhile, and comes back by undo."""
    take_in(project, content(annotation(5)))
    take_in(project, content(annotation(1, AWAY)))
    gone = next(each for each in project.instances.of(1) if each.bounds_xyxy[0] == AWAY[0])
    project.instances.apply(1, Change.of([(gone, None)]), label="Delete")
    take_in(project, content(annotation(1, [22, 2, 26, 2, 26, 6, 22, 6])))
    if is_undone:
        project.instances.apply(1, Change.of([(None, gone)]), label="Delete", kind="undo")
    found = {each["bbox"][0]: each["id"] for each in exported(project)["annotations"]}
    assert found == {2: 5, 22: 1} | ({AWAY[0]: found.get(AWAY[0])} if is_undone else {})
    assert len(set(found.values())) == len(found)
    assert list(verify_coco(tmp_path / "out.json", project.source, CocoExportOptions())) == []


def test_another_file_with_the_same_ids_is_another_file(project: Project) -> None:
    take_in(project, content(annotation(1)))
    result, _ = take_in(project, content(annotation(1, AWAY)))
    assert result.added_count == 1
    assert len(project.instances.of(1)) == 2


def test_objects_of_formats_without_ids_are_known_by_class_and_outline(project: Project, tmp_path: Path) -> None:
    take_in(project, content(annotation(1), annotation(2, AWAY)))
    format_named("labelme").write(project.source, tmp_path / "labelme", CocoExportOptions())
    result, _ = project.imports.add_file(tmp_path / "labelme")
    assert (result.instance_count, result.added_count) == (2, 0)


# All, part, or nothing


def test_a_strict_import_is_all_or_nothing(project: Project) -> None:
    for value in (content(annotation(1), annotation(2, [1, 2])), content(annotation(2, [1, 2]), annotation(1))):
        with pytest.raises(IncompleteError, match="1 item") as raised:
            take_in(project, value, is_strict=True)
        assert "annotations[" in raised.value.problems[0]
        assert list(project.images.all()) == []


def test_a_trial_says_all_and_leaves_nothing(project: Project) -> None:
    for _ in range(2):
        result, problems = take_in(project, content(annotation(1), annotation(2, [1, 2])), is_trial=True)
        assert (result.added_count, len(problems)) == (1, 1)
        assert list(project.images.all()) == []


# What was skipped is not empty


@pytest.mark.parametrize("is_fresh", [True, False], ids=["fresh", "filled"])
def test_an_image_whose_annotations_were_all_skipped_stays_open(project: Project, is_fresh: bool) -> None:
    if not is_fresh:
        images = [{"id": 9, "file_name": "sub/b.png", "width": 40, "height": 30}]
        take_in(project, content(annotation(1, image_id=9), images=images))
    _, problems = take_in(project, content(annotation(5, [1, 2]), annotation(6, category_id=7)))
    record = project.images.find("a.png")
    assert record is not None
    assert record.state is ImageState.UNSEEN
    assert any(each.where == "a.png" and "not marked as done" in each.reason for each in problems)
    assert "a.png" not in str(exported(project)["images"])


def test_an_image_of_which_some_was_skipped_is_done(project: Project) -> None:
    take_in(project, content(annotation(5, [1, 2]), annotation(6)))
    assert project.images.record(1).state is ImageState.DONE


# Classes


@pytest.mark.parametrize("names", [("dog", "dog"), ("dog", "Dog")], ids=" ".join)
@pytest.mark.parametrize("is_fresh", [True, False], ids=["fresh", "filled"])
def test_two_classes_of_one_name_stay_two(project: Project, names: tuple[str, str], is_fresh: bool) -> None:
    if not is_fresh:
        take_in(project, content(annotation(1)))
    classes = [{"id": id_, "name": name, "supercategory": "none"} for id_, name in zip((5, 8), names, strict=True)]
    value = content(annotation(11, category_id=5), annotation(12, AWAY, category_id=8), categories=classes)
    _, problems = take_in(project, value)
    assert ["merge them" in each.reason for each in problems] == [True]
    assert [each["category_id"] for each in exported(project)["annotations"]][-2:] == [5, 8]
    result, _ = take_in(project, value)
    assert result.added_count == 0


# Images under other names


@pytest.mark.parametrize(
    "name", ["/data/set/sub/b.png", "https://host/x/sub/b.png?v=1", "C:\\set\\b.png", "../b.png", "b.png"]
)
def test_images_are_found_by_the_end_of_their_path(project: Project, name: str) -> None:
    images = [{"id": 1, "file_name": name, "width": 40, "height": 30}]
    _, problems = take_in(project, content(annotation(1), images=images))
    assert [image.file_name for image in project.images.all()] == ["sub/b.png"]
    assert any("in the image folder" in each.reason for each in problems)


def test_an_import_without_any_image_is_refused(project: Project) -> None:
    images = [{"id": 1, "file_name": "other.png", "width": 40, "height": 30}]
    with pytest.raises(FormatError, match=r"none of its images \(1\)"):
        take_in(project, content(annotation(1), images=images))
    assert list(project.images.all()) == []


@pytest.mark.parametrize("sides", [{}, {"width": 40.0, "height": 30.0}, {"width": None, "height": None}], ids=str)
def test_missing_and_fractional_sizes_come_from_the_image(project: Project, sides: Any) -> None:
    take_in(project, content(annotation(1), images=[{"id": 1, "file_name": "a.png"} | sides]))
    record = project.images.record(1)
    assert (record.width, record.height) == (40, 30)


# Detections


def test_our_own_detections_come_back_as_proposals(project: Project, tmp_path: Path) -> None:
    take_in(project, content(annotation(77)))
    export_results(project.source, tmp_path / "results.json", takes=lambda each: True)
    entries = json.loads((tmp_path / "results.json").read_text())
    boxes = [{"image_id": 1, "category_id": 1, "bbox": [12, 2, 5, 5], "score": 0.5}]
    boxes += [{"image_id": 1, "category_id": 1, "bbox": [12, 2, 5, 5], "score": 7}]
    (tmp_path / "results.json").write_text(json.dumps(entries + boxes))
    result, problems = project.imports.add_file(tmp_path / "results.json")
    assert (result.added_count, len(problems)) == (2, 1)
    proposed = [each for each in project.instances.of(1) if each.state is InstanceState.PROPOSED]
    assert [(each.score, is_box(each)) for each in proposed] == [(0.5, True)]


def test_detections_of_another_project_are_refused(project: Project, tmp_path: Path) -> None:
    take_in(project, content(annotation(77)))
    (tmp_path / "r.json").write_text('[{"image_id": 99, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}]')
    with pytest.raises(FormatError, match="nothing in it belongs to this project"):
        project.imports.add_file(tmp_path / "r.json")


def test_an_image_with_proposals_that_nobody_answered_is_not_done(project: Project) -> None:
    project.ensure_categories([(1, "cell")])
    project.images.add([ImageRecord(0, "a.png", 40, 30)])
    image = project.images.find("a.png")
    assert image is not None
    proposed = drawn(project.instances.reserve_ids(1)[0], built_square(), state=InstanceState.PROPOSED)
    project.instances.apply(image.id, Change.create([proposed]), label="Propose")
    take_in(project, content(annotation(1)))
    assert project.images.record(image.id).state is ImageState.IN_PROGRESS


def test_annotations_for_another_size_are_left_out(project: Project) -> None:
    others = [{"id": i, "file_name": name, "width": 80, "height": 60} for i, name in ((1, "a.png"), (3, "gone.png"))]
    fitting = {"id": 2, "file_name": "sub/b.png", "width": 40, "height": 30}
    taken, problems = take_in(project, content(annotation(1), annotation(2, image_id=2), images=[*others, fitting]))
    assert taken.resized == ("a.png",)
    assert {image.file_name for image in project.images.all()} == {"gone.png", "sub/b.png"}
    assert problems == []


def test_a_strict_import_takes_nothing_for_another_size(project: Project) -> None:
    value = content(annotation(1), images=[{"id": 1, "file_name": "a.png", "width": 80, "height": 60}])
    with pytest.raises(IncompleteError, match="size of 1 image differs"):
        take_in(project, value, is_strict=True)
    assert list(project.images.all()) == []


def test_a_score_of_an_annotation_is_kept(project: Project) -> None:
    take_in(project, content(annotation(1, score=0.25)))
    assert [instance.score for instance in project.instances.of(1)] == [0.25]
