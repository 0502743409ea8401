"""The migration scripts and the tables that the code believes in are the same."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import maskwright.project.upgrade as upgrade
from maskwright.document.change import Change, UserEffort
from maskwright.document.values import InstanceState
from maskwright.errors import ProjectError
from maskwright.project import Project
from maskwright.project.backup import list_backups
from maskwright.project.proposals import ModelProposal
from maskwright.project.schema import metadata
from maskwright.project.versions import REVISIONS
from project_builders import drawn, make_project, square, to_first_schema


def test_migrating_from_nothing_gives_the_schema_of_the_code(tmp_path: Path) -> None:
    with make_project(tmp_path) as project, project._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_an_older_project_is_migrated_after_a_copy_was_made(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        file = project.path / "project.db"
    to_first_schema(file)

    with Project.open(file) as project, project._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert len(project.instances.document(1)) == 1
        assert [entry.gesture for entry in project.history.of(1)] == [UserEffort(active_s=30.0)]

    (copy,) = list_backups(file)
    assert copy.name.endswith("schema-0001.db")
    assert upgrade.schema_version(copy) == "0001"


def test_an_older_project_is_read_without_being_written(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        file = project.path / "project.db"
    to_first_schema(file)
    before = file.read_bytes()

    with Project.open(file, read_only=True) as project:
        assert project.path == file.parent
        assert len(project.instances.document(1)) == 1
        copy = project._database.path
        with pytest.raises(ProjectError, match="read-only"):
            project.categories.add("new")

    assert not copy.parent.exists()
    assert file.read_bytes() == before
    assert list_backups(file) == []


def test_without_room_for_a_copy_an_older_project_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_project(tmp_path) as project:
        file = project.path / "project.db"
    to_first_schema(file)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(ProjectError, match="not enough space") as raised:
        Project.open(file, read_only=True)
    assert "open it once" in str(raised.value)


def test_proposals_of_an_older_project_keep_their_origin_and_their_undo(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        run_id = project.runs.start("net", "abc", {"score": 0.5, "nms_iou": 0.4})
        project.put_proposals(1, [ModelProposal(1, 0.9, (square(5, 5),))], run_id=run_id)
        (proposed,) = project.instances.of(1)
        accepted = replace(proposed, state=InstanceState.ACCEPTED)
        project.instances.apply(1, Change.of([(proposed, accepted)]), label="Accept")
        file = project.path / "project.db"
    with closing(sqlite3.connect(file)) as connection:  # back to how version 0007 left it
        connection.executescript(
            "ALTER TABLE images DROP COLUMN standing;"
            "ALTER TABLE categories DROP COLUMN standing; DROP TABLE file_ids; DROP TABLE edits_set_aside;"
            "DROP INDEX ix_instances_edited; CREATE TABLE old (id INTEGER PRIMARY KEY, model_name TEXT NOT NULL,"
            "model_hash TEXT NOT NULL, score_threshold FLOAT NOT NULL, nms_iou FLOAT NOT NULL,"
            "created_at TEXT NOT NULL, UNIQUE (model_name, model_hash, score_threshold, nms_iou, created_at));"
            "INSERT INTO old SELECT id, model_name, model_hash, score_threshold, nms_iou, created_at FROM provenances;"
            "DROP TABLE provenances; ALTER TABLE old RENAME TO provenances;"
            "UPDATE alembic_version SET version_num = '0007';"
        )

    with Project.open(file) as project, project._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        (found,) = project.instances.of(1)
        assert (found.provenance.model_hash, found.provenance.nms_iou) == ("abc", 0.4)
        assert (found.provenance.mask_threshold, found.provenance.min_iou) == (None, None)
        project.instances.apply(1, project.history.of(1)[-1].change.inverse(), label="Accept", kind="undo")
        assert project.instances.of(1)[0].state is InstanceState.PROPOSED


def test_every_script_is_a_known_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(upgrade.__file__).with_name("migrations")))
    scripts = ScriptDirectory.from_config(config)

    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS
    assert scripts.get_current_head() == REVISIONS[-1]
