"""What is begun while annotations come in, or a batch runs: nothing is lost, and the window shows what is there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.project.backup import back_up, is_sound, list_backups
from maskwright_gui.app import Workbench
from project_builders import square

WAIT_MS = 30_000
INCOMING = 600


class Roads:
    """A window with classes, a merge that stands, and objects; what is begun here is not waited for."""

    def __init__(self, qtbot: QtBot, bench: Workbench, folder: Path) -> None:
        self.bench, self.folder, self._qtbot = bench, folder, qtbot
        self.drawn: set[int] = set()
        bench.model.choose("tiny.xml")
        for name in ("cell", "cat", "dog", "cow"):
            bench.classes.add(name)
        self.draw()
        self.merge("cow", "dog")
        self.settle()

    def draw(self) -> None:
        session = self.bench.session
        id_ = session.new_instance_id()
        at = next(each.id for each in session.classes.listed if each.name == "dog")
        assert session.edit(edits.create(id_, at, [square(len(self.drawn) % 40, 3, side=4)]), "Draw")
        self.drawn.add(id_)

    def undo(self) -> None:
        self.draw()
        self.bench.session.history.undo()
        self.bench.session.history.redo()

    def take_in(self) -> None:
        names = sorted(path.name for path in self.folder.glob("*.png"))
        images = [{"id": id_, "file_name": name, "width": 64, "height": 48} for id_, name in enumerate(names[::-1], 1)]
        annotations = [
            {"id": id_, "image_id": 1 + id_ % len(names), "category_id": 1 + id_ % 2, "area": 16, "iscrowd": 0,
             "segmentation": [[x := id_ % 50, 30, x + 4, 30, x + 4, 34, x, 34]], "bbox": [x, 30, 4, 4]}
            for id_ in range(1, INCOMING + 1)
        ]  # fmt: skip
        classes = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cow"}]
        file = self.folder.parent / "in.json"
        file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": classes}))
        self.bench.exchange.import_file(file)

    def merge(self, source: str = "cat", target: str = "cell") -> None:
        ids = {each.name: each.id for each in self.bench.session.classes.listed}
        if {source, target} <= ids.keys() and (question := self.bench.classes.merge(ids[source], ids[target])):
            question.accept()

    def part(self) -> None:
        assert self.bench.session.project is not None
        if merges := self.bench.session.project.stored.merges.all():
            self.bench.classes.undo_merge(merges[-1].id)

    def batch(self) -> None:
        self.bench.batch.run()

    def copy(self) -> None:
        assert self.bench.session.project is not None
        back_up(self.bench.session.project.path / "project.db", reason="daily")

    def relocate(self) -> None:
        moved = self.folder / "deeper" / "005.png"
        moved.parent.mkdir()
        (self.folder / moved.name).rename(moved)
        self.bench.relocating.look()

    def reopen(self) -> None:
        projects = self.bench.projects
        projects.close_project()
        with self._qtbot.waitSignals([projects.opened, projects.images_added], timeout=WAIT_MS):
            projects.open_path(self.folder)

    def settle(self) -> None:
        bench = self.bench
        features = (bench.exchange, bench.classes, bench.relocating, bench.projects)
        self._qtbot.waitUntil(lambda: not any(each.is_working for each in features), timeout=WAIT_MS)
        bench.batch.cancel()
        self._qtbot.waitUntil(lambda: not bench.inference.batch.is_running, timeout=WAIT_MS)
        assert bench.session.save()
        self._qtbot.wait(1)


@pytest.fixture
def roads(qtbot: QtBot, opened: Workbench, folder: Path) -> Roads:
    return Roads(qtbot, opened, folder)


SECONDS = (Roads.draw, Roads.undo, Roads.merge, Roads.part, Roads.batch, Roads.copy, Roads.relocate, Roads.reopen)


@pytest.mark.parametrize("second", SECONDS, ids=lambda road: road.__name__)
@pytest.mark.parametrize("first", [Roads.take_in, Roads.batch], ids=lambda road: road.__name__)
def test_what_is_begun_while_something_runs_loses_nothing(
    qtbot: QtBot, roads: Roads, first: Callable[[Roads], None], second: Callable[[Roads], None]
) -> None:
    first(roads)
    second(roads)
    roads.draw() if roads.bench.session.image is not None else None
    roads.take_in()
    roads.merge("dog", "cell")
    roads.settle()
    assert_whole(roads)
    assert roads.bench.session.image is not None
    image_id = roads.bench.session.image.id
    project = roads.bench.session.project
    assert project is not None
    qtbot.waitUntil(
        lambda: (
            dict(roads.bench.session.document.instances) == dict(project.stored.instances.document(image_id).instances)
        ),
        timeout=WAIT_MS,
    )


def assert_whole(roads: Roads) -> None:
    session = roads.bench.session
    assert session.project is not None
    project = session.project.stored
    found = {each.id: each for record in project.images.all() for each in project.instances.of(record.id)}
    assert roads.drawn <= found.keys()
    kept = [each for each in found.values() if each.state.is_exported and each.id not in roads.drawn]
    assert len(kept) in (0, INCOMING), "an import is there wholly or not at all"
    assert {each.category_id for each in found.values()} <= {each.id for each in project.categories.listed()}
    names = {each.id: each.name for each in session.classes.listed}
    assert names == {each.id: each.name for each in project.categories.listed()}
    assert project.set_aside.all() == []
    assert session.unsaved.count == 0
    assert is_sound(project.path / "project.db")
    assert all(is_sound(copy) for copy in list_backups(project.path / "project.db"))
