"""What a database of somebody else says about files is checked before it becomes a path."""

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from maskwright.cli.app import app
from maskwright.document.values import ImageRecord, ImageState
from maskwright.errors import ForeignImagesError, FormatError
from maskwright.file_names import file_name_fault, stand_in
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.image_files import place_image
from maskwright.formats.registry import FORMATS
from maskwright.project import Project, scan_folder
from project_builders import make_project, write_image

ELSEWHERE = Path(tempfile.gettempdir(), "maskwright-must-not-write-here.png")

BAD_NAMES = ["../../../x.png", "/etc/passwd", "a/../../x.png", "..\\..\\x.png", "C:\\x.png", "c:x.png", "a\nb.png", "",
             "a\0.png", "  ", "..", "a/..", "x/", ".", "\\\\host\\share\\x.png", "a" * 5000, "\x1b[2J"]  # fmt: skip


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def rename(project: Path, name: object, column: str = "file_name") -> None:
    with sqlite3.connect(project / "project.db") as connection:
        connection.execute(f"UPDATE images SET {column} = ? WHERE id = 1", (name,))
    connection.close()


@pytest.mark.parametrize("name", [*BAD_NAMES, b"x.png"], ids=repr)
def test_a_name_that_is_no_relative_path_becomes_one_that_no_file_has(tmp_path: Path, name: object) -> None:
    make_project(tmp_path, images=2).close()
    rename(tmp_path / "set.maskwright", name)

    with Project.open(tmp_path / "set.maskwright") as project:
        first, second = project.images.all()
        assert "damaged name" in first.file_name
        assert file_name_fault(first.file_name) is None
        assert project.image_path(first).resolve().is_relative_to(project.image_root)
        assert second.file_name == "000001.jpg"


@pytest.mark.parametrize(
    "name", ["../../../x.png", str(ELSEWHERE), "..\\x.png"], ids=["above", "absolute", "backslash"]
)
@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind.write is not None], ids=lambda kind: kind.name)
def test_no_writer_leaves_its_folder(tmp_path: Path, kind: object, name: str) -> None:
    with make_project(tmp_path / "one") as project:
        project.images.set_state(1, ImageState.EMPTY)
    rename(project.path, name)
    before = {path for path in tmp_path.rglob("*") if tmp_path / "out" not in path.parents}

    with Project.open(project.path, read_only=True) as project:
        out = tmp_path / "out" / "deep" / "er"
        out.mkdir(parents=True)
        kind.write(project.source, out if kind.is_folder else out / "set.file", CocoExportOptions())

    left = {path for path in tmp_path.rglob("*") if tmp_path / "out" not in path.parents} - before
    assert {path for path in left if path.name not in ("out", "project.db-wal", "project.db-shm")} == set()
    assert not ELSEWHERE.exists()


def test_an_image_root_elsewhere_is_asked_about_once(tmp_path: Path) -> None:
    with make_project(tmp_path / "mine") as project:
        pass
    (tmp_path / "private").mkdir()
    with sqlite3.connect(project.path / "project.db") as connection:
        connection.execute("UPDATE settings SET value='\"../../private\"' WHERE key='project.image_root'")
    connection.close()

    with pytest.raises(ForeignImagesError, match="reads images from") as caught:
        Project.open(project.path)
    caught.value.allow()

    with Project.open(project.path) as project:
        assert project.image_root == tmp_path / "private"


def test_the_command_line_refuses_until_the_project_is_trusted(tmp_path: Path) -> None:
    with make_project(tmp_path / "mine") as project:
        pass
    with sqlite3.connect(project.path / "project.db") as connection:
        connection.execute("UPDATE settings SET value='\"/\"' WHERE key='project.image_root'")
    connection.close()
    run = CliRunner()

    refused = run.invoke(app, ["check", str(project.path)])
    assert refused.exit_code == 1
    assert "maskwright trust" in refused.output
    assert run.invoke(app, ["trust", str(project.path)]).exit_code == 0
    assert "maskwright trust" not in run.invoke(app, ["check", str(project.path)]).output


@pytest.mark.parametrize("place", ["beside/set.maskwright", "images/.maskwright", "images/deep/set.maskwright", "x"])
def test_a_project_made_here_is_opened_without_a_question(tmp_path: Path, place: str) -> None:
    images = write_image(tmp_path / "images" / "a.png").parent
    Project.create(tmp_path / place, image_root=images).close()
    with Project.open(tmp_path / place) as project:
        assert project.image_root == images


def test_a_project_that_was_moved_away_from_its_images_is_still_trusted(tmp_path: Path) -> None:
    with make_project(tmp_path / "one") as project:
        project.image_folder.move_to(write_image(tmp_path / "two" / "a.png").parent)
    moved = project.path.rename(tmp_path / "one" / "other.maskwright")
    with Project.open(moved) as project:
        assert project.image_root == tmp_path / "two"


@pytest.mark.parametrize("content", [b"root:x:0:0", b"", b"\x89PNG\r\n\x1a\n cut"], ids=["text", "empty", "cut"])
def test_what_is_no_image_does_not_go_along(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "passwd").write_bytes(content)
    with pytest.raises(FormatError, match="cannot be exported"):
        place_image(ImageRecord(1, "passwd", 2, 2), tmp_path, tmp_path / "out", "copy")
    assert not (tmp_path / "out").exists()


def test_a_file_with_a_name_that_cannot_be_carried_on_is_listed_with_the_reason(tmp_path: Path) -> None:
    write_image(tmp_path / "plain.png")
    write_image(tmp_path / "back\\slash.png")
    found = {image.file_name: image.failure for image in scan_folder(tmp_path)}
    assert found.pop("plain.png") is None
    assert "backslash" in str(found.pop("back\\slash.png"))


@given(st.text(max_size=60))
def test_a_name_without_fault_stays_below_its_folder(name: str) -> None:
    for one in (name, f"{name}/../x", stand_in("image 1", name)):
        if file_name_fault(one) is None:
            assert Path("/somewhere/folder", one).is_relative_to("/somewhere/folder")
            assert ".." not in Path(one).parts
