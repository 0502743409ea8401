"""What an export would take the place of, in words."""

import os
from pathlib import Path

import pytest

from maskwright.errors import FormatError
from maskwright.formats.atomic import mark_of, require_nothing_there, what_is_there


def test_nothing_and_what_is_empty_are_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    found = [what_is_there(tmp_path / name) for name in ("none", "empty", "folder", "pipe", "none/below")]

    assert [*found, what_is_there(Path("-")), what_is_there(Path("/dev/null"))] == [None] * 7


def test_a_file_and_a_folder_are_named_with_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("x" * 2500)
    for index in range(5):
        (tmp_path / f"set{index}").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a.json")

    assert (what_is_there(tmp_path / "a.json") or "").startswith("a file of 2.5 kB, last changed ")
    assert (what_is_there(tmp_path / "link") or "").startswith("a file of 2.5 kB")
    assert what_is_there(tmp_path) == "a folder with 7 files and folders: a.json, link, set0 and 4 more"
    with pytest.raises(FormatError, match="already exists: a file"):
        require_nothing_there(tmp_path / "a.json", may_replace=False)
    require_nothing_there(tmp_path / "a.json", may_replace=True)


def test_a_file_that_changes_has_another_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = mark_of(tmp_path / "a")
    (tmp_path / "a").write_text("12")

    assert mark_of(tmp_path / "a") != before
    assert mark_of(tmp_path) == mark_of(tmp_path / "none") == ""
