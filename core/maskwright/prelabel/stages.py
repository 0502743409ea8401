"""The threads of a batch: decode ahead of inference as far as memory allows, select and trace after it.

Every job taken from the queue comes out exactly once: with proposals, failed, or cancelled."""

import logging
import math
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import IN_THE_LOG, UNEXPECTED, ImageError, MaskwrightError, ModelError
from maskwright.images import read_image
from maskwright.images.identity import SeenFile
from maskwright.inference.async_runner import AsyncRunner, InferenceCancelledError
from maskwright.inference.candidates import Candidates
from maskwright.monitor import CancelToken
from maskwright.prelabel.proposing import Proposer
from maskwright.project import ModelProposal, Project

PIXEL_BUDGET = 200_000_000
"""Decoded pixels (3 bytes each) in memory at once: 600 MB. A single larger image is still processed, alone."""


class Queue:
    """Hands out each id once: the one that `priority` names if it is still waiting, else the next in order."""

    def __init__(self, ids: Iterable[int], priority: Callable[[], int | None]) -> None:
        self._waiting = OrderedDict.fromkeys(ids)  # a plain dict becomes slow as items are removed from its front
        self._priority = priority
        self._lock = threading.Lock()
        self.last_wanted: int | None = None
        """The last id that went before others: someone waits for it."""

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> int | None:
        """None when all have been handed out."""
        with self._lock:
            if not self._waiting:
                return None
            wanted = self._priority()
            if wanted is not None and wanted in self._waiting:
                del self._waiting[wanted]
                self.last_wanted = wanted
                return wanted
            return self._waiting.popitem(last=False)[0]

    def upcoming(self, count: int) -> list[int]:
        """The next ids in order, at most `count`, without removing them."""
        with self._lock:
            return list(islice(self._waiting, count))


_READ_TOGETHER, _READ_FOR_S = 16, 1.0
"""Number of records read together, and seconds that they stay valid: each takes 0.35 ms of CPU, read alone 0.95."""


class UpcomingRecords:
    """The records of the images that a queue hands out, read a few at a time."""

    def __init__(self, project: Project, ids: Queue, clock: Callable[[], float] = time.monotonic) -> None:
        self._project, self._ids, self._clock = project, ids, clock
        self._known: dict[int, ImageRecord] = {}
        self._read_at = -math.inf
        self._lock = threading.Lock()

    def take(self, image_id: int) -> ImageRecord:
        """The record of an image taken from the queue, at most a second old. Raises ProjectError."""
        with self._lock:
            if image_id not in self._known or self._clock() - self._read_at > _READ_FOR_S:
                wanted = [image_id, *self._ids.upcoming(_READ_TOGETHER - 1)]
                self._read_at = self._clock()
                self._known = {record.id: record for record in self._project.images.records(wanted)}
            record = self._known.pop(image_id, None)
        return record if record is not None else self._project.images.record(image_id)


class PixelBudget:
    """Limits the decoded pixels of the images in progress."""

    def __init__(self, pixels: int = PIXEL_BUDGET) -> None:
        self._limit = pixels
        self._used = 0
        self._changed = threading.Condition()

    def acquire(self, pixels: int, *, timeout_s: float) -> bool:
        """Wait until `pixels` more fit, or nothing else is held. False on timeout."""
        with self._changed:
            fits = self._changed.wait_for(lambda: not self._used or self._used + pixels <= self._limit, timeout_s)
            if fits:
                self._used += pixels
            return fits

    def release(self, pixels: int) -> None:
        """Give pixels back."""
        with self._changed:
            self._used -= pixels
            self._changed.notify_all()


log = logging.getLogger(__name__)

_STEP_S = 0.1
"""How often a waiting thread checks whether it should stop."""


@dataclass(frozen=True, slots=True)
class ImageJob:
    """One image in progress."""

    image_id: int
    started_at: float
    pixels: int = 0
    """Its part of the pixel budget."""
    seen: SeenFile | None = None
    """The image's file, just before it was read."""


OnCandidates = Callable[[int, Candidates, SeenFile], None]
"""(image id, its candidates, the file that they belong to)."""


def ignore_candidates(image_id: int, candidates: Candidates, seen: SeenFile) -> None:
    """For callers that need only proposals."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The result for one image."""

    proposals: list[ModelProposal]
    signals: dict[str, tuple[float, Any]]
    """As from `Proposer.signals`."""


class ExcludedImage(Enum):
    """The image no longer belongs to the set."""

    LEFT_OUT = "left out"


LEFT_OUT = ExcludedImage.LEFT_OUT
StageResult: TypeAlias = Proposed | MaskwrightError | ExcludedImage | None
"""Proposals, or why there are none; None if cancelled before it was done."""


class Stages:
    """Threads that feed and post-process around a runner; `outcomes` starts them, leaving the context ends them."""

    def __init__(
        self,
        project: Project,
        runner: AsyncRunner[ImageJob],
        ids: Queue,
        proposer: Proposer,
        token: CancelToken,
        on_candidates: OnCandidates = ignore_candidates,
    ) -> None:
        self._project, self._runner, self._ids, self._token = project, runner, ids, token
        self._proposer, self._on_candidates = proposer, on_candidates
        self._records = UpcomingRecords(project, ids)
        self._budget = PixelBudget()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._feeding = 0
        self._under_way = 0
        self._finished: queue.Queue[tuple[ImageJob, StageResult]] = queue.Queue(maxsize=8)

    def outcomes(
        self, *, feeders: int, posters: int, between: Callable[[], object] = lambda: None
    ) -> Iterator[tuple[ImageJob, StageResult] | None]:
        """Run, and yield each job with its result as it finishes, or None if none does for a moment; call it once.

        `between` is called before each.
        """
        self._start(feeders, posters)
        while not self._is_over:
            between()
            if self._token.is_cancelled:
                self.stop()
            try:
                yield self._finished.get(timeout=_STEP_S)
            except queue.Empty:
                yield None

    def stop(self) -> None:
        """Start nothing new and cancel what the device has not finished."""
        self._stopped.set()
        self._runner.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """If `outcomes` was left early: drain what the threads still produce, so that none waits for ever."""
        self.stop()
        while not self._is_over:
            with suppress(queue.Empty):
                self._finished.get(timeout=_STEP_S)

    @property
    def _is_over(self) -> bool:
        with self._lock:
            return not self._feeding and not self._under_way and self._finished.empty()

    @property
    def _is_stopping(self) -> bool:
        return self._stopped.is_set() or self._token.is_cancelled

    def _start(self, feeders: int, posters: int) -> None:
        self._feeding = feeders
        threads = [threading.Thread(target=self._feed, name=f"decode-{k}", daemon=True) for k in range(feeders)]
        threads += [threading.Thread(target=self._post, name=f"trace-{k}", daemon=True) for k in range(posters)]
        for thread in threads:
            thread.start()

    def _feed(self) -> None:
        try:
            while not self._is_stopping:
                if self._token.is_paused:
                    self._token.wait_while_paused(_STEP_S)
                    continue
                with self._lock:
                    image_id = self._ids.take()
                    self._under_way += image_id is not None
                if image_id is None:
                    return
                self._prepare(ImageJob(image_id, time.monotonic()))
        finally:
            with self._lock:
                self._feeding -= 1

    def _prepare(self, job: ImageJob) -> None:
        try:
            record = self._records.take(job.image_id)
            if record.standing is not ImageStanding.LISTED:
                self._finish(job, LEFT_OUT)
                return
            job = replace(job, pixels=record.width * record.height)
            if not self._held(job):
                self._finish(replace(job, pixels=0), None)
                return
            seen, image = self._read(record)
            job = replace(job, seen=seen)
            while not self._runner.submit(job, image, timeout_s=_STEP_S):
                if self._is_stopping:
                    self._finish(job, None)
                    return
        except MaskwrightError as error:
            self._finish(job, error)
        except Exception:  # a thread's loop: one image must not end the batch
            log.exception("image %d was not prepared", job.image_id)
            self._finish(job, ImageError(UNEXPECTED, hint=IN_THE_LOG))

    def _read(self, record: ImageRecord) -> tuple[SeenFile, NDArray[np.uint8]]:
        """The file as it was just before reading, and its pixels. Raises ImageError."""
        try:
            return self._decoded(record)
        except ImageError:
            newest = self._project.images.record(record.id)
            if newest == record:
                raise
            return self._decoded(newest)  # the file has been moved since the record was read

    def _decoded(self, record: ImageRecord) -> tuple[SeenFile, NDArray[np.uint8]]:
        path = self._project.image_path(record)
        seen, image = SeenFile.now(path), read_image(path)
        if image.header.size_wh != (record.width, record.height):
            raise ImageError("the image size has changed since the file was added", path=image.header.path)
        return seen, image.bgr_u8

    def _held(self, job: ImageJob) -> bool:
        while not self._budget.acquire(job.pixels, timeout_s=_STEP_S):
            if self._is_stopping:
                return False
        return True

    def _post(self) -> None:
        while not self._is_over:
            result = self._runner.next_result(timeout_s=_STEP_S)
            if result is not None:
                job, outcome = result
                self._finish(job, self._proposed(job, outcome))

    def _proposed(self, job: ImageJob, outcome: Candidates | MaskwrightError) -> StageResult:
        if isinstance(outcome, InferenceCancelledError):
            return None
        if isinstance(outcome, MaskwrightError):
            return outcome
        try:
            assert job.seen is not None  # set when it was prepared
            self._on_candidates(job.image_id, outcome, job.seen)
            return Proposed(self._proposer.proposals(outcome), self._proposer.signals(outcome))
        except MaskwrightError as error:
            return error
        except Exception:  # as above
            log.exception("the output for image %d cannot be used", job.image_id)
            return ModelError("the model's output cannot be used", hint=IN_THE_LOG)

    def _finish(self, job: ImageJob, result: StageResult) -> None:
        self._budget.release(job.pixels)
        self._finished.put((job, result))
        with self._lock:
            self._under_way -= 1
