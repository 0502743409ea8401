"""A database that somebody else has written: what it holds is refused or listed row by row, and never runs."""

import json
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
from maskwright.document.values import ImageState, Provenance
from maskwright.errors import ProjectError
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.formats.coco.options import HEADER_SETTING, ORDER_SETTING
from maskwright.geometry.dense import dense_to_polygons, polygons_to_dense
from maskwright.inflating import inflate
from maskwright.learning.selection import material_of
from maskwright.operations.exporting import PLACES_SETTING, ExportRequest, export
from maskwright.prelabel.mapping import stored_mapping
from maskwright.project import Project
from maskwright.project.connection import connect
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.learned_classes import todays_classes
from maskwright.project.merging import MAPPING_SETTING
from maskwright.project.packing import pack_polygons, pack_record, unpack_polygons
from maskwright.project.proposals import ModelProposal
from project_builders import drawn, make_project, square, write_image

CORE = Path(__file__).resolve().parents[3] / "core"
BOMB = zlib.compress(bytes(300 * 2**20), 9)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with make_project(tmp_path, images=3) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        project.instances.apply(2, Change.create([drawn(2)]), label="Draw")
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
        with pytest.raises(ProjectError, match=r"database contains|damaged|cannot be read"):  # or SQLite's own refusal
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
        with pytest.raises(ProjectError, match=r"database contains|damaged|cannot be read"):
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
    with Project.open(place, read_only=True) as project:
        assert [found.row for found in project.source.damaged_rows()] == [row]
    with Project.open(place) as project:
        assert len(list(project.images.all())) == 3
        assert len(project.categories.listed()) >= 2
        assert len(project.instances.document(2)) == 1
        assert len(project.history.undo_steps(2).undo) == 1
        project.instances.apply(3, Change.create([drawn(9)]), label="Draw")
    told = CliRunner().invoke(app, ["check", str(place)])
    if "category_id = 99" in sql:  # it was given one by the number
        assert "class 99 (lost)" in CliRunner().invoke(app, ["classes", str(place)]).output
        return
    assert told.exit_code == 3
    assert row in told.output


def rows_of(place: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(place / "project.db")
    connection.text_factory = bytes  # a damaged text is none that can be decoded
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


OBJECTS = {name: sql for name, (sql, row) in DAMAGED.items() if row == "object 1" and "category" not in sql
           and "provenance" not in sql} | {
    "score without end": "UPDATE instances SET score = 9e999 WHERE id = 1",
    "order": f"UPDATE instances SET z = {2**62} WHERE id = 1",
    "flags": "UPDATE instances SET flags = x'00' WHERE id = 1",
    "detail": "UPDATE instances SET dense = 'x' WHERE id = 1",
    "a text that is none": "UPDATE instances SET extra = CAST(x'7bff7d' AS TEXT) WHERE id = 1",
    "time of the last edit": "UPDATE instances SET edited_at = x'00' WHERE id = 1",
    "class, a text": "UPDATE instances SET category_id = 'x' WHERE id = 1",
    "a record of a box": "UPDATE instances SET polygons = x'01000000030000000000000000000000' || '[]' WHERE id = 1",
}  # fmt: skip


@pytest.mark.parametrize("sql", OBJECTS.values(), ids=OBJECTS)
def test_a_damaged_object_leaves_the_others_of_its_image_to_be_worked_on(place: Path, tmp_path: Path, sql: str) -> None:
    with Project.open(place) as project:
        project.instances.apply(1, Change.create([drawn(5, square(20, 20))]), label="Draw")
    connection = sqlite3.connect(place / "project.db")
    with connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(sql)
    connection.close()
    before = rows_of(place, "SELECT * FROM instances WHERE id = 1")

    with Project.open(place) as project:
        document = project.instances.document(1)
        assert [*document.instances] == [5]
        assert [*document.damaged] == [1]
        project.instances.apply(
            1, Change.of([(document[5], replace(document[5], category_id=2))]), label="Change class"
        )
        project.proposals.put(1, [])
        project.merges.make(2, 1)
        project.merges.undo(project.merges.all()[-1].id)
        project.categories.delete(2)
        assert len(project.history.undo_steps(1).undo) >= 1

    out = tmp_path / "out.json"
    told = CliRunner().invoke(app, ["export", str(place), "--out", str(out)])
    assert told.exit_code == 3, told.output
    assert "object 1 of the project is damaged" in told.output
    assert [each["image_id"] for each in json.loads(out.read_bytes())["annotations"]] == [2]
    assert rows_of(place, "SELECT * FROM instances WHERE id = 1") == before


DAMAGED_COLUMNS = {
    "polygons = x'00ff'": "its outline cannot be read",
    "polygons = 'text'": "its outline cannot be read",
    "state = 'finished'": "its state cannot be read",
    "extra = '{'": "its list of further keys cannot be read",
    "score = 'high'": "its score is not a number: 'high'",
}


@pytest.mark.parametrize(("column", "words"), DAMAGED_COLUMNS.items(), ids=DAMAGED_COLUMNS)
def test_what_of_a_damaged_object_cannot_be_read_is_said_in_plain_words(place: Path, column: str, words: str) -> None:
    written(place, f"UPDATE instances SET {column} WHERE id = 1")
    with Project.open(place) as project:
        assert project.instances.document(1).damaged == {1: f"object 1 of the project is damaged: {words}"}
        assert [(row.row, row.reason) for row in project.source.damaged_rows()] == [("object 1", words)]


@pytest.mark.parametrize("name", [b"x", "../../x", "\x1b[2J"], ids=["bytes", "above", "control"])
def test_a_name_that_is_none_is_told_by_its_stand_in_by_every_road(place: Path, tmp_path: Path, name: object) -> None:
    with Project.open(place) as project:
        run = project.runs.start("model", "hash", {})
        project.runs.record_failure(run, 1, "no such file")
        project.runs.note_failure(1, "no such file")
        empty = tmp_path / "in.json"
        export_coco(project.source, empty)
    written(place, "UPDATE images SET file_name = ? WHERE id = 1", name)
    written(place, "UPDATE history SET label = x'00ff' WHERE id = 1")
    with Project.open(place) as project:
        stand_in = project.images.record(1).file_name
        assert stand_in.startswith("image 1 (damaged name)/")
        failures = [*project.runs.failures(run), *project.runs.failures_alone()]
        assert [(each.file_name, each.reason) for each in failures] == [(stand_in, "no such file")] * len(failures)
        assert {each.file_name for each in project.history.counts_since("2000") if each.image_id == 1} <= {stand_in}
        assert project.imports.add_file(empty)[0].image_count


def test_a_damaged_annotation_that_was_imported_is_left_out_of_an_export(place: Path, tmp_path: Path) -> None:
    out, again, empty = tmp_path / "out.json", tmp_path / "again.json", tmp_path / "b"
    assert CliRunner().invoke(app, ["export", str(place), "--out", str(out)]).exit_code == 0
    with make_project(empty, images=3) as project:
        project.imports.add_coco(out)
        place = project.path
    for damage in (b"[]", b'{"id": 1', b'{"id": 1, "image_id": 1, "category_id": 1, "segmentation": 5}'):
        written(place, "UPDATE instances SET polygons = ? WHERE id = 1", pack_record(damage))
        told = CliRunner().invoke(app, ["export", str(place), "--out", str(again), "--force"])
        assert told.exit_code == 3, told.output
        assert "object 1 of the project is damaged" in told.output
        assert [each["id"] for each in json.loads(again.read_bytes())["annotations"]] == [2]


@pytest.mark.parametrize("column", ["state = 'finished'", "extra = '{'", "instance_count = 'x'"])
def test_an_image_keeps_its_objects_where_only_what_is_said_about_it_is_damaged(place: Path, column: str) -> None:
    written(place, f"UPDATE images SET {column} WHERE id = 1")
    with Project.open(place) as project:
        assert project.images.record(1).file_name == "000000.jpg"
        assert len(project.instances.document(1)) == 1
        assert sum(project.images.state_counts().values()) == 3


@pytest.mark.parametrize("column", ["width = 2000000000", "file_name = '../../x'"])
def test_the_objects_of_an_image_without_a_name_or_a_size_are_kept_and_not_exported(
    place: Path, tmp_path: Path, column: str
) -> None:
    written(place, f"UPDATE images SET {column} WHERE id = 1")
    out = tmp_path / "out.json"
    assert CliRunner().invoke(app, ["check", str(place), "--fix"]).exit_code == 3
    told = CliRunner().invoke(app, ["export", str(place), "--out", str(out)])
    assert told.exit_code == 3, told.output
    assert [each["image_id"] for each in json.loads(out.read_bytes())["annotations"]] == [2]
    assert rows_of(place, "SELECT count(*) FROM instances") == [(2,)]


@pytest.mark.parametrize("column", ["images.file_name", "categories.name", "settings.value", "history.label"])
def test_a_text_that_is_none_is_damage_of_its_row_alone(place: Path, column: str) -> None:
    table, name = column.split(".")
    # What a project is known by is given anew, so that setting would be mended.
    row = "1" if table != "settings" else "(SELECT max(rowid) FROM settings WHERE key <> 'project.mark')"
    written(place, f"UPDATE {table} SET {name} = CAST(x'61ff62' AS TEXT) WHERE rowid = {row}")
    with Project.open(place, trusts_images=True) as project:
        assert len(list(project.images.all())) == 3
        assert len(project.categories.listed()) == 2
        assert len(project.instances.document(2)) == 1
        assert len(project.history.undo_steps(2).undo) == 1
        assert len([*project.source.damaged_rows()]) == 1


def test_undo_goes_back_to_a_damaged_step_and_no_further(place: Path) -> None:
    with Project.open(place) as project:
        project.instances.apply(1, Change.create([drawn(5)]), label="Draw")
        project.instances.apply(1, Change.create([drawn(6)]), label="Draw")
    written(place, "UPDATE history SET change = x'00' WHERE id = 3")
    with Project.open(place) as project:
        assert [[*step.change.entries] for step in project.history.undo_steps(1).undo] == [[6]]
        with pytest.raises(ProjectError, match="damaged"):
            project.history.document_at(1, "2020-01-01T00:00:00.000+00:00")


def test_a_model_proposes_on_where_its_last_step_is_damaged(place: Path) -> None:
    written(place, "UPDATE history SET change = x'00', kind = 'proposals' WHERE image_id = 1")
    proposal = ModelProposal(1, 0.5, (square(30, 30),))
    with Project.open(place) as project:
        project.instances.reserve_ids(10)
        project.proposals.put(1, [proposal])
        assert len(project.instances.document(1)) == 2
    assert rows_of(place, "SELECT change FROM history WHERE id = 1") == [(b"\0",)]


def test_an_image_with_a_damaged_object_teaches_nothing(place: Path) -> None:
    written(place, "UPDATE images SET state = 'done'")
    written(place, "UPDATE instances SET z = 'top' WHERE id = 1")
    with Project.open(place) as project:
        assert [image.record.id for image in material_of(project).images] == [2, 3]


def test_an_object_is_whole_without_the_model_run_that_is_damaged(place: Path) -> None:
    origin = Provenance("m", "h", 0.5, 0.5, "2026-01-01T00:00:00.000+00:00")
    with Project.open(place) as project:
        project.instances.reserve_ids(10)
        project.proposals.put(1, [ModelProposal(1, 0.5, (square(30, 30),))], provenance=origin)
    for damage in ("score_threshold = x'00'", "nms_iou = 7", "model_name = x'00'", "created_at = 5"):
        written(place, f"UPDATE provenances SET {damage}")
        with Project.open(place) as project:
            assert "model run 1" in [found.row for found in project.source.damaged_rows()]
            proposed = max(project.instances.document(1), key=lambda each: each.id)
            assert proposed.provenance is None
            project.instances.apply(1, Change.of([(proposed, replace(proposed, z=proposed.z + 1))]), label="Raise")


STEPS = {"category_id": "x", "z": 1e300, "score": "high", "is_locked": 5, "provenance": {}, "dense": 5, "polygons": 5}


@pytest.mark.parametrize("key", STEPS)
def test_a_step_that_could_not_be_stored_again_is_damaged(key: str) -> None:
    content = json.loads(zlib.decompress(change_to_bytes(Change.create([drawn(1)]))))
    content["entries"][0][1][key] = STEPS[key] if key != "provenance" else {
        "model_name": "m", "model_hash": "h", "score_threshold": "x", "nms_iou": 0.5, "created_at": "",
        "mask_threshold": None, "min_iou": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match="damaged history"):
        change_from_bytes(zlib.compress(json.dumps(content).encode()))


def test_what_is_set_aside_and_damaged_is_shown_as_far_as_it_goes(place: Path) -> None:
    with Project.open(place) as project:
        for _ in range(2):
            project.set_aside.add(1, label="Draw", kind="edit", reason="no", change=None, state=ImageState.DONE)
    written(place, "UPDATE edits_set_aside SET at = 'x', label = x'00', kind = 5, change = 5, state = 5 WHERE id = 1")
    with Project.open(place) as project:
        first, second = project.set_aside.all()
        assert (first.label, first.kind, first.change, first.state) == ("", "edit", None, None)
        assert second.label == "Draw"
        assert "edits set aside 1" in [found.row for found in project.source.damaged_rows()]


def test_a_signal_that_is_no_number_is_none(place: Path) -> None:
    with Project.open(place) as project:
        project.signals.set("odd", {1: (0.5, None), 2: (0.7, None)})
    written(place, "UPDATE signals SET value = 'x' WHERE image_id = 1")
    with Project.open(place) as project:
        assert [each.tolist() for each in project.signals.values("odd")] == [[2], [0.7]]
        assert len([*project.source.damaged_rows()]) == 1


def test_an_edit_that_cannot_even_be_kept_holds_up_nothing(place: Path) -> None:
    odd = replace(drawn(9), extra={"note": object()})
    with Project.open(place) as project:
        kept = project.set_aside.add(1, label="Draw", kind="edit", reason="no", change=Change.create([odd]), state=None)
        assert (kept.label, kept.change) == ("Draw", None)


SHAPES = (
    "5",
    '"x"',
    "[]",
    "[1]",
    '{"a": 5}',
    '{"images": 5, "annotations": {}}',
    '{"images": [1, 1], "annotations": []}',
    f'{{"images": [], "annotations": [{2**70}]}}',
    '{"order": 5, "values": []}',
    '{"order": [], "values": 5}',
)


@pytest.mark.parametrize("shape", SHAPES)
def test_settings_of_another_shape_are_none(place: Path, tmp_path: Path, shape: str) -> None:
    keys = (ORDER_SETTING, HEADER_SETTING, PLACES_SETTING, MAPPING_SETTING, "model", "thresholds", "effort.recorded")
    for key in keys:
        written(place, "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", key, shape)
    out = tmp_path / "out.json"
    told = CliRunner().invoke(app, ["export", str(place), "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert len(json.loads(out.read_bytes())["annotations"]) == 2
    with Project.open(place) as project:
        assert export(project, ExportRequest(tmp_path / "b.json", CocoExportOptions(), is_forced=True)).is_written
        assert stored_mapping(project, "a") == {}
        project.merges.make(1, 2)
        project.merges.undo(project.merges.all()[0].id)
        project.instances.apply(3, Change.create([drawn(9)]), label="Draw")


def test_a_merge_whose_record_is_damaged_can_still_be_taken_back(place: Path) -> None:
    with Project.open(place) as project:
        project.merges.make(1, 2)
    written(place, "UPDATE category_merges SET source = '[1', mapped = 'null'")
    written(place, "UPDATE history SET change = x'00' WHERE id = 2")
    with Project.open(place) as project:
        assert project.merges.undo(1).name == "class 1 (damaged)"
        assert {each.category_id for each in project.instances.document(1)} == {1}


@pytest.mark.parametrize("value", ["x'00'", "'x'", "9e999", "-5", "1", str(2**62), "1.5"])
def test_no_id_is_given_twice_where_the_counter_is_damaged(place: Path, value: str) -> None:
    with Project.open(place) as project:
        project.instances.reserve_ids(50)
    written(place, f"UPDATE counters SET next = {value} WHERE name = 'instance_id'")
    with Project.open(place) as project:
        given = [*project.instances.reserve_ids(5), *project.instances.reserve_ids(5)]
        assert len(set(given)) == 10
        assert min(given) > 2
        project.instances.apply(1, Change.create([drawn(given[0])]), label="Draw")
        assert len(project.instances.document(1)) == 2


def test_classes_merged_in_a_circle_end_somewhere(place: Path) -> None:
    with Project.open(place) as project:
        project.merges.make(1, 2)
    written(
        place, "INSERT INTO category_merges SELECT 7, at, 2, source, 1, moved, 0, '[]', 0, NULL FROM category_merges"
    )
    written(place, "INSERT INTO category_merges SELECT 8, at, 5, source, '{', moved, 0, '[]', 0, NULL "
                   "FROM category_merges WHERE id = 1")  # fmt: skip
    with Project.open(place) as project:
        project.instances.apply(1, Change.create([drawn(9, category_id=2)]), label="Draw")
        assert len(project.instances.document(1)) == 2
        assert len(project.merges.all()) == 2
        assert set(todays_classes(project, [1, 2, 3]).values()) <= {2, None}  # of a model that was learned here


def test_objects_whose_class_is_lost_can_be_seen_and_given_another(place: Path) -> None:
    connection = sqlite3.connect(place / "project.db")
    with connection:
        connection.execute("DELETE FROM categories WHERE id = 1")
    connection.close()
    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()] == ["class 1 (lost)", "cat"]
        (found,) = project.instances.document(1)
        project.instances.apply(1, Change.of([(found, replace(found, category_id=2))]), label="Change class")


@pytest.mark.parametrize("kind", ["coco", "coco-folder", "yolo", "voc", "labelme", "cvat", "png"])
def test_objects_of_no_class_are_left_out_of_an_export_however_large_the_project_is(
    place: Path, tmp_path: Path, kind: str
) -> None:
    for index in range(3):
        write_image(place.parent / "images" / f"{index:06d}.jpg", size_wh=(640, 480))
    connection = sqlite3.connect(place / "project.db")
    with connection:
        connection.execute("UPDATE instances SET category_id = 99 WHERE id = 1")
    connection.close()
    out = tmp_path / ("out.json" if kind == "coco" else "out")
    # It is opened for reading, where nothing is mended; no more is a large project that was closed well.
    told = CliRunner().invoke(app, ["export", str(place), "--out", str(out), "--format", kind])
    assert told.exit_code == 3, told.output
    assert "object 1 of the project is damaged: there is no class 99" in " ".join(told.output.split())
    assert "1 object on" in told.output
    for command in (["queue"], ["effort"], ["classes"], ["learn", "--dry-run"]):
        ran = CliRunner().invoke(app, [command[0], str(place), *command[1:]])
        assert isinstance(ran.exception, SystemExit | None), ran.exception


def test_objects_and_steps_of_an_image_that_is_lost_are_listed(place: Path) -> None:
    connection = sqlite3.connect(place / "project.db")
    with connection:
        connection.execute("DELETE FROM images WHERE id = 1")
    connection.close()
    with Project.open(place) as project:
        assert [row.row for row in project.source.damaged_rows()] == ["step 1", "object 1"]
        assert len(project.instances.document(2)) == 1


def test_a_change_of_much_that_is_alike_can_be_read_again() -> None:
    change = Change.create([replace(drawn(id), extra={"note": 900 * "a"}) for id in range(1, 4001)])
    assert len(change_from_bytes(change_to_bytes(change))) == 4000


def test_bytes_are_inflated_no_further_than_agreed() -> None:
    assert inflate(zlib.compress(b"abc"), 3) == b"abc"
    for data in (zlib.compress(b"abcd"), zlib.compress(b"abc")[:-5], b"none", b""):
        with pytest.raises(ValueError, match=r"unpacks to more|truncated|decompressed"):
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
    with Project.open(place) as project:
        assert "its outline cannot be read" in project.instances.document(1).damaged[1]


READ_HISTORY = """
import resource, sys
from pathlib import Path
from maskwright.project import Project
with Project.open(Path(sys.argv[1])) as project:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    project.history.undo_steps(1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_in_the_history_costs_a_bounded_multiple_of_its_size(place: Path) -> None:
    bomb = zlib.compress(b'{"v": 1, "entries": [' + b"0, " * (200 * 2**20 // 3) + b"0]}", 9)
    written(place, "UPDATE history SET change = ? WHERE image_id = 1", bomb)
    ran = subprocess.run(
        [sys.executable, "-c", READ_HISTORY, str(place)], env={"PYTHONPATH": str(CORE)}, capture_output=True, check=True
    )
    assert int(ran.stdout) * 1024 <= 10 * (2**20 + 50 * len(bomb))
