"""A batch: every pending image of a project through one model, each exactly once, resumable at any point."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maskwright.errors import ImageError, MaskwrightError, ModelError, ProjectError
from maskwright.images.identity import SeenFile
from maskwright.inference.async_runner import AsyncRunner
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model
from maskwright.prelabel.control import CancelToken
from maskwright.prelabel.feeding import Queue
from maskwright.prelabel.mapping import project_categories
from maskwright.prelabel.progress import Progress, RateMeter
from maskwright.prelabel.proposing import note_uncertainty
from maskwright.prelabel.settings import PrelabelSettings
from maskwright.prelabel.stages import Job, OnCandidates, Result, Stages, ignore_candidates
from maskwright.project import Project, Run
from maskwright.project.model_choice import remember_model

_FEEDERS = 2
_POSTERS = 2
_DEVICE_FAILURES = 8
"""So many failed inferences in a row, with no success between, are the device's fault and not the images'."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch did. The failures are in `project.failures(run_id)`."""

    run_id: int
    done: int
    failed: int
    remaining: int
    """Images that a later batch with `resume` takes up."""
    seconds: float
    images_per_s: float | None
    is_cancelled: bool
    stopped_because: str | None = None
    """Why the batch gave up before the end; None when it did not."""


def run_batch(
    project: Project,
    model: Model,
    settings: PrelabelSettings,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    cancel: CancelToken | None = None,
    priority: Callable[[], int | None] = lambda: None,
    resume: bool = False,
    category_ids: Mapping[int, int] | None = None,
    on_candidates: OnCandidates = ignore_candidates,
    between: Callable[[], object] = lambda: None,
) -> BatchReport:
    """Pre-label the images of `project`; returns when all are done, or after `cancel`.

    Decoding, inference and tracing overlap; the calling thread writes to the project and calls `on_progress` once per
    image. `priority` is asked before each image and may name one that should go first. An image that fails is recorded
    and the rest goes on; a device that fails altogether stops the batch (see `stopped_because`) with its images
    still pending. With `resume` the last batch of the same model and settings is continued, if there is one.
    `category_ids` maps the model's categories to the project's, what it lacks is left out; None: as
    `project_categories` has it. `on_candidates` is called with each image's candidates in a thread of the batch, to
    keep them for later thresholds. `between` is called on the calling thread after each image and several times a
    second while there is none, also during a pause: its chance to do something else.
    Raises ProjectError when the project cannot be written.
    """
    token = cancel if cancel is not None else CancelToken()
    run = resumable_run(project, model, settings) if resume else None
    run_id = (
        run.id if run is not None else project.start_run(model.name, model.content_hash, _effective(model, settings))
    )
    remember_model(project, model.path)
    return _Batch(project, model, settings, run_id, token, priority, on_progress).run(
        category_ids, on_candidates, between
    )


def resumable_run(project: Project, model: Model, settings: PrelabelSettings) -> Run | None:
    """The last batch, if it was of this model with these settings."""
    run = project.last_run()
    is_same = run is not None and (run.model_hash, run.settings) == (model.content_hash, _effective(model, settings))
    return run if is_same else None


def _effective(model: Model, settings: PrelabelSettings) -> dict[str, object]:
    """The settings with the model's own operating point filled in."""
    own = {"score": model.default_score, "nms_iou": model.default_nms_iou, "max_instances": model.max_instances}
    return settings.to_json() | {key: value for key, value in own.items() if settings.to_json()[key] is None}


class _Batch:
    def __init__(
        self,
        project: Project,
        model: Model,
        settings: PrelabelSettings,
        run_id: int,
        token: CancelToken,
        priority: Callable[[], int | None],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._project, self._model, self._settings, self._run_id = project, model, settings, run_id
        self._token, self._on_progress = token, on_progress
        pending = project.pending_images(run_id).tolist()
        self._ids = Queue(pending, priority)
        self._done, self._failed = project.done_count(run_id), len(project.failures(run_id))
        self._total = self._done + self._failed + len(pending)
        self._meter = RateMeter()
        self._suspects: list[tuple[Job, ModelError, float]] = []
        """Images on which inference failed, and when; nobody knows yet whether it is their fault."""
        self._stopped_because: str | None = None

    def run(
        self,
        category_ids: Mapping[int, int] | None,
        on_candidates: OnCandidates,
        between: Callable[[], object],
    ) -> BatchReport:
        started = time.monotonic()
        chosen = category_ids if category_ids is not None else self._mapped_categories()

        def keep(image_id: int, candidates: Candidates, seen: SeenFile) -> None:
            on_candidates(image_id, candidates, seen)
            note_uncertainty(self._project, image_id, candidates, self._settings, chosen)

        with (
            AsyncRunner[Job](self._model) as runner,
            Stages(self._project, runner, self._ids, self._settings, chosen, self._token, keep) as stages,
        ):
            for job, result in stages.outcomes(feeders=_FEEDERS, posters=_POSTERS, between=between):
                self._record(job, result)
                if self._stopped_because is not None:
                    stages.stop()
        self._blame_images(time.monotonic())
        return self._report(time.monotonic() - started)

    def _mapped_categories(self) -> Mapping[int, int]:
        wanted = self._settings.categories
        labels = [label for label in self._model.labels if wanted is None or label.id in wanted]
        return project_categories(self._project, labels, self._model.content_hash)

    def _record(self, job: Job, result: Result) -> None:
        match result:
            case None:
                return
            case ModelError():
                self._suspects.append((job, result, time.monotonic()))
                if len(self._suspects) >= _DEVICE_FAILURES and self._stopped_because is None:
                    self._stopped_because = f"{self._model.device} fails on every image: {result.message}"
            case ProjectError():
                raise result
            case MaskwrightError():
                self._fail(job, result)
            case proposals:
                seconds = time.monotonic() - job.started_at
                self._project.put_proposals(job.image_id, proposals, run_id=self._run_id, seconds=seconds)
                self._blame_images(job.started_at)
                self._done += 1
                self._tell(job, None)

    def _blame_images(self, worked_at: float) -> None:
        """Record the inference errors that a working device has since shown to be the images' own.

        `worked_at`: when an image that succeeded was begun; only failures before that are settled by it.
        """
        if self._stopped_because is not None:
            return
        settled = [suspect for suspect in self._suspects if suspect[2] < worked_at]
        self._suspects = [suspect for suspect in self._suspects if suspect[2] >= worked_at]
        for job, error, _ in settled:
            self._fail(job, error)

    def _fail(self, job: Job, error: MaskwrightError) -> None:
        root = self._project.image_root
        if isinstance(error, ImageError) and not root.is_dir():
            self._stopped_because = f"the image folder {root} is gone"
            return
        self._project.record_failure(self._run_id, job.image_id, error.reason)
        self._failed += 1
        self._tell(job, error.reason)

    def _tell(self, job: Job, failure: str | None) -> None:
        self._meter.tick()
        remaining = self._total - self._done - self._failed
        rate, eta_s = self._meter.images_per_s, self._meter.eta_s(remaining)
        self._on_progress(Progress(job.image_id, failure, self._done, self._failed, self._total, rate, eta_s))

    def _report(self, seconds: float) -> BatchReport:
        remaining = self._total - self._done - self._failed
        return BatchReport(
            self._run_id,
            self._done,
            self._failed,
            remaining,
            seconds,
            self._meter.images_per_s,
            self._token.is_cancelled and remaining > 0,
            self._stopped_because,
        )
