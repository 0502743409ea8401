"""The thread that owns the model: one waiting request for the current image, newest wins, and one batch.

Every request ends in exactly one of done, failed or cancelled, also if the thread is stopped.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError, ModelError, ProjectError
from maskwright.monitor import OperationCancelledError
from maskwright_gui.workers.batch import BatchRunner
from maskwright_gui.workers.requests import BatchRequest, ModelChoice, ModelSummary, PredictRequest, PredictResult
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    from maskwright.images.identity import SeenFile
    from maskwright.inference.model import Model

log = logging.getLogger(__name__)

Decoded = Callable[[int, Path], "tuple[SeenFile, NDArray[np.uint8]] | None"]
"""(image id, path) -> the file and its pixels if already decoded, as by `ImageLoader.decoded`."""


class WantedMonitor:
    """Cancels a request that is not wanted any more."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted

    def report(self, done: int, total: int | None, text: str = "") -> None:
        """Stages of one prediction are not shown."""
        self.check()

    def check(self) -> None:
        """Raise OperationCancelledError once the request is not wanted."""
        if not self._is_wanted():
            raise OperationCancelledError


def answer(
    request: PredictRequest, load: Callable[[], "Model"], is_wanted: Callable[[], bool], decoded: Decoded
) -> PredictResult:
    """Load the model and run it. Raises OperationCancelledError, or the MaskwrightError of the stage that failed."""
    from maskwright.operations.proposing import predict_image

    monitor = WantedMonitor(is_wanted)
    model = load()
    monitor.check()
    outcome = predict_image(
        request.project,
        request.image_id,
        model,
        request.thresholds,
        cache=request.cache,
        pixels=decoded(request.image_id, request.path),
        monitor=monitor,
    )
    return PredictResult(request, outcome)


def note_failure(request: PredictRequest, error: MaskwrightError) -> None:
    """Store the error for the list of failures; if even that fails, the message on screen is all there is."""
    try:
        request.project.runs.note_failure(request.image_id, error.reason)
    except ProjectError as unwritten:
        log.warning("the failure on %s is not kept: %s", request.path, unwritten)


Loader = Callable[[ModelChoice], "Model"]


def load_choice(choice: ModelChoice) -> "Model":
    """Load a model. On a CPU with more than two cores one is left to the GUI."""
    from maskwright.inference.model import load_model  # OpenVINO is not needed before the first request

    cores = os.cpu_count() or 1
    num_threads = cores - 1 if choice.device == "CPU" and cores > 2 else None
    return load_model(choice.source, device=choice.device, num_threads=num_threads)


class InferenceThread(Worker[Callable[[], None]]):
    """Methods are called from the GUI thread and return at once; answers are signals."""

    devices_found = Signal(object)
    """tuple of device names."""
    model_loading = Signal(object)
    """ModelChoice."""
    model_ready = Signal(object)
    """ModelSummary."""
    model_failed = Signal(object, object)
    """(ModelChoice, MaskwrightError)."""
    done = Signal(object)
    """PredictResult."""
    failed = Signal(object, object)
    """(PredictRequest, MaskwrightError)."""
    cancelled = Signal(object)
    """PredictRequest."""

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        load: Loader = load_choice,
        decoded: Decoded = lambda image_id, path: None,
    ) -> None:
        super().__init__(parent)
        self.batch = BatchRunner(self.model_for, self._post_batch, self._serve_waiting, self)
        """The batch; it has signals of its own."""
        self._load, self._decoded = load, decoded
        self._loading = RLock()
        self._choice: ModelChoice | None = None
        self._request: PredictRequest | None = None
        self._batch_job: Callable[[], None] | None = None
        self._newest_id = 0
        self._wants_devices = False
        self._model: tuple[ModelChoice, Model] | None = None

    def find_devices(self) -> None:
        """Find the devices; `devices_found` follows."""
        with self._condition:
            self._wants_devices = True
            self._condition.notify()

    def prepare(self, choice: ModelChoice) -> None:
        """Load a model before it is needed; `model_ready` or `model_failed` follows."""
        with self._condition:
            self._choice = choice
            self._condition.notify()

    def predict(self, request: PredictRequest) -> None:
        """Request a prediction. A waiting request is replaced and a running one stopped; both end as cancelled."""
        with self._condition:
            replaced, self._request = self._request, request
            self._newest_id = request.request_id
            self._condition.notify()
        if replaced is not None:  # outside the condition: a slot may make the next request
            self.cancelled.emit(replaced)

    def cancel_predict(self) -> None:
        """Cancel the waiting request and the running one."""
        with self._condition:
            replaced, self._request = self._request, None
            self._newest_id = 0
        if replaced is not None:
            self.cancelled.emit(replaced)

    def start_batch(self, request: BatchRequest) -> None:
        """Start a batch on this thread; requests for the current image come between its images."""
        self.batch.begin(request)

    def stop(self) -> bool:
        """Cancel everything and end, at most one inference later."""
        self.cancel_predict()
        self.batch.cancel()
        return super().stop()

    def model_for(self, choice: ModelChoice) -> "Model":
        """The model, loaded once for all callers; thread-safe. Raises ModelError."""
        with self._loading:
            if self._model is None or self._model[0] != choice:
                self._model = None  # free the old one first
                self.model_loading.emit(choice)
                try:
                    self._model = (choice, self._load(choice))
                except ModelError as error:
                    self.model_failed.emit(choice, error)
                    raise
                self.model_ready.emit(_summary(choice, self._model[1]))
            return self._model[1]

    def _post_batch(self, job: Callable[[], None]) -> None:
        with self._condition:
            self._batch_job = job
            self._condition.notify()

    def _serve_waiting(self) -> None:
        """Serve other requests between two images of a batch."""
        while (job := self._next_short()) is not None:
            job()

    def _next_short(self) -> Callable[[], None] | None:
        with self._condition:
            return None if self._is_stopping else self._take_short()

    def _take(self) -> Callable[[], None] | None:
        """The current image first, the batch last."""
        return self._take_short() or self._take_last()

    def _take_last(self) -> Callable[[], None] | None:
        """A batch that was started has to report its end."""
        batch, self._batch_job = self._batch_job, None
        return batch

    def _take_short(self) -> Callable[[], None] | None:
        if (request := self._request) is not None:
            self._request = None
            return lambda: self._predict(request)
        if (choice := self._choice) is not None:
            self._choice = None
            return lambda: self._prepare(choice)
        if self._wants_devices:
            self._wants_devices = False
            return self._find_devices
        return None

    def _do(self, job: Callable[[], None]) -> None:
        job()

    def _predict(self, request: PredictRequest) -> None:
        try:
            result = answer(
                request,
                lambda: self.model_for(request.choice),
                lambda: self._newest_id == request.request_id,
                self._decoded,
            )
        except OperationCancelledError:
            self.cancelled.emit(request)
        except MaskwrightError as error:
            self._report_failure(request, error)
        except Exception:
            log.exception("inference failed on %s", request.path)
            self._report_failure(request, ModelError(UNEXPECTED, path=request.path, hint=IN_THE_LOG))
        else:
            self.done.emit(result)

    def _report_failure(self, request: PredictRequest, error: MaskwrightError) -> None:
        if self._model is not None:  # if a model cannot be loaded, that says nothing about the image
            note_failure(request, error)
        self.failed.emit(request, error)

    def _prepare(self, choice: ModelChoice) -> None:
        try:
            self.model_for(choice)
        except ModelError:
            log.info("%s was not loaded", choice.source)  # reported by model_failed
        except Exception:
            log.exception("loading %s failed", choice.source)
            self.model_failed.emit(choice, ModelError(UNEXPECTED, hint=IN_THE_LOG))

    def _find_devices(self) -> None:
        from maskwright.inference.runtime import list_devices

        try:
            devices = list_devices()
        except MaskwrightError as error:
            log.warning("devices are not known: %s", error)
            return
        self.devices_found.emit(devices)


def _summary(choice: ModelChoice, model: "Model") -> ModelSummary:
    return ModelSummary(
        choice=choice,
        name=model.name,
        family=model.family,
        device=model.device,
        device_note=model.device_note,
        content_hash=model.content_hash,
        labels=tuple((label.id, label.name) for label in model.labels),
        defaults=model.defaults,
    )
