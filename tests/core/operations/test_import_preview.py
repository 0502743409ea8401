"""What an import would bring is said before anything is taken in, and comes out so."""

import json
from pathlib import Path

import pytest

from maskwright.errors import FormatError, InputError
from maskwright.operations.exchange import import_annotations
from maskwright.operations.import_preview import MissingImage, file_for, preview_import
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

    assert (preview.image_count, preview.missing_count) == (3, 1)
    assert preview.missing == (MissingImage("z.png", (64, 48), 1, ()),)
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


def coco_of(folder: Path, *names: str) -> Path:
    """An object of the class dog on each image."""
    images = [{"id": i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(names, 1)]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1, "segmentation": [RING], "area": 100, "bbox": [1, 1, 10, 10]}
        for i in range(1, len(names) + 1)
    ]
    path = folder / "of.json"
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "dog"}]}
    path.write_text(json.dumps(content))
    return path


def test_a_missing_image_may_be_a_file_of_its_name_elsewhere_or_of_another_ending(
    project: Project, tmp_path: Path
) -> None:
    write_image(tmp_path / "photos" / "day 2" / "c.png")
    write_image(tmp_path / "photos" / "d.PNG")
    write_image(tmp_path / "photos" / "e.png", size_wh=(32, 48))

    preview = preview_import(project, coco_of(tmp_path, "a.png", "c.png", "d.jpg", "e.jpg"))

    assert {each.name: each.files for each in preview.missing} == {
        "c.png": ("day 2/c.png",),
        "d.jpg": ("d.PNG",),
        "e.jpg": (),  # of another size
    }
    assert preview.image_names == {"c.png": "day 2/c.png", "d.jpg": "d.PNG"}


def test_of_two_files_and_of_two_images_none_is_chosen_for_the_user(project: Project, tmp_path: Path) -> None:
    for name in ("x/c.png", "y/c.png", "f.png"):
        write_image(tmp_path / "photos" / name)

    preview = preview_import(project, coco_of(tmp_path, "a.png", "c.png", "old/f.png", "f.jpg"))

    assert [each.files for each in preview.missing] == [("x/c.png", "y/c.png"), ("f.png",), ("f.png",)]
    assert preview.image_names == {}


def test_objects_come_in_on_the_file_that_was_chosen_and_are_known_the_second_time(
    project: Project, tmp_path: Path
) -> None:
    path = coco_of(tmp_path, "c.jpg")
    chosen = {"c.jpg": "b.png"}

    imported = import_annotations(project, path, image_names=chosen)

    assert (imported.result.added_count, imported.missing_count) == (1, 0)
    assert [len(project.instances.of(image.id)) for image in project.images.all()] == [0, 1]
    assert import_annotations(project, path, image_names=chosen).result.added_count == 0


def test_two_images_never_become_one_file(project: Project, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="2 images"):
        import_annotations(project, coco_of(tmp_path, "a.png", "z.png"), image_names={"z.png": "a.png"})
    with pytest.raises(InputError, match="leads outside"):
        import_annotations(project, coco_of(tmp_path, "a.png", "z.png"), image_names={"z.png": "../a.png"})
    assert project.instances.of(1) == ()


def test_a_file_chosen_by_hand_has_to_fit(project: Project, tmp_path: Path) -> None:
    missing = MissingImage("z.png", (64, 48), 1, ())
    other = write_image(tmp_path / "photos" / "large.png", size_wh=(128, 96))
    foreign = write_image(tmp_path / "elsewhere" / "z.png")

    assert file_for(project, missing, tmp_path / "photos" / "b.png") == "b.png"
    with pytest.raises(InputError, match="128 × 96 pixels, and the annotations are for 64 × 48"):
        file_for(project, missing, other)
    with pytest.raises(InputError, match="not in the project's image folder"):
        file_for(project, missing, foreign)
