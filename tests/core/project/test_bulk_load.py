"""A large import with the file to itself: everything or nothing, also when the program is killed in the middle."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maskwright.errors import ProjectError
from maskwright.project import Project
from maskwright.project.store import FILE_NAME
from project_builders import make_project

CORE = Path(__file__).resolve().parents[3] / "core"
RING = [0.5, 0.5, 9.25, 0.5, 9, 9]
WAL = b"\2\2"


def coco_file(folder: Path, count: int) -> Path:
    annotations = [
        {"id": i, "image_id": 1 + i % 3, "category_id": 1, "segmentation": [RING], "area": 36, "bbox": [0.5, 0.5, 8, 8]}
        for i in range(1, count + 1)
    ]
    images: list[dict[str, Any]] = [{"id": i, "file_name": f"{i}.png", "width": 64, "height": 48} for i in (1, 2, 3)]
    file = folder / "in.json"
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}
    file.write_text(json.dumps(content))
    return file


def journal_mode(project: Path) -> bytes:
    return (project / FILE_NAME).read_bytes()[18:20]


KILLED_IN_THE_MIDDLE = """
import os, sys
from pathlib import Path
from maskwright.project import Project, bulk
statements = bulk._statements
def and_die(connection, batch):
    yield from statements(connection, batch)
    os.kill(os.getpid(), 9)
bulk._statements = and_die
project = Project.open(Path(sys.argv[1]))
with project._database.write_alone() as connection:
    connection.exec_driver_sql("PRAGMA cache_size=2")  # so that pages reach the file before the end
    from maskwright.formats.coco.stream import CocoStream
    from maskwright.project.importing import take_stream
    take_stream(connection, CocoStream(Path(sys.argv[2])))
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A project whose import was killed when all objects were written and nothing was committed."""
    with make_project(tmp_path) as project:
        before = [image.file_name for image in project.images.all()]
    path = tmp_path / "set.maskwright"
    script = [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(path), str(coco_file(tmp_path, 5000))]
    done = subprocess.run(script, env={**os.environ, "PYTHONPATH": str(CORE)}, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert before
    assert (path / f"{FILE_NAME}-journal").stat().st_size
    return path


def test_a_killed_import_leaves_the_project_as_it_was(killed: Path, tmp_path: Path) -> None:
    with make_project(tmp_path / "other") as untouched:
        before = [(image.id, image.file_name) for image in untouched.images.all()]
    with Project.open(killed) as project:
        assert not project.is_read_only
        assert [(image.id, image.file_name) for image in project.images.all()] == before
        assert not project.instances.ids()
    assert journal_mode(killed) == WAL
    assert not (killed / f"{FILE_NAME}-journal").exists()


def test_a_reader_of_a_killed_import_is_told_what_to_do(killed: Path) -> None:
    with pytest.raises(ProjectError, match="was interrupted") as caught:
        Project.open(killed, read_only=True)
    assert "once" in str(caught.value.hint)


def test_the_file_is_in_wal_mode_again_afterwards(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        result, _ = project.imports.add_coco(coco_file(tmp_path, 30), alone=True)
        assert result.instance_count == 30
        with project._database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []


def test_somebody_who_reads_meanwhile_is_no_hindrance(tmp_path: Path) -> None:
    with make_project(tmp_path) as project, Project.open(project.path, read_only=True) as other:
        count = len(list(other.images.all()))
        with other._database.read() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM images").fetchall()
            project.imports.add_coco(coco_file(tmp_path, 30), alone=True)
            assert connection.exec_driver_sql("SELECT count(*) FROM images").scalar_one() == count
        assert len(other.instances.ids()) == 30
    assert journal_mode(tmp_path / "set.maskwright") == WAL
