"""A project is made, upgraded and put back in one step: cut short or failing anywhere, it opens with what it had."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from maskwright.errors import DamagedProjectError, HalfMadeProjectError, LostProjectError, ProjectError
from maskwright.project import Project, find_project
from maskwright.project.anew import set_aside
from maskwright.project.backup import back_up, list_backups
from maskwright.project.making import is_left_over
from maskwright.project.restoring import restore, restore_newest
from maskwright.project.store import INSIDE_IMAGES
from maskwright.project.upgrade import make_tables
from maskwright.project.whole_files import put_in_place
from maskwright.samples.project import open_sample_project
from project_builders import make_project, write_image

CORE = Path(__file__).resolve().parents[3] / "core"
CALLS = ("replace", "rename", "unlink", "link", "fsync", "mkdir", "open", "ftruncate", "write")

SCRIPT = """
import errno, json, os, shutil, sys
from pathlib import Path
from maskwright.errors import MaskwrightError
from maskwright.project import Project
from maskwright.project.backup import back_up
from maskwright.project.making import is_left_over
from maskwright.project.restoring import restore
import alembic.command, alembic.config

operation, template, place, how, calls = sys.argv[1:]
template, calls = Path(template), json.loads(calls)
work = {
    "create": lambda place: Project.create(place, image_root=place.parent).close(),
    "restore": lambda place: restore(place / "project.db", next((place / "backups").glob("*-daily.db"))),
    "back up": lambda place: back_up(place / "project.db", reason="daily"),
}[operation]

def run(place, limit):
    count = 0
    def counted(real):
        def call(*arguments, **named):
            nonlocal count
            count += 1
            if count == limit and how == "kill":
                os._exit(9)
            if count == limit:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **named)
        return call
    for name in calls:
        setattr(os, name, counted(getattr(os, name)))
    try:
        work(place)
    except MaskwrightError:
        os._exit(3)
    os._exit(0 if count >= limit else 100)

ends = []
while not ends or ends[-1] != 100:
    copy = template.with_name(f"{template.name}-{len(ends) + 1}")
    shutil.copytree(template, copy)
    child = os.fork()
    if not child:
        run(copy / place, len(ends) + 1)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ends))
"""


def cut_short(operation: str, template: Path, place: Path, how: str) -> list[int]:
    """How it ended, cut short at each of its calls in turn: 0 well, 3 told the user, 9 killed, 100 not cut short."""
    command = [sys.executable, "-c", SCRIPT, operation, str(template), str(place), how, json.dumps(CALLS)]
    environment = {**os.environ, "PYTHONPATH": str(CORE), "XDG_DATA_HOME": str(template.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def assert_whole(place: Path, images: Path, operation: str, code: int) -> None:
    if operation == "create":
        if find_project(place) is None:
            Project.create(place, image_root=images).close()
        with Project.open(place) as project:
            assert project.image_root == images
            assert not project.is_read_only
        assert not list(place.glob("*.new*"))
        return
    with Project.open(place) as project:
        names = [category.name for category in project.categories.listed()]
    assert not list(place.glob("*.restor*"))
    if operation == "restore" and code in (0, 100):
        assert names == ["cell", "cat"]
    elif operation == "restore":
        assert names in (["cell", "cat"], ["cell", "cat", "later"])
        kept = [copy for copy in list_backups(place / "project.db") if "before-restore" in copy.name]
        assert kept or names[-1] == "later"
    else:
        assert names == ["cell", "cat", "later"]
    assert all(len(tables(copy)) > 5 for copy in list_backups(place / "project.db"))


def tables(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]


def names_in(copy: Path) -> list[str]:
    with closing(sqlite3.connect(copy)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM categories ORDER BY id")]


def to_make(folder: Path) -> tuple[Path, Path]:
    (folder / "images").mkdir(parents=True)
    return folder / "images" / INSIDE_IMAGES, folder / "images"


def to_restore(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    with make_project(folder) as project:
        back_up(project.path / "project.db", reason="daily")
        project.categories.add("later")
    return project.path, folder / "images"


@pytest.mark.parametrize("how", ["kill", "error"])
@pytest.mark.parametrize(
    ("operation", "prepared"),
    [("create", to_make), ("restore", to_restore), ("back up", to_restore)],
    ids=["create", "restore", "back up"],
)
def test_cut_short_at_any_of_its_own_calls(
    tmp_path: Path, operation: str, how: str, prepared: Callable[[Path], tuple[Path, Path]]
) -> None:
    place, images = prepared(tmp_path / "set")
    within = place.relative_to(tmp_path / "set")
    ends = cut_short(operation, tmp_path / "set", within, how)
    assert len(ends) > 4
    assert set(ends) <= {0, 3, 9, 100}
    for at, code in enumerate(ends, start=1):
        there = tmp_path / f"set-{at}"
        assert_whole(there / within, there / images.relative_to(tmp_path / "set"), operation, code)


def test_a_restore_that_was_cut_short_is_completed_at_the_next_opening(tmp_path: Path) -> None:
    place, _ = to_restore(tmp_path / "set")
    (copy,) = list_backups(place / "project.db")
    copy.replace(place / "project.db.restored")  # whole, and not yet under its name
    with pytest.raises(ProjectError, match="half restored"):
        Project.open(place, read_only=True)
    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()] == ["cell", "cat"]
    (kept,) = list_backups(place / "project.db")
    assert "before-restore" in kept.name


def test_who_only_reads_sees_the_restored_project_as_a_whole(tmp_path: Path) -> None:
    place, _ = to_restore(tmp_path / "set")
    with Project.open(place, read_only=True) as reader:
        before, revision = reader.categories.listed(), reader.revision
        restore(place / "project.db", next((place / "backups").glob("*-daily.db")))
        after = [category.name for category in reader.categories.listed()]
        assert reader.revision != revision
    assert len(before) == 3
    assert after == ["cell", "cat"]


def test_two_restores_in_one_second_keep_what_each_has_replaced(tmp_path: Path) -> None:
    place, _ = to_restore(tmp_path / "set")
    (copy,) = list_backups(place / "project.db")
    first = restore(place / "project.db", copy)
    with Project.open(place) as project:
        project.categories.add("second")
    second = restore(place / "project.db", copy)
    assert first != second
    assert [names_in(kept)[-1] for kept in (first, second)] == ["later", "second"]


def test_a_restore_that_fails_leaves_the_project_and_no_second_name_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = to_restore(tmp_path / "set")
    (copy,) = list_backups(place / "project.db")

    def fail(made: Path, target: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("maskwright.project.restoring.put_in_place", fail)
    with pytest.raises(ProjectError, match="could not be restored"):
        restore(place / "project.db", copy)
    monkeypatch.undo()
    assert list_backups(place / "project.db") == [copy]
    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()][-1] == "later"


def test_a_disk_that_fails_after_the_rename_has_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, _ = to_restore(tmp_path / "set")
    (copy,) = list_backups(place / "project.db")

    def put(made: Path, target: Path) -> None:
        made.replace(target)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("maskwright.project.restoring.put_in_place", put)
    assert names_in(restore(place / "project.db", copy))[-1] == "later"
    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()] == ["cell", "cat"]


def test_a_file_whose_log_was_not_folded_in_is_not_put_in_place(tmp_path: Path) -> None:
    place, _ = to_restore(tmp_path / "set")
    made = tmp_path / "made.db"
    made.write_bytes(b"")
    made.with_name("made.db-wal").write_bytes(b"the last commit")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        put_in_place(made, place / "project.db")
    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()][-1] == "later"


def test_a_project_whose_tables_cannot_be_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be opened"):
        make_tables(tmp_path / "gone.db")


@pytest.mark.parametrize("state", ["empty", "header", "tables"])
def test_a_half_made_project_of_an_earlier_version_is_made_anew(tmp_path: Path, state: str) -> None:
    place, images = to_make(tmp_path / "set")
    place.mkdir()
    if state == "empty":
        (place / "project.db").touch()
    else:
        with make_project(tmp_path / "other", images=0) as whole:
            source = whole.path / "project.db"
        (place / "project.db").write_bytes(source.read_bytes())
        with closing(sqlite3.connect(place / "project.db", isolation_level=None)) as connection:
            connection.execute("DELETE FROM settings")
            for table in tables(source) if state == "header" else ():
                connection.execute(f"DROP TABLE {table}")
    with Project.open(images) as project:
        assert project.image_root == images
        assert project.mark


def test_a_half_made_project_elsewhere_says_so_and_can_be_made_anew(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    place = tmp_path / "set.maskwright"
    place.mkdir()
    (place / "project.db").touch()
    for read_only in (True, False):
        with pytest.raises(HalfMadeProjectError, match="was interrupted"):
            Project.open(place, read_only=read_only)
    with Project.create(place, image_root=tmp_path / "images") as project:
        assert project.image_root == tmp_path / "images"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_project_whose_file_is_gone_is_no_new_one(tmp_path: Path, read_only: bool) -> None:
    place, images = to_restore(tmp_path / "set")
    (place / "project.db").unlink()
    with pytest.raises(DamagedProjectError, match="earlier copies") as caught:
        Project.open(place, read_only=read_only)
    assert "restore" in caught.value.hint
    with pytest.raises(DamagedProjectError, match="earlier copies"):
        Project.create(place, image_root=images)
    restore_newest(place / "project.db")
    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()] == ["cell", "cat"]


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    place, images = to_make(tmp_path / "set")
    place.mkdir()
    with closing(sqlite3.connect(place / "project.db")) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    before = (place / "project.db").read_bytes()
    with pytest.raises(ProjectError, match="another program"):
        Project.open(images)
    assert (place / "project.db").read_bytes() == before


def test_ids_given_after_a_copy_was_taken_are_not_given_again(tmp_path: Path) -> None:
    from maskwright.project import ScannedImage

    place, _ = to_restore(tmp_path / "set")
    with Project.open(place) as project:
        project.images.add([ScannedImage("late.png", 8, 9)])
        late, given = project.images.find("late.png").id, project.instances.reserve_ids(10)
    restore(place / "project.db", next((place / "backups").glob("*-daily.db")))
    with Project.open(place) as project:
        project.images.add([ScannedImage("other.png", 8, 9)])
        assert project.images.find("other.png").id > late
        assert project.instances.reserve_ids(1)[0] > max(given)


def test_a_full_disk_where_the_lock_is_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, _ = to_restore(tmp_path / "set")
    real = os.write

    def full(handle: int, data: bytes) -> int:
        if b'"pid"' in data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data)

    monkeypatch.setattr(os, "write", full)
    with Project.open(place) as project:  # the lock holds, only whose it is cannot be said
        assert not project.is_read_only


@pytest.mark.parametrize("content", [b"", b"no database" * 1000], ids=["empty", "damaged"])
def test_a_file_with_copies_says_that_one_can_be_put_back(tmp_path: Path, content: bytes) -> None:
    place, _ = to_restore(tmp_path / "set")
    (place / "project.db").write_bytes(content)
    with pytest.raises(DamagedProjectError) as caught:
        Project.open(place)
    assert "maskwright restore brings back an earlier copy" in str(caught.value)
    with pytest.raises(ProjectError, match="intact earlier copy"):
        set_aside(place / "project.db")


def test_a_project_without_content_but_with_copies_is_no_new_one(tmp_path: Path) -> None:
    place, _ = to_restore(tmp_path / "set")
    with closing(sqlite3.connect(place / "project.db", isolation_level=None)) as connection:
        for table in tables(place / "project.db"):
            connection.execute(f"DELETE FROM {table}")
    with pytest.raises(DamagedProjectError, match="empty; there are earlier copies"):
        Project.open(place)


def test_a_damaged_file_without_copies_is_set_aside_and_the_project_made_anew(tmp_path: Path) -> None:
    place, images = to_restore(tmp_path / "set")
    for copy in list_backups(place / "project.db"):
        copy.unlink()
    with pytest.raises(ProjectError, match="not damaged; nothing was changed"):
        set_aside(place / "project.db")
    (place / "project.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LostProjectError, match=r"restore --salvage .*, --anew"):
        Project.open(place)
    kept = set_aside(place / "project.db")
    assert kept.read_bytes() == b"no database" * 1000
    with Project.create(place, image_root=images) as project:
        assert project.image_root == images


def test_a_file_that_does_not_say_its_version_is_not_an_older_one(tmp_path: Path) -> None:
    place, _ = to_restore(tmp_path / "set")
    with closing(sqlite3.connect(place / "project.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM alembic_version")
    for read_only in (True, False):
        with pytest.raises(DamagedProjectError, match="does not say which version"):
            Project.open(place, read_only=read_only)


def left_over(place: Path, state: str) -> Path:
    """As a program leaves it that was killed while it made a project."""
    place.mkdir()
    (place / "lock").write_bytes(b'{"user": "somebody"}')
    (place / {"unnamed": "project.db.new", "empty": "project.db"}[state]).touch()
    (place / "project.db.new-wal").touch()
    return place


@pytest.mark.parametrize("state", ["unnamed", "empty"])
def test_what_a_kill_leaves_of_a_new_project_is_in_nobodys_way(tmp_path: Path, state: str) -> None:
    from typer.testing import CliRunner

    from maskwright.cli.app import app

    write_image(tmp_path / "images" / "a.png")
    place = left_over(tmp_path / "set.maskwright", state)
    file = tmp_path / "in.json"
    file.write_text(
        '{"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}], "annotations": [], "categories": []}'
    )
    done = CliRunner().invoke(app, ["import", str(place), str(file), "--images", str(tmp_path / "images")])
    assert done.exit_code == 0, done.output
    with Project.open(place) as project:
        assert [image.file_name for image in project.images.all()] == ["a.png"]


@pytest.mark.parametrize("state", ["unnamed", "empty"])
def test_samples_that_were_cut_short_are_made(tmp_path: Path, state: str) -> None:
    left_over(tmp_path / "samples.maskwright", state)
    with open_sample_project(tmp_path) as project:
        count = project.images.ids().size
    assert count
    (tmp_path / "other").mkdir()
    Project.create(tmp_path / "other" / "samples.maskwright", image_root=tmp_path / "images").close()
    with open_sample_project(tmp_path / "other") as project:
        assert project.images.ids().size == count


def test_a_folder_with_files_of_others_is_no_left_over(tmp_path: Path) -> None:
    place = left_over(tmp_path / "set.maskwright", "unnamed")
    assert is_left_over(place)
    (place / "mine.txt").touch()
    assert not is_left_over(place)
    assert not is_left_over(tmp_path / "nothing")
