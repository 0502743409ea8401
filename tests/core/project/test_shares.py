"""A project on a network share: told from a local folder, and kept with a journal that works there."""

from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.project import Project, database
from maskwright.project.backup import is_sound
from maskwright.project.database import is_network, mount_type
from project_builders import drawn, make_project

MOUNTS = r"""
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
41 22 0:39 / /mnt/nas rw,nosuid - nfs4 nas:/export rw,vers=4.2
42 41 0:40 / /mnt/nas/over\040there rw - fuse.sshfs somebody@host:/data rw
43 22 0:41 / /mnt/usb rw - fuseblk /dev/sdb1 rw
44 22 0:42 / /mnt/nas2 rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/somebody/set.maskwright", "ext4"),
        ("/mnt/nas/set.maskwright", "nfs4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas2/set.maskwright", "tmpfs"),
        ("/mnt/nas/over there/set.maskwright", "fuse.sshfs"),
    ],
)
def test_the_mount_that_holds_a_folder_is_found(path: str, kind: str) -> None:
    assert mount_type(MOUNTS, Path(path)) == kind


@pytest.mark.parametrize(("kind", "expected"), [("nfs", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True)])
def test_network_file_systems_are_known(kind: str, expected: bool) -> None:
    assert is_network(kind) is expected
    assert not is_network("ext4")
    assert not is_network("fuseblk")


@pytest.fixture
def on_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "share_type", lambda _path: "nfs4")


def is_in_wal_mode(project: Path) -> bool:
    return (project / "project.db").read_bytes()[18:20] == b"\2\2"


@pytest.mark.usefixtures("on_share")
def test_a_new_project_on_a_share_has_a_rollback_journal(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        assert not is_in_wal_mode(project.path)
        assert not (project.path / "project.db-shm").exists()
        assert len(project.instances.document(1)) == 1


def test_a_project_that_was_moved_to_a_share_and_back_changes_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(tmp_path).close()
    path = tmp_path / "set.maskwright"
    assert is_in_wal_mode(path)
    with monkeypatch.context() as patch:
        patch.setattr(database, "share_type", lambda _path: "cifs")
        with Project.open(path) as project:
            project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
            assert not is_in_wal_mode(path)
    with Project.open(path) as project:
        assert is_in_wal_mode(path)
        assert len(project.instances.document(1)) == 1


@pytest.mark.usefixtures("on_share")
def test_a_backup_on_a_share_is_in_its_mode_and_sound(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        copy = project.back_up_daily()
    assert copy is not None
    assert copy.read_bytes()[18:20] == b"\1\1"
    assert is_sound(copy)


@pytest.mark.usefixtures("on_share")
def test_what_a_killed_program_half_wrote_on_a_share_is_taken_back(tmp_path: Path) -> None:
    """A copy of file and journal in the middle of a transaction is what kill -9 leaves."""
    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1)]), label="Draw")
        left = tmp_path / "left.maskwright"
        left.mkdir()
        with project._database.write() as connection:
            connection.exec_driver_sql("PRAGMA cache_size=1")
            connection.exec_driver_sql("PRAGMA cache_spill=1")
            connection.exec_driver_sql("CREATE TABLE half (text)")
            connection.exec_driver_sql(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
                "INSERT INTO half SELECT hex(zeroblob(4000)) FROM n"
            )
            for name in ("project.db", "project.db-journal"):
                (left / name).write_bytes((project.path / name).read_bytes())
    assert (left / "project.db-journal").stat().st_size > 0
    with Project.open(left) as again:
        assert len(again.instances.document(1)) == 1
        assert again.setting("project.name") is not None
    assert is_sound(left / "project.db")
