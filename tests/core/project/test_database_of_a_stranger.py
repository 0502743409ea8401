"""A database that somebody else has written: what it holds is refused or listed row by row, and never runs."""

import sqlite3
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from maskwright.cli.app import app
from maskwright.document.change import Change
from maskwright.errors import DamagedRowError, ProjectError
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.geometry.dense import dense_to_polygons, polygons_to_dense
from maskwright.inflating import inflate
from maskwright.project import Project
from maskwright.project.connection import connect
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.packing import pack_polygons, unpack_polygons
from project_builders import drawn, make_project, square

CORE = Path(__file__).resolve().parents[3] / "core"
BOMB = zlib.compress(bytes(300 * 2**20), 9)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with make_project(tmp_path, images=3) as project:
        project.apply(1, Change.create([drawn(1)]), label="Draw")
        project.apply(2, Change.create([drawn(2)]), label="Draw")
        return project.path


def written(place: Path, sql: str, *values: object) -> Path:
    connection = sqlite3.connect(place / "project.db")
    with connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(sql, values)
    connection.close()
    return place


SCHEMAS = {
    "view": "CREATE VIEW extra AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n",
    "trigger": "CREATE TRIGGER evil AFTER INSERT ON history BEGIN DELETE FROM instances; END",
    "virtual table": "CREATE VIRTUAL TABLE v USING fts5(x)",
    "generated column": "ALTER TABLE images ADD COLUMN g TEXT AS (hex(randomblob(9)))",
    "index that computes": "CREATE INDEX odd ON images (upper(file_name))",
    "partial index that computes": "CREATE INDEX odd ON images (id) WHERE abs(width) > 3",
    "check": "CREATE TABLE c (x CHECK (x > 3))",
    "trigger said to be a table": "INSERT INTO sqlite_master VALUES ('table', 'evil', 'evil', 0, "
    "'CREATE TRIGGER evil AFTER INSERT ON history BEGIN DELETE FROM instances; END')",
    "images without numbers": "UPDATE sqlite_master SET sql = replace(sql, 'id INTEGER NOT NULL', 'id TEXT') "
    "WHERE name = 'images'",
}


@pytest.mark.parametrize("sql", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_that_computes_is_refused(place: Path, sql: str) -> None:
    written(place, sql)
    for read_only in (False, True):
        with pytest.raises(ProjectError, match=r"database holds|damaged|cannot be read"):  # or SQLite's own refusal
            Project.open(place, read_only=read_only)


def test_a_view_in_the_place_of_the_version_is_never_read(place: Path) -> None:
    written(place, "DROP TABLE alembic_version")
    written(place, "CREATE VIEW alembic_version AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                   "SELECT max(i) AS version_num FROM n")  # fmt: skip
    for read_only in (False, True):
        with pytest.raises(ProjectError, match=r"database holds|another program"):
            Project.open(place, read_only=read_only)


def test_a_view_in_the_place_of_a_table_is_never_read(place: Path) -> None:
    written(place, "DROP TABLE settings")
    view = "CREATE VIEW settings AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n"
    written(place, "INSERT INTO sqlite_master VALUES ('table', 'settings', 'settings', 0, ?)", view)
    for read_only in (False, True):
        with pytest.raises(ProjectError, match=r"database holds|damaged|cannot be read"):
            Project.open(place, read_only=read_only)


def test_every_connection_is_hardened(place: Path) -> None:
    connection = connect(place / "project.db", "rw")
    assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
    assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)
    with pytest.raises(sqlite3.DataError, match="too big"):
        connection.execute("SELECT zeroblob(400000000)")
    connection.close()


DAMAGED = {
    "polygons, no blob": ("UPDATE instances SET polygons = 7 WHERE id = 1", "object 1"),
    "polygons, cut": ("UPDATE instances SET polygons = substr(polygons, 1, 30) WHERE id = 1", "object 1"),
    "polygons, many": ("UPDATE instances SET polygons = x'01000000000000007fffff7fffffffff' WHERE id = 1", "object 1"),
    "polygons, a record": ("UPDATE instances SET polygons = x'01000000030000000000000000000000' || '[1' WHERE id = 1",
                           "object 1"),
    "state": ("UPDATE instances SET state = 'perfect' WHERE id = 1", "object 1"),
    "score": ("UPDATE instances SET score = 'high' WHERE id = 1", "object 1"),
    "z": ("UPDATE instances SET z = 'top' WHERE id = 1", "object 1"),
    "extra": ("UPDATE instances SET extra = '[1]' WHERE id = 1", "object 1"),
    "class of an object": ("UPDATE instances SET category_id = 99 WHERE id = 1", "object 1"),
    "provenance": ("UPDATE instances SET provenance_id = 999 WHERE id = 1", "object 1"),
    "width": ("UPDATE images SET width = 2000000000 WHERE id = 1", "image 1"),
    "height": ("UPDATE images SET height = -4 WHERE id = 1", "image 1"),
    "image state": ("UPDATE images SET state = 'finished' WHERE id = 1", "image 1"),
    "image extra": ("UPDATE images SET extra = '{' WHERE id = 1", "image 1"),
    "class": ("UPDATE categories SET name = x'00ff' WHERE id = 1", "class 1"),
    "colour": ("UPDATE categories SET colour = 'url(file:///etc/passwd)' WHERE id = 1", "class 1"),
    "history": ("UPDATE history SET change = x'00ff' WHERE image_id = 1", "step 1"),
    "kind": ("UPDATE history SET kind = 'other' WHERE image_id = 1", "step 1"),
    "time": ("UPDATE history SET at = 'never' WHERE image_id = 1", "step 1"),
    "effort": ("UPDATE history SET active_s = 'long' WHERE image_id = 1", "step 1"),
    "setting": ("UPDATE settings SET value = '{' WHERE key = 'project.name'", "setting project.name"),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "row"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_is_found_by_name_and_the_rest_can_be_used(place: Path, sql: str, row: str) -> None:
    connection = sqlite3.connect(place / "project.db")
    with connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(sql)
    connection.close()
    if "provenance_id" in sql or "category_id" in sql:  # what leads nowhere is damage of the file, and told as such
        for read_only in (False, True):
            with pytest.raises(ProjectError, match="damaged"):
                Project.open(place, read_only=read_only)
        return

    with Project.open(place) as project:
        assert [found.row for found in project.damaged_rows()] == [row]
        assert len(list(project.images())) == 3
        assert len(project.categories()) == 2
        assert len(project.document(2)) == 1
        assert len(project.undo_steps(2).undo) == 1
        project.apply(3, Change.create([drawn(9)]), label="Draw")
    told = CliRunner().invoke(app, ["check", str(place)])
    assert told.exit_code == 3
    assert row in told.output


def test_a_damaged_object_is_not_left_out_of_an_export_without_a_word(place: Path, tmp_path: Path) -> None:
    written(place, "UPDATE instances SET state = 'perfect' WHERE id = 1")
    with Project.open(place) as project, pytest.raises(DamagedRowError, match="object 1"):
        export_coco(project, tmp_path / "out.json", CocoExportOptions())
    assert not (tmp_path / "out.json").exists()


def test_a_change_of_much_that_is_alike_can_be_read_again() -> None:
    change = Change.create([replace(drawn(id), extra={"note": 900 * "a"}) for id in range(1, 4001)])
    assert len(change_from_bytes(change_to_bytes(change))) == 4000


def test_bytes_are_inflated_no_further_than_agreed() -> None:
    assert inflate(zlib.compress(b"abc"), 3) == b"abc"
    for data in (zlib.compress(b"abcd"), zlib.compress(b"abc")[:-5], b"none", b""):
        with pytest.raises(ValueError, match=r"unpack|breaks off"):
            inflate(data, 3)


def test_a_step_that_would_fill_the_memory_is_damaged() -> None:
    with pytest.raises(ValueError, match="damaged history"):
        change_from_bytes(BOMB)


def test_a_dense_outline_that_would_fill_the_memory_is_damaged() -> None:
    dense = polygons_to_dense([square()])
    assert dense is not None
    with pytest.raises(ValueError, match="unpacks to more"):
        dense_to_polygons(dense[:17] + BOMB)


@pytest.mark.parametrize(
    "header", [[1, 0, 2**31 - 1, -1], [1, 0, 1, 2**31 - 1], [1, 0, 5], [1, 1, 1, 1, -3], [1, 2, 1, 0]]
)
def test_lengths_that_cannot_be_are_refused_at_once(header: list[int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        unpack_polygons(np.array(header, "<i4").tobytes())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_coordinates_that_are_no_pixels_are_refused(place: Path, value: float) -> None:
    packed = pack_polygons([square(0.5)])
    written(place, "UPDATE instances SET polygons = ? WHERE id = 1", packed[:-8] + np.array([value]).tobytes())
    with Project.open(place) as project, pytest.raises(DamagedRowError, match="coordinates"):
        project.document(1)


READ_HISTORY = """
import resource, sys
from pathlib import Path
from maskwright.project import Project
with Project.open(Path(sys.argv[1])) as project:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    project.undo_steps(1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_in_the_history_costs_a_bounded_multiple_of_its_size(place: Path) -> None:
    bomb = zlib.compress(b'{"v": 1, "entries": [' + b"0, " * (200 * 2**20 // 3) + b"0]}", 9)
    written(place, "UPDATE history SET change = ? WHERE image_id = 1", bomb)
    ran = subprocess.run(
        [sys.executable, "-c", READ_HISTORY, str(place)], env={"PYTHONPATH": str(CORE)}, capture_output=True, check=True
    )
    assert int(ran.stdout) * 1024 <= 10 * (2**20 + 50 * len(bomb))
