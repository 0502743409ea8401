"""Work on a project by every road at once, beside a plain dict that says what has to come out of it.

Edits, undo, imports, merges and their undo, batches, backups, restores, relocations, a second program: what runs beside
the window is begun and not waited for, so that edits are made meanwhile.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.document.change import after_edit
from maskwright.document.values import ImageStanding, ImageState, Instance, InstanceState
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.formats.coco.verify import verify_coco
from maskwright.geometry.polygon import Polygon
from maskwright.project.backup import back_up
from maskwright.project.restoring import restore
from maskwright_gui.app import Workbench

CORE = Path(__file__).resolve().parents[1] / "core"
WAIT_MS = 20_000
SIDE = 1.5
_OTHER_PROGRAM = """
import sys
from pathlib import Path
from maskwright.errors import ProjectError
from maskwright.project import Project
with Project.open(Path(sys.argv[1])) as project:
    assert project.is_read_only, "two programs may write"
    try:
        project.categories.add("of another program")
    except ProjectError:
        print(sum(len(project.instances.of(image.id)) for image in project) >= 0)
"""

Place = tuple[float, float]
"""Where the corner of an object's outline is; no two objects ever have the same."""


@dataclass
class Model:
    """What the project must hold, in plain dicts."""

    objects: dict[Place, tuple[str, str]] = field(default_factory=dict)
    """{place: (image, the class it was given)}"""
    merges: list[tuple[str, str]] = field(default_factory=list)
    """(class, the one it is part of), the latest last"""
    done: dict[str, list[dict[Place, tuple[str, str] | None]]] = field(default_factory=dict)
    """{image: what each step has to be taken back to}"""
    undone: dict[str, list[dict[Place, tuple[str, str] | None]]] = field(default_factory=dict)
    states: dict[str, ImageState] = field(default_factory=dict)
    """Of the images where it is known."""
    standings: dict[str, ImageStanding] = field(default_factory=dict)
    """Of the images that were taken out of the set, or back."""

    def class_of(self, name: str) -> str:
        for source, target in self.merges:
            name = target if name == source else name
        return name

    @property
    def shown(self) -> dict[Place, tuple[str, str]]:
        return {place: (image, self.class_of(name)) for place, (image, name) in self.objects.items()}

    def step(self, image: str, changes: dict[Place, tuple[str, str] | None]) -> None:
        self.done.setdefault(image, []).append(self._put(changes))
        self.undone[image] = []
        self.note_edit(image)

    def step_back(self, image: str) -> None:
        self.undone.setdefault(image, []).append(self._put(self.done[image].pop()))
        self.note_edit(image)

    def step_forward(self, image: str) -> None:
        self.done.setdefault(image, []).append(self._put(self.undone[image].pop()))
        self.note_edit(image)

    def note_edit(self, image: str) -> None:
        if image in self.states:
            self.states[image] = after_edit(self.states[image])

    def _put(self, changes: dict[Place, tuple[str, str] | None]) -> dict[Place, tuple[str, str] | None]:
        """What takes it back."""
        before = {place: self.objects.get(place) for place in changes}
        for place, value in changes.items():
            if value is None:
                self.objects.pop(place, None)
            else:
                self.objects[place] = value
        return before


class ModelledWork:
    """One seed, one sequence of doings."""

    def __init__(self, qtbot: QtBot, bench: Workbench, folder: Path, seed: int) -> None:
        self._qtbot, self._bench, self._folder = qtbot, bench, folder
        self._random = random.Random(seed)
        self.model = Model()
        self._copies: list[tuple[Path, Model, frozenset[str]]] = []
        self._places = 0
        self._imports = 0
        self._is_importing = False
        self.latest: list[str] = []
        bench.exchange.imported.connect(self._on_imported)
        bench.exchange.told.connect(lambda message: self.latest.append(f"{message.text}: {message.detail}"))
        bench.classes.told.connect(lambda message: self.latest.append(f"{message.text}: {message.detail}"))
        bench.session.failed.connect(lambda what, error: self.latest.append(f"{what}: {error}"))
        self._doings: tuple[tuple[int, Callable[[], object]], ...] = (
            (40, self.draw),
            (15, self.move),
            (10, self.delete),
            (15, self.undo),
            (8, self.redo),
            (12, self.go),
            (8, self.finish),
            (5, self.reopen),
            (6, self.take_in),
            (4, self.add_class),
            (5, self.merge),
            (4, self.part),
            (4, self.batch),
            (3, self.copy),
            (2, self.restore),
            (3, self.relocate),
            (1, self.other_program),
        )

    def step(self) -> None:
        weights, doings = zip(*self._doings, strict=True)
        doing = self._random.choices(doings, weights)[0]
        image = self._bench.session.image
        self.latest = [*self.latest[-40:], f"{doing.__name__} {image.id if image is not None else ''}"]
        doing()
        if self._random.random() < 0.4:
            self._qtbot.wait(self._random.choice((0, 0, 5)))

    # edits

    def draw(self) -> None:
        session = self._bench.session
        classes = [each for each in session.classes.listed if each.name not in self._busy_class]
        if session.image is None or not classes:
            return self.add_class()
        chosen, place = self._random.choice(classes), self._new_place()
        change = edits.create(session.new_instance_id(), chosen.id, [_outline(place)])
        if self._random.random() < 0.2:
            self._qtbot.wait(1)  # a gesture that others come between
        assert session.edit(change, "Draw"), self.latest
        self.model.step(self._image, {place: (self._image, chosen.name)})
        return None

    def move(self) -> None:
        session = self._bench.session
        if (found := self._any()) is None or session.document is None:
            return
        place, new = place_of(found), self._new_place()
        assert session.edit(edits.set_polygons(session.document, {found.id: (_outline(new),)}), "Move"), self.latest
        self.model.step(self._image, {place: None, new: self.model.objects[place]})

    def delete(self) -> None:
        session = self._bench.session
        if (found := self._any()) is not None and session.document is not None:
            assert session.edit(edits.delete(session.document, [found.id]), "Delete"), self.latest
            self.model.step(self._image, {place_of(found): None})

    def undo(self) -> None:
        if self._bench.session.image is None:
            return
        assert (self._bench.session.history.undo() is not None) == bool(self.model.done.get(self._image)), self.latest
        if self.model.done.get(self._image):
            self.model.step_back(self._image)

    def redo(self) -> None:
        if self._bench.session.image is None:
            return
        assert (self._bench.session.history.redo() is not None) == bool(self.model.undone.get(self._image)), self.latest
        if self.model.undone.get(self._image):
            self.model.step_forward(self._image)

    def go(self) -> None:
        if len(ids := self._bench.images.rows.ids):
            self._bench.session.show_image(int(self._random.choice(ids)))

    def finish(self) -> None:
        session = self._bench.session
        if session.document is None:
            return
        has_some = any(each.state.is_exported or each.state is InstanceState.PROPOSED for each in session.document)
        name = self._image
        self._bench.images.done()
        self._set_state(name, ImageState.DONE if has_some else ImageState.EMPTY)

    def reopen(self) -> None:
        if self._bench.session.image is not None:
            self._bench.images.reopen()
            self._set_state(self._image, ImageState.IN_PROGRESS)

    # other roads

    def take_in(self) -> None:
        """Begins an import; its ids are often those of something else."""
        if self._is_importing or self._bench.classes.is_working:
            return
        names = self._random.sample(
            sorted(path.name for path in self._folder.rglob("*.png")), self._random.randrange(1, 5)
        )
        image_ids = self._random.sample(range(1, 12), len(names))
        classes = ["thing", "car", *(each.name for each in self._bench.session.classes.listed)]
        chosen = [(i, name) for i, name in enumerate(dict.fromkeys(self._random.sample(classes, 2)), start=1)]
        self._random.shuffle(chosen)
        first = self._random.choice((1, 1, 200, 257, 1000))
        annotations = []
        for count in range(self._random.randrange(len(names), 12)):
            at, (class_id, class_name) = count % len(names), self._random.choice(chosen)
            x, y = place = self._new_place()
            ring = [x, y, x + SIDE, y, x + SIDE, y + SIDE, x, y + SIDE]
            annotations.append({
                "id": first + count * self._random.choice((1, 7)) * 12 + count, "image_id": image_ids[at],
                "category_id": class_id, "segmentation": [ring], "area": SIDE**2, "bbox": [x, y, SIDE, SIDE],
                "iscrowd": 0,
            })  # fmt: skip
            self.model.objects[place] = (names[at], self.model.class_of(class_name))
            self.model.states.pop(names[at], None)
        paths = {path.name: path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.png")}
        images = [
            {"id": id_, "file_name": paths[name], "width": 64, "height": 48}
            for id_, name in zip(image_ids, names, strict=True)
        ]
        categories = [{"id": id_, "name": name} for id_, name in chosen]
        self._imports += 1
        file = self._folder.parent / f"import-{self._imports}.json"
        file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
        self._is_importing = True
        self._bench.exchange.import_file(file)

    def add_class(self) -> None:
        self.settle_roads()
        self._bench.classes.add(f"class {self._random.randrange(1000)}")

    def merge(self) -> None:
        self.settle_roads()
        classes = self._bench.session.classes.listed
        if len(classes) < 3:
            return
        source, target = self._random.sample(classes, 2)
        question = self._bench.classes.merge(source.id, target.id)
        assert question is not None
        question.accept()
        self.model.merges.append((source.name, target.name))

    def part(self) -> None:
        """Takes the latest merge back."""
        self.settle_roads()
        project = self._bench.session.project
        if project is not None and (merges := project.stored.merges.all()):
            self._bench.classes.undo_merge(merges[-1].id)
            self.model.merges.pop()

    def batch(self) -> None:
        self._bench.batch.run()

    def relocate(self) -> None:
        """The images are in another folder now, or one of them is."""
        self.settle()
        if self._random.random() < 0.5:
            names = sorted(self._folder.rglob("*.png"))
            moved = self._random.choice(names)
            target = self._folder / f"sub{self._random.randrange(100)}" / moved.name
            target.parent.mkdir(exist_ok=True)
            moved.rename(target)
            with self._qtbot.waitSignal(self._bench.relocating.located, timeout=WAIT_MS):
                self._bench.relocating.look()  # an import that names the new place would make another image of it
            return
        new = self._folder.with_name(f"images-{self._random.randrange(10**9)}")
        shutil.copytree(self._folder, new, ignore=shutil.ignore_patterns(".maskwright"))
        self._bench.relocating.locate_in(new)
        self._folder = new

    def copy(self) -> None:
        self.settle()
        project = self._bench.session.project
        assert project is not None
        names = frozenset(record.file_name for record in project.stored.images.all(standings=tuple(ImageStanding)))
        made = back_up(project.path / "project.db", reason="daily")
        kept = made.with_name(f"kept-{len(self._copies)}.db")
        made.rename(kept)
        self._copies.append((kept, deepcopy(self.model), names))

    def restore(self) -> None:
        """Only a copy of before the images were moved last: what it says of them would not be true any more."""
        self.settle()
        project = self._bench.session.project
        assert project is not None
        names = frozenset(record.file_name for record in project.stored.images.all(standings=tuple(ImageStanding)))
        usable = [(copy, model) for copy, model, known in self._copies if known == names]
        if not usable:
            return
        copy, model = self._random.choice(usable)
        root, path = project.image_root, project.path
        self._bench.projects.close_project()
        restore(path / "project.db", copy)
        self._open(path)
        if self._bench.session.project.image_root != root:
            with self._qtbot.waitSignal(self._bench.relocating.located, timeout=WAIT_MS):
                self._bench.relocating.locate_in(root)
        self.model = deepcopy(model)

    def other_program(self) -> None:
        self.settle()
        project = self._bench.session.project
        assert project is not None
        command = [sys.executable, "-c", _OTHER_PROGRAM, str(project.path)]
        environment = {**os.environ, "PYTHONPATH": str(CORE)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "True", done.stderr

    # looking

    def settle_roads(self) -> None:
        """Let imports and merges come to their end; edits go on to be written."""
        bench = self._bench

        def assert_settled() -> None:
            assert not self._is_importing, self.latest
            assert not bench.classes.is_working, self.latest

        self._qtbot.waitUntil(assert_settled, timeout=WAIT_MS)

    def settle(self) -> None:
        bench = self._bench
        self.settle_roads()
        bench.batch.cancel()
        self._qtbot.waitUntil(lambda: not bench.inference.batch.is_running, timeout=WAIT_MS)
        bench.relocating.stop()
        assert bench.session.save(), self.latest

    def check(self) -> None:
        """The project holds what the dict says, and the window shows what the project holds."""
        self.settle()
        self._qtbot.wait(1)
        session = self._bench.session
        project = session.project
        assert project is not None
        names = {category.id: category.name for category in project.stored.categories.listed()}
        records = list(project.stored.images.all(standings=tuple(ImageStanding)))
        stored = {
            place_of(each): (record.file_name.rpartition("/")[2], names[each.category_id])
            for record in records
            for each in project.stored.instances.of(record.id)
            if each.state.is_exported
        }
        assert stored == self.model.shown, self.latest
        assert project.stored.set_aside.all() == []
        states = {record.file_name.rpartition("/")[2]: record.state for record in records}
        other = {name: (states[name], known) for name, known in self.model.states.items() if states[name] != known}
        assert not other, (other, self.latest)
        standings = {record.file_name.rpartition("/")[2]: record.standing for record in records}
        expected = dict.fromkeys(standings, ImageStanding.LISTED) | self.model.standings
        assert standings == expected, (standings, expected, [each.file_name for each in records], self.latest)
        if session.image is not None:
            image_id = session.image.id
            self._qtbot.waitUntil(
                lambda: dict(session.document.instances) == dict(project.stored.instances.document(image_id).instances),
                timeout=WAIT_MS,
            )
            assert session.image.state is project.stored.images.record(image_id).state, self.latest
            assert session.image.file_name == project.stored.images.record(image_id).file_name, self.latest

    def check_export(self, path: Path) -> None:
        project = self._bench.session.project
        assert project is not None
        export_coco(project.stored.source, path)
        wrong = list(verify_coco(path, project.stored.source, CocoExportOptions()))
        assert wrong == [], (wrong, self.latest)

    @property
    def _image(self) -> str:
        assert self._bench.session.image is not None
        return self._bench.session.image.file_name.rpartition("/")[2]

    @property
    def _busy_class(self) -> set[str]:
        """Parts of others, and what is becoming one: whether such an object counts as one of them is nobody's word."""
        return {source for source, _ in self.model.merges}

    def _any(self) -> Instance | None:
        found = [each for each in self._bench.session.document or () if each.state.is_exported]
        return self._random.choice(found) if found else None

    def _set_state(self, image: str, state: ImageState) -> None:
        if not self._is_importing or image in self.model.states:  # else whether the import or this was later
            self.model.states[image] = state

    def _new_place(self) -> Place:
        """Beside all others: an import takes two objects of one class about one place for the same."""
        self._places += 1
        lap, place = divmod(self._places, 30 * 22)
        return (place % 30) * 2 + 0.5 + lap * 0.0625, (place // 30) * 2 + 0.5

    def _on_imported(self) -> None:
        self._is_importing = False

    def _open(self, path: Path) -> None:
        projects = self._bench.projects
        with self._qtbot.waitSignals([projects.opened, projects.images_added], timeout=WAIT_MS):
            projects.open_path(path)


def _outline(place: Place) -> Polygon:
    x, y = place
    return Polygon.of([(x, y), (x + SIDE, y), (x + SIDE, y + SIDE), (x, y + SIDE)])


def place_of(instance: Instance) -> Place:
    return instance.bounds_xyxy[:2]
