"""Images are taken out of the set and back: nothing of them is lost, and nothing counts them meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.document.values import ImageStanding
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.operations.relocating import find_moved
from maskwright.project import Project
from project_builders import drawn, square, write_image

LISTED, EXCLUDED, REMOVED = ImageStanding
NAMES = ("a.png", "b.png", "c.png")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Three images with an object each, the second of them excluded."""
    for name in NAMES:
        write_image(tmp_path / "images" / name)
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path / "images") as created:
        created.scan()
        created.categories.ensure([(1, "cell"), (2, "only on b")])
        for image_id, category_id in ((1, 1), (2, 2), (3, 1)):
            id_ = created.instances.reserve_ids(1)[0]
            change = Change.create([drawn(id_, square(), category_id=category_id)])
            created.instances.apply(image_id, change, label="Draw")
        assert created.images.set_standing([2], EXCLUDED) == [2]
        yield created


def exported_names(project: Project, tmp_path: Path) -> list[str]:
    export_coco(project.source, tmp_path / "out.json", CocoExportOptions())
    return [image["file_name"] for image in json.loads((tmp_path / "out.json").read_text())["images"]]


def test_it_is_neither_listed_nor_counted_nor_exported(project: Project, tmp_path: Path) -> None:
    assert project.images.ids().tolist() == [1, 3]
    assert sum(project.images.state_counts().values()) == 2
    assert project.instances.category_counts().keys() == {1}
    assert len(project.instances.measures()) == 2
    assert exported_names(project, tmp_path) == ["a.png", "c.png"]


def test_no_run_proposes_on_it(project: Project) -> None:
    run_id = project.runs.start("net", "abc", {})
    assert project.runs.pending_images(run_id).tolist() == [1, 3]


def test_what_a_file_has_of_it_comes_back_with_it(project: Project, tmp_path: Path) -> None:
    project.images.set_standing([2], LISTED)
    assert len(project.instances.of(2)) == 1
    assert exported_names(project, tmp_path) == list(NAMES)


def test_an_imported_set_leaves_without_the_images_that_were_removed(project: Project, tmp_path: Path) -> None:
    project.images.set_standing([2], LISTED)
    export_coco(project.source, tmp_path / "all.json", CocoExportOptions())
    with Project.create(tmp_path / "q.maskwright", image_root=tmp_path / "images") as other:
        other.imports.add_file(tmp_path / "all.json")
        other.images.set_standing([1], REMOVED)
        assert exported_names(other, tmp_path) == ["b.png", "c.png"]


def test_a_removed_image_does_not_come_back_with_the_next_scan(project: Project) -> None:
    project.images.set_standing([1], REMOVED)
    assert project.scan().added_count == 0
    assert project.images.ids().tolist() == [3]
    assert project.images.ids(standings=(REMOVED,)).tolist() == [1]


def test_a_removed_image_whose_file_was_moved_does_not_come_back_as_a_new_one(project: Project) -> None:
    project.images.set_standing([1], REMOVED)
    root = project.image_root
    (root / "deeper").mkdir()
    for name in ("a.png", "c.png"):
        (root / name).rename(root / "deeper" / name)
    located = find_moved(project)
    assert (located.moved, located.missing) == (1, 0)
    assert project.images.record(1).file_name == "deeper/a.png"
    assert project.scan().added_count == 0
    assert project.images.ids(standings=tuple(ImageStanding)).tolist() == [1, 2, 3]


def test_a_file_that_a_listed_image_can_be_is_not_given_to_a_removed_one(project: Project) -> None:
    root = project.image_root
    (root / "deeper").mkdir()
    (root / "deeper" / "a.png").write_bytes((root / "a.png").read_bytes())
    project.scan()
    (both,) = (record.id for record in project.images.all() if record.file_name == "deeper/a.png")
    project.images.set_standing([1], REMOVED)
    (root / "a.png").unlink()
    (root / "deeper").rename(root / "other")
    assert find_moved(project).moved == 1
    assert project.images.record(both).file_name == "other/a.png"
    assert project.images.record(1).file_name == "a.png"


def test_only_what_stood_otherwise_is_told(project: Project) -> None:
    assert project.images.set_standing([1, 2, 3], EXCLUDED) == [1, 3]
    assert project.images.standing_counts() == {LISTED: 0, EXCLUDED: 3, REMOVED: 0}


def test_a_standing_that_is_none_is_told_and_harms_nothing(project: Project) -> None:
    with project._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET standing = 'gone' WHERE id = 3")
    assert project.images.record(3).standing is LISTED
    assert project.images.ids().tolist() == [1, 3]
    assert [row.row for row in project.source.damaged_rows()] == ["image 3"]
