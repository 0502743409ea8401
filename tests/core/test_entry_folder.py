"""A cache in a project's folder: bounded, clear of a reserve of disk, and no danger to what is behind links."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from maskwright import entry_folder
from maskwright.entry_folder import EntryFolder


def folder_in(root: Path, *, max_bytes: int = 10_000, reserve_bytes: int = 0) -> EntryFolder:
    return EntryFolder(root, "cache", "x", suffix=".entry", max_bytes=max_bytes, reserve_bytes=reserve_bytes,
                       old_suffixes=(".npz",))  # fmt: skip


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A disk of `size` bytes with nothing else on it."""
    made = SimpleNamespace(size=10_000)

    def usage(folder: Path) -> SimpleNamespace:
        used = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        return SimpleNamespace(free=made.size - used)

    monkeypatch.setattr(entry_folder, "shutil", SimpleNamespace(disk_usage=usage))
    return made


def test_old_entries_go_before_the_reserve_is_touched(tmp_path: Path, disk: SimpleNamespace) -> None:
    entries = folder_in(tmp_path, max_bytes=10**6, reserve_bytes=4_000)
    for number in range(20):
        assert entries.put("a", str(number), bytes(1_000))
        os.utime(entries.place("a", str(number)), ns=(number, number))
    assert disk.size - entries.used_bytes >= 4_000
    assert entries.get("a", "19") is not None
    assert entries.get("a", "0") is None


def test_nothing_is_added_where_others_fill_the_disk(
    tmp_path: Path, disk: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    entries = folder_in(tmp_path, reserve_bytes=4_000)
    entries.put("a", "1", bytes(1_000))
    disk.size = 4_500
    assert [entries.put("a", str(number), bytes(1_000)) for number in range(3)] == [False] * 3
    assert entries.used_bytes == 0  # what was there has made room for the project
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("name", ["cache", "cache/x", "cache/x/a"])
def test_nothing_behind_a_link_is_deleted_overwritten_or_counted(tmp_path: Path, name: str) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    inside = home.joinpath(*Path("cache/x/a").parts[len(Path(name).parts) :])
    inside.mkdir(parents=True)
    for suffix in (".part", ".npz", ".entry"):
        (inside / f"1{suffix}").write_bytes(b"mine")
    (project / name).parent.mkdir(parents=True)
    (project / name).symlink_to(home)

    entries = folder_in(project, max_bytes=10)
    assert not entries.put("a", "1", b"123456789")
    assert (entries.used_bytes, entries.find("1"), entries.get("a", "1")) == (0, None, None)
    entries.drop(entries.place("a", "1"))
    assert {path.read_bytes() for path in inside.iterdir()} == {b"mine"}
    assert len(list(inside.iterdir())) == 3


def test_a_link_or_a_pipe_in_place_of_an_entry_is_none(tmp_path: Path) -> None:
    entries = folder_in(tmp_path)
    entries.put("a", "1", b"1")
    (tmp_path / "mine").write_bytes(b"mine")
    entries.place("a", "2").symlink_to(tmp_path / "mine")
    os.mkfifo(entries.place("a", "3"))
    assert [entries.get("a", name) for name in "123"] == [b"1", None, None]
    assert entries.find("2") is None
    entries.put("a", "2", b"2")
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert entries.get("a", "2") == b"2"


def test_what_a_crash_or_an_earlier_version_left_goes(tmp_path: Path) -> None:
    entries = folder_in(tmp_path)
    entries.put("a", "1", b"1")
    for name in ("2.entry.7-8.part", "3.npz"):
        (tmp_path / "cache" / "x" / "a" / name).write_bytes(b"half")
    again = folder_in(tmp_path)
    again.put("a", "4", b"4")
    assert sorted(path.name for path in (tmp_path / "cache" / "x" / "a").iterdir()) == ["1.entry", "4.entry"]


def test_an_entry_larger_than_all_of_it_costs_the_others_nothing(tmp_path: Path) -> None:
    entries = folder_in(tmp_path, max_bytes=100)
    entries.put("a", "1", b"1")
    assert not entries.put("a", "2", bytes(101))
    assert entries.get("a", "1") == b"1"


def test_a_project_that_is_gone_is_no_error(tmp_path: Path) -> None:
    entries = folder_in(tmp_path / "project")
    entries.put("a", "1", b"1")
    shutil.rmtree(tmp_path / "project")
    assert entries.get("a", "1") is None
    assert entries.find("1") is None
