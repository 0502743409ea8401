"""A batch: runs a model on every pending image of a project, each exactly once, resumable at any point."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright.errors import ImageError, MaskwrightError, ModelError, ProjectError
from maskwright.inference.async_runner import AsyncRunner
from maskwright.inference.model import Model
from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright.monitor import CancelToken
from maskwright.prelabel.progress import Progress, RateMeter
from maskwright.prelabel.proposing import Proposer
from maskwright.prelabel.stages import (
    ExcludedImage,
    ImageJob,
    OnCandidates,
    Proposed,
    Queue,
    StageResult,
    Stages,
    ignore_candidates,
)
from maskwright.project import Project, Run
from maskwright.project.layer import ImageProposals
from maskwright.project.model_choice import remember_model
from maskwright.project.proposals import ModelProposal
from maskwright.review.disagreement import NAME, disagreement


def note_disagreements(project: Project, changes: Mapping[int, Change]) -> None:
    """changes: what new proposals changed, by image id. Raises ProjectError."""
    found = {image_id: noted for image_id, change in changes.items() if (noted := _noted(change)) is not None}
    if found:
        project.signals.set(NAME, found)


def _noted(change: Change) -> tuple[float, dict[str, object]] | None:
    """None if no other model had proposed anything. The window lets users take over what only the other one found."""
    before = [one for _, one, _ in change if _is_proposed(one)]
    after = [one for _, _, one in change if _is_proposed(one)]
    names = {one.provenance.model_hash for one in after if one is not None and one.provenance is not None}
    old = [one for one in before if one is not None and _hash(one) not in {"", *names}]
    if not old or len(names) != 1:
        return None
    new = [one for one in after if one is not None and _hash(one) in names]
    there = [ModelProposal(one.category_id, one.score or 0.0, one.polygons) for one in old]
    noted = disagreement(new, there)
    origin = old[0].provenance
    named = {"model": origin.model_name, "model_hash": origin.model_hash} if origin is not None else {}
    return noted.value, noted.detail | named


def _is_proposed(instance: Instance | None) -> bool:
    return instance is not None and instance.state is InstanceState.PROPOSED


def _hash(instance: Instance) -> str:
    return instance.provenance.model_hash if instance.provenance is not None else ""


_FEEDERS = 2
_POSTERS = 2
_WRITTEN_TOGETHER, _WRITTEN_AFTER_S = 16, 0.3
"""Largest number of images per transaction, and how long to wait for it: alone an image costs 5 ms of CPU, among five
1.7, among ten 1.2. The window is told of all of them at once, so waiting for more would show as a stutter."""
_DEVICE_FAILURES = 8
"""After this many failed inferences without a success between, the device is to blame instead of the images."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """Result of a batch. The failures are in `project.runs.failures(run_id)`."""

    run_id: int
    done: int
    failed: int
    remaining: int
    """Number of images left for a later batch with `resume`."""
    seconds: float
    images_per_s: float | None
    is_cancelled: bool
    stopped_because: str | None = None
    """Why the batch was aborted; None if it was not."""
    missing: int = 0
    """How many of the failed images have no file."""


def run_batch(
    project: Project,
    model: Model,
    thresholds: Thresholds,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    cancel: CancelToken | None = None,
    priority: Callable[[], int | None] = lambda: None,
    resume: bool = False,
    only_untouched: bool = False,
    on_candidates: OnCandidates = ignore_candidates,
    between: Callable[[], object] = lambda: None,
    only: Collection[int] | None = None,
    extends: bool = False,
) -> BatchReport:
    """Pre-label the images of `project`; returns when all are done, or after `cancel`.

    Decoding, inference and tracing overlap; the calling thread writes to the project, several images at a time, and
    calls `on_progress` for each stored image. `priority` is called before each image and may name one to do first. An
    image that fails is recorded and the rest continues; if the device fails altogether, the batch stops with its images
    still pending (see `stopped_because`). `resume` continues the last batch if it had the same model and thresholds.
    `only_untouched` skips images that a user has worked on. `on_candidates` is called with each image's candidates in a
    thread of the batch, to store them for later thresholds. An image that is excluded meanwhile gets nothing and is
    pending again once it is included. `between` is called on the calling thread after each image and several times a
    second while there is none, also during a pause, so that the thread can do other work. `only`: ids of the images to
    do; None for all. `extends` keeps open proposals of classes that this model lacks, unless it finds something in
    their place. If it replaces another model's proposals, the disagreement is recorded for the review order. Raises
    ProjectError if the project cannot be written.
    """
    token = cancel if cancel is not None else CancelToken()
    wanted = thresholds.categories
    labels = [label for label in model.labels if wanted is None or label.id in wanted]
    proposer = Proposer.of(project, model, labels, thresholds)
    run = resumable_run(project, model, proposer.thresholds) if resume else None
    run_id = run.id if run is not None else _start_run(project, model, proposer.thresholds)
    remember_model(project, model.path)
    waiting = project.runs.pending_images(run_id, only_untouched=only_untouched).tolist()
    pending = [id_ for id_ in waiting if only is None or id_ in only]
    batch = _Batch(project, model, proposer, run_id, pending, token, priority, on_progress)
    batch.covers = proposer.covers if extends else None
    return batch.run(on_candidates, between)


def resumable_run(project: Project, model: Model, thresholds: Thresholds) -> Run | None:
    """The last batch, if it used this model with these thresholds."""
    run = project.runs.last()
    is_same = run is not None and (run.model_hash, run.settings) == (model.content_hash, _stored(model, thresholds))
    return run if is_same else None


def _start_run(project: Project, model: Model, thresholds: Thresholds) -> int:
    return project.runs.start(model.name, model.content_hash, _stored(model, thresholds))


def _stored(model: Model, thresholds: Thresholds) -> dict[str, object]:
    """As stored with a run: the model's own operating point filled in."""
    own = Defaults(model.default_score, model.default_nms_iou, model.max_instances)
    return thresholds.filled(own).to_json()


class _Batch:
    """One batch in progress."""

    def __init__(
        self,
        project: Project,
        model: Model,
        proposer: Proposer,
        run_id: int,
        pending: list[int],
        token: CancelToken,
        priority: Callable[[], int | None],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._project, self._model, self._proposer, self._run_id = project, model, proposer, run_id
        self._token, self._priority, self._on_progress = token, priority, on_progress
        self._ids = Queue(pending, priority)
        self._done, self._failed = project.runs.done_count(run_id), len(project.runs.failures(run_id))
        self._total = self._done + self._failed + len(pending)
        self._meter = RateMeter()
        self._unwritten: list[tuple[ImageJob, Proposed, float]] = []
        """Images that are done and not stored yet, and when they were."""
        self._suspects: list[tuple[ImageJob, ModelError, float]] = []
        """Images on which inference failed, and when; nobody knows yet whether it is their fault."""
        self._stopped_because: str | None = None
        self.covers: frozenset[int] | None = None
        """As `ImageProposals.covers`."""

    def run(self, on_candidates: OnCandidates, between: Callable[[], object]) -> BatchReport:
        """See `run_batch`."""
        started = time.monotonic()
        with (
            AsyncRunner[ImageJob](self._model) as runner,
            Stages(self._project, runner, self._ids, self._proposer, self._token, on_candidates) as stages,
        ):
            for outcome in stages.outcomes(feeders=_FEEDERS, posters=_POSTERS, between=between):
                if outcome is not None:
                    self._take(*outcome)
                self._write_when_due()
                if self._stopped_because is not None:
                    stages.stop()
            self._write()
        self._project.categories.release()
        self._blame_images(time.monotonic())
        return self._report(time.monotonic() - started)

    def _take(self, job: ImageJob, result: StageResult) -> None:
        match result:
            case None:
                return
            case ExcludedImage():
                self._total -= 1
            case ModelError():
                self._suspects.append((job, result, time.monotonic()))
                if len(self._suspects) >= _DEVICE_FAILURES and self._stopped_because is None:
                    self._stopped_because = f"{self._model.device} fails on every image: {result.message}"
            case ProjectError():
                raise result
            case MaskwrightError():
                self._fail(job, result)
            case proposed:
                self._meter.tick()
                self._unwritten.append((job, proposed, time.monotonic()))
                self._blame_images(job.started_at)

    def _write_when_due(self) -> None:
        if not self._unwritten:
            return
        is_full = len(self._unwritten) >= _WRITTEN_TOGETHER
        is_awaited = any(job.image_id == self._ids.last_wanted for job, _, _ in self._unwritten)
        if is_full or is_awaited or time.monotonic() - self._unwritten[0][2] >= _WRITTEN_AFTER_S:
            self._write()

    def _write(self) -> None:
        """Store what is done, and only then report it."""
        written, self._unwritten = self._unwritten, []
        found = [
            ImageProposals(job.image_id, proposed.proposals, proposed.signals, done_at - job.started_at, self.covers)
            for job, proposed, done_at in written
        ]
        changes = self._project.proposals.put_many(found, run_id=self._run_id) if found else {}
        note_disagreements(self._project, changes)
        for job, _, _ in written:
            if job.image_id not in changes:  # excluded meanwhile
                self._total -= 1
                continue
            self._done += 1
            self._tell(job, None, changes[job.image_id])

    def _blame_images(self, worked_at: float) -> None:
        """Record inference errors as the images' own once the device is known to have worked since.

        `worked_at`: when an image that succeeded was started; only earlier failures are settled by it.
        """
        if self._stopped_because is not None:
            return
        settled = [suspect for suspect in self._suspects if suspect[2] < worked_at]
        self._suspects = [suspect for suspect in self._suspects if suspect[2] >= worked_at]
        for job, error, _ in settled:
            self._fail(job, error)

    def _fail(self, job: ImageJob, error: MaskwrightError) -> None:
        root = self._project.image_root
        if isinstance(error, ImageError) and not root.is_dir():
            self._stopped_because = f"the image folder {root} no longer exists"
            return
        self._project.runs.record_failure(self._run_id, job.image_id, error.reason)
        self._failed += 1
        self._meter.tick()
        self._tell(job, error.reason, Change.of(()))

    def _tell(self, job: ImageJob, failure: str | None, change: Change) -> None:
        remaining = self._total - self._done - self._failed
        rate, eta_s = self._meter.images_per_s, self._meter.eta_s(remaining)
        self._on_progress(Progress(job.image_id, failure, change, self._done, self._failed, self._total, rate, eta_s))

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
            self._project.runs.missing_count(self._run_id) if self._failed else 0,
        )
