"""Keeps several images in flight on one model, so that the device never waits for Python."""

import logging
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError, ModelError
from maskwright.inference.candidates import Candidates
from maskwright.inference.image_input import ImageLike, image_to_bgr
from maskwright.inference.model import Model
from maskwright.inference.runtime import Request

log = logging.getLogger(__name__)


class InferenceCancelledError(ModelError):
    """The image was cancelled before it was done."""


Key = TypeVar("Key")
Outcome = Candidates | MaskwrightError


class AsyncRunner(Generic[Key]):
    """Takes images with a key and returns (key, candidates or error) in the order in which they finish.

    One thread per infer request waits for OpenVINO, outside the GIL, and decodes. At most `2 * depth` images are
    between `submit` and `next_result`, so memory is bounded; every submitted image is returned exactly once, after
    `cancel` as an error. Use it as a context manager, or call `close`.
    """

    def __init__(self, model: Model, depth: int | None = None) -> None:
        self._model = model
        self._requests = model.requests(depth)
        self._room = threading.BoundedSemaphore(2 * len(self._requests))
        self._waiting: queue.SimpleQueue[tuple[Key, NDArray[np.uint8]] | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[Key, Outcome]] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(request,), name=f"infer-{k}", daemon=True)
            for k, request in enumerate(self._requests)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def capacity(self) -> int:
        """How many images may be submitted before a result must be collected."""
        return 2 * len(self._requests)

    def submit(self, key: Key, image_bgr: NDArray[np.uint8], *, timeout_s: float | None = None) -> bool:
        """Submit an image (H, W, 3) uint8 BGR; waits while `capacity` images are in flight.

        Returns False if there was no room within the time. The image must not change until its result is returned.
        """
        if not self._room.acquire(timeout=timeout_s):
            return False
        self._waiting.put((key, image_bgr))
        return True

    def next_result(self, *, timeout_s: float | None = None) -> tuple[Key, Outcome] | None:
        """The next finished image; None if none finished within the time."""
        try:
            result = self._finished.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._room.release()
        return result

    def run(self, images: Iterable[tuple[Key, NDArray[np.uint8]]]) -> Iterator[tuple[Key, Outcome]]:
        """All `images`, read only as far ahead as `capacity`; yields results as they finish."""
        under_way = 0
        for key, image in images:
            while not self.submit(key, image, timeout_s=0 if under_way else None):
                yield self._collected()
                under_way -= 1
            under_way += 1
        for _ in range(under_way):
            yield self._collected()

    def cancel(self) -> None:
        """Cancel: running and waiting images are returned as errors, and so is anything submitted later."""
        self._cancelled.set()
        for request in self._requests:
            request.cancel()

    def close(self) -> None:
        """Cancel what is left and wait for the threads, at most for one inference."""
        self.cancel()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _collected(self) -> tuple[Key, Outcome]:
        result = self.next_result()
        assert result is not None  # without a time limit it waits for one
        return result

    def _work(self, request: Request) -> None:
        while (job := self._waiting.get()) is not None:
            key, image = job
            self._finished.put((key, self._outcome(request, image)))

    def _outcome(self, request: Request, image: NDArray[np.uint8]) -> Outcome:
        """Candidates, or the error; a thread's loop is one of the two places that catch everything."""
        if self._cancelled.is_set():
            return InferenceCancelledError("cancelled")
        try:
            return self._model.infer(request, self._model.feeds(image), image.shape)
        except MaskwrightError as error:
            return InferenceCancelledError("cancelled") if self._cancelled.is_set() else error
        except Exception:
            log.exception("the model did not run")
            return ModelError(UNEXPECTED, hint=IN_THE_LOG)

    def __enter__(self) -> "AsyncRunner[Key]":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


_Result = Candidates | MaskwrightError


def predicted_in_order(
    model: Model, images: Iterable[ImageLike], in_flight: int | None, *, keeps_going: bool
) -> Iterator[_Result]:
    """See `Model.predict_batch`. Reads at most twice as many images ahead as are in flight."""
    with AsyncRunner[int](model, in_flight) as runner:
        done: dict[int, _Result] = {}
        first = count = 0
        for image in images:
            while count - first >= runner.capacity:
                _collect(runner, done, first)
                yield _taken(done.pop(first), keeps_going=keeps_going)
                first += 1
            try:
                runner.submit(count, image_to_bgr(image))
            except MaskwrightError as error:
                done[count] = error
            count += 1
        for index in range(first, count):
            _collect(runner, done, index)
            yield _taken(done.pop(index), keeps_going=keeps_going)


def _collect(runner: AsyncRunner[int], done: dict[int, _Result], wanted: int) -> None:
    """Wait until `wanted` is done."""
    while wanted not in done:
        result = runner.next_result()
        assert result is not None  # without a time limit it waits for one
        done[result[0]] = result[1]


def _taken(outcome: _Result, *, keeps_going: bool) -> _Result:
    if isinstance(outcome, MaskwrightError) and not keeps_going:
        raise outcome
    return outcome
