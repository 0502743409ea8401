"""Nothing is lost: one writer at a time, copies of earlier days, files checked after a crash."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.errors import DamagedProjectError, ProjectError
from maskwright.project import Project
from maskwright.project.backup import back_up, back_up_daily, keep_within_bounds, list_backups
from maskwright.project.restoring import restore, restore_newest
from project_builders import drawn, make_project

CORE = Path(__file__).resolve().parents[3] / "core"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        yield project


def run_elsewhere(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(CORE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLD = """
import sys
from pathlib import Path
from maskwright.project import Project
project = Project.open(Path(sys.argv[1]))
print(project.is_read_only, flush=True)
sys.stdin.readline()
"""


def test_a_second_program_is_told_who_has_the_project_and_may_only_read(project: Project) -> None:
    project.close()
    holder = run_elsewhere(HOLD, project.path)
    assert holder.stdout.readline().strip() == "False"

    with Project.open(project.path) as second:
        assert second.is_read_only
        assert f"process {holder.pid}" in second.read_only_reason
        assert len(second.instances.document(1)) == 1

    holder.kill()
    holder.communicate()
    with Project.open(project.path) as third:
        assert not third.is_read_only


def test_one_program_may_open_a_project_twice(project: Project) -> None:
    with Project.open(project.path) as second:
        assert not second.is_read_only
    project.close()
    with Project.open(project.path) as again:
        assert not again.is_read_only


EDIT_FOR_EVER = """
import sys
from pathlib import Path
from maskwright.document.change import Change
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project
project = Project.open(Path(sys.argv[1]))
outline = (Polygon.of([(0, 0), (9, 0), (9, 9)]),)
while True:
    id_ = project.instances.reserve_ids(1)[0]
    project.instances.apply(1, Change.create([Instance(id_, 1, outline)]), label="Draw")
    print(id_, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 4, 9])
def test_edits_that_were_acknowledged_survive_kill_9(tmp_path: Path, acknowledged: int) -> None:
    make_project(tmp_path).close()
    program = run_elsewhere(EDIT_FOR_EVER, tmp_path / "set.maskwright")
    ids = [int(program.stdout.readline()) for _ in range(acknowledged)]
    program.kill()
    rest = program.stdout.read()  # communicate() would miss what readline() has read ahead
    program.communicate()
    ids += [int(line) for line in rest.split("\n")[:-1]]

    with Project.open(tmp_path / "set.maskwright") as project:
        assert not project.is_read_only
        kept = set(project.instances.document(1).instances)
        assert set(ids) <= kept
        assert len(kept) <= len(ids) + 1
        assert len(project.history.undo_steps(1).undo) == len(kept)


def test_a_file_damaged_in_a_crash_is_refused_and_a_backup_brought_back(project: Project) -> None:
    project.close()
    file = project.path / "project.db"
    copy = back_up(file, reason="daily")
    damaged = bytearray(file.read_bytes())
    damaged[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    file.write_bytes(damaged)
    file.with_name("project.db-wal").write_bytes(b"left by a crash")

    with pytest.raises(ProjectError, match="damaged"):
        Project.open(project.path)
    kept = restore(file, copy)

    assert kept.read_bytes() == bytes(damaged)
    with Project.open(project.path) as project:
        assert len(project.instances.document(1)) == 1


def test_a_backup_holds_what_the_log_holds(project: Project) -> None:
    copy = project.back_up_daily()

    assert project.back_up_daily() is None
    project.instances.apply(1, Change.create([drawn(2)]), label="Draw")
    project.close()
    restore(project.path / "project.db", copy)
    with Project.open(project.path) as project:
        assert list(project.instances.document(1).instances) == [1]


def test_daily_copies_are_bounded(project: Project) -> None:
    file, folder = project.path / "project.db", project.path / "backups"
    folder.mkdir()
    today = datetime.now(UTC)
    for days in range(1, 90):
        (folder / f"{(today - timedelta(days=days)).strftime('%Y-%m-%dT%H%M%SZ')}-daily.db").write_bytes(b"")
    (folder / "2020-01-01T000000Z-schema-0000.db").write_bytes(b"")

    back_up_daily(file)

    kept = list_backups(file)
    assert 7 + 4 <= len([path for path in kept if path.stem.endswith("daily")]) <= 7 + 4 + 1
    assert len([path for path in kept if "schema" in path.stem]) == 1


def test_copies_are_bounded_in_bytes_and_the_newest_stays(project: Project) -> None:
    file, folder = project.path / "project.db", project.path / "backups"
    newest = back_up_daily(file)
    for year in range(2015, 2025):
        (folder / f"{year}-01-01T000000Z-daily.db").write_bytes(b"x" * 1000)
        (folder / f"{year}-01-02T000000Z-schema-0001.db").write_bytes(b"x" * 1000)
        (folder / f"{year}-01-02T000000Z-schema-0001.db-wal").write_bytes(b"x" * 500)

    keep_within_bounds(file, max_bytes=newest.stat().st_size + 4000)

    kept = [path.name for path in list_backups(file)]
    assert kept == [newest.name, "2024-01-02T000000Z-schema-0001.db", "2024-01-01T000000Z-daily.db",
                    "2023-01-02T000000Z-schema-0001.db"]  # fmt: skip
    assert len(list(folder.glob("*-wal"))) == 2
    keep_within_bounds(file, max_bytes=1)
    assert list_backups(file) == [newest]


def test_a_damaged_project_does_not_take_the_place_of_a_sound_copy(project: Project) -> None:
    file = project.path / "project.db"
    project.close()
    damaged = bytearray(file.read_bytes())
    damaged[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    file.write_bytes(damaged)

    with pytest.raises(ProjectError, match="damaged"):
        back_up_daily(file)

    assert list((project.path / "backups").iterdir()) == []


def test_damage_done_while_the_project_was_closed_is_told_when_it_is_opened(project: Project) -> None:
    file = project.path / "project.db"
    project.close()
    damaged = bytearray(file.read_bytes())
    damaged[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    file.write_bytes(damaged)

    with pytest.raises(ProjectError, match="damaged") as caught:
        Project.open(project.path)

    assert "restore" in caught.value.hint


def test_a_project_whose_folder_was_moved_is_not_written_until_it_is_back(project: Project, tmp_path: Path) -> None:
    moved = project.path.rename(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="missing or was replaced"):
        project.instances.apply(1, Change.create([drawn(2)]), label="Draw")
    with pytest.raises(ProjectError):
        project.back_up_daily()

    moved.rename(project.path)
    project.instances.apply(1, Change.create([drawn(2)]), label="Draw")

    assert len(project.instances.document(1)) == 2


def test_a_project_that_was_deleted_does_not_pretend_to_be_written(project: Project) -> None:
    shutil.rmtree(project.path)

    with pytest.raises(ProjectError, match="missing or was replaced"):
        project.instances.apply(1, Change.create([drawn(2)]), label="Draw")
    assert not project.path.exists()


def test_another_project_put_in_its_place_is_not_written(project: Project, tmp_path: Path) -> None:
    with make_project(tmp_path / "other") as other:
        pass
    project.path.rename(tmp_path / "elsewhere")
    shutil.copytree(other.path, project.path)

    with pytest.raises(ProjectError, match="another one"):
        project.instances.apply(1, Change.create([drawn(2)]), label="Draw")

    with Project.open(project.path, read_only=True) as there:
        assert len(there.instances.document(1)) == 0


def test_a_copy_does_not_fill_the_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    room = namedtuple("room", "total used free")(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: room)

    with pytest.raises(ProjectError, match="not enough space"):
        project.back_up_daily()


def test_a_damaged_backup_is_not_put_back(project: Project, tmp_path: Path) -> None:
    project.close()
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)

    with pytest.raises(ProjectError, match="missing or damaged"):
        restore(project.path / "project.db", tmp_path / "bad.db")

    with Project.open(project.path) as project:
        assert len(project.instances.document(1)) == 1


def test_a_folder_that_cannot_be_written_is_opened_for_reading(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.close()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)

    with Project.open(project.path) as project:
        assert project.is_read_only
        assert "cannot be written" in project.read_only_reason
        assert len(project.instances.document(1)) == 1
    assert sorted(path.name for path in project.path.iterdir()) == ["lock", "project.db"]


def test_an_empty_file_with_copies_is_damaged_and_stays_as_it_is(project: Project) -> None:
    back_up_daily(project.path / "project.db")
    project.close()
    file = project.path / "project.db"
    file.write_bytes(b"")
    with pytest.raises(DamagedProjectError, match="empty"):
        Project.open(project.path)
    assert file.read_bytes() == b""


def test_the_newest_whole_copy_is_put_back(project: Project) -> None:
    file = project.path / "project.db"
    whole = back_up(file, reason="daily")
    newer = whole.with_name("2099-01-01T000000Z-daily.db")
    newer.write_bytes(b"no database")
    project.close()
    file.write_bytes(b"no database")
    assert restore_newest(file) == whole
    with Project.open(project.path) as again:
        assert len(again.instances.document(1)) == 1
