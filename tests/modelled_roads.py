"""More roads that lead to a project: images out of the set, deleted and hidden classes, jumps in the history, refining,
a damaged file. Beside the plain dict of `modelled_work`."""

from collections import defaultdict
from pathlib import Path

from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from maskwright.document.values import ImageStanding, InstanceState
from maskwright.project import Project
from maskwright_gui.app import Workbench
from maskwright_gui.features.projects.damaged import SALVAGE
from maskwright_gui.menu_letters import bare
from modelled_work import WAIT_MS, ModelledWork, Place, place_of
from project_builders import overwrite_steps

LISTED, EXCLUDED, REMOVED = ImageStanding
LEAST_LISTED = 3


def press(box: QMessageBox, text: str) -> None:
    button = next(each for each in box.buttons() if bare(each.text()).startswith(text))
    button.click()


class RoadsWork(ModelledWork):
    """As its base, with these roads among the others."""

    def __init__(self, qtbot: QtBot, bench: Workbench, folder: Path, seed: int) -> None:
        super().__init__(qtbot, bench, folder, seed)
        self._proposed_outside: dict[int, frozenset[int]] = {}
        """{image out of the set: ids of what was proposed there when it went}"""
        self._doings += (
            (5, self.stand),
            (3, self.list_classes),
            (3, self.delete_class),
            (5, self.jump),
            (2, self.refine),
            (1, self.damage),
        )

    def stand(self) -> None:
        """An image is taken out of the set, or back; batches and imports go on meanwhile."""
        project = self._bench.session.project
        assert project is not None
        records = list(project.stored.images.all(standings=tuple(ImageStanding)))
        image = self._random.choice(records)
        to = self._random.choice([each for each in ImageStanding if each is not image.standing])
        listed = sum(each.standing is LISTED for each in records)
        if image.standing is LISTED and listed <= LEAST_LISTED:
            return
        if (box := self._bench.image_standing.ask_for([image.id], to)) is not None:
            press(box, "Remove")
        self.model.standings[image.file_name.rpartition("/")[2]] = to
        self._proposed_outside.pop(image.id, None)
        if to is not LISTED:
            self._proposed_outside[image.id] = self._proposed(project.stored, image.id)

    def list_classes(self) -> None:
        """In another order, some out of sight: nothing else may come of it."""
        ids = [each.id for each in self._bench.session.classes.listed]
        if ids:
            self._bench.class_list.reorder(tuple(self._random.sample(ids, len(ids))))
            self._bench.class_list.hide(self._random.choice(ids), self._random.random() < 0.5)

    def delete_class(self) -> None:
        """With its objects, a step on each image; what is brought back by undo brings it back."""
        self.settle()
        project = self._bench.session.project
        assert project is not None
        gone: dict[str, dict[Place, tuple[str, str] | None]] = defaultdict(dict)
        listed = self._bench.session.classes.listed
        if len(listed) < LEAST_LISTED:
            return
        chosen = self._random.choice(listed)
        for image in project.stored.images.all(standings=tuple(ImageStanding)):
            found = [one for one in project.stored.instances.of(image.id) if one.category_id == chosen.id]
            if any(not one.state.is_exported for one in found):
                return  # a later batch would stand in the way of the step
            for one in found:
                gone[image.file_name.rpartition("/")[2]][place_of(one)] = None
        if (box := self._bench.classes.delete(chosen.id)) is not None:
            press(box, "Delete with")
        self.settle_roads()
        states = dict(self.model.states)
        for image_name, changes in gone.items():
            self.model.step(image_name, changes)
        self.model.states = states  # nobody has looked at these images

    def jump(self) -> None:
        """Anywhere in the history of the image."""
        if self._bench.session.image is None:
            return
        done, undone = (steps.setdefault(self._image, []) for steps in (self.model.done, self.model.undone))
        to = self._random.randint(0, len(done) + len(undone))
        self._bench.session.history.go_to(to)
        while len(done) > to:
            self.model.step_back(self._image)
        while len(done) < to:
            self.model.step_forward(self._image)

    def refine(self) -> None:
        """All proposals, then undone on one image after the other."""
        self.settle()
        bench = self._bench
        bench.refine.refine_all()
        self._qtbot.waitUntil(lambda: not bench.refine.is_working, timeout=WAIT_MS)
        for image_id in [int(id_) for id_ in bench.images.rows.ids]:
            bench.session.show_image(image_id)
            step = bench.session.history.latest_step
            if step is not None and step.label == "Refine outlines":
                assert bench.session.history.undo() == step.label, self.latest
                self.model.note_edit(self._image)
                self.draw()  # it cannot be done again: a batch may bring other proposals

    def damage(self) -> None:
        """A page of the project's file is lost, and what can be read is saved: all but the steps."""
        self.settle()
        bench = self._bench
        assert bench.session.project is not None
        path = bench.session.project.path
        bench.projects.close_project()
        overwrite_steps(path / "project.db")
        bench.window.toasts.clear()
        bench.projects.open_path(path)

        def ways_out() -> list[object]:
            return [each.other for each in bench.window.toasts.messages if each.other_text == SALVAGE]

        self._qtbot.waitUntil(lambda: bool(ways_out()), timeout=WAIT_MS)
        with self._qtbot.waitSignals([bench.projects.opened, bench.projects.images_added], timeout=WAIT_MS):
            ways_out()[0]()  # type: ignore[operator]  # a button's
        self.model.done.clear()
        self.model.undone.clear()

    def restore(self) -> None:
        super().restore()
        self._proposed_outside.clear()

    def check(self) -> None:
        super().check()
        project = self._bench.session.project
        assert project is not None
        for image_id, known in self._proposed_outside.items():
            assert self._proposed(project.stored, image_id) <= known, self.latest

    def _proposed(self, project: Project, image_id: int) -> frozenset[int]:
        found = project.instances.of(image_id)
        return frozenset(one.id for one in found if one.state is InstanceState.PROPOSED)
