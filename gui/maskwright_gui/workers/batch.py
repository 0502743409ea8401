"""The batch as the window sees it: start, pause, resume, cancel, and how it ends.

It runs on the inference thread and yields between two images, so that requests for the current image are answered
meanwhile.
"""

import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError, ModelError
from maskwright.monitor import CancelToken
from maskwright_gui.workers.requests import BatchProgress, BatchRequest, BatchState, ModelChoice
from maskwright_gui.workers.worker import wait_for

if TYPE_CHECKING:
    from maskwright.inference.model import Model
    from maskwright.prelabel.pipeline import BatchReport
    from maskwright.prelabel.progress import Progress

log = logging.getLogger(__name__)


class BatchRunner(QObject):
    """At most one batch at a time; each ends in exactly one of `done`, `failed` or `cancelled`."""

    state_changed = Signal(object)
    """BatchState."""
    progressed = Signal(object)
    """BatchProgress, after each image."""
    image_ended = Signal(object, object)
    """(image id, Change that is stored; empty if the image failed)."""
    image_failed = Signal(object, str)
    """(image id, reason)."""
    done = Signal(object)
    """BatchReport."""
    failed = Signal(object)
    """MaskwrightError: the batch as a whole could not continue."""
    cancelled = Signal(object)
    """BatchReport."""

    def __init__(
        self,
        model_for: Callable[[ModelChoice], "Model"],
        post: Callable[[Callable[[], None]], None],
        between: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        """post: hands work to the inference thread. between: called on that thread between two images."""
        super().__init__(parent)
        self._model_for, self._post, self._between = model_for, post, between
        self._ended = Event()
        self._ended.set()
        self._token: CancelToken | None = None
        self._wanted_first: int | None = None
        self._progress = BatchProgress(0, 0)

    @property
    def is_running(self) -> bool:
        """Whether a batch is running or paused."""
        return not self._ended.is_set()

    def want_first(self, image_id: int | None) -> None:
        """Process this image next, if it is still waiting: it is on screen."""
        self._wanted_first = image_id

    def begin(self, request: BatchRequest) -> None:
        """Start a batch; does nothing while one runs."""
        if self.is_running:
            return
        self._progress = BatchProgress(0, 0)
        self._token = CancelToken()
        self._ended.clear()
        self.state_changed.emit(BatchState.RUNNING)
        self._post(partial(self._run, request, self._token))

    def pause(self) -> None:
        """Pause; images being processed are finished."""
        if self._token is not None and self.is_running:
            self._token.pause()
            self.state_changed.emit(BatchState.PAUSED)

    def resume(self) -> None:
        """Continue."""
        if self._token is not None and self.is_running:
            self._token.resume()
            self.state_changed.emit(BatchState.RUNNING)

    def cancel(self) -> None:
        """Cancel; images being processed are finished or discarded."""
        if self._token is not None and self.is_running:
            self._token.cancel()
            self.state_changed.emit(BatchState.STOPPING)

    def end(self) -> None:
        """Cancel and wait until nothing accesses the project: at most for the images being processed, unless it
        hangs.
        """
        self.cancel()
        wait_for(self._ended.wait)

    def _run(self, request: BatchRequest, token: CancelToken) -> None:
        ending: tuple[SignalInstance, object]
        try:
            report = self._run_batch(request, token)
        except MaskwrightError as error:
            ending = (self.failed, error)
        except Exception:
            log.exception("the batch failed")
            ending = (self.failed, ModelError(UNEXPECTED, hint=IN_THE_LOG))
        else:
            ending = self._ending(report)
        self._ended.set()
        self.state_changed.emit(BatchState.IDLE)
        ending[0].emit(ending[1])

    def _ending(self, report: "BatchReport") -> tuple[SignalInstance, object]:
        if report.stopped_because is not None:
            return self.failed, ModelError(
                report.stopped_because,
                hint="the remaining images stay pending: run the batch again or choose another device",
            )
        return (self.cancelled if report.is_cancelled else self.done), report

    def _run_batch(self, request: BatchRequest, token: CancelToken) -> "BatchReport":
        from maskwright.prelabel.pipeline import run_batch

        model = self._model_for(request.choice)
        return run_batch(
            request.project,
            model,
            request.thresholds,
            on_progress=self._on_progress,
            cancel=token,
            priority=lambda: self._wanted_first,
            resume=request.resumes,
            only_untouched=request.only_untouched,
            extends=request.extends,
            on_candidates=partial(request.cache.put, model),
            between=self._between,
        )

    def _on_progress(self, progress: "Progress") -> None:
        self._progress = BatchProgress(
            progress.finished, progress.total, progress.failed, progress.images_per_s or 0.0, progress.eta_s
        )
        if progress.failure is not None:
            self.image_failed.emit(progress.image_id, progress.failure)
        self.image_ended.emit(progress.image_id, progress.change)
        self.progressed.emit(self._progress)
