"""Learns from corrections in the background and passes the new model to pre-labelling."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from maskwright.errors import MaskwrightError
from maskwright.monitor import Monitor
from maskwright_gui.actions import Action, Menu
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.batch import BatchFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.model.feature import ModelFeature
from maskwright_gui.features.refine import RefineFeature
from maskwright_gui.messages import Message
from maskwright_gui.open_project import OpenProject
from maskwright_gui.workers.requests import BatchState

if TYPE_CHECKING:
    from maskwright.learning.events import LearnProgress
    from maskwright.learning.learn import LearnOutcome
    from maskwright.learning.plan import LearningPlan
    from maskwright.learning.requirements import Missing
    from maskwright.learning.rounds import RoundRecord
    from maskwright.learning.worth import Worth
    from maskwright.project.store import Project
    from maskwright_gui.features.learn.dialog import LearnDialog
    from maskwright_gui.features.learn.pictures import Shown

Counted = tuple["LearningPlan", "Missing | None", "int | None"]
Told = Callable[["LearnProgress"], None]
log = logging.getLogger(__name__)


class LearnFeature(Feature):
    """One round at a time. Closing the project interrupts it, and it can be continued later."""

    progressed = Signal(object)
    """LearnProgress, from another thread."""

    def __init__(
        self, context: Context, images: ImagesFeature, model: ModelFeature, batch: BatchFeature, refine: RefineFeature
    ) -> None:
        super().__init__(context)
        self._model, self._batch, self._images, self._refine = model, batch, images, refine
        self._dialog: LearnDialog | None = None
        self._stop_early = threading.Event()
        self._is_learning = self._has_offered = False
        self._counted: OpenProject | None = None
        self._done_before = 0
        self._waiting: Callable[[], None] | None = None
        """Called when the running batch ends."""
        self._outcome: LearnOutcome | None = None
        self._declare(
            Action(
                "learn",
                "Learn from corrections…",
                Menu.MODEL,
                1,
                self.open,
                icon="graduation-cap",
                words="train teach fine-tune own classes bootstrap",
            ),
        )
        self.progressed.connect(self._on_progress)
        self._session.project_changed.connect(self._on_project_changed)
        images.counted.connect(self._on_counted_images)
        batch.changed.connect(self._on_batch)

    @property
    def dialog(self) -> "LearnDialog | None":
        """None until it was first opened."""
        return self._dialog

    def open(self) -> None:
        """Show the examples, or the progress of a running round."""
        if self._session.project is None:
            return
        dialog = self._dialog or self._made_dialog()
        dialog.show()
        dialog.activateWindow()
        if not self._is_learning and self._outcome is None:
            self.count()

    def count(self) -> None:
        """Count what can be learned from."""
        project = self._session.project
        if project is None or self._dialog is None or self._is_learning:
            return
        self._outcome = None
        self._session.save()
        self._dialog.show_counting()
        self._run_beside(partial(_counted, project.stored), self._on_counted, self._on_not_counted)

    def learn(self, minutes: float, *, resume: bool = False) -> None:
        """Start a round, or continue the interrupted one."""
        project = self._session.project
        if project is None or self._is_learning:
            return
        self._session.save()
        self._stop_early, self._outcome = threading.Event(), None
        work = partial(_learned, project.stored, minutes, resume, self._stop_early, self.progressed.emit)
        self._run_beside(work, self._on_learned, self._on_not_learned)
        self._is_learning = True
        if self._dialog is not None:
            self._dialog.show_begun()

    def end_early(self) -> None:
        """End the round and keep the best model so far."""
        self._stop_early.set()

    def use(self) -> None:
        """Choose the new model and run it on all images that nobody has looked at."""
        if self._outcome is None or self._outcome.model_path is None:
            return
        record, project, dialog = self._outcome.record, self._session.project, self._dialog
        extends = dialog is not None and dialog.outcome.extends.isChecked()
        is_sorted = dialog is not None and dialog.outcome.sorts.isChecked()
        refines = dialog is not None and dialog.outcome.refines.isChecked()
        if extends and project is not None and not project.is_read_only:
            self._leave_to_old(project, record)
        self._model.choose(str(self._outcome.model_path))
        if self._others():
            then = partial(self._go_on, refines=refines, sorts=is_sorted)
            self._propose(partial(self._batch.run_on_untouched, extends=extends, then=then))
        if self._dialog is not None:
            self._dialog.close()
        self._outcome = None

    def _leave_to_old(self, project: "OpenProject", record: "RoundRecord") -> None:
        try:
            project.ask(lambda stored: leave_to_old(stored, record))
        except MaskwrightError as error:
            self._tell_error("The new model now proposes all classes", error)

    def stop(self) -> None:
        self._is_learning = False
        super().stop()

    def show_worth(self) -> None:
        """Show what correcting has cost in each round, and whether another one is worth it."""
        project = self._session.project
        if project is not None and self._dialog is not None:
            self._session.save()
            self._run_beside(
                partial(_worth, project.stored), self._dialog.worth.show_worth, self._on_no_worth, joins=True
            )

    def _on_no_worth(self, error: MaskwrightError) -> None:
        if self._dialog is not None:
            self._dialog.worth.advice.setText(f"The correction effort could not be read: {error}")

    def _propose(self, propose: Callable[[], None]) -> None:
        """Run the new model at once, or when the running batch of another model has been cancelled."""
        if self._batch.state is BatchState.IDLE:
            propose()
        else:
            self._waiting = propose
            self._batch.cancel()

    def _on_batch(self, state: BatchState, _progress: object) -> None:
        if state is BatchState.IDLE and self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting()

    def _go_on(self, *, refines: bool, sorts: bool) -> None:
        """When the new model has run: sort the images, and let the assistant refine the new proposals."""
        if sorts:
            self._images.panel.set_order("disagreement")  # by uncertainty if there is no disagreement
        if refines:
            self._refine.refine_all()

    def _made_dialog(self) -> "LearnDialog":
        from maskwright_gui.features.learn.dialog import LearnDialog

        dialog = self._dialog = LearnDialog(self._window)
        dialog.learn_requested.connect(self.learn)
        dialog.resume_requested.connect(partial(self.learn, 0.0, resume=True))
        dialog.stop_requested.connect(self.end_early)
        dialog.use_requested.connect(self.use)
        dialog.again_requested.connect(self.count)
        dialog.worth_requested.connect(self.show_worth)
        return dialog

    def _on_counted_images(self, done: int, _count: int) -> None:
        """Say when there are enough examples for a round or for another one: once each, and not while one runs."""
        project, before = self._session.project, self._done_before
        is_same = project is not None and project is self._counted
        self._counted, self._done_before = project, done
        if project is not None and is_same and done > before and not (self._is_learning or self._has_offered):
            self._run_beside(partial(_offer, project.stored), self._on_offer, _log_only, joins=True)

    def _on_offer(self, text: str | None) -> None:
        if text is None or self._has_offered or self._is_learning:
            return
        self._has_offered = True
        then = "and propose objects on the others." if self._others() else "and propose objects on new images."
        detail = f"A model of your classes can learn from them {then}"
        self.told.emit(Message(text, detail, "info", "Learn…", self.open))

    def _others(self) -> int:
        """Number of images that nobody has looked at yet."""
        project = self._session.project
        counts = project.state_counts() if project is not None else {}
        return sum(count for state, count in counts.items() if state.is_untouched)

    def _on_project_changed(self, _project: object) -> None:
        self.stop()
        self._outcome, self._has_offered = None, False
        self._waiting = None
        if self._dialog is not None:
            self._dialog.close()
        project = self._session.project
        if project is not None and not project.is_read_only:
            self._run_beside(partial(_interrupted, project.stored), self._on_interrupted, _log_only, joins=True)

    def _on_interrupted(self, number: int | None) -> None:
        """Say that a round of this project, which the program or the computer ended, can be continued."""
        if number is not None and not (self._is_learning or self._has_offered):
            self._has_offered = True
            self.told.emit(Message(f"Learning was interrupted in round {number}", "", "info", "Continue…", self.open))

    def _on_counted(self, counted: Counted) -> None:
        if self._dialog is not None:
            self._dialog.show_plan(*counted)

    def _on_not_counted(self, error: MaskwrightError) -> None:
        if self._dialog is not None:
            self._dialog.show_failure("The examples could not be counted", error)

    def _on_progress(self, progress: "LearnProgress") -> None:
        if not self._is_learning:
            return
        self.work_changed.emit("Learning from corrections", round(100 * progress.share), 100)
        if self._dialog is not None and not self._stop_early.is_set():
            self._dialog.show_progress(progress)

    def _on_learned(self, outcome: "LearnOutcome") -> None:
        self._is_learning = self._has_offered = False
        self._outcome = outcome
        if self._dialog is not None:
            self._dialog.show_outcome(outcome, others=self._others())
            project = self._session.project
            if project is not None:
                show = partial(self._on_pictures, outcome)
                self._run_beside(partial(_pictures, project.stored, outcome.record.number), show, _log_only, joins=True)
        if self._dialog is None or not self._dialog.isVisible():
            kept = "is ready" if outcome.is_installed else "is not better and was not installed"
            self.told.emit(Message(f"{outcome.record.model} {kept}", "", "info", "Show", self.open))

    def _on_pictures(self, outcome: "LearnOutcome", images: "list[Shown]") -> None:
        if self._dialog is not None and self._outcome is outcome:
            self._dialog.outcome.show_pictures(outcome, images)

    def _on_not_learned(self, error: MaskwrightError) -> None:
        self._is_learning = False
        if self._dialog is not None and self._dialog.isVisible():
            self._dialog.show_failure("Learning failed", error)
            project = self._session.project
            if project is not None:
                show = self._dialog.offer_to_go_on
                self._run_beside(partial(_interrupted, project.stored), show, _log_only, joins=True)
        else:
            self._tell_error("Learning failed", error)


def _counted(project: "Project", progress: Monitor) -> Counted:
    from maskwright.learning.learn import interrupted_round, round_elsewhere
    from maskwright.learning.plan import learning_plan
    from maskwright.learning.requirements import missing_requirement

    progress.report(0, None, "Counting the examples")
    plan, running = learning_plan(project), round_elsewhere(project)
    plan = replace(plan, obstacle=running) if running is not None else plan
    return plan, missing_requirement(), interrupted_round(project)


def _interrupted(project: "Project", _progress: Monitor) -> int | None:
    from maskwright.learning.learn import interrupted_round

    return interrupted_round(project)


def leave_to_old(project: "Project", record: "RoundRecord") -> None:
    """Keep the new model from proposing classes that the old one finds better, until a round improves on them."""
    from maskwright.learning.gate import classes_left_to
    from maskwright.prelabel.mapping import store_mapping

    left = classes_left_to(record.old_figures, record.figures)
    if left and len(left) < len(record.category_ids):
        store_mapping(project, record.model_hash, dict.fromkeys(left))


def _offer(project: "Project", _progress: Monitor) -> str | None:
    from maskwright.learning.worth import offer

    return offer(project)


def _worth(project: "Project", progress: Monitor) -> "Worth":
    from maskwright.learning.worth import worth_of

    progress.report(0, None, "Reading the correction effort")
    return worth_of(project)


def _pictures(project: "Project", number: int, progress: Monitor) -> "list[Shown]":
    from maskwright.learning.looks import HeldOutComparison
    from maskwright.learning.rounds import looks_path
    from maskwright_gui.features.learn.pictures import shown_images

    looks = HeldOutComparison.read(looks_path(project.path, number))
    return shown_images(looks, project.image_root, progress) if looks is not None else []


def _log_only(error: MaskwrightError) -> None:
    log.info("%s", error)


def _learned(
    project: "Project", minutes: float, resume: bool, stop: threading.Event, told: Told, progress: Monitor
) -> "LearnOutcome":
    from maskwright.learning.learn import learn
    from maskwright.learning.plan import LearnOptions

    options = LearnOptions(minutes=minutes) if not resume else None
    return learn(project, options, on_progress=told, stop=stop, check=progress.check, resume=resume)
