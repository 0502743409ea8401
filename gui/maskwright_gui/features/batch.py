"""Runs the model on all images: start, pause, cancel, retry failures, and messages about it."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal

from maskwright.document.values import ImageRecord
from maskwright.errors import NO_FILE, NO_LINKED_FILE, MaskwrightError, ProjectError
from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.dialogs.failures import FailuresDialog
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.model.feature import ModelFeature
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.messages import Message
from maskwright_gui.panels.model import failure_text
from maskwright_gui.session import Session
from maskwright_gui.workers.inference import InferenceThread
from maskwright_gui.workers.requests import BatchProgress, BatchRequest, BatchState, Failure

if TYPE_CHECKING:
    from maskwright.prelabel.pipeline import BatchReport

log = logging.getLogger(__name__)

SHOW_AFTER_MS = 40
"""Minimum interval between two states of the progress shown."""
COUNT_AFTER_MS = 100
"""Minimum interval between counts of failures, which tend to come together."""


class BatchFeature(Feature):
    """Runs the model on all images in the background: start, pause, cancel, failures."""

    changed = Signal(object, object)
    """(BatchState, BatchProgress)."""

    def __init__(
        self,
        context: Context,
        projects: ProjectsFeature,
        thresholds: ThresholdsFeature,
        model: ModelFeature,
        inference: InferenceThread,
        images: ImagesFeature,
    ) -> None:
        super().__init__(context)
        self._model, self._inference, self._images = model, inference, images
        self._state, self._progress = BatchState.IDLE, BatchProgress(0, 0)
        self._then: Callable[[], object] | None = None
        """Called at the end of the running batch if it has finished an image."""
        self._count_timer = QTimer(self, singleShot=True, interval=COUNT_AFTER_MS)
        self._count_timer.timeout.connect(self._count_failures)
        self._show_timer = QTimer(self, singleShot=True, interval=SHOW_AFTER_MS)
        self._show_timer.timeout.connect(self._show_progress)
        self._declare(
            Action(
                "run_batch",
                "Run model on all images",
                Menu.MODEL,
                0,
                self.run,
                keys=("Ctrl+Shift+I",),
                icon="stack",
                needs=self._can_run,
                words="predict detect segment auto label ai inference",
            ),
            Action(
                "pause_batch",
                "Pause or resume the batch",
                Menu.MODEL,
                0,
                self.pause_or_resume,
                keys=("Ctrl+Shift+P",),
                icon="pause",
                needs=self._is_running,
            ),
            Action(
                "cancel_batch",
                "Cancel the batch",
                Menu.MODEL,
                0,
                self.cancel,
                icon="x-circle",
                needs=self._is_running,
                words="stop abort",
            ),
            Action(
                "show_failures",
                "Images that failed…",
                Menu.MODEL,
                2,
                self.show_failures,
                icon="warning",
                words="errors log",
            ),
        )
        self._connect_thread()
        self._connect_panel()
        self._session.image_changed.connect(self._on_image_changed)
        self._session.project_changed.connect(self._on_project_changed)
        inference.batch.image_ended.connect(thresholds.image_inferred)
        projects.failures_wanted.connect(self._show_failures)
        model.failures_wanted.connect(self.show_failures)

    def _connect_thread(self) -> None:
        batch = self._inference.batch
        for news in (self._session.project_changed, self._inference.done, self._inference.failed):
            news.connect(lambda *_: self._count_timer.start())
        batch.state_changed.connect(self._on_state)
        batch.progressed.connect(self._on_progress)
        batch.image_ended.connect(self._session.take_stored)
        batch.image_failed.connect(self._on_image_failed)
        batch.done.connect(self._on_done)
        batch.failed.connect(self._on_failed)
        batch.cancelled.connect(self._on_cancelled)

    def _connect_panel(self) -> None:
        batch, panel = self._inference.batch, self._model.panel
        panel.batch_requested.connect(self.run)
        panel.pause_requested.connect(batch.pause)
        panel.resume_requested.connect(batch.resume)
        panel.cancel_requested.connect(self.cancel)
        panel.failures_requested.connect(self.show_failures)
        for shows in (panel.set_batch, self._window.status.show_batch):
            self.changed.connect(shows)

    @property
    def state(self) -> BatchState:
        """Idle, running or paused."""
        return self._state

    @property
    def progress(self) -> BatchProgress:
        """The latest progress; None before the first image."""
        return self._progress

    def run(self) -> None:
        """Continue the last batch with the same model and thresholds, or start one; does nothing while one runs."""
        self._begin(only_untouched=False)

    def run_on_untouched(self, *, extends: bool = False, then: Callable[[], object] | None = None) -> None:
        """Like `run`, only on images that nobody has worked on yet.

        extends: keep the proposals of other models. then: called at the end of this very batch; dropped if the batch
        cannot start or finishes no image.
        """
        self._begin(only_untouched=True, extends=extends, then=then)

    def _begin(self, *, only_untouched: bool, extends: bool = False, then: Callable[[], object] | None = None) -> None:
        project, cache = self._session.project, self._session.cache
        if project is None or cache is None or self._state is not BatchState.IDLE or not self._model.may_write():
            return
        again = partial(self._begin, only_untouched=only_untouched, extends=extends, then=then)
        if not self._model.may_run(again):
            return
        self._progress = BatchProgress(0, sum(project.state_counts().values()))
        wanted = self._model.wanted_thresholds()
        request = BatchRequest(
            project.stored, cache, self._model.choice, wanted, only_untouched=only_untouched, extends=extends
        )
        self._then = then
        self._inference.start_batch(request)

    def pause_or_resume(self) -> None:
        """Pause a running batch, resume a paused one."""
        if self._state is BatchState.PAUSED:
            self._inference.batch.resume()
        else:
            self._inference.batch.pause()

    def cancel(self) -> None:
        """Cancel. Finished images keep their proposals; the rest can be continued later."""
        self._inference.batch.cancel()

    def retry_failures(self) -> None:
        """Run again on the failed images of the last batch, then on those that failed one by one."""
        project = self._session.project
        if project is None:
            return
        alone = [failure.image_id for failure in project.ask(lambda stored: stored.runs.failures_alone())]
        run = project.last_run()
        if run is not None and project.ask(lambda stored: stored.runs.forget_failures(run.id)):
            self.run()
        self._model.run_on_images(alone)

    def failures(self) -> list[Failure]:
        """The failures of the project's last batch, and of the model on single images."""
        project = self._session.project
        if project is None:
            return []
        run = project.last_run()
        of_run = project.ask(lambda stored: stored.runs.failures(run.id)) if run is not None else []
        alone = project.ask(lambda stored: stored.runs.failures_alone())
        known = {failure.image_id: failure for failure in (*of_run, *alone)}
        return [Failure(id_, failure.file_name, failure.reason) for id_, failure in sorted(known.items())]

    def _count_failures(self) -> None:
        """Show the number of `failures` in the panel; if the project does not answer, of those known."""
        project = self._session.project
        try:
            run = project.last_run() if project is not None else None
            run_id = run.id if run is not None else None
            asked = project.ask(lambda stored: stored.runs.failure_counts(run_id)) if project is not None else (0, 0)
        except ProjectError as error:
            log.info("the failures were not counted: %s", error)
        else:
            self._model.panel.set_failure_counts(*asked)

    def show_failures(self) -> None:
        """List the images that failed, with the reasons."""
        self._show_failures(self.failures(), "Images not pre-labelled", can_retry=True)

    def _show_failures(self, failures: list[Failure], title: str, *, can_retry: bool = False) -> None:
        dialog = FailuresDialog(failures, title=title, can_retry=can_retry, parent=self._window)
        dialog.image_chosen.connect(self._session.show_image)
        dialog.retry_requested.connect(self.retry_failures)
        dialog.show()

    def _can_run(self, session: Session) -> bool:
        return may_edit(session) and self._state is BatchState.IDLE

    def _is_running(self, _session: Session) -> bool:
        return self._state in (BatchState.RUNNING, BatchState.PAUSED)

    def _on_image_changed(self, image: ImageRecord | None) -> None:
        """Process the image on screen first."""
        self._inference.batch.want_first(image.id if image is not None else None)

    def _on_project_changed(self, _project: object) -> None:
        """End the batch of the previous project, at most one image later, before that project is closed."""
        self._then = None
        self._inference.batch.end()

    def _on_state(self, state: BatchState) -> None:
        self._state = state
        self._refresh("run_batch", "pause_batch", "cancel_batch")
        self._count_timer.start()
        self._show_timer.stop()
        then = self._taken_then() if state is BatchState.IDLE else None
        self.changed.emit(self._state, self._progress)  # may begin the next one
        if then is not None:
            then()

    def _taken_then(self) -> Callable[[], object] | None:
        then, self._then = self._then, None
        return then if self._progress.done else None

    def _on_progress(self, progress: BatchProgress) -> None:
        if self._progress.done == 0:
            self._session.classes.reload()
        if progress.failed != self._progress.failed and not self._count_timer.isActive():
            self._count_timer.start()
        self._progress = progress
        if not self._show_timer.isActive():  # several images are stored together, and a bar repaints at every value
            self._show_timer.start()

    def _show_progress(self) -> None:
        self.changed.emit(self._state, self._progress)

    def _on_image_failed(self, image_id: int, reason: str) -> None:
        if reason in (NO_FILE, NO_LINKED_FILE):
            self._images.missing.note(image_id, is_missing=True)

    def _on_done(self, report: "BatchReport") -> None:
        self._session.classes.reload()
        if self._progress.done == 0:
            text = "Nothing left to do"
            self.told.emit(Message(text, "This model has already run on all images with these thresholds."))
            return
        good = f"{report.done} image" + ("" if report.done == 1 else "s") + " pre-labelled"
        if report.failed:
            bad = f"{failure_text(report.failed - report.missing, report.missing)}."
            self.told.emit(Message(good, bad, "warning", "Show", self.show_failures))
        else:
            self.told.emit(Message(good))

    def _on_failed(self, error: MaskwrightError) -> None:
        if not self._model.has_told(error):
            self.told.emit(Message.of_error("The batch stopped", error))

    def _on_cancelled(self, report: "BatchReport") -> None:
        self._session.classes.reload()
        self.told.emit(Message("Batch cancelled", f"Not processed yet: {count_of(report.remaining, 'image')}."))
