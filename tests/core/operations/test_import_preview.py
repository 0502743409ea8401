"""What an import would bring is said before anything is taken in, and comes out so."""

import json
from pathlib import Path

import pytest

from maskwright.operations.exchange import preview_import
from maskwright.project import Project, scan_folder
from maskwright.project.import_values import ImportOptions
from project_builders import write_image

RING = [1, 1, 11, 1, 11, 11, 1, 11]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in ("a", "b"):
        write_image(tmp_path / "photos" / f"{name}.png")
    project = Project.create(tmp_path / "p.maskwright", image_root=tmp_path / "photos")
    project.images.add(scan_folder(tmp_path / "photos", recursive=False))
    project.categories.add("car")
    return project


def coco(folder: Path) -> Path:
    images = [{"id": i, "file_name": f"{name}.png", "width": 64, "height": 48} for i, name in enumerate("abz", 1)]
    annotations = [
        {"id": i, "image_id": i, "category_id": class_id, "segmentation": [RING], "area": 100,
         "bbox": [1, 1, 10, 10], "iscrowd": 0}
        for i, class_id in enumerate((1, 2, 2), 1)
    ]  # fmt: skip
    annotations.append({"id": 9, "image_id": 77, "category_id": 1, "segmentation": [RING], "iscrowd": 0})
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "Car"}, {"id": 2, "name": "dog"}],
    }
    path = folder / "in.json"
    path.write_text(json.dumps(content))
    return path


def test_images_objects_classes_and_problems_are_told_and_nothing_is_changed(project: Project, tmp_path: Path) -> None:
    preview = preview_import(project, coco(tmp_path))

    assert (preview.image_count, preview.missing, preview.missing_count) == (3, ("z.png",), 1)
    assert [(each.name, each.object_count, each.known_as) for each in preview.classes] == [
        ("Car", 1, "car"),
        ("dog", 2, None),
    ]
    assert preview.result.added_count == 3
    assert [group.count for group in preview.problems] == [1]
    assert (project.instances.of(1), [each.name for each in project.categories.listed()]) == ((), ["car"])
    assert project.instances.of(2) == ()


def test_an_import_follows_the_chosen_classes(project: Project, tmp_path: Path) -> None:
    path = coco(tmp_path)

    project.imports.add_file(path, options=ImportOptions(class_names={"dog": "Car"}))

    assert [each.name for each in project.categories.listed()] == [
        "Car"
    ]  # a project without objects takes the file's spelling
    assert [len(project.instances.of(id_)) for id_ in (1, 2)] == [1, 1]


def test_a_class_that_is_left_out_brings_neither_objects_nor_itself(project: Project, tmp_path: Path) -> None:
    project.imports.add_file(coco(tmp_path), options=ImportOptions(class_names={"dog": None}))

    assert [each.name for each in project.categories.listed()] == [
        "Car"
    ]  # a project without objects takes the file's spelling
    assert [len(project.instances.of(id_)) for id_ in (1, 2)] == [1, 0]
