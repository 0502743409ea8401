"""What a project keeps, refuses and reports."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwright.document.change import Change
from maskwright.document.values import Category, ImageState, Instance, InstanceState, Provenance
from maskwright.errors import ForeignImagesError, ProjectError
from maskwright.project import InstanceSearch, ModelProposal, Project, ScannedImage, Span, scan_folder, snapshot
from project_builders import drawn, make_project, square, write_image


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path, images=3) as project:
        yield project


def test_an_edit_is_there_after_reopening(project: Project) -> None:
    full = Instance(
        project.instances.reserve_ids(1)[0],
        2,
        (square(1.25), square(50)),
        InstanceState.EDITED,
        score=0.75,
        provenance=Provenance("m", "abc", 0.5, 0.45, "2026-01-01T00:00:00+00:00"),
        z=3,
        is_visible=False,
        is_locked=True,
        is_crowd=True,
        extra={"note": [1, {"a": None}]},
    )
    project.instances.apply(1, Change.create([full]), label="Draw")
    project.close()

    with Project.open(project.path) as again:
        assert again.instances.document(1)[full.id] == full
        assert again.instances.document(1).size_wh == (640, 480)
        assert again.images.record(1).instance_count == 1


def test_a_change_and_its_inverse_leave_the_image_as_it_was(project: Project) -> None:
    first = Change.create([drawn(1), drawn(2)])
    project.instances.apply(1, first, label="Draw")
    before = project.instances.document(1)
    step = Change.of([(before[1], replace(before[1], category_id=2)), (before[2], None), (None, drawn(3))])

    project.instances.apply(1, step, label="Edit")
    project.instances.apply(1, step.inverse(), label="Undo", kind="undo")

    assert project.instances.document(1).instances == before.instances


def test_a_stale_change_is_refused_whole(project: Project) -> None:
    project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
    stale = Change.of([(None, drawn(9)), (drawn(1, category_id=2), None)])

    with pytest.raises(ProjectError, match="changed elsewhere"):
        project.instances.apply(1, stale, label="Delete")

    assert list(project.instances.document(1).instances) == [1]


def test_editing_moves_an_untouched_image_to_in_progress_and_keeps_a_finished_one(project: Project) -> None:
    project.images.set_state(2, ImageState.DONE)
    project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
    project.instances.apply(2, Change.create([drawn(2)]), label="Draw")

    assert [project.images.record(id_).state for id_ in (1, 2)] == [ImageState.IN_PROGRESS, ImageState.DONE]
    assert project.images.state_counts()[ImageState.UNSEEN] == 1


def test_reserved_ids_are_never_given_twice(project: Project) -> None:
    taken: list[int] = []
    threads = [threading.Thread(target=lambda: taken.extend(project.instances.reserve_ids(5))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == list(range(1, 41))


def test_known_files_are_not_added_again(project: Project) -> None:
    added = project.images.add([ScannedImage("000001.jpg", 640, 480), ScannedImage("new/ünï 1.png", 8, 9)])

    assert added == 1
    assert project.images.record(4).file_name == "new/ünï 1.png"
    assert project.image_path(project.images.record(4)) == project.image_root / "new" / "ünï 1.png"


def test_images_are_found_by_state_and_part_of_the_name(project: Project) -> None:
    project.images.set_state(2, ImageState.DONE)

    assert project.images.ids(states=[ImageState.DONE]).tolist() == [2]
    assert project.images.ids(text="0002.JPG").tolist() == [3]
    assert project.images.ids(text="%").tolist() == []
    assert project.images.ids().dtype == np.int64
    assert [record.id for record in project.images.records([3, 99, 1])] == [3, 1]


def test_images_are_found_by_what_is_on_them(project: Project) -> None:
    found = {
        1: replace(drawn(1), state=InstanceState.PROPOSED, score=0.9),
        2: replace(drawn(2, category_id=2), state=InstanceState.PROPOSED, score=0.4),
        3: drawn(3),
    }
    for image_id, instance in found.items():
        project.instances.apply(image_id, Change.create([instance]), label="Draw")

    def ids(**wanted: object) -> list[int]:
        return project.images.ids(having=InstanceSearch(**wanted)).tolist()

    assert ids(category_ids=(1,)) == [1, 3]
    assert ids(states=(InstanceState.PROPOSED,), max_score=0.5) == [2]
    assert ids(min_score=0.5) == [1]
    assert ids(model_name="net") == []
    assert project.images.ids(having=InstanceSearch(), text="000001").tolist() == [2]


def test_images_are_found_by_the_origin_of_what_is_on_them(project: Project) -> None:
    early, late = (
        Provenance(name, f"{name}0123", 0.3, 0.5, when, mask_threshold, 0.98)
        for name, when, mask_threshold in (("YOLACT", "2026-01-01T08:00:00", 0.4), ("nuclei", "2026-02-01", 0.6))
    )
    for image_id, provenance in ((1, early), (2, late)):
        project.put_proposals(image_id, [ModelProposal(1, 0.9, (square(),))], provenance=provenance)
    project.instances.apply(3, Change.create([drawn(project.instances.reserve_ids(1)[0])]), label="Draw")

    def ids(**wanted: object) -> list[int]:
        return project.images.ids(having=InstanceSearch(**wanted)).tolist()

    assert ids(model_name="yola") == ids(model_name="YOLACT01") == [1]
    assert ids(origin={"mask_threshold": Span(0.5)}) == [2]
    assert ids(origin={"created_at": Span("2026-01-01T00:00:00", "2026-01-02T00:00:00")}) == [1]
    assert ids(origin={"score_threshold": Span(high=0.3)}) == [1, 2]
    assert ids(edited=Span("2026-01-01")) == [3]
    assert ids(edited=Span("2026-01-01"), states=(InstanceState.PROPOSED,)) == []


def test_signals_are_kept_per_image(project: Project) -> None:
    project.signals.set("uncertainty", {2: (1.5, {"why": ["a"]}), 3: (0.5, None)})
    project.signals.set("uncertainty", {3: (0.75, None)})

    ids, values = project.signals.values("uncertainty")
    assert (ids.tolist(), values.tolist()) == ([2, 3], [1.5, 0.75])
    assert project.signals.get("uncertainty", 2) == (1.5, {"why": ["a"]})
    assert project.signals.get("uncertainty", 1) is None


def test_model_categories_keep_free_ids_and_join_names(project: Project) -> None:
    mapping = project.ensure_categories([(90, "toothbrush"), (1, "dog"), (7, "CELL")])

    assert mapping == {90: 90, 1: 91, 7: 1}
    assert [category.id for category in project.categories.listed()] == [1, 2, 90, 91]


def test_category_names_stay_apart(project: Project) -> None:
    assert project.categories.rename(1, "nucleus") == Category(1, "nucleus")
    assert project.categories.set_colour(1, "#00ff00").colour == "#00ff00"
    with pytest.raises(ProjectError, match="already"):
        project.categories.add("Cat")
    with pytest.raises(ProjectError, match="no category"):
        project.categories.rename(55, "x")
    assert project.categories.add("dog", colour="#112233").id == 3


def test_settings_hold_json(project: Project) -> None:
    project.set_setting("viewport", {"zoom": 2.5, "at": [1, 2]})

    assert project.setting("viewport") == {"zoom": 2.5, "at": [1, 2]}
    assert project.setting("none") is None


def test_a_moved_project_finds_its_images(tmp_path: Path) -> None:
    make_project(tmp_path / "a").close()
    (tmp_path / "a").rename(tmp_path / "b ü")

    with Project.open(tmp_path / "b ü" / "set.maskwright") as project:
        assert project.image_root == tmp_path / "b ü" / "images"


def test_a_project_alone_on_the_move_asks_once_before_it_reads_images_left_behind(tmp_path: Path) -> None:
    make_project(tmp_path / "a").close()
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "a" / "set.maskwright").rename(tmp_path / "far" / "away" / "set.maskwright")

    with pytest.raises(ForeignImagesError) as asked:
        Project.open(tmp_path / "far" / "away" / "set.maskwright")
    asked.value.allow()

    with Project.open(tmp_path / "far" / "away" / "set.maskwright") as project:
        assert project.image_root == tmp_path / "a" / "images"


def test_a_project_inside_its_image_folder_opens_by_that_folder(tmp_path: Path) -> None:
    Project.create(tmp_path / ".maskwright", image_root=tmp_path).close()

    with Project.open(tmp_path) as project:
        assert (project.image_root, project.name) == (tmp_path, tmp_path.name)


def test_creating_over_a_project_is_refused(project: Project) -> None:
    with pytest.raises(ProjectError, match="already"):
        Project.create(project.path, image_root=project.image_root)


def test_creating_where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ProjectError, match=r"cannot create the project folder.*choose a folder"):
        Project.create(tmp_path / "file" / "p.maskwright", image_root=tmp_path)


def test_opening_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no project here"):
        Project.open(tmp_path)


def test_a_damaged_file_says_so(project: Project) -> None:
    project.close()
    (project.path / "project.db").write_bytes(b"not a database at all" * 100)

    with pytest.raises(ProjectError, match=r"damaged.*maskwright restore"):
        Project.open(project.path)


def test_a_newer_schema_is_refused_and_left_untouched(project: Project) -> None:
    project.close()
    with sqlite3.connect(project.path / "project.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for read_only in (False, True):
        with pytest.raises(ProjectError, match="newer version"):
            Project.open(project.path, read_only=read_only)


def test_read_only_projects_refuse_changes(project: Project) -> None:
    project.close()

    with Project.open(project.path, read_only=True) as project:
        assert project.is_read_only
        assert len(project.images.ids()) == 3
        with pytest.raises(ProjectError, match="read-only"):
            project.instances.apply(1, Change.create([drawn(1)]), label="Draw")


def test_a_full_disk_loses_only_the_change_at_hand(project: Project) -> None:
    project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
    with project._database._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    _limit_pages(project, int(pages))
    big = drawn(2, *[square(0.1 * index) for index in range(3000)])

    with pytest.raises(ProjectError, match="disk is full"):
        project.instances.apply(1, Change.create([big]), label="Draw")

    _limit_pages(project, 1_000_000)
    assert list(project.instances.document(1).instances) == [1]
    project.instances.apply(1, Change.create([big]), label="Draw")


def _limit_pages(project: Project, pages: int) -> None:
    """SQLite answers a reached page limit exactly as it answers a full disk."""
    connections = [project._database._engine.connect() for _ in range(4)]
    for connection in connections:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.close()


def test_edits_are_flushed_before_they_are_acknowledged(project: Project) -> None:
    with project._database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_threads_write_beside_each_other(project: Project) -> None:
    def work(start: int) -> None:
        for offset in range(10):
            project.instances.apply(1 + start % 3, Change.create([drawn(start + offset)]), label="Draw")

    threads = [threading.Thread(target=work, args=(start,)) for start in range(100, 500, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(len(project.instances.of(id_)) for id_ in (1, 2, 3)) == 40


def test_images_stream_in_order(project: Project) -> None:
    project.images.add(ScannedImage(f"z{index:05d}.jpg", 10, 10) for index in range(1200))

    assert [record.id for record in project.images.all()] == list(range(1, 1204))


def test_scanning_lists_images_in_order_and_reports_what_is_unreadable(tmp_path: Path) -> None:
    write_image(tmp_path / "b.png", size_wh=(30, 20))
    write_image(tmp_path / "sub" / "ä.JPG")
    write_image(tmp_path / ".hidden" / "x.png")
    (tmp_path / "a.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("not looked at")

    found = list(scan_folder(tmp_path, True))

    assert [image.file_name for image in found] == ["a.jpg", "b.png", "sub/ä.JPG"]
    assert "text file" in str(found[0].failure)
    assert (found[1].width, found[1].height) == (30, 20)
    assert [image.file_name for image in scan_folder(tmp_path)] == ["a.jpg", "b.png"]


def test_numbers_in_names_are_sorted_by_value(tmp_path: Path) -> None:
    for name in ("img10.png", "img9.png", "IMG8.png", "10.png", "a.png", "²3.png"):
        write_image(tmp_path / name)

    found = [image.file_name for image in scan_folder(tmp_path)]

    assert found == ["10.png", "a.png", "IMG8.png", "img9.png", "img10.png", "²3.png"]


def test_a_folder_within_that_cannot_be_listed_is_a_failure_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a.png")
    write_image(tmp_path / "closed" / "b.png")
    write_image(tmp_path / "open" / "c.png")
    scandir = os.scandir

    def refuse(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)

    found = list(scan_folder(tmp_path, True))
    assert [(image.file_name, image.failure is None) for image in found] == [
        ("a.png", True),
        ("closed", False),
        ("open/c.png", True),
    ]
    with pytest.raises(ProjectError, match="cannot be listed: Permission denied"):
        list(scan_folder(tmp_path / "closed"))


def test_scanning_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="does not exist"):
        list(scan_folder(tmp_path / "none"))


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes only there")
def test_a_file_name_that_is_no_text_is_a_failure(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))).write_bytes(b"x")

    assert "not valid Unicode" in str(next(scan_folder(tmp_path)).failure)


def test_a_snapshot_does_not_see_what_is_written_meanwhile(project: Project) -> None:
    project.instances.apply(1, Change.create([drawn(1)]), label="Draw")

    with snapshot(project) as then:
        assert len(list(then.images())) == 3
        project.instances.apply(1, Change.create([drawn(2)]), label="Draw")
        project.instances.apply(3, Change.create([drawn(3)]), label="Draw")
        project.images.add([ScannedImage("later.jpg", 9, 9)])

        assert [[item.id for item in then.instances(id_)] for id_ in (1, 2, 3)] == [[1], [], []]
        assert len(list(then.images())) == 3
        with pytest.raises(ProjectError, match="snapshot"), then._database.write():
            pass

    assert len(project.instances.of(1)) == 2


def test_a_project_that_cannot_be_opened_leaves_no_connection(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.path
    project.close()
    with closing(sqlite3.connect(path / "project.db")) as connection, connection:
        connection.execute("DELETE FROM settings")
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noting(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made.append(connect(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", noting)
    with pytest.raises(ProjectError, match="does not say where"):
        Project.open(path)
    assert made
    for connection in made:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


@pytest.mark.parametrize("begins", ["before closing", "after closing"])
def test_a_reader_that_outlives_the_project_leaves_no_connection_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: opened.append(connect(*args, **options)) or opened[-1]
    )
    project = make_project(tmp_path)
    if begins == "after closing":
        project.close()
    with project._database.read():
        project.close()
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
