"""Which model runs, on which device, and what it reports about the current image."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import MaskwrightError, ProjectError
from maskwright.inference.thresholds import Thresholds
from maskwright_gui.actions import Action, Menu, Under, may_edit, nothing
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.model.fit import ModelFit
from maskwright_gui.features.model.listing import ModelList
from maskwright_gui.features.model.mapping import ClassMapping
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.messages import Message
from maskwright_gui.panels.model import BUNDLED, ModelPanel, model_title
from maskwright_gui.panels.widgets import Shrinking
from maskwright_gui.workers.executor import answer_soon
from maskwright_gui.workers.inference import InferenceThread
from maskwright_gui.workers.requests import ModelChoice, ModelSummary, PredictRequest, PredictResult


class ModelFeature(Feature):
    """Talks to the inference thread and shows its answers in the panels."""

    predicted = Signal(object)
    """PredictResult of the image on screen or another."""
    failures_wanted = Signal()
    """The user wants to see on which images the model failed."""
    mapping_wanted = Signal(object)
    """ModelSummary of the model whose classes are to be mapped."""

    def __init__(
        self, context: Context, projects: ProjectsFeature, thresholds: ThresholdsFeature, inference: InferenceThread
    ) -> None:
        super().__init__(context)
        self._thresholds, self._strip, self._inference = thresholds, thresholds.strip, inference
        self.panel = ModelPanel(self._window)
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self._dock = self._window.add_dock("Model", Shrinking(self.panel, is_capped=True), right, size_px=170)
        self._ids = count(1)
        stored = self._settings.value
        self._choice = ModelChoice(str(stored("model/source", BUNDLED)), str(stored("model/device", "CPU")))
        self._summary: ModelSummary | None = None
        self._opens_mapping = False
        self._waiting: deque[int] = deque()
        """Images that the model is to run on, one after the other."""
        self._told_error: MaskwrightError | None = None
        """The error of a model that could not be loaded; requests waiting for it fail with the same one."""
        self._mapping = ClassMapping(self._session, self._window)
        self.fit = ModelFit(self._session, self._window)
        self._declare(*self._own_actions())
        self._list = ModelList(self.panel, self._settings)
        self._list.show(self._choice.source)
        self._on_devices_found(("CPU",))
        self._follow_keys(self.panel.show_keys)
        self._connect_thread()
        self._connect_panel()
        self._connect_features(projects)

    def _own_actions(self) -> tuple[Action, ...]:
        return (
            Action(
                "run_model",
                "Run model on this image",
                Menu.MODEL,
                0,
                self.run_on_image,
                keys=("I",),
                icon="lightning",
                words="predict detect segment auto label ai inference",
                tool_bar=(2, "Run model"),
                canvas_menu=((Under.NOTHING, 0),),
                needs=may_edit,
            ),
            Action(
                "choose_model",
                "Open a model file…",
                Menu.MODEL,
                2,
                self.browse,
                icon="cpu",
                needs=nothing,
                words="load network weights openvino onnx",
            ),
            Action(
                "models",
                "Get and manage models…",
                Menu.MODEL,
                2,
                self.open_models,
                needs=nothing,
                words="download install network weights",
            ),
            Action(
                "map_classes", "Map model classes…", Menu.MODEL, 2, self.map_classes, icon="tag", words="rename labels"
            ),
        )

    def _connect_thread(self) -> None:
        thread = self._inference
        thread.devices_found.connect(self._on_devices_found)
        thread.model_loading.connect(self._on_model_loading)
        thread.model_ready.connect(self._on_model_ready)
        thread.model_failed.connect(self._on_model_failed)
        thread.done.connect(self._on_predicted)
        thread.failed.connect(self._on_predict_failed)
        thread.cancelled.connect(self._end_work)

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.model_chosen.connect(self.choose)
        panel.browse_requested.connect(self.browse)
        panel.models_requested.connect(lambda: self._list.show_all(self._choice.source))
        panel.get_requested.connect(self._get)
        panel.devices_requested.connect(self._inference.find_devices)
        panel.device_chosen.connect(self.choose_device)
        panel.mapping_requested.connect(self.map_classes)
        panel.run_requested.connect(self.run_on_image)

    def _connect_features(self, projects: ProjectsFeature) -> None:
        self._session.project_changed.connect(self._on_project_changed)
        self._session.image_changed.connect(
            lambda image: self.panel.set_has_image(image is not None and may_edit(self._session))
        )
        self._window.status.work_clicked.connect(self._dock.raise_)
        self._window.empty_state.model_requested.connect(self.open_models)
        projects.model_dropped.connect(self.choose)
        projects.opened.connect(self.fit.look)
        self.fit.models_wanted.connect(self.open_models)
        self._thresholds.candidates_missing.connect(self.run_on_image)
        self.mapping_wanted.connect(self._mapping.open)
        self._mapping.changed.connect(self._thresholds.apply_everywhere)
        self._mapping.failed.connect(self._tell_error)

    @property
    def choice(self) -> ModelChoice:
        """The model and device for the next request."""
        return self._choice

    def has_told(self, error: MaskwrightError) -> bool:
        """Whether the user knows this error already: if a model cannot be loaded, all that wait for it fail with it."""
        return error is self._told_error

    def choose(self, source: str) -> None:
        """Use a bundled model (by name) or a file (by path). It is loaded at once, so that errors show at once."""
        self._choice = ModelChoice(source, self._choice.device)
        self._settings.setValue("model/source", source)
        self._keep_with_project(source)
        self._list.note(source)
        self._list.show(source)
        self._inference.prepare(self._choice)

    def _keep_with_project(self, source: str) -> None:
        # imports SQLAlchemy, which the first window does without
        from maskwright.project.model_choice import remember_model

        project = self._session.project
        if project is None or project.is_read_only:
            return
        try:
            project.ask(lambda stored: remember_model(stored, source))
        except ProjectError as error:
            self.told.emit(Message("The project could not store the choice of model", str(error), "warning"))

    def browse(self) -> None:
        """Ask for a model file."""
        name, _ = QFileDialog.getOpenFileName(
            self.panel.window(), "Open a model", "", "Models (*.xml *.onnx *.pb);;All files (*)"
        )
        if name:
            self.choose(name)
        self._list.show(self._choice.source)

    def open_models(self) -> None:
        """Open the model catalogue."""
        dialog = ModelsDialog(self._window)
        dialog.model_chosen.connect(self.choose)
        dialog.show()

    def may_run(self, go_on: Callable[[], object]) -> bool:
        """Whether the chosen model suits the images; if not, the user is asked, and `go_on` is called if they agree."""
        return self.fit.allows(self._choice.source, go_on)

    def stop(self) -> None:
        self.fit.stop()
        for dialog in self._window.findChildren(ModelsDialog):
            dialog.close()  # cancels a download

    def map_classes(self) -> None:
        """Open the mapping dialog as soon as the model is loaded."""
        if self._summary is not None and self._summary.choice == self._choice:
            self.mapping_wanted.emit(self._summary)
        else:
            self._opens_mapping = True
            self._inference.prepare(self._choice)

    def choose_device(self, device: str) -> None:
        """Use another device, such as CPU or GPU."""
        self._choice = ModelChoice(self._choice.source, device)
        self._settings.setValue("model/device", device)
        self._inference.prepare(self._choice)

    def run_on_image(self) -> None:
        """Run the model on the current image."""
        image = self._session.image
        if image is not None and self.may_write() and self.may_run(self.run_on_image):
            self._run_on(image)

    def run_on_images(self, image_ids: Iterable[int]) -> None:
        """Run the model on these images one after the other; a request for the current image goes first."""
        if self._session.project is not None and self.may_write():
            self._waiting = deque(image_ids)
            self._run_on_waiting()

    def _run_on_waiting(self) -> None:
        if self._waiting and self._session.project is not None:
            self._run_on(self._session.project.record(self._waiting.popleft()))

    def _run_on(self, image: ImageRecord) -> None:
        project, cache = self._session.project, self._session.cache
        if project is None or cache is None:
            return
        if image.standing is not ImageStanding.LISTED:
            detail = "Models skip it. To include it in the data set again, use the Image menu."
            self.told.emit(Message(f"This image is {image.standing}", detail))
            return
        self.work_changed.emit("Running the model", 0, None)
        self._inference.predict(
            PredictRequest(
                request_id=next(self._ids),
                project=project.stored,
                image_id=image.id,
                path=project.image_path(image),
                cache=cache,
                choice=self._choice,
                thresholds=self.wanted_thresholds(image.id),
            )
        )

    def _on_project_changed(self, _project: object) -> None:
        """Drop requests of the previous project. The new one uses the model that it remembers."""
        self._waiting.clear()
        self._inference.cancel_predict()
        if self._session.project is None:
            return
        from maskwright.project.model_choice import known_model

        source = self._session.project.ask(known_model)
        if source is None or source == self._choice.source:
            return
        if source == BUNDLED or answer_soon(Path(source).exists, False):
            self._choice = ModelChoice(source, self._choice.device)
            self._list.show(source)
            return
        going_on = f"{source} does not exist. New proposals will come from {model_title(self._choice.source)}."
        self.told.emit(Message("This project's model is missing", going_on, "warning"))

    def may_write(self) -> bool:
        """Whether proposals can be stored; if not, tells the user why."""
        if self._session.project is not None and self._session.project.is_read_only:
            self.told.emit(Message("This project is read-only", "Proposals cannot be saved.", "warning"))
            return False
        return True

    def _get(self) -> None:
        self._list.show(self._choice.source)  # the chosen one stays chosen
        self.open_models()

    def _on_devices_found(self, devices: tuple[str, ...]) -> None:
        self.panel.set_devices(list(dict.fromkeys([*devices, "AUTO", self._choice.device])), self._choice.device)

    def wanted_thresholds(self, image_id: int | None = None) -> Thresholds:
        """The thresholds of the strip for the current image, else the project's.

        Score and NMS are the model's own until the user has seen or chosen others.
        """
        from maskwright.operations.kept_thresholds import has_chosen_score

        project, image = self._session.project, self._session.image
        is_on_screen = image is not None and image.id == image_id
        wanted = self._strip.thresholds if is_on_screen else self._thresholds.of_project
        is_known = self._summary is not None and self._summary.choice == self._choice
        if is_known or (project is not None and project.ask(has_chosen_score)):
            return wanted
        return replace(wanted, score=None, nms_iou=None)

    def _end_work(self) -> None:
        self.work_changed.emit("", 0, None)

    def _on_model_loading(self, choice: ModelChoice) -> None:
        self.panel.set_note(f"Loading {model_title(choice.source)} on {choice.device}…")

    def _on_model_ready(self, summary: ModelSummary) -> None:
        classes = len(summary.labels)
        known = summary.labels[0][1] if classes == 1 else f"{classes} classes"
        self.panel.set_note(summary.device_note or f"{summary.name} · {known} · {summary.device}")
        self._thresholds.set_own(summary.defaults)
        if self._summary is None or self._summary.content_hash != summary.content_hash:
            self._offer_defaults(summary)
        self._summary = summary
        if self._opens_mapping:
            self._opens_mapping = False
            self.mapping_wanted.emit(summary)

    def _offer_defaults(self, summary: ModelSummary) -> None:
        """Use the model's operating point, unless the project has its own thresholds or a batch that used some."""
        from maskwright.operations.kept_thresholds import has_kept_score

        project = self._session.project
        run = project.last_run() if project is not None else None
        is_of_another = run is None or run.model_hash != summary.content_hash
        if project is None or (not project.ask(has_kept_score) and is_of_another):
            known = self._thresholds.of_project
            own = summary.defaults
            self._thresholds.set_of_project(replace(known, score=own.score, nms_iou=own.nms_iou))

    def _on_model_failed(self, choice: ModelChoice, error: MaskwrightError) -> None:
        self._opens_mapping = False
        self.panel.set_note(f"{model_title(choice.source)} cannot be used: {error.message}")
        self._told_error = error
        self.told.emit(Message("The model cannot be used", str(error), "error", "Get a model", self.open_models))

    def _on_predicted(self, result: PredictResult) -> None:
        outcome = result.outcome
        self._end_work()
        self._session.classes.reload()
        self._session.take_stored(result.request.image_id, outcome.change)
        self._thresholds.candidates_changed()
        self.predicted.emit(result)
        if not outcome.proposal_count:
            highest = max(outcome.candidates.scores.tolist(), default=0.0)
            detail = f"The best candidate scores {highest:.2f}. Lower the score or choose another model."
            self.told.emit(Message("The model found nothing on this image", detail))
        self._run_on_waiting()

    def _on_predict_failed(self, request: PredictRequest, error: MaskwrightError) -> None:
        self._end_work()
        if not self.has_told(error):
            wish = ("Show failures", self.failures_wanted.emit)
            self.told.emit(Message("The model did not run on this image", str(error), "error", *wish))
        self._run_on_waiting()
