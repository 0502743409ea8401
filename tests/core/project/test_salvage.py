"""A damaged project file: what can still be read is taken out of it, and nothing is thrown away."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maskwright.cli.app import app
from maskwright.document.change import Change
from maskwright.errors import DamagedProjectError, HalfMadeProjectError, LostProjectError, ProjectError
from maskwright.project import Project
from maskwright.project.anew import set_aside
from maskwright.project.backup import back_up
from maskwright.project.restoring import restore_newest
from maskwright.project.salvage import salvage
from project_builders import drawn, make_project, square, to_first_schema, write_image

IMAGES, EACH = 60, 20


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with make_project(tmp_path, images=IMAGES) as project:
        for image_id in range(1, IMAGES + 1):
            ids = project.instances.reserve_ids(EACH)
            made = [drawn(id_, square(id_ % 600, k), category_id=1 + id_ % 2) for k, id_ in enumerate(ids)]
            project.instances.apply(image_id, Change.create(made), label="Draw")
        return project.path


def overwrite(file: Path, pages: list[int]) -> None:
    """Pages count from 1."""
    with closing(sqlite3.connect(file)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as stream:
        for page in pages:
            stream.seek((page - 1) * size)
            stream.write(random.Random(page).randbytes(size))


def page_count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


def root_of(file: Path, name: str) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])


def objects(place: Path) -> dict[int, object]:
    with Project.open(place, read_only=True) as project:
        return {each.id: each for image in project.images.all() for each in project.instances.of(image.id)}


@pytest.mark.parametrize("seed", range(4))
def test_what_the_damage_has_spared_is_there_again(place: Path, seed: int) -> None:
    before, file = objects(place), place / "project.db"
    roots = {root_of(file, name) for name in ("instances", "images", "categories", "settings")}
    pages = [page for page in range(2, page_count(file) + 1) if page not in roots]
    overwrite(file, random.Random(seed).sample(pages, 4))
    damaged = file.read_bytes()
    with pytest.raises(ProjectError, match="damaged"):
        Project.open(place)

    found = salvage(file)

    assert found.kept.read_bytes() == damaged
    after = objects(place)
    assert found.objects == len(after) >= 0.6 * len(before)
    assert all(before[id_] == each for id_, each in after.items())
    with Project.open(place) as project:
        id_ = project.instances.reserve_ids(1)[0]
        assert id_ > max(before)
        project.instances.apply(1, Change.create([drawn(id_)]), label="Draw")


def test_objects_are_found_by_their_index_where_the_tree_of_the_table_is_broken(place: Path) -> None:
    before, file = objects(place), place / "project.db"
    with closing(sqlite3.connect(file)) as connection:
        leaves = [row[0] for row in connection.execute("SELECT id FROM instances ORDER BY id")]
    assert len(leaves) == IMAGES * EACH
    content = file.read_bytes()
    size = 8192
    hits = [page for page in range(2, len(content) // size) if content[page * size] == 0x0D]  # leaves of tables
    overwrite(file, [1 + hits[len(hits) // 3], 1 + hits[2 * len(hits) // 3]])
    found = salvage(file)
    after = objects(place)
    assert len(after) == found.objects
    assert 0.5 * len(before) <= len(after) <= len(before)


def test_a_file_without_its_first_page_says_nothing_and_stays(place: Path) -> None:
    file = place / "project.db"
    overwrite(file, [1])
    damaged = file.read_bytes()
    with pytest.raises(LostProjectError, match="nothing can be recovered"):
        salvage(file)
    assert file.read_bytes() == damaged
    assert not list(place.glob("*.salvaged*"))


def test_a_full_disk_is_told_as_such_and_changes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place / "project.db"
    overwrite(file, [root_of(file, "history")])
    damaged = file.read_bytes()

    def fail(*_: object) -> tuple[int, int, int]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("maskwright.project.salvage._copied", fail)
    with pytest.raises(ProjectError, match="the disk is full"):
        salvage(file)
    assert file.read_bytes() == damaged
    assert not list(place.glob("*.salvaged*"))


def test_a_whole_project_is_not_taken_apart(place: Path) -> None:
    before = objects(place)
    told = CliRunner().invoke(app, ["restore", str(place), "--salvage"])
    assert told.exit_code == 1
    assert "whole" in told.output
    assert objects(place) == before


def test_the_command_says_how_much_it_has_taken_out(place: Path) -> None:
    file = place / "project.db"
    overwrite(file, [root_of(file, "history")])
    told = CliRunner().invoke(app, ["restore", str(place), "--salvage"])
    assert told.exit_code == 3, told.output
    assert f"{IMAGES} images, {IMAGES * EACH:,} objects" in told.output
    assert len(objects(place)) == IMAGES * EACH


def test_an_image_whose_row_is_lost_has_its_name_from_the_index(place: Path) -> None:
    file = place / "project.db"
    write_image(place.parent / "images" / "000001.jpg", size_wh=(640, 480))
    overwrite(file, [root_of(file, "images")])
    found = salvage(file)
    assert found.images == IMAGES
    with Project.open(place) as project:
        assert project.images.record(1).file_name == "000000.jpg"
        assert len(project.instances.document(1)) == EACH
        record = project.images.record(2)
        assert (record.width, record.height) == (640, 480)


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


SAYS_7 = "UPDATE alembic_version SET version_num = '0007'"
WRONG_TABLES = {
    "an older version than its tables": (SAYS_7,),
    "a column of the newest is not there": ("ALTER TABLE images DROP COLUMN standing",),
    "a table of the newest is not there": ("DROP TABLE signals",),
    "tables of no version": (SAYS_7, "DROP TABLE signals"),
    "no version": ("DELETE FROM alembic_version",),
}


@pytest.mark.parametrize("statements", WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_tables_of_another_version_are_told_and_their_rows_taken_out(place: Path, statements: tuple[str, ...]) -> None:
    before, file = objects(place), place / "project.db"
    change(file, *statements)
    content = file.read_bytes()
    for read_only in (True, False):
        with pytest.raises(LostProjectError, match=r"its tables are others|which version") as caught:
            Project.open(place, read_only=read_only)
        assert "restore --salvage" in str(caught.value)
    assert file.read_bytes() == content
    assert not list((place / "backups").glob("*"))  # which would be no way back
    assert salvage(file).objects == len(before)
    assert objects(place) == before
    with Project.open(place) as project:
        project.instances.apply(1, Change.create([drawn(project.instances.reserve_ids(1)[0])]), label="Draw")


def test_tables_of_the_first_version_under_a_later_number_are_brought_up_to_date(place: Path) -> None:
    before, file = objects(place), place / "project.db"
    to_first_schema(file)
    change(file, "UPDATE alembic_version SET version_num = '0011'")
    with pytest.raises(DamagedProjectError, match=r"has schema 0011, but its tables are others \(without"):
        Project.open(place)
    assert salvage(file).objects == len(before)
    assert objects(place) == before


def test_a_copy_with_tables_of_another_version_is_put_back_by_nobody(place: Path) -> None:
    file = place / "project.db"
    change(file, SAYS_7)
    back_up(file, reason="daily")
    with pytest.raises(LostProjectError, match="no intact earlier copy"):
        restore_newest(file)
    assert set_aside(file).exists()  # it is the only way, if nobody wants what is in it


@pytest.mark.parametrize("command", ["--salvage", "--anew"])
def test_an_empty_file_is_not_called_whole(place: Path, command: str) -> None:
    file = place / "project.db"
    file.write_bytes(b"")
    told = CliRunner().invoke(app, ["restore", str(place), command])
    assert "not damaged" not in told.output
    assert told.exit_code == (1 if command == "--salvage" else 0)


def test_an_empty_file_has_nothing_to_take_out_and_says_what_it_is(place: Path) -> None:
    file = place / "project.db"
    back_up(file, reason="daily")
    file.write_bytes(b"")
    with pytest.raises(DamagedProjectError, match="empty; there are earlier copies") as caught:
        salvage(file)
    assert "salvage" not in str(caught.value)
    assert not caught.value.has_rest
    for copy in (place / "backups").iterdir():
        copy.unlink()
    with pytest.raises(HalfMadeProjectError, match="it is empty"):
        salvage(file)
    assert file.read_bytes() == b""


def test_what_a_killed_salvage_has_left_is_cleared_away_at_the_next_opening(place: Path) -> None:
    left = place / "project.db.salvaged"
    left.write_bytes(b"half")
    with Project.open(place):
        assert not left.exists()
