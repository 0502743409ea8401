"""Edits that could not be written wait in a file of their own until they can be."""

from pathlib import Path

import pytest

from maskwright.document.change import Change
from maskwright.document.values import ImageState
from maskwright.errors import ProjectError
from maskwright.project import Project, rescue
from maskwright.project.rescue import RescuedEdit, edit_to_json, find_rescues, forget_rescues, rescue_file, write_rescue
from project_builders import drawn, make_project, square

MARK = "0123456789abcdef"
DRAW = RescuedEdit(1, "Draw", "edit", Change.create([drawn(1)]), None)
MOVE = RescuedEdit(1, "Move", "edit", Change.of([(drawn(1), drawn(1, square(5, 5)))]), None)
DONE = RescuedEdit(2, "", "edit", None, ImageState.DONE)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rescue, "rescue_folder", lambda: tmp_path / "rescue")
    return tmp_path / "rescue"


def keep(*edits: RescuedEdit, mark: str = MARK) -> Path:
    file = rescue_file(Path("/share/set.maskwright"), mark)
    write_rescue(file, Path("/share/set.maskwright"), map(edit_to_json, edits))
    return file


def test_what_is_kept_is_found_by_the_project_wherever_it_is_mounted() -> None:
    keep(DRAW, MOVE, DONE)
    (found,) = find_rescues(Path("/elsewhere/set.maskwright"), MARK)
    assert found.edits == (DRAW, MOVE, DONE)
    assert found.image_count == 2
    assert found.project == Path("/share/set.maskwright")


def test_the_oldest_copy_comes_first_whatever_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, at in (("a", "2026-01-02"), ("b", "2026-01-01")):
        monkeypatch.setattr(rescue, "now", lambda at=at: at)
        keep(DRAW).rename(folder / f"{MARK}-{name}.rescue.json")
    assert [found.at for found in find_rescues(Path("/share/set.maskwright"), MARK)] == ["2026-01-01", "2026-01-02"]


def test_another_project_is_not_offered_it() -> None:
    keep(DRAW)
    assert find_rescues(Path("/share/set.maskwright"), "another") == []


def test_nothing_left_to_keep_removes_the_copy(folder: Path) -> None:
    keep(DRAW)
    keep()
    assert not list(folder.iterdir())


def test_a_copy_that_was_taken_in_goes(folder: Path) -> None:
    keep(DRAW)
    forget_rescues(find_rescues(Path(), MARK))
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"v": 99}', b'{"v": 1, "project": "", "at": "", "edits": [1]}']
)
def test_a_damaged_copy_is_left_alone(content: bytes) -> None:
    file = keep(DRAW)
    file.write_bytes(content)
    assert find_rescues(Path(), MARK) == []
    assert file.exists()


def test_a_copy_that_cannot_be_written_says_so(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(ProjectError, match="no rescue copy"):
        keep(DRAW)


def test_each_project_has_a_mark_of_its_own_that_stays(tmp_path: Path) -> None:
    with make_project(tmp_path / "a") as one, make_project(tmp_path / "b") as other:
        assert one.mark != other.mark
        mark = one.mark
    with Project.open(tmp_path / "a" / "set.maskwright") as again:
        assert again.mark == mark


def test_a_project_of_an_earlier_version_gets_a_mark_when_it_is_opened(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        project.set_setting("project.mark", None)
    with Project.open(tmp_path / "set.maskwright") as again:
        mark = again.mark
    assert mark
    with Project.open(tmp_path / "set.maskwright", read_only=True) as once_more:
        assert once_more.mark == mark
