"""A project folder that somebody else has made: nothing in it makes the program touch other files."""

import os
import struct
from pathlib import Path

import pytest

from maskwright.errors import ProjectError
from maskwright.project import Project
from maskwright.project.backup import back_up, back_up_daily, keep_within_bounds, list_backups
from maskwright.project.rescue import find_rescues, rescue_file, rescue_folder
from project_builders import make_project

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and named pipes of POSIX")
OWN_NAMES = ["lock", "project.db", "project.db-wal", "project.db-shm", "project.db-journal"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with make_project(tmp_path) as project:
        return project.path


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    file = tmp_path / "home" / ".bashrc"
    file.parent.mkdir()
    file.write_text("export PATH")
    return file


@pytest.mark.parametrize("name", OWN_NAMES)
def test_a_link_under_a_name_of_ours_is_refused_and_its_target_stays(folder: Path, precious: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(precious)

    with pytest.raises(ProjectError, match="is a link"):
        Project.open(folder)

    assert precious.read_text() == "export PATH"


@pytest.mark.parametrize("name", OWN_NAMES)
def test_a_named_pipe_under_a_name_of_ours_is_refused_at_once(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)

    with pytest.raises(ProjectError, match=r"named pipe|no project"):
        Project.open(folder)


def test_a_file_that_is_called_lock_but_is_none_is_not_overwritten(folder: Path, precious: Path) -> None:
    (folder / "lock").unlink()
    os.link(precious, folder / "lock")

    with pytest.raises(ProjectError, match="not a lock"):
        Project.open(folder)

    assert precious.read_text() == "export PATH"


@pytest.mark.parametrize("content", [b"", bytes(120), b'{"user": "som'], ids=["empty", "zeros", "cut off"])
def test_a_lock_that_a_power_cut_left_does_not_close_the_project(folder: Path, content: bytes) -> None:
    (folder / "lock").write_bytes(content)
    with Project.open(folder) as project:
        assert not project.is_read_only


def test_a_journal_that_names_another_file_is_refused_and_the_file_stays(folder: Path, precious: Path) -> None:
    (folder / "project.db-journal").write_bytes(journal_naming(precious, folder / "project.db"))

    with pytest.raises(ProjectError, match="refers to another file"):
        Project.open(folder)
    with pytest.raises(ProjectError, match="refers to another file"):
        Project.open(folder, read_only=True)

    assert precious.exists()


def journal_naming(victim: Path, database: Path) -> bytes:
    """A rollback journal without pages whose super-journal is `victim`: SQLite deletes that file at recovery."""
    page_bytes, sector_bytes = 8192, 512
    magic, name = bytes.fromhex("d9d505f920a163d7"), str(victim).encode()
    head = magic + struct.pack(">IIIII", 0, 1, database.stat().st_size // page_bytes, sector_bytes, page_bytes)
    lock_page = 0x40000000 // page_bytes + 1
    checksum = sum(name) & 0xFFFFFFFF
    return (
        head.ljust(sector_bytes, b"\0")
        + struct.pack(">I", lock_page)
        + name
        + struct.pack(">II", len(name), checksum)
        + magic
    )


def test_copies_behind_a_link_are_not_touched(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "archive"
    elsewhere.mkdir()
    for year in range(2000, 2020):
        (elsewhere / f"{year}-01-01T000000Z-daily.db").write_bytes(b"of somebody")
    (folder / "backups").symlink_to(elsewhere)

    with pytest.raises(ProjectError, match="backups is a link"):
        back_up_daily(folder / "project.db")
    keep_within_bounds(folder / "project.db", max_bytes=1)

    assert len(list(elsewhere.iterdir())) == 20
    assert list_backups(folder / "project.db") == []


def test_files_that_a_user_put_among_the_copies_stay(folder: Path, precious: Path) -> None:
    file, backups = folder / "project.db", folder / "backups"
    backups.mkdir()
    foreign = ["before-the-move.db", "1999-13-45T000000Z-daily.db", "2001-01-01T000000Z-mine.db", "a-daily.db"]
    for name in foreign:
        (backups / name).write_bytes(b"precious")
    (backups / "2001-01-01T000000Z-daily.db").symlink_to(precious)

    copy = back_up(file, reason="daily")
    keep_within_bounds(file, max_bytes=1)

    assert list_backups(file) == [copy]
    assert {path.name for path in backups.iterdir()} == {*foreign, "2001-01-01T000000Z-daily.db", copy.name}
    assert precious.exists()


@pytest.mark.parametrize("mark", ["../../evil", "*", "[0-9a-f]*", "/tmp/evil", 7, None])
def test_the_mark_of_a_project_is_no_path_and_no_pattern(folder: Path, mark: object) -> None:
    with Project.open(folder) as project:
        project.set_setting("project.mark", mark)
    with Project.open(folder) as project:
        assert rescue_file(project.path, project.mark).parent == rescue_folder()
        assert find_rescues(project.path, project.mark) == []
