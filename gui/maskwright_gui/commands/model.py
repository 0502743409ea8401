"""The Model menu: which model, on this image or on all, and what is told about it."""

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog

from maskwright.errors import MaskwrightError
from maskwright_gui.messages import Message
from maskwright_gui.panels.model import BUNDLED, ModelPanel, model_title
from maskwright_gui.panels.thresholds import THRESHOLDS_SETTING, ThresholdStrip
from maskwright_gui.session import Session
from maskwright_gui.workers.batch_status import BatchProgress, BatchState, Failure
from maskwright_gui.workers.inference import InferenceThread
from maskwright_gui.workers.requests import BatchRequest, ModelChoice, ModelSummary, PredictRequest, PredictResult

if TYPE_CHECKING:
    from maskwright.prelabel.pipeline import BatchReport
    from maskwright.prelabel.settings import PrelabelSettings

MAX_RECENT = 6


class ModelCommands(QObject):
    """Speaks to the inference thread and tells the panels what comes back."""

    told = Signal(object)
    """Message."""
    batch_changed = Signal(object, object)
    """(BatchState, BatchProgress)."""
    busy_changed = Signal(str)
    """What the model is doing for the image on screen; empty when nothing."""
    predicted = Signal(object)
    """PredictResult of the image on screen or another."""
    failures_wanted = Signal()
    models_wanted = Signal()
    """The person has no model that works: show where to get one."""
    mapping_wanted = Signal(object)
    """ModelSummary whose classes are to be mapped."""

    def __init__(
        self,
        session: Session,
        panel: ModelPanel,
        strip: ThresholdStrip,
        inference: InferenceThread,
        settings: QSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._panel, self._strip, self._inference = session, panel, strip, inference
        self._settings = settings
        self._ids = count(1)
        self._choice = ModelChoice(
            str(settings.value("model/source", BUNDLED)), str(settings.value("model/device", "CPU"))
        )
        self._state, self._progress = BatchState.IDLE, BatchProgress(0, 0)
        self._summary: ModelSummary | None = None
        self._opens_mapping = False
        self._told_error: MaskwrightError | None = None
        """That of a model that could not be loaded: what waited for it fails with the same one."""
        self._show_models()
        self._connect()

    @property
    def batch_state(self) -> BatchState:
        return self._state

    def choose(self, source: str) -> None:
        """A bundled model's name or a file's path; it is loaded at once, so that a fault shows at once."""
        self._choice = ModelChoice(source, self._choice.device)
        self._settings.setValue("model/source", source)
        if source != BUNDLED:
            recent = [source, *(known for known in self._recent() if known != source)]
            self._settings.setValue("model/recent", recent[:MAX_RECENT])
        self._show_models()
        self._inference.prepare(self._choice)

    def browse(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._panel.window(), "Open a model", "", "Models (*.xml *.onnx *.pb);;All files (*)"
        )
        if name:
            self.choose(name)
        self._show_models()

    def map_classes(self) -> None:
        """Asks for the mapping dialog as soon as the model is there."""
        if self._summary is not None and self._summary.choice == self._choice:
            self.mapping_wanted.emit(self._summary)
        else:
            self._opens_mapping = True
            self._inference.prepare(self._choice)

    def choose_device(self, device: str) -> None:
        self._choice = ModelChoice(self._choice.source, device)
        self._settings.setValue("model/device", device)
        self._inference.prepare(self._choice)

    def run_on_image(self) -> None:
        project, image, cache = self._session.project, self._session.image, self._session.cache
        if project is None or image is None or cache is None or not self._may_write():
            return
        self.busy_changed.emit("Running the model")
        self._inference.predict(
            PredictRequest(
                request_id=next(self._ids),
                project=project,
                image_id=image.id,
                path=project.image_path(image),
                cache=cache,
                choice=self._choice,
                settings=self._wanted_settings(),
            )
        )

    def run_batch(self) -> None:
        project, cache = self._session.project, self._session.cache
        if project is None or cache is None or self._state is not BatchState.IDLE or not self._may_write():
            return
        self._progress = BatchProgress(0, sum(project.state_counts().values()))
        self._inference.start_batch(BatchRequest(project, cache, self._choice, self._wanted_settings()))

    def pause_or_resume(self) -> None:
        if self._state is BatchState.PAUSED:
            self._inference.batch.resume()
        else:
            self._inference.batch.pause()

    def cancel_batch(self) -> None:
        self._inference.batch.cancel()

    def retry_failures(self) -> None:
        """Make the failed images of the last run pending again and go on."""
        project = self._session.project
        run = project.last_run() if project is not None else None
        if project is not None and run is not None:
            project.forget_failures(run.id)
            self.run_batch()

    def failures(self) -> list[Failure]:
        """Those of the project's last run."""
        project = self._session.project
        run = project.last_run() if project is not None else None
        if project is None or run is None:
            return []
        return [Failure(failure.image_id, failure.file_name, failure.reason) for failure in project.failures(run.id)]

    def _connect(self) -> None:
        thread, panel = self._inference, self._panel
        thread.devices_found.connect(self._on_devices_found)
        thread.model_loading.connect(self._on_model_loading)
        thread.model_ready.connect(self._on_model_ready)
        thread.model_failed.connect(self._on_model_failed)
        thread.done.connect(self._on_predicted)
        thread.failed.connect(self._on_predict_failed)
        thread.cancelled.connect(lambda _request: self.busy_changed.emit(""))
        batch = thread.batch
        batch.state_changed.connect(self._on_batch_state)
        batch.progressed.connect(self._on_batch_progress)
        batch.image_ended.connect(self._session.refresh_document)
        batch.done.connect(self._on_batch_done)
        batch.failed.connect(self._on_batch_failed)
        batch.cancelled.connect(self._on_batch_cancelled)
        self._session.image_changed.connect(lambda image: batch.want_first(image.id if image is not None else None))
        self._session.project_changed.connect(self._on_project_changed)
        panel.model_chosen.connect(self.choose)
        panel.device_chosen.connect(self.choose_device)
        panel.mapping_requested.connect(self.map_classes)
        panel.run_requested.connect(self.run_on_image)
        panel.batch_requested.connect(self.run_batch)
        panel.pause_requested.connect(batch.pause)
        panel.resume_requested.connect(batch.resume)
        panel.cancel_requested.connect(self.cancel_batch)

    def _on_project_changed(self, _project: object) -> None:
        """What runs belongs to the project before: it ends, at most one image later, before that one is closed."""
        self._inference.cancel_predict()
        self._inference.batch.end()

    def _may_write(self) -> bool:
        if self._session.project is not None and self._session.project.is_read_only:
            self.told.emit(Message("This project is open for reading only", "Proposals cannot be stored.", "warning"))
            return False
        return True

    def _recent(self) -> list[str]:
        stored = self._settings.value("model/recent", [])
        names = [stored] if isinstance(stored, str) else stored
        return [str(name) for name in names if Path(str(name)).exists()] if isinstance(names, list) else []

    def _show_models(self) -> None:
        sources = list(dict.fromkeys([BUNDLED, *self._recent(), self._choice.source]))
        self._panel.set_models([(model_title(source), source) for source in sources], self._choice.source)

    def _on_devices_found(self, devices: tuple[str, ...]) -> None:
        known = list(dict.fromkeys([*devices, "AUTO", self._choice.device]))
        self._panel.set_devices(known, self._choice.device)

    def _wanted_settings(self) -> "PrelabelSettings":
        """The strip's thresholds; score and NMS are the model's own as long as nobody has seen or chosen others."""
        settings = self._strip.thresholds.settings()
        project = self._session.project
        is_known = self._summary is not None and self._summary.choice == self._choice
        if is_known or (project is not None and project.setting(THRESHOLDS_SETTING) is not None):
            return settings
        return replace(settings, score=None, nms_iou=None)

    def _on_model_loading(self, choice: ModelChoice) -> None:
        self._panel.set_note(f"Loading {model_title(choice.source)} on {choice.device}…")

    def _on_model_ready(self, summary: ModelSummary) -> None:
        classes = len(summary.labels)
        known = summary.labels[0][1] if classes == 1 else f"{classes} classes"
        self._panel.set_note(summary.device_note or f"{summary.name} · {known} · {summary.device}")
        if self._summary is None or self._summary.content_hash != summary.content_hash:
            self._offer_defaults(summary)
        self._summary = summary
        if self._opens_mapping:
            self._opens_mapping = False
            self.mapping_wanted.emit(summary)

    def _offer_defaults(self, summary: ModelSummary) -> None:
        """The model's own operating point, unless the project has thresholds of its own."""
        project = self._session.project
        if project is None or project.setting(THRESHOLDS_SETTING) is None:
            own = replace(self._strip.thresholds, score=summary.default_score, nms_iou=summary.default_nms_iou)
            self._strip.set_thresholds(own)

    def _on_model_failed(self, choice: ModelChoice, error: MaskwrightError) -> None:
        self._opens_mapping = False
        self._panel.set_note(f"{model_title(choice.source)} cannot be used: {error.message}")
        self._told_error = error
        wish = ("Get a model", self.models_wanted.emit)
        self.told.emit(Message("The model cannot be used", str(error), "error", *wish))

    def _on_predicted(self, result: PredictResult) -> None:
        self.busy_changed.emit("")
        self._session.reload_categories()
        self._session.refresh_document(result.request.image_id)
        self.predicted.emit(result)
        if not result.proposal_count:
            highest = max(result.candidates.scores.tolist(), default=0.0)
            detail = f"The best candidate scores {highest:.2f}. Lower the score, or choose another model."
            self.told.emit(Message("The model proposes nothing on this image", detail))

    def _on_predict_failed(self, request: PredictRequest, error: MaskwrightError) -> None:
        self.busy_changed.emit("")
        if error is not self._told_error:
            self.told.emit(Message.of_error("The model did not run on this image", error))

    def _on_batch_state(self, state: BatchState) -> None:
        self._state = state
        self.batch_changed.emit(self._state, self._progress)

    def _on_batch_progress(self, progress: BatchProgress) -> None:
        if self._progress.done == 0:
            self._session.reload_categories()
        self._progress = progress
        self.batch_changed.emit(self._state, progress)

    def _on_batch_done(self, report: "BatchReport") -> None:
        good = f"{report.done} image" + ("" if report.done == 1 else "s") + " pre-labelled"
        self._session.reload_categories()
        if report.failed:
            self.told.emit(
                Message(good, f"{report.failed} could not be done.", "warning", "Show", self.failures_wanted.emit)
            )
        else:
            self.told.emit(Message(good))

    def _on_batch_failed(self, error: MaskwrightError) -> None:
        if error is not self._told_error:
            self.told.emit(Message.of_error("The batch stopped", error))

    def _on_batch_cancelled(self, report: "BatchReport") -> None:
        self.told.emit(Message("Batch cancelled", f"{report.remaining} images are left for another time."))
