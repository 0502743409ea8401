"""One session of a learning process: steps, checkpoints, evaluation now and then, keeping the best model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from maskwright.errors import MaskwrightError
from maskwright.inference.model import Model, load_model
from maskwright.learning.batches import BatchMaker
from maskwright.learning.events import Event, Finished, LearnProgress, Phase
from maskwright.learning.export import export_learned, with_score
from maskwright.learning.gate import Figures
from maskwright.learning.held_out import HeldOut
from maskwright.learning.job import BEST_MODEL, LearningJob
from maskwright.learning.samples import SampleStore
from maskwright.learning.trainer import Budget, Round, replayed

_CANDIDATE = "candidate.xml"
_BEST_FIGURES = "best.json"
_CHECKPOINT_S = 30.0
_TELL_S = 1.0
_JUDGED_AT = (0.5, 0.75)
_JUDGING_SHARE = 0.2
"""Largest fraction of the budget for evaluation on the way."""
_JUDGING_STEPS = 40
"""Assumed cost of an evaluation before one has been measured, in training steps."""
_LEAST_STEPS = 20
_SAMPLE_SHARE = 0.2
"""Fraction of the memory for cached images."""


class LearningSession:
    """Continues from a checkpoint in `folder` if there is one."""

    def __init__(
        self, job: LearningJob, folder: Path, told: Callable[[Event], None], *, is_stopped: Callable[[], bool]
    ) -> None:
        self._job = job
        self._folder = folder
        self._told = told
        self._is_stopped = is_stopped
        self._store = SampleStore(
            job.examples,
            input_size=job.recipe.input_size,
            budget_bytes=int(job.memory_gb * _SAMPLE_SHARE * 2**30),
        )
        self._held_out = HeldOut(job, folder)
        self._round = Round(job, folder)
        self._round.resume()
        self._budget = Budget(job, spent_s=self._round.seconds)
        self._best: Figures | None = self._read_best()
        self._latest = self._best
        self._loss: float | None = None
        self._judging_s = 0.0

    def learn(self) -> None:
        """Train until the budget is spent or a stop is requested. Raises MaskwrightError if no image can be read."""
        job, round_ = self._job, self._round
        maker = BatchMaker(job.examples, self._store, job.recipe, seed=job.seed)
        stream = maker.stream(round_.step)
        seen = replayed((round_.seen(batch) for batch in stream), job.recipe.replays, seed=job.seed + round_.step)
        saved = told = time.monotonic()
        try:
            while (progress := self._budget.progress(round_.step)) < 1 and not self._is_stopped():
                parts = round_.learn(next(seen), progress=progress)
                round_.seconds = self._budget.seconds
                now = time.monotonic()
                if now - told >= _TELL_S or round_.step == 1:
                    self._loss, told = sum(float(part) for part in parts.values()), now
                    self._tell("learning")
                if now - saved >= _CHECKPOINT_S:
                    round_.save()
                    saved = time.monotonic()
                self._judge_on_the_way(progress)
        finally:
            seen.close()
            stream.close()
        if round_.step:
            round_.save()

    def finish(self) -> Finished:
        """Evaluate the present model, take the best, set its score threshold. Raises MaskwrightError if there
        is none.
        """
        if self._round.step < _LEAST_STEPS and not (self._folder / BEST_MODEL).exists():
            raise MaskwrightError("stopped before anything was learned", hint="let it run for a minute or more")
        self._tell("judging")
        self._judge()
        self._tell("finishing")
        model = self._load(self._folder / BEST_MODEL)
        score, new = self._held_out.at_work(model, self._best)
        old, compared = self._held_out.compared(model, new)
        del model  # it may map the file that is about to be replaced
        with_score(self._folder / BEST_MODEL, score)
        return Finished(
            steps=self._round.step,
            seconds=self._round.seconds,
            score=score,
            new=_as_json(new),
            old=_as_json(old),
            compared=_as_json(compared),
            was_stopped=self._is_stopped(),
            skipped=tuple((self._job.examples[k].file, why) for k, why in self._store.unreadable.items()),
            device=str(self._round.device),
            peak_mb=_peak_mb(),
        )

    def _judge_on_the_way(self, progress: float) -> None:
        due = next((mark for mark in _JUDGED_AT if mark not in self._round.judged_at and progress >= mark), None)
        if due is None or self._job.truth is None:
            return
        self._round.judged_at.add(due)
        spent = self._judging_s or _JUDGING_STEPS * self._budget.seconds / self._round.step
        if spent <= _JUDGING_SHARE * 60 * (self._job.minutes or 5.0):
            started = self._budget.seconds
            self._tell("judging")
            self._judge()
            self._judging_s = self._budget.seconds - started

    def _judge(self) -> None:
        """Export the present model; it replaces the best one unless its AP is lower."""
        network = self._round.network()
        candidate = export_learned(network, self._job, to=self._folder / _CANDIDATE)
        figures = self._held_out.figures(self._load(candidate)) if self._job.truth is not None else None
        self._latest = figures or self._latest
        is_better = self._best is None or figures is None or figures.ap >= self._best.ap
        if is_better:
            candidate.with_suffix(".bin").replace((self._folder / BEST_MODEL).with_suffix(".bin"))
            candidate.replace(self._folder / BEST_MODEL)
            self._best = figures
            (self._folder / _BEST_FIGURES).write_bytes(orjson.dumps(asdict(figures) if figures else None))

    def _load(self, path: Path) -> Model:
        return load_model(path, num_threads=self._job.threads)

    def _read_best(self) -> Figures | None:
        """Of an earlier session, if its model exists, too."""
        try:
            values = orjson.loads((self._folder / _BEST_FIGURES).read_bytes())
            return Figures.from_json(values) if values and (self._folder / BEST_MODEL).exists() else None
        except (OSError, ValueError, TypeError):
            return None

    def _tell(self, phase: Phase) -> None:
        round_, latest = self._round, self._latest
        self._told(
            LearnProgress(
                phase,
                step=round_.step,
                share=self._budget.progress(round_.step),
                seconds=self._budget.seconds,
                seconds_left=self._budget.seconds_left(round_.step),
                loss=self._loss,
                ap=latest.ap if latest is not None else None,
                f1=latest.f1 if latest is not None else None,
                is_starved=round_.device.type == "cpu" and self._budget.is_starved,
            )
        )


def _as_json(figures: Figures | None) -> dict[str, Any] | None:
    return asdict(figures) if figures is not None else None


def _peak_mb() -> int:
    """Peak memory of this process in megabytes; 0 if the platform does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // (2**20 if sys.platform == "darwin" else 2**10))
