"""One round: take a snapshot of what a user corrected, train in a separate process, evaluate, and install what is
not worse."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from maskwright.errors import MaskwrightError
from maskwright.formats.atomic import write_error
from maskwright.inference.files import file_hash
from maskwright.learning.events import Finished
from maskwright.learning.gate import Figures, verdict
from maskwright.learning.installing import card_text, install_learned, require_free_name
from maskwright.learning.job import BEST_MODEL, LearningJob
from maskwright.learning.looks import LOOKS_NAME
from maskwright.learning.plan import LearnOptions, learning_plan
from maskwright.learning.process import LearningError, LearningRefusedError, OnProgress, has_learned, run_process
from maskwright.learning.requirements import require_learning
from maskwright.learning.rounds import (
    RoundRecord,
    add_round,
    keep_looks,
    learning_folder,
    read_record,
    read_rounds,
    round_folder,
    unfinished_round,
)
from maskwright.learning.snapshot import DRAFT_NAME, take_snapshot
from maskwright.project import Project
from maskwright.project.lock import FILE_NAME as LOCK_NAME
from maskwright.project.lock import ProjectLock

_RUNS_ALREADY = "a round of this project is already running"
_guard = threading.Lock()
_at_work: set[Path] = set()
"""Folders in use by rounds of this process."""


@dataclass(frozen=True, slots=True)
class LearnOutcome:
    """The outcome of a round."""

    record: RoundRecord
    model_path: Path | None
    """Name of the installed model; None if the old one stays."""
    was_stopped: bool
    skipped: tuple[tuple[str, str], ...]
    """Images that could not be read, and why."""
    score: float
    """The score threshold of the new model."""
    device: str
    peak_mb: int

    @property
    def is_installed(self) -> bool:
        """Whether the new model was installed."""
        return self.record.is_installed


def learn(
    project: Project,
    options: LearnOptions | None = None,
    *,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
    check: Callable[[], None] | None = None,
    resume: bool = False,
) -> LearnOutcome:
    """Run a round; blocks for about `options.minutes`. Thread-safe; the project may keep changing.

    on_progress: called from another thread. stop: once set, the round ends early and keeps the best model so far.
    check: called regularly; an exception from it ends the round at once, to be continued with `resume`. resume:
    continue a round that was killed, with its original input; `options` is ignored. Raises MaskwrightError if there is
    nothing to learn from, PyTorch is missing, or the process failed; then nothing is installed and what was learned is
    kept for `resume`.
    """
    require_learning()
    with _only_one(project):
        folder = _interrupted_folder(project) if resume else _begun(project, options or LearnOptions())
        job, draft = LearningJob.read(folder), read_record(folder / DRAFT_NAME)
        stop = stop or threading.Event()
        try:
            finished = run_process(folder, threads=job.threads, on_progress=on_progress, stop=stop, check=check)
        except LearningError as error:
            if (stop.is_set() or isinstance(error, LearningRefusedError)) and not has_learned(folder):
                shutil.rmtree(folder, ignore_errors=True)  # it would end the same way again
            raise
        return _settled(project, folder, draft, finished)


def interrupted_round(project: Project) -> int | None:
    """The number of a round that was started but not finished; None if there is none or it is still running."""
    return unfinished_round(project.path) if round_elsewhere(project) is None else None


def round_elsewhere(project: Project) -> str | None:
    """A message if another program, such as a second window, is learning from the project; otherwise None."""
    holder = ProjectLock.holder(learning_folder(project.path))
    return f"{_RUNS_ALREADY} ({holder})" if holder is not None else None


@contextmanager
def _only_one(project: Project) -> Iterator[None]:
    """Two simultaneous rounds of one project would share a folder. Raises MaskwrightError for the second."""
    folder = learning_folder(project.path).resolve()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    with _guard:
        # The file lock keeps other programs out, but threads of this one share it.
        lock = ProjectLock.acquire(folder) if folder not in _at_work else "by this program"
        if not isinstance(lock, ProjectLock):
            raise MaskwrightError(f"{_RUNS_ALREADY} ({lock})", path=project.path)
        _at_work.add(folder)
    try:
        for left in folder.glob(".*.part"):  # from a program that was killed while writing
            with suppress(OSError):
                left.unlink()
        yield
    finally:
        _at_work.discard(folder)
        lock.release()
        if {path.name for path in folder.iterdir()} <= {LOCK_NAME}:
            shutil.rmtree(folder, ignore_errors=True)


def _begun(project: Project, options: LearnOptions) -> Path:
    """The work folder of a new round."""
    plan = learning_plan(project, options)
    if plan.obstacle is not None:
        raise MaskwrightError(plan.obstacle, path=project.path)
    require_free_name(plan.name, read_rounds(project.path))
    folder = round_folder(project.path, plan.number)
    take_snapshot(project, plan, options, folder)
    return folder


def _interrupted_folder(project: Project) -> Path:
    number = unfinished_round(project.path)
    if number is None:
        raise MaskwrightError("there is no interrupted round to continue", path=project.path)
    return round_folder(project.path, number)


def _settled(project: Project, folder: Path, draft: RoundRecord, finished: Finished) -> LearnOutcome:
    """Decide by the gate; the work folder is deleted once everything is written."""
    best = folder / BEST_MODEL
    new, old, compared = (
        Figures.from_json(values) if values else None for values in (finished.new, finished.old, finished.compared)
    )
    decided = verdict(compared or new, old, old_name=draft.old_model)
    record = replace(
        draft,
        model_hash=file_hash(best),
        is_installed=decided.is_taken,
        reason=decided.reason,
        seconds=finished.seconds,
        steps=finished.steps,
        figures=new,
        old_figures=old,
    )
    path = None
    if decided.is_taken:
        card = card_text(record, project.name)
        path = install_learned(best, card, name=record.model, project=project.name).path
    keep_looks(project.path, record.number, folder / LOOKS_NAME)
    add_round(project.path, record)
    shutil.rmtree(folder, ignore_errors=True)
    return LearnOutcome(
        record, path, finished.was_stopped, finished.skipped, finished.score, finished.device, finished.peak_mb
    )
